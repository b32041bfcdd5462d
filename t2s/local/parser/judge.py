"""What speaks for and against a whole query: the features that it is ranked by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from heapq import nlargest

from t2s.local.parser.evidence import Evidence, Part
from t2s.local.parser.query import Column, Expression, Query
from t2s.local.parser.said import NOWHERE, Mention, Said
from t2s.local.parser.shapes import Shape
from t2s.local.parser.trees import log_probability
from t2s.local.parser.units import Unit
from t2s.local.parser.write import joins, tables_of
from t2s.local.words import lexicon

_UNEQUAL = frozenset({"<", ">", "<=", ">=", "!="})

STRONG = 0.75
"""A name that is said this well should have a place in the query."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grounds:
    """What is the same for all queries of a question."""

    said: Said
    evidence: Evidence
    unit_scores: Mapping[Unit, float]
    places: Mapping[int, float]
    by_role: Mapping[str, tuple[tuple[float, Column], ...]]
    by_table: tuple[tuple[float, str], ...]
    strong: tuple[Mention, ...]
    named: tuple[Mention, ...]
    values: frozenset[tuple[int, int]]
    exact: frozenset[tuple[int, int]]
    content: tuple[int, ...]
    unknown: frozenset[int]
    cues: frozenset[str]
    groups: frozenset[str]
    select_total: float


def grounds(said: Said, evidence: Evidence) -> Grounds:
    """The grounds of a question."""
    places: dict[int, float] = {}
    for unit, score in evidence.units:
        places[unit.last] = max(places.get(unit.last, -9.0), score)
    content = tuple(n for n in range(len(said.words)) if _content(said, n))
    select = evidence.roles["select"]
    return Grounds(
        said=said,
        evidence=evidence,
        unit_scores=dict(evidence.units),
        places=places,
        by_role={
            role: tuple(nlargest(12, ((score, column) for column, score in evidence.roles[role].items())))
            for role in ("select", "where")
        },
        by_table=tuple(sorted(((score, table) for table, score in evidence.tables.items()), reverse=True)),
        strong=tuple(ms[0] for ms in said.columns.values() if ms[0].score >= STRONG),
        named=tuple(ms[0] for ms in said.tables.values() if ms[0].score >= STRONG),
        values=frozenset((c.first, c.last) for c in said.constants),
        exact=frozenset((c.first, c.last) for c in said.constants if c.exact),
        content=content,
        unknown=frozenset(n for n in content if _unknown(said, n)),
        cues=frozenset(said.cues),
        groups=frozenset(cue.partition(" ")[0] for cue in said.cues),
        select_total=sum(log_probability(-s) for s in select.values()),
    )


def features(on: Grounds, shape: Shape, logs: list[float], part: Part, rank: int) -> list[float]:
    """The features of one query."""
    said, evidence, query = on.said, on.evidence, part.query
    queries = [query, *([query.other] if query.other else []), *(c.query for c in query.where if c.query)]
    own = tables_of(query)
    read = tuple(dict.fromkeys(table for q in queries for table in tables_of(q)))  # in an order that does not change
    tables = set(read)
    selected = [e.column for e in query.select if e.column and not e.function]
    computed = [(e.function, e.column) for e in (*query.select, *query.order) if e.column and e.function]
    ordered = [e.column for e in query.order if e.column and not e.function]
    compared = {c.left.column for q in queries for c in q.where}
    units = [on.unit_scores.get(unit, -3.0) for unit in part.chosen]
    taken = {n for unit in part.chosen for n in range(unit.first, unit.last + 1)}
    roles = evidence.roles
    steps = joins(own, evidence.graph, said.best) or ()
    in_way = {s.end for s in steps} | {s.start for s in steps}
    covered = _covered(said, query, tables, part)
    strong = [m for m in on.strong if not all(n in covered for n in range(m.first, m.last + 1))]
    numbers = [a.last for a in evidence.amounts]
    counted = part.used | ({n for n, w in enumerate(said.words) if w.number == query.limit} if query.limit else set())
    return [
        *logs,
        sum(logs),
        shape.weight,
        float(rank),
        part.score,
        sum(roles["select"][c] for c in selected),
        min((roles["select"][c] for c in selected), default=0.0),
        on.select_total,
        sum(units),
        min(units, default=0.0),
        sum(log_probability(-s) for last, s in on.places.items() if last not in taken),
        sum(roles["group"][c] for c in query.group),
        sum(roles["order"][c] for c in ordered),
        min((roles["order"][c] for c in ordered), default=0.0),
        sum(evidence.computed.get(c, -4.0) for c in computed),
        min((evidence.computed.get(c, -4.0) for c in computed), default=0.0),
        sum(evidence.tables[t] for t in read),
        min((evidence.tables[t] for t in tables), default=0.0),
        next((s for s, t in on.by_table if t not in tables and t not in in_way), -9.0),
        next((s for s, c in on.by_role["select"] if c not in selected), -9.0),
        next((s for s, c in on.by_role["where"] if c not in compared), -9.0),
        float(len(tables)),
        float(len(steps)),
        float(len(in_way - tables)),
        float(sum(not step.to_one for step in steps)),
        float(sum(said.table(t) < 0.5 for t in tables)),
        float(len(strong)),
        max((m.score for m in strong), default=0.0),
        float(len({m.first for m in on.named if m.first not in covered})),
        float(len(on.values)),
        float(sum(first not in covered for first, _ in on.values)),
        float(sum(first not in covered for first, _ in on.exact)),
        float(len(numbers)),
        float(sum(n not in counted for n in numbers)),
        float(len(on.content)),
        float(sum(n not in covered for n in on.content)),
        float(len(on.unknown - covered)),
        float(len(said.words)),
        float(query.distinct) - float("distinct" in on.groups),
        float(query.descending) if query.order else -1.0,
        _direction(on, query),
        float(bool(query.group)) * 2 + float("group" in on.groups),
        float(any(g in selected for g in query.group)),
        float(any(said.fields[g].primary for g in query.group)),
        float(_ordered(said, selected)),
        float(len(selected)),
        float(sum(said.best(c) < 0.4 for c in selected)),
        float(sum(said.fields[c].primary or said.fields[c].foreign for c in selected)),
        float(sum(said.fields[c].foreign and not said.fields[c].primary for c in selected)),
        float(len({c[0] for c in selected})),
        float(len(query.where)),
        float(any(c.query for c in query.where)),
        float(bool(query.other)),
        float(len(said.schema.tables)),
        _star(said, query),
        float(len(computed) - len({c for _, c in computed})),
        _shared_places(said, query),
        float(sum(said.fields[c].words[-1] in ("nam", "titl") for c in selected)),
        _about(said, {c[0] for c in selected} or set(own), tables),
        *_heeded(on, query, queries),
        *_branches(query),
    ]


def _shared_places(said: Said, query: Query) -> float:
    """How many columns are in the query for a word that another one is in it for, too."""
    places = [place for column in columns_of(query) if (place := said.anchor(column)) < NOWHERE]
    return float(len(places) - len(set(places)))


def _about(said: Said, selected: set[str], tables: set[str]) -> float:
    """Whether what is selected is of the table that the question names first: 1, 0.5 where it is only read, -1."""
    named = [(ms[0].first, table) for table, ms in said.tables.items() if ms[0].score >= STRONG]
    if not named:
        return 0.0
    first = {table for at, table in named if at == min(named)[0]}
    return 1.0 if first & selected else 0.5 if first & tables else -1.0


def _heeded(on: Grounds, query: Query, queries: list[Query]) -> list[float]:
    """For each kind of cue: 1 where the query has it without being asked, -1 where it was asked in vain."""
    cues, groups = on.cues, on.groups
    computed = {e.function for q in queries for e in (*q.select, *q.order, *(c.left for c in q.having))}
    negated = query.operation == "except" or any(c.operator.startswith(("not", "!")) for q in queries for c in q.where)
    ranked = any(q.limit is not None for q in queries) or bool(computed & {"min", "max"})
    pairs = [
        ("count" in computed, "count" in groups),
        ("avg" in computed, "agg avg" in cues),
        ("sum" in computed, "agg sum" in cues),
        ("min" in computed, bool({"agg min", "super asc"} & cues)),
        ("max" in computed, bool({"agg max", "super desc"} & cues)),
        (negated, "neg" in groups),
        (ranked, bool({"super", "top"} & groups) or bool({"agg min", "agg max"} & cues)),
        (bool(query.order) and query.limit is None, bool({"order", "dir", "alphabetical"} & groups)),
        (bool(query.group), "group" in groups),
        (bool(query.having), "cmp" in groups),
        (any(c.operator.endswith("like") for q in queries for c in q.where), any(g.startswith("like") for g in groups)),
        (query.any_of or query.operation == "union", "or" in groups),
        (query.operation == "intersect", bool({"both", "and"} & groups)),
        (any(e.distinct for q in queries for e in q.select) or query.distinct, "distinct" in groups),
        (
            any(c.operator in "<>=!=" and c.operator != "=" for q in queries for c in (*q.where, *q.having)),
            "cmp" in groups,
        ),
    ]
    return [float(has) - float(wanted) for has, wanted in pairs]


def _branches(query: Query) -> list[float]:
    """Whether conditions, or both sides of a set operation, compare one column, and which columns do two things."""
    here = [c.left.column for c in query.where]
    there = [c.left.column for c in query.other.where] if query.other else []
    ordered = {e.column for e in query.order if e.column}
    return [
        float(len(here) - len(set(here))),
        float(bool(there) and there == here) - float(bool(there) and there != here),
        float(any(c in here for c in ordered)),
        float(any(e.column in here for e in query.select if e.column and not e.function)),
    ]


def columns_of(query: Query) -> set[Column]:
    """All columns that a query names, those of its inner queries too."""
    expressions: list[Expression] = [*query.select, *query.order]
    found: set[Column] = set(query.group)
    for condition in (*query.where, *query.having):
        expressions.append(condition.left)
        if condition.query:
            found |= columns_of(condition.query)
    if query.other:
        found |= columns_of(query.other)
    return found | {e.column for e in expressions if e.column}


def _covered(said: Said, query: Query, tables: set[str], part: Part) -> set[int]:
    """The words that the query accounts for."""
    covered = set(part.used)
    groups = [said.columns.get(c, ()) for c in columns_of(query)] + [said.tables.get(t, ()) for t in tables]
    for mentions in groups:
        for m in mentions:
            if m.score >= mentions[0].score - 0.05:
                covered.update(range(m.first, m.last + 1))
    return covered


def _content(said: Said, n: int) -> bool:
    word = said.words[n]
    return word.kind in ("word", "quoted") and not said.cues[n] and word.text.casefold() not in lexicon().skipped


def _unknown(said: Said, n: int) -> bool:
    """Whether a word stands for nothing in the schema."""
    groups = (*said.columns.values(), *said.tables.values())
    known = any(m.first <= n <= m.last for mentions in groups for m in mentions)
    return not known and not any(c.first <= n <= c.last for c in said.constants)


def _direction(on: Grounds, query: Query) -> float:
    """Whether the order goes the way that the words say: 1, 0 where they say nothing, -1."""
    cues = {cue for cue in on.cues if cue.startswith(("super", "top", "dir"))}
    down = any(" desc" in cue for cue in cues)
    up = any(" asc" in cue for cue in cues)
    if not query.order or down == up:
        return 0.0
    return 1.0 if query.descending == down else -1.0


def _ordered(said: Said, selected: list[Column]) -> bool:
    places = [said.anchor(c) for c in selected if c in said.columns]
    return places == sorted(places)


def _star(said: Said, query: Query) -> float:
    """How well the table is named whose rows are counted."""
    if not any(e.function == "count" and e.column is None for e in (*query.select, *query.order)):
        return -1.0
    tables = query.tables or tables_of(query)
    return max((said.table(t) for t in tables), default=0.0)
