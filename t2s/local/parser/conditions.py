"""Slots for comparisons: with constants, with queries, of groups, and in the other branch of a set operation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from heapq import nlargest

from t2s.local.parser.evidence import WIDTH, Evidence, Option, Part, words_of
from t2s.local.parser.query import Column, Condition, Expression, Query
from t2s.local.parser.units import Unit


def fill_conditions(shape: Query, part: Part, evidence: Evidence) -> Iterator[Option]:
    """Comparisons with constants, and those with queries."""
    nested = [c for c in shape.where if c.query is not None]
    count = len(shape.where) - len(nested)
    if len(nested) > 1:
        return
    for chosen, score in _pick(count, part.used, evidence):
        option = Option(
            score, {"where": tuple(unit.condition for unit in chosen)} if chosen else {}, words_of(chosen), chosen
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
    return Option(so_far.gain + gain, {"where": where}, so_far.used | words_of(chosen), (*so_far.chosen, *chosen))


def fill_having(shape: Query, part: Part, evidence: Evidence) -> Iterator[Option]:
    """A comparison of a count or another aggregate with a number."""
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
        options = [(replace(slot.left, column=c), s) for c, s in evidence.computed_by(slot.left.function)]
    for amount in evidence.amounts:
        if amount.last in part.used:
            continue
        for left, score in options:
            condition = Condition(left, amount.operator, amount.values)
            used = frozenset(range(amount.first, amount.last + 1))
            yield Option(score + (0.0 if amount.cued else -1.0), {"having": (condition,)}, used)


def fill_branch(shape: Query, part: Part, evidence: Evidence) -> Iterator[Option]:
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
        yield Option(score, {"operation": shape.operation, "other": second}, words_of(chosen), chosen)


def _rest(shape: Query, part: Part, evidence: Evidence) -> Iterator[Option]:
    """`… EXCEPT` the same columns of the rows that have something in another table."""
    own = tuple(dict.fromkeys(e.column[0] for e in part.query.select if e.column))
    for table in evidence.other_tables(set(own), 3):
        second = Query(select=part.query.select, tables=(*own, table))
        yield Option(evidence.tables[table], {"operation": shape.operation, "other": second})
