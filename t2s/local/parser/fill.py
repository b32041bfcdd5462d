"""Shapes to queries: every slot gets the columns, comparisons and tables that fit it best."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from heapq import nlargest
from itertools import combinations
from typing import Any, NamedTuple

from t2s.local.joins import Graph
from t2s.local.parser.query import Column, Condition, Expression, Query
from t2s.local.parser.said import Said
from t2s.local.parser.units import Amount, Unit
from t2s.local.parser.write import tables_of

WIDTH = 5
"""Columns that are tried for a slot."""

PER_SHAPE = 14
"""Queries kept of one shape."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What the role models say, as log-odds: of columns in roles, of computed columns, units and tables."""

    said: Said
    graph: Graph
    roles: dict[str, dict[Column, float]]
    computed: dict[tuple[str, Column], float]
    units: tuple[tuple[Unit, float], ...]
    tables: dict[str, float]
    amounts: tuple[Amount, ...]
    limit: int

    def best(self, role: str, count: int = WIDTH, where: Callable[[Column], bool] | None = None) -> list[Column]:
        """The likeliest columns for a role."""
        scores = self.roles[role]
        return nlargest(count, (c for c in scores if where is None or where(c)), key=lambda c: scores[c])


@dataclass(frozen=True, slots=True)
class Part:
    """Some slots filled: what they are worth, and the words and comparisons that they account for."""

    score: float
    query: Query
    used: frozenset[int] = frozenset()
    chosen: tuple[Unit, ...] = ()


class Option(NamedTuple):
    """One way to fill the next slots of a part: what it adds to the score, and what it changes."""

    gain: float
    changes: dict[str, Any]
    used: frozenset[int] = frozenset()
    chosen: tuple[Unit, ...] = ()


def fill(shape: Query, evidence: Evidence) -> list[Part]:
    """The best queries of a shape, with the sum of the log-odds of what they chose."""
    empty = replace(
        shape, select=(), tables=(), where=(), group=(), having=(), order=(), other=None, operation="", limit=None
    )
    parts = [Part(0.0, empty)]
    for step in (_conditions, _having, _select, _order, _group, _limit, _branch, _tables):
        found = [(part.score + option.gain, part, option) for part in parts for option in step(shape, part, evidence)]
        parts = [_applied(score, part, option) for score, part, option in nlargest(PER_SHAPE + 8, found, key=_first)]
    return parts[:PER_SHAPE]


def _first(item: tuple[float, Part, Option]) -> float:
    return item[0]


def _applied(score: float, part: Part, option: Option) -> Part:
    """A part with an option taken."""
    query = replace(part.query, **option.changes) if option.changes else part.query
    return Part(score, query, part.used | option.used, (*part.chosen, *option.chosen))


def _words(chosen: tuple[Unit, ...]) -> frozenset[int]:
    return frozenset(n for unit in chosen for n in range(unit.first, unit.last + 1))


def _select(shape: Query, part: Part, evidence: Evidence) -> Iterator[Option]:
    plain = [e for e in shape.select if e.column and not e.function]
    rows = [list(pick) for pick in _plain_columns(len(plain), evidence)] if plain else [[]]
    for row in rows:
        score = sum(evidence.roles["select"][column] for column in row)
        for computed, more in _computed(shape.select, evidence):
            left, right = iter(row), iter(computed)
            chosen = tuple(_next(e, left, right) for e in shape.select)
            if len(set(chosen)) == len(chosen):
                yield Option(score + more, {"select": chosen})


def _next(slot: Expression, plain: Iterator[Column], computed: Iterator[Column]) -> Expression:
    if slot.column is None:
        return slot
    return replace(slot, column=next(computed if slot.function else plain))


def _plain_columns(count: int, evidence: Evidence) -> Iterator[tuple[Column, ...]]:
    """Sets of columns in the order in which the question names them."""
    scores = evidence.roles["select"]
    best = evidence.best("select", WIDTH + count)

    place = {column: evidence.said.anchor(column) for column in best}
    picks = [pick for pick in combinations(best, count) if len({place[c] for c in pick if place[c] < 99}) >= count - 1]
    for pick in nlargest(12, picks, key=lambda pick: sum(scores[c] for c in pick)):
        yield tuple(sorted(pick, key=lambda c: place[c]))


def _computed(slots: Sequence[Expression], evidence: Evidence) -> Iterator[tuple[tuple[Column, ...], float]]:
    """Columns for the aggregates, best first for each; several aggregates share a column or take one each."""
    wanted = [e for e in slots if e.function and e.column]
    if not wanted:
        yield (), 0.0
        return
    options = [_of_function(e.function, evidence) for e in wanted]
    rows = [((), 0.0)] if not all(options) else None
    if rows:
        return
    beams: list[tuple[tuple[Column, ...], float]] = [((), 0.0)]
    for found in options:
        beams = [((*row, c), score + s + (c in row)) for row, score in beams for c, s in found]
        beams = nlargest(12, beams, key=lambda b: b[1])
    yield from beams


def _of_function(function: str, evidence: Evidence) -> list[tuple[Column, float]]:
    """The columns that are likeliest under a function; keys are counted, not added up."""
    fields = evidence.said.fields
    found = [
        (column, score)
        for (name, column), score in evidence.computed.items()
        if name == function and not (name in ("sum", "avg") and (fields[column].primary or fields[column].foreign))
    ]
    return nlargest(WIDTH, found, key=lambda pair: pair[1])


def _conditions(shape: Query, part: Part, evidence: Evidence) -> Iterator[Option]:
    """Comparisons with constants, and those with queries."""
    nested = [c for c in shape.where if c.query is not None]
    count = len(shape.where) - len(nested)
    if len(nested) > 1:
        return
    for chosen, score in _pick(count, part.used, evidence):
        option = Option(
            score, {"where": tuple(unit.condition for unit in chosen)} if chosen else {}, _words(chosen), chosen
        )
        if nested:
            yield from _nested(nested[0], option, evidence)
        else:
            yield option


def _pick(count: int, used: frozenset[int], evidence: Evidence) -> list[tuple[tuple[Unit, ...], float]]:
    """So many comparisons of different places in the question, in their order."""
    beams: list[tuple[tuple[Unit, ...], float]] = [((), 0.0)]
    best = nlargest(16, evidence.units, key=lambda pair: pair[1])
    for _ in range(count):
        longer = [
            ((*row, unit), score + s)
            for row, score in beams
            for unit, s in best
            if unit.first not in used and unit.last not in used and (not row or row[-1].last < unit.first)
        ]
        beams = nlargest(12, longer, key=lambda b: b[1])
    return beams


def _nested(slot: Condition, so_far: Option, evidence: Evidence) -> Iterator[Option]:
    """A comparison with a query: one of keys (IN), or one with an aggregate."""
    assert slot.query is not None
    inner = slot.query
    if inner.other or inner.group or inner.having or any(c.query for c in inner.where) or len(inner.select) != 1:
        return
    if slot.operator in ("in", "not in"):
        yield from _keys(slot, inner, so_far, evidence)
    elif inner.select[0].function and inner.select[0].column and slot.left.column and not slot.left.function:
        yield from _against(slot, inner, so_far, evidence)


def _keys(slot: Condition, inner: Query, so_far: Option, evidence: Evidence) -> Iterator[Option]:
    for steps in evidence.graph.steps.values():
        for step in steps:
            if len(step.pairs) != 1 or (step.to_one and not inner.where):
                continue
            outside, inside = step.pairs[0]
            key: Column = (outside.table, outside.column)
            score = evidence.tables[outside.table] + evidence.tables[inside.table] - 1.0
            for chosen, more in _pick(len(inner.where), so_far.used, evidence)[:4]:
                within = Query(
                    select=(Expression("", (inside.table, inside.column)),),
                    tables=(inside.table,),
                    where=tuple(unit.condition for unit in chosen),
                    any_of=inner.any_of,
                )
                condition = Condition(Expression("", key), slot.operator, (), within)
                yield _with(so_far, condition, score + more, chosen)


def _against(slot: Condition, inner: Query, so_far: Option, evidence: Evidence) -> Iterator[Option]:
    function = inner.select[0].function
    for column in evidence.best("where", WIDTH, lambda c: evidence.said.fields[c].kind != "text" or function != "avg"):
        for chosen, more in _pick(len(inner.where), so_far.used, evidence)[:3]:
            within = Query(
                select=(Expression(function, column),),
                where=tuple(unit.condition for unit in chosen),
                any_of=inner.any_of,
            )
            condition = Condition(Expression("", column), slot.operator, (), within)
            yield _with(so_far, condition, evidence.roles["where"][column] + more, chosen)


def _with(so_far: Option, condition: Condition, gain: float, chosen: tuple[Unit, ...]) -> Option:
    where = (*so_far.changes.get("where", ()), condition)
    return Option(so_far.gain + gain, {"where": where}, so_far.used | _words(chosen), (*so_far.chosen, *chosen))


def _having(shape: Query, part: Part, evidence: Evidence) -> Iterator[Option]:
    if not shape.having:
        yield Option(0.0, {})
        return
    slot = shape.having[0]
    if len(shape.having) > 1 or slot.query is not None:
        return
    options = [(slot.left, 0.0)]
    if slot.left.column:
        if not slot.left.function:
            return
        options = [(replace(slot.left, column=c), s) for c, s in _of_function(slot.left.function, evidence)]
    for amount in evidence.amounts:
        if amount.last in part.used:
            continue
        for left, score in options:
            condition = Condition(left, amount.operator, amount.values)
            used = frozenset(range(amount.first, amount.last + 1))
            yield Option(score + (0.0 if amount.cued else -1.0), {"having": (condition,)}, used)


def _order(shape: Query, part: Part, evidence: Evidence) -> Iterator[Option]:
    if not shape.order:
        yield Option(0.0, {})
        return
    if len(shape.order) > 2:
        return
    options: list[tuple[tuple[Expression, ...], float]] = [((), 0.0)]
    for slot in shape.order:
        found: list[tuple[Expression, float]]
        if slot.column is None:
            found = [(slot, 0.0)]
        elif slot.function:
            found = [(replace(slot, column=c), s) for c, s in _of_function(slot.function, evidence)]
        else:
            found = [(replace(slot, column=c), evidence.roles["order"][c]) for c in evidence.best("order")]
        options = [((*row, e), score + s) for row, score in options for e, s in found if e not in row]
    for row, score in nlargest(12, options, key=lambda o: o[1]):
        yield Option(score, {"order": row})


def _group(shape: Query, part: Part, evidence: Evidence) -> Iterator[Option]:
    """The plain columns that are selected, the key of their table, or the likeliest column."""
    count = len(shape.group)
    if not count:
        yield Option(0.0, {})
        return
    scores = evidence.roles["group"]
    plain = [e.column for e in part.query.select if e.column and not e.function]
    keys = [c for c, field in evidence.said.fields.items() if field.primary and c[0] in {p[0] for p in plain}]
    options = dict.fromkeys((*plain, *keys, *evidence.best("group", 3)))
    if count == 1:
        for column in options:
            penalty = 0.0 if column in plain or not plain or column in keys else -1.5
            yield Option(scores[column] + penalty, {"group": (column,)})
    elif len(plain) >= count:
        yield Option(0.0, {"group": tuple(plain[:count])})


def _limit(shape: Query, part: Part, evidence: Evidence) -> Iterator[Option]:
    yield Option(0.0, {} if shape.limit is None else {"limit": evidence.limit})


def _branch(shape: Query, part: Part, evidence: Evidence) -> Iterator[Option]:
    """The second branch of a set operation: the same columns under other conditions, or of other rows."""
    if shape.other is None:
        yield Option(0.0, {})
        return
    other = shape.other
    same = tuple(e.sketch for e in other.select) == tuple(e.sketch for e in shape.select)
    if not same or other.group or other.having or other.order or any(c.query for c in other.where):
        return
    if not other.where:
        yield from _rest(shape, part, evidence)
        return
    for chosen, score in _pick(len(other.where), part.used, evidence)[:6]:
        if chosen and part.chosen and chosen[0].first < part.chosen[-1].last:
            continue
        second = Query(
            select=part.query.select,
            where=tuple(unit.condition for unit in chosen),
            any_of=other.any_of,
            distinct=other.distinct,
        )
        yield Option(score, {"operation": shape.operation, "other": second}, _words(chosen), chosen)


def _rest(shape: Query, part: Part, evidence: Evidence) -> Iterator[Option]:
    """`… EXCEPT` the same columns of the rows that have something in another table."""
    own = {e.column[0] for e in part.query.select if e.column}
    for table in _likely_tables(evidence, own, 3):
        second = Query(select=part.query.select, tables=(*own, table))
        yield Option(evidence.tables[table], {"operation": shape.operation, "other": second})


def _likely_tables(evidence: Evidence, without: set[str], count: int) -> list[str]:
    scores = evidence.tables
    return nlargest(count, (t for t in scores if t not in without), key=lambda t: scores[t])


def _tables(shape: Query, part: Part, evidence: Evidence) -> Iterator[Option]:
    """The tables of the columns, alone or with another that the question names."""
    own = set(tables_of(part.query))
    known = sum(evidence.tables[t] for t in own)
    if own:
        yield Option(known, {})
    extra = [t for t in _likely_tables(evidence, own, 3) if evidence.tables[t] > -3 or not own]
    if shape.other is not None and not shape.other.where:
        return
    for table in extra:
        changes: dict[str, Any] = {"tables": (table,)}
        if part.query.other:
            changes["other"] = replace(part.query.other, tables=(table,))
        yield Option(known + evidence.tables[table], changes)
