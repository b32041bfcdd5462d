"""The trained weights, and the queries that they make of a question."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from t2s.local.joins import Graph, build_graph
from t2s.local.parser.fill import Evidence, Part, fill
from t2s.local.parser.judge import features
from t2s.local.parser.query import Column
from t2s.local.parser.roles import FUNCTIONS, column_features, computed_features, survey, table_features
from t2s.local.parser.said import Said, hear
from t2s.local.parser.shapes import Linear, Shape, likely
from t2s.local.parser.trees import Trees, probability
from t2s.local.parser.units import amounts, units
from t2s.local.parser.write import Writer
from t2s.types.query import Context
from t2s.types.schema import Schema

SHAPES = 14
"""Shapes that are filled for a question."""

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
                if number is not None and number == int(number) and 0 < number <= 1000:
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


def propose(context: Context, model: Model) -> list[Proposal]:
    """The queries that a question may mean, the likeliest first."""
    said = hear(context)
    if not said.words:
        return []
    graph = graph_of(context.schema)
    evidence = weigh(said, graph, model)
    writer = Writer(context.schema, graph, said.best)
    best: dict[str, Proposal] = {}
    for shape, logs in likely(model.shapes, model.parts, said, SHAPES):
        for rank, part in enumerate(fill(shape.query, evidence)):
            sql = writer.write(part.query)
            if sql is None or sql in best:
                continue
            row = features(said, evidence, shape, logs, part, rank)
            score = model.ranker.score(row) if model.ranker else part.score + sum(logs)
            best[sql] = Proposal(part, sql, row, score)
    return sorted(best.values(), key=lambda p: -p.score)


def standing(scores: list[float]) -> list[float]:
    """How far the first of sorted scores stands out: its lead, its share, and its height."""
    shares = [math.exp(score - scores[0]) for score in scores]
    lead = scores[0] - scores[1] if len(scores) > 1 else 9.0
    return [lead, 1 / sum(shares), scores[0], sum(share > 0.5 for share in shares)]


def confidence(proposals: list[Proposal], model: Model) -> float:
    """The probability that the first proposal is right, as measured in training."""
    assert model.sureness is not None
    row = [*proposals[0].features, *standing([p.score for p in proposals])]
    return probability(model.sureness.score(row))
