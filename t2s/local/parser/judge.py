"""What speaks for and against a whole query: the features that it is ranked by."""

from __future__ import annotations

from t2s.local.parser.fill import Evidence, Part
from t2s.local.parser.query import Column, Expression, Query
from t2s.local.parser.said import Said
from t2s.local.parser.shapes import Shape
from t2s.local.parser.trees import log_probability
from t2s.local.parser.write import joins, tables_of
from t2s.local.words import lexicon

STRONG = 0.75
"""A name that is said this well should have a place in the query."""


def features(said: Said, evidence: Evidence, shape: Shape, logs: list[float], part: Part, rank: int) -> list[float]:
    """The features of one query."""
    query = part.query
    tables = set(tables_of(query)) | (set(tables_of(query.other)) if query.other else set())
    inner = [c.query for c in query.where if c.query]
    for nested in inner:
        tables |= set(tables_of(nested))
    selected = [e.column for e in query.select if e.column and not e.function]
    computed = [(e.function, e.column) for e in (*query.select, *query.order) if e.column and e.function]
    ordered = [e.column for e in query.order if e.column and not e.function]
    unit_scores = dict(evidence.units)
    units = [unit_scores.get(unit, -3.0) for unit in part.chosen]
    roles = evidence.roles
    steps = joins(tables_of(query), evidence.graph, said.best) or ()
    covered = _covered(said, query, tables, part)
    strong = [
        (m.first, m.last, m.score)
        for ms in said.columns.values()
        for m in ms[:1]
        if m.score >= STRONG and not all(n in covered for n in range(m.first, m.last + 1))
    ]
    named = [ms[0] for t, ms in said.tables.items() if ms[0].score >= STRONG and ms[0].first not in covered]
    values = {(c.first, c.last) for c in said.constants}
    exact = {(c.first, c.last) for c in said.constants if c.exact}
    numbers = [a.last for a in evidence.amounts]
    used_numbers = set(part.used) | ({-1} if query.limit is None else set(_limit_words(said, query.limit)))
    content = [n for n, word in enumerate(said.words) if _content(said, n)]
    cues = [cue for cue in said.cues]
    unused_tables = [t for t in tables if said.table(t) < 0.5]
    in_way = {s.end for s in steps} | {s.start for s in steps}
    return [
        *logs,
        sum(logs),
        shape.weight,
        float(rank),
        part.score,
        _sum(roles["select"], selected),
        _least(roles["select"], selected),
        _total(roles["select"]),
        sum(units),
        min(units, default=0.0),
        sum(log_probability(-s) for s in _best_per_place(evidence, set(part.chosen))),
        _sum(roles["group"], query.group),
        _sum(roles["order"], ordered),
        _least(roles["order"], ordered),
        sum(evidence.computed.get(c, -4.0) for c in computed),
        min((evidence.computed.get(c, -4.0) for c in computed), default=0.0),
        sum(evidence.tables[t] for t in tables),
        min((evidence.tables[t] for t in tables), default=0.0),
        max((s for t, s in evidence.tables.items() if t not in tables and t not in in_way), default=-9.0),
        max((s for c, s in roles["select"].items() if c not in selected), default=-9.0),
        max((s for c, s in roles["where"].items() if not _compared(query, c)), default=-9.0),
        float(len(tables)),
        float(len(steps)),
        float(len(in_way - tables)),
        float(len(unused_tables)),
        float(len(strong)),
        max((score for _, _, score in strong), default=0.0),
        float(len({m.first for m in named})),
        float(len(values)),
        float(sum(first not in covered for first, _ in values)),
        float(sum(first not in covered for first, _ in exact)),
        float(len(numbers)),
        float(sum(n not in used_numbers for n in numbers)),
        float(len(content)),
        float(sum(n not in covered for n in content)),
        float(sum(_unknown(said, n) for n in content if n not in covered)),
        float(len(said.words)),
        float(query.distinct) - float("distinct" in cues),
        float(query.descending) if query.order else -1.0,
        _direction(said, query),
        float(bool(query.group)) * 2 + float("group" in cues),
        float(any(g in selected for g in query.group)),
        float(any(said.fields[g].primary for g in query.group)),
        float(_ordered(said, selected)),
        float(len(selected)),
        float(sum(said.best(c) < 0.4 for c in selected)),
        float(sum(said.fields[c].primary or said.fields[c].foreign for c in selected)),
        float(len({c[0] for c in selected})),
        float(len(query.where)),
        float(bool(inner)),
        float(bool(query.other)),
        float(len(said.schema.tables)),
        _star(said, query, evidence),
        *_heeded(said, query),
        *_branches(query),
    ]


def _heeded(said: Said, query: Query) -> list[float]:
    """For each kind of cue: 1 where the query has it without being asked, -1 where it was asked in vain."""
    cues = set(said.cues)
    groups = {cue.partition(" ")[0] for cue in cues}
    queries = [query, *([query.other] if query.other else []), *(c.query for c in query.where if c.query)]
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
        (any(c.operator in "<>=!=" and c.operator != "=" for q in queries for c in (*q.where, *q.having)), "cmp" in groups),
    ]
    return [float(has) - float(wanted) for has, wanted in pairs]


def _branches(query: Query) -> list[float]:
    """Whether conditions, or both sides of a set operation, compare the same column; with what a column is sorted by."""
    here = [c.left.column for c in query.where]
    there = [c.left.column for c in query.other.where] if query.other else []
    ordered = {e.column for e in query.order if e.column}
    return [
        float(len(here) - len(set(here))),
        float(bool(there) and there == here) - float(bool(there) and there != here),
        float(any(c in here for c in ordered)),
        float(any(e.column in here for e in query.select if e.column and not e.function)),
    ]


def _sum(scores: dict[Column, float], chosen: tuple[Column, ...] | list[Column]) -> float:
    return sum(scores[c] for c in chosen)


def _least(scores: dict[Column, float], chosen: list[Column]) -> float:
    return min((scores[c] for c in chosen), default=0.0)


def _total(scores: dict[Column, float]) -> float:
    return sum(log_probability(-s) for s in scores.values())


def _best_per_place(evidence: Evidence, chosen: set[object]) -> list[float]:
    """Of each place in the question whose comparison was not chosen, how likely its best one is."""
    best: dict[int, float] = {}
    taken = {n for unit in chosen for n in range(unit.first, unit.last + 1)}  # type: ignore[attr-defined]
    for unit, score in evidence.units:
        if unit.last not in taken:
            best[unit.last] = max(best.get(unit.last, -9.0), score)
    return list(best.values())


def _compared(query: Query, column: Column) -> bool:
    branches = [query, *([query.other] if query.other else []), *(c.query for c in query.where if c.query)]
    return any(c.left.column == column for branch in branches for c in branch.where)


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


def _limit_words(said: Said, limit: int) -> list[int]:
    return [n for n, word in enumerate(said.words) if word.number == limit]


def _content(said: Said, n: int) -> bool:
    word = said.words[n]
    return word.kind in ("word", "quoted") and not said.cues[n] and word.text.casefold() not in lexicon().skipped


def _unknown(said: Said, n: int) -> bool:
    """Whether a word stands for nothing in the schema."""
    groups = (*said.columns.values(), *said.tables.values())
    known = any(m.first <= n <= m.last for mentions in groups for m in mentions)
    return not known and not any(c.first <= n <= c.last for c in said.constants)


def _direction(said: Said, query: Query) -> float:
    """Whether the order goes the way that the words say: 1, 0 where they say nothing, -1."""
    cues = {cue for cue in said.cues if cue.startswith(("super", "top", "dir"))}
    down = any(" desc" in cue for cue in cues)
    up = any(" asc" in cue for cue in cues)
    if not query.order or down == up:
        return 0.0
    return 1.0 if query.descending == down else -1.0


def _ordered(said: Said, selected: list[Column]) -> bool:
    places = [said.columns[c][0].first for c in selected if c in said.columns]
    return places == sorted(places)


def _star(said: Said, query: Query, evidence: Evidence) -> float:
    """How well the table is named whose rows are counted."""
    if not any(e.function == "count" and e.column is None for e in (*query.select, *query.order)):
        return -1.0
    tables = query.tables or tables_of(query)
    return max((said.table(t) for t in tables), default=0.0)
