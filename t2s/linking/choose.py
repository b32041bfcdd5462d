"""The most of a schema that fits a budget: what a token buys decides."""

from __future__ import annotations

import heapq
import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace

from t2s.linking.rank import Ranked
from t2s.types.schema import Column, Schema, Table

MAX_PATH = 3
"""The longest way by foreign keys, in keys, that is kept whole between two tables."""
MAX_KEY = 3
"""Longer primary keys are not always shown."""
WORTH_OF_DETAILS = 0.12
"""What comment, samples and profile of a column that is needed are worth beside the column itself."""
UNLIKELY = 0.002
"""Less likely columns are not shown, however much room there is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """What a table costs in tokens: its name, what is said about it, its columns' names and types, their details."""

    head: int
    about: int
    names: Sequence[int]
    details: Sequence[int]


@dataclass(slots=True)
class _Choice:
    """What is chosen so far: for each table the columns, and those of them with details."""

    ranked: Ranked
    costs: Sequence[Costs]
    left: int
    tables: dict[int, set[int]]
    detailed: set[tuple[int, int]]


def choose(ranked: Ranked, costs: Sequence[Costs], *, max_tokens: int, max_tables: int) -> Schema:
    """The part of the schema, in its order, that is likeliest to have all that the question needs.

    Tables come with their keys and with the tables that connect them; then each token goes where it adds most to the
    likelihood that nothing is missing. The likeliest table is there however large its keys are.
    """
    choice = _Choice(ranked, costs, max_tokens, {}, set())
    heap = [(-_gain(p) / max(1, costs[at].head), at, -1, False) for at, p in enumerate(ranked.tables)]
    best = max(range(len(ranked.tables)), key=lambda at: ranked.tables[at])
    heap.append((-math.inf, best, -1, False))
    heapq.heapify(heap)
    while heap:
        _, at, place, details = heapq.heappop(heap)
        if place < 0 and details:
            if costs[at].about <= choice.left:
                choice.left -= costs[at].about
                choice.detailed.add((at, place))
        elif place < 0:
            for new in _add_table(choice, at, max_tables):
                _offer_columns(choice, new, heap)
        elif not details and place not in choice.tables[at]:
            if costs[at].names[place] <= choice.left:
                choice.left -= costs[at].names[place]
                choice.tables[at].add(place)
                _offer_details(choice, at, place, heap)
        elif details and costs[at].details[place] <= choice.left:
            choice.left -= costs[at].details[place]
            choice.detailed.add((at, place))
    return _part(choice)


def _gain(p: float) -> float:
    """By how much showing something of likelihood `p` raises the log-likelihood that nothing is missing."""
    return -math.log(1 - min(p, 0.999))


def _add_table(choice: _Choice, at: int, max_tables: int) -> list[int]:
    """Add a table with those that connect it, if they fit; the first one in any case."""
    full = len(choice.tables) >= max_tables or choice.costs[at].head > choice.left
    if at in choice.tables or (full and choice.tables):
        return []
    path = [other for other in _path(at, choice) if other not in choice.tables]
    for wanted in (path, [at]):
        keys = _keys(choice, wanted)
        cost = sum(choice.costs[other].head for other in wanted)
        cost += sum(choice.costs[other].names[place] for other, place in keys)
        if not choice.tables or (cost <= choice.left and len(choice.tables) + len(wanted) <= max_tables):
            choice.left -= cost
            for other in wanted:
                choice.tables[other] = set()
            for other, place in keys:
                choice.tables[other].add(place)
            return wanted
    return []


def _keys(choice: _Choice, wanted: list[int]) -> list[tuple[int, int]]:
    """The columns that come with the `wanted` tables: primary keys, and the foreign keys by which tables now join."""
    index = choice.ranked.sight.index
    shown = {*choice.tables, *wanted}
    found = []
    for at in {*wanted, *(other for new in wanted for other in index.joins[new] if other in choice.tables)}:
        table = index.schema.tables[at]
        names = set(table.primary_key if len(table.primary_key) <= MAX_KEY else ())
        for other, own in index.joins[at].items():
            if other in shown:
                names.update(own)
        known = choice.tables.get(at, set())
        found += [(at, n) for n, column in enumerate(table.columns) if column.name in names and n not in known]
    return found


def _offer_columns(choice: _Choice, at: int, heap: list[tuple[float, int, int, bool]]) -> None:
    """Put the columns of a table that was just added up for choice, and what is said about it."""
    if about := choice.costs[at].about:
        heapq.heappush(heap, (-WORTH_OF_DETAILS * choice.ranked.tables[at] / about, at, -1, True))
    for place, p in enumerate(choice.ranked.columns(at)):
        if place in choice.tables[at]:
            _offer_details(choice, at, place, heap)
        elif p >= UNLIKELY:
            heapq.heappush(heap, (-_gain(p) / max(1, choice.costs[at].names[place]), at, place, False))


def _offer_details(choice: _Choice, at: int, place: int, heap: list[tuple[float, int, int, bool]]) -> None:
    cost = choice.costs[at].details[place]
    if cost:
        p = choice.ranked.columns(at)[place]
        heapq.heappush(heap, (-WORTH_OF_DETAILS * p / cost, at, place, True))


def _path(start: int, choice: _Choice) -> list[int]:
    """The tables on the shortest way from `start` to one that is chosen; only `start` where there is none."""
    joins = choice.ranked.sight.index.joins
    queue = deque([[start]])
    seen = {start}
    while queue:
        path = queue.popleft()
        if path[-1] in choice.tables:
            return path
        if len(path) <= MAX_PATH:
            for other in joins[path[-1]]:
                if other not in seen:
                    seen.add(other)
                    queue.append([*path, other])
    return [start]


def _part(choice: _Choice) -> Schema:
    schema = choice.ranked.sight.index.schema
    shown = {schema.tables[at].full_name for at in choice.tables}
    return replace(schema, tables=tuple(_cut(schema.tables[at], at, choice, shown) for at in sorted(choice.tables)))


def _cut(table: Table, at: int, choice: _Choice, shown: set[str]) -> Table:
    """A table with its chosen columns; keys that lead to what is not shown are left out."""
    columns = tuple(
        column if (at, place) in choice.detailed else bare(column)
        for place, column in enumerate(table.columns)
        if place in choice.tables[at]
    )
    names = {column.name for column in columns}
    keys = tuple(k for k in table.foreign_keys if k.target_table in shown and names.issuperset(k.columns))
    primary = table.primary_key if names.issuperset(table.primary_key) else ()
    table = table if (at, -1) in choice.detailed else bare_table(table)
    return replace(table, columns=columns, foreign_keys=keys, primary_key=primary)


def bare_table(table: Table) -> Table:
    """A table without what is said about it."""
    return replace(table, comment=None, row_estimate=None)


def bare(column: Column) -> Column:
    """A column without its details."""
    return replace(column, comment=None, samples=(), profile=None)
