"""The trained weights, and the queries that they make of a question."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from t2s.local.joins import Graph, build_graph
from t2s.local.parser.evidence import Evidence, Part
from t2s.local.parser.fill import fill
from t2s.local.parser.gloss import in_english
from t2s.local.parser.judge import features, grounds
from t2s.local.parser.query import Column, Query
from t2s.local.parser.roles import FUNCTIONS, column_features, computed_features, survey, table_features
from t2s.local.parser.said import Said, hear
from t2s.local.parser.shapes import Linear, Shape, likely
from t2s.local.parser.trees import Trees, probability
from t2s.local.parser.units import amounts, units
from t2s.local.parser.write import Writer, tables_of
from t2s.types.query import Context
from t2s.types.schema import Schema

SHAPES = 18
"""Shapes that are filled for a question."""

PROPOSALS = 100
"""Queries that are ranked, the best by the sum of what was chosen."""

ALONE = 9.0
"""The lead of a query that has no rival."""

COLUMN_ROLES = ("select", "where", "group", "order")


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """All that was learned."""

    roles: Mapping[str, Trees]
    shapes: tuple[Shape, ...]
    parts: tuple[Linear, ...]
    ranker: Trees | None = None
    sureness: Trees | None = None


@dataclass(frozen=True, slots=True)
class Proposal:
    """A query with its SQL, the features that it is ranked by, and its score."""

    part: Part
    sql: str
    features: list[float]
    score: float

    @property
    def by_rules(self) -> bool:
        """Whether the rules read the question so, too."""
        return bool(self.features[-1])


def rows_of_columns(said: Said) -> dict[Column, list[float]]:
    """The features of every column."""
    around = survey(said)
    return {column: column_features(said, around, column) for column in said.fields}


def rows_of_computed(said: Said, columns: Mapping[Column, list[float]]) -> dict[tuple[str, Column], list[float]]:
    """The features of every column that may be computed, under each function."""
    usable = [c for c, f in said.fields.items() if said.best(c) >= 0.3 or (f.kind == "number" and not f.foreign)]
    return {(f, c): computed_features(said, columns[c], c, f) for c in usable for f in FUNCTIONS}


def rows_of_tables(said: Said) -> dict[str, list[float]]:
    """The features of every table."""
    around = survey(said)
    return {table.full_name: table_features(said, around, table.full_name) for table in said.schema.tables}


def weigh(said: Said, graph: Graph, model: Model) -> Evidence:
    """What the role models make of a question."""
    columns = rows_of_columns(said)
    roles = {role: {c: model.roles[role].score(row) for c, row in columns.items()} for role in COLUMN_ROLES}
    computed = {key: model.roles["computed"].score(row) for key, row in rows_of_computed(said, columns).items()}
    tables = {name: model.roles["table"].score(row) for name, row in rows_of_tables(said).items()}
    numbers = amounts(said)
    compared = sorted(roles["where"], key=lambda c: -roles["where"][c])
    found = units(said, numbers, compared)
    scored = [(u, model.roles["unit"].score([*u.features, *columns[u.column]])) for u in found]
    return Evidence(
        said=said,
        graph=graph,
        roles=roles,
        computed=computed,
        units=tuple(scored),
        tables=tables,
        amounts=numbers,
        limit=limit_of(said),
    )


def limit_of(said: Said) -> int:
    """How many rows a superlative asks for."""
    spots = [n for n, cue in enumerate(said.cues) if cue.startswith(("super", "top"))]
    for spot in spots:
        for near in (spot + 1, spot - 1, spot + 2, spot - 2):
            if 0 <= near < len(said.words):
                number = said.words[near].number
                if number is not None and 0 < number <= 1000 and number == int(number):
                    return int(number)
    plain = [w.number for w in said.words if w.number is not None and 1 < w.number <= 20 and w.number == int(w.number)]
    return int(plain[0]) if spots and len(plain) == 1 else 1


_graphs: dict[str, Graph] = {}


def graph_of(schema: Schema) -> Graph:
    """The graph of a schema's keys, kept for the next question."""
    key = schema.fingerprint + "".join(table.full_name for table in schema.tables)
    if key not in _graphs:
        _graphs.clear()
        _graphs[key] = build_graph(schema)
    return _graphs[key]


def propose(context: Context, model: Model, ruled: Query | None = None, sure: float = 0.0) -> list[Proposal]:
    """The queries that a question may mean, the likeliest first; among them what rules made of it, and how surely."""
    said = hear(in_english(context))
    if not said.words:
        return []
    graph = graph_of(context.schema)
    evidence = weigh(said, graph, model)
    writer = Writer(context.schema, graph, said.best)
    shapes, log_of = likely(model.shapes, model.parts, said, SHAPES)
    drafts = [(s, logs, n, part) for s, logs in shapes for n, part in enumerate(fill(s.query, evidence))]
    wanted = essence(ruled) if ruled else None
    if ruled and not any(essence(part.query) == wanted for *_, part in drafts):
        drafts.append((Shape(ruled, ruled.parts, 0.0), log_of(ruled.parts), 0, as_part(ruled, evidence)))
    drafts.sort(key=lambda d: -(sum(d[1]) + 0.3 * d[0].weight + 0.7 * d[3].score + 9 * (essence(d[3].query) == wanted)))
    best: dict[str, Proposal] = {}
    known = grounds(said, evidence)
    for shape, logs, n, part in drafts:
        if len(best) == PROPOSALS:
            break
        sql = writer.write(part.query)
        if sql is None or sql in best:
            continue
        agrees = wanted is not None and essence(part.query) == wanted
        row = [*features(known, shape, logs, part, n), sure, float(agrees)]
        best[sql] = Proposal(part, sql, row, model.ranker.score(row) if model.ranker else part.score + sum(logs))
    return sorted(best.values(), key=lambda p: -p.score)


def essence(query: Query) -> tuple[object, ...]:
    """What makes a query's rows, in a form that can be compared."""
    group = frozenset((*query.group, *(e.column for e in query.select if e.column and not e.function and query.group)))
    where = frozenset((c.left, c.operator, c.values, essence(c.query) if c.query else None) for c in query.where)
    tables = frozenset(tables_of(query))
    ordered = (query.order, query.descending and bool(query.order), query.limit)
    other = (query.operation, essence(query.other)) if query.other else ()
    return (
        query.select,
        tables,
        query.distinct,
        where,
        query.any_of and len(where) > 1,
        group,
        query.having,
        ordered,
        other,
    )


def meaning(query: Query) -> tuple[object, ...]:
    """The essence without what only changes how rows are shown: the order of columns and rows, and repeated rows."""
    shown = replace(query, select=tuple(sorted(query.select, key=repr)), distinct=False)
    return essence(shown if query.limit is not None else replace(shown, order=(), descending=False))


def as_part(query: Query, evidence: Evidence) -> Part:
    """A finished query as if it had been filled in."""
    conditions = [c for q in (query, query.other) if q for c in q.where]
    chosen = tuple(unit for unit, _ in evidence.units if unit.condition in conditions)
    used = frozenset(n for unit in chosen for n in range(unit.first, unit.last + 1))
    scores = dict(evidence.units)
    plain = sum(evidence.roles["select"][e.column] for e in query.select if e.column and not e.function)
    ordered = sum(evidence.roles["order"][e.column] for e in query.order if e.column and not e.function)
    tables = sum(evidence.tables[table] for table in tables_of(query))
    return Part(plain + ordered + tables + sum(scores[unit] for unit in chosen), query, used, chosen)


def standing(chosen: int, scores: Sequence[float], essences: Sequence[tuple[object, ...]]) -> list[float]:
    """How far a query stands out from the others, by the scores and the essences of all.

    Its lead, its share, its height, how many come near it, and how far it leads those that differ in each part.
    """
    own = scores[chosen]
    shares = [math.exp(score - own) for n, score in enumerate(scores) if n != chosen]
    leads = [
        own - max((s for s, other in zip(scores, essences, strict=True) if other[n] != part), default=own - ALONE)
        for n, part in enumerate(essences[chosen])
    ]
    return [min(leads), 1 / (1 + sum(shares)), own, float(1 + sum(share > 0.5 for share in shares)), *leads]


def confidence(chosen: Proposal, proposals: list[Proposal], model: Model) -> float:
    """The probability that a proposal is right, as measured in training."""
    assert model.sureness is not None
    stands = standing(proposals.index(chosen), [p.score for p in proposals], [essence(p.part.query) for p in proposals])
    return probability(model.sureness.score([*chosen.features, *stands]))
