"""Shapes to queries: every slot gets the columns, comparisons and tables that fit it best."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from heapq import nlargest
from itertools import combinations
from typing import Any

from t2s.local.parser.conditions import fill_branch, fill_conditions, fill_having
from t2s.local.parser.evidence import WIDTH, Evidence, Option, Part
from t2s.local.parser.query import Column, Expression, Query
from t2s.local.parser.write import tables_of

PER_SHAPE = 14
"""Queries kept of one shape."""


def fill(shape: Query, evidence: Evidence) -> list[Part]:
    """The best queries of a shape, with the sum of the log-odds of what they chose."""
    empty = replace(
        shape, select=(), tables=(), where=(), group=(), having=(), order=(), other=None, operation="", limit=None
    )
    parts = [Part(0.0, empty)]
    for step in (fill_conditions, fill_having, _select, _order, _group, _limit, fill_branch, _tables):
        found = [(part.score + option.gain, part, option) for part in parts for option in step(shape, part, evidence)]
        parts = [_applied(score, part, option) for score, part, option in nlargest(PER_SHAPE + 8, found, key=_first)]
    return parts[:PER_SHAPE]


def _first(item: tuple[float, Part, Option]) -> float:
    return item[0]


def _applied(score: float, part: Part, option: Option) -> Part:
    """A part with an option taken."""
    query = replace(part.query, **option.changes) if option.changes else part.query
    return Part(score, query, part.used | option.used, (*part.chosen, *option.chosen))


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
    options = [evidence.computed_by(e.function) for e in wanted]
    rows = [((), 0.0)] if not all(options) else None
    if rows:
        return
    beams: list[tuple[tuple[Column, ...], float]] = [((), 0.0)]
    for found in options:
        beams = [((*row, c), score + s + (c in row)) for row, score in beams for c, s in found]
        beams = nlargest(12, beams, key=lambda b: b[1])
    yield from beams


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
            found = [(replace(slot, column=c), s) for c, s in evidence.computed_by(slot.function)]
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


def _tables(shape: Query, part: Part, evidence: Evidence) -> Iterator[Option]:
    """The tables of the columns, alone or with another that the question names."""
    own = tables_of(part.query)
    known = sum(evidence.tables[t] for t in own)
    if own:
        yield Option(known, {})
    extra = [t for t in evidence.other_tables(set(own), 3) if evidence.tables[t] > -3 or not own]
    if shape.other is not None and not shape.other.where:
        return
    for table in extra:
        changes: dict[str, Any] = {"tables": (table,)}
        if part.query.other:
            changes["other"] = replace(part.query.other, tables=(table,))
        yield Option(known + evidence.tables[table], changes)
