"""Choose what of the schema a generator is shown."""

from __future__ import annotations

import math
from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Mapping
from dataclasses import replace

from t2s.memory.words import terms
from t2s.types.query import ValueMatch
from t2s.types.schema import Schema, Table

RELATED = 0.5
"""What the best finding of the memory counts beside the best of BM25."""


def link(
    question: str,
    schema: Schema,
    matches: tuple[ValueMatch, ...],
    *,
    related: Mapping[str, float],
    costs: Iterable[int],
    max_tokens: int,
    max_tables: int,
) -> Schema:
    """The whole schema where its tables' `costs` (in tokens, in order) fit `max_tokens`; else the best part.

    The part has at most `max_tables` tables, ranked by BM25 over names, comments and samples and by how well the
    memory found them `related` (full name → 0..1), with the tables that connect them by foreign keys; the first one
    always, however large. Tables keep their order.
    """
    cost = dict(zip((t.full_name for t in schema.tables), costs, strict=True))
    if sum(cost.values()) <= max_tokens:
        return schema
    neighbours = _neighbours(schema)
    chosen: list[str] = []
    for name in _ranked(question, schema, matches, related) or list(cost):
        path = [n for n in _path(name, set(chosen), neighbours) if n not in chosen]
        fits = sum(cost[n] for n in (*chosen, *path)) <= max_tokens and len(chosen) + len(path) <= max_tables
        if fits or not chosen:
            chosen += path
    kept = set(chosen)
    return replace(schema, tables=tuple(t for t in schema.tables if t.full_name in kept))


def _ranked(question: str, schema: Schema, matches: tuple[ValueMatch, ...], related: Mapping[str, float]) -> list[str]:
    """Full names of the tables that have anything to do with the question, the best first."""
    wanted = set(terms(question))
    documents = {t.full_name: _document(t) for t in schema.tables}
    frequency = Counter(term for document in documents.values() for term in document)
    mean = sum(map(Counter.total, documents.values())) / max(1, len(documents))
    scores: defaultdict[str, float] = defaultdict(float)
    for name, document in documents.items():
        for term in wanted & document.keys():
            rarity = math.log(1 + (len(documents) - frequency[term] + 0.5) / (frequency[term] + 0.5))
            weight = document[term]
            scores[name] += rarity * weight * 2.2 / (weight + 1.2 * (0.25 + 0.75 * document.total() / mean))
    for match in matches:
        scores[match.table] += math.log(1 + len(documents))
    top = max(scores.values(), default=1.0)
    for name, relevance in related.items():
        if name in documents:
            scores[name] += top * relevance * RELATED
    return [name for name, score in sorted(scores.items(), key=lambda item: (-item[1], item[0])) if score > 0]


def _document(table: Table) -> Counter[str]:
    """The terms of a table; its own name weighs most, then its columns' names."""
    document = Counter[str]()
    parts = [(table.name, 4), (table.comment or "", 2)]
    for column in table.columns:
        parts += [(column.name, 2), (column.comment or "", 1), (" ".join(column.samples), 1)]
    for text, weight in parts:
        for term in terms(text):
            document[term] += weight
    return document


def _neighbours(schema: Schema) -> dict[str, set[str]]:
    graph: dict[str, set[str]] = {t.full_name: set() for t in schema.tables}
    for table in schema.tables:
        for key in table.foreign_keys:
            if key.target_table in graph:
                graph[table.full_name].add(key.target_table)
                graph[key.target_table].add(table.full_name)
    return graph


def _path(start: str, goals: set[str], neighbours: dict[str, set[str]]) -> list[str]:
    """The tables on the shortest way (at most 3 keys) from `start` to a goal; only `start` where none."""
    queue = deque([[start]])
    seen = {start}
    while queue:
        path = queue.popleft()
        if path[-1] in goals:
            return path
        if len(path) <= 3:
            for name in sorted(neighbours[path[-1]] - seen):
                seen.add(name)
                queue.append([*path, name])
    return [start]
