"""What stands in the columns of a database: samples, and profiles from one bounded scan of each table."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from t2s.errors import QueryError
from t2s.types.schema import Column, Profile, Schema, Table

SAMPLE_VALUES = 25
"""A column with more distinct values has no samples."""
SAMPLE_LENGTH = 60
SCAN_ROWS = 20_000
"""Rows looked at of a table."""
BATCH = 40
"""Columns looked at by one query."""
DEADLINE_S = 2.0
"""For samples and for profiles each; what is not seen by then is left out."""
COMMON = 3
"""So many of a column's frequent values are kept."""
FREQUENT = 0.01
"""Where a value stands in so large a share of the rows, it is nobody's own."""

MAX_VALUES = 5_000
"""Distinct values read of a column."""
MAX_TOTAL = 100_000
"""Distinct values read of all columns together."""
MAX_ROWS = 500_000
"""Tables larger than this are not scanned for values; their samples still count."""
TEXTS_DEADLINE_S = 1.0

_TEXT = re.compile(r"char|text|enum|string|clob", re.IGNORECASE)
_RANGED = re.compile(
    r"(?:u|big|small|tiny|medium|huge)*(?:int|dec|num|real|doub|float|serial|date|time|year)[^\[<]*", re.IGNORECASE
)
_DATE = re.compile(r"\d{4}-\d\d(?:-\d\d(?:[ T][\d:.+-]*)?)?")

Fetch = Callable[[str, float], Sequence[Sequence[Any]]]
"""The rows of a query that may take so many seconds; raises `QueryError`."""
Quote = Callable[[str], str]
Source = Callable[[Table], str]
"""A table as it stands behind FROM."""
Counts = Sequence[tuple[str, int]]
"""The most frequent values of a column with how often they are there, one more than its samples may be."""


def look_into(
    tables: tuple[Table, ...], fetch: Fetch, quote: Quote, source: Source, *, values: bool
) -> tuple[Table, ...]:
    """The tables with profiles of their columns and, with `values`, samples and frequent values of the text columns."""
    counts = _counts(tables, fetch, quote, source) if values else {}
    profiles = _profiles(tables, fetch, quote, source)
    return tuple(
        replace(
            table,
            columns=tuple(
                _seen(column, counts.get((table.full_name, column.name), ()), profiles.get(table.full_name, {}))
                for column in table.columns
            ),
        )
        for table in tables
    )


def read_texts(
    schema: Schema, known: Mapping[tuple[str, str], tuple[str, ...]], values: Callable[[str, str, int], tuple[str, ...]]
) -> dict[tuple[str, str], tuple[str, ...]]:
    """The values of every text column: the sampled and the `known` ones at once, the others until the deadline."""
    found: dict[tuple[str, str], tuple[str, ...]] = {}
    for table in schema.tables:
        found |= {(table.full_name, column.name): column.samples for column in table.columns if column.samples}
    found |= known
    end = time.monotonic() + TEXTS_DEADLINE_S
    left = MAX_TOTAL - sum(map(len, found.values()))
    for table in schema.tables:
        for column in table.columns if (table.row_estimate or 0) <= MAX_ROWS else ():
            key = (table.full_name, column.name)
            if key in found or not (_TEXT.search(column.type) or not column.type):
                continue
            if left <= 0 or time.monotonic() > end:
                return found
            try:
                found[key] = values(*key, min(left, MAX_VALUES))
                left -= len(found[key])
            except QueryError:  # a view that is broken, a column that may not be read: no values then
                continue
    return found


def _seen(column: Column, counts: Counts, profiles: Mapping[str, Profile]) -> Column:
    profile = profiles.get(column.name)
    if len(counts) <= SAMPLE_VALUES:
        short = all(0 < len(value) <= SAMPLE_LENGTH for value, _ in counts)
        return replace(column, samples=tuple(sorted(value for value, _ in counts)) if short else (), profile=profile)
    if profile is not None:
        least = max(2.0, FREQUENT * profile.rows)
        common = [value for value, count in counts if count >= least and 0 < len(value) <= SAMPLE_LENGTH]
        profile = replace(profile, common=tuple(common[:COMMON]))
    return replace(column, profile=profile)


def _counts(tables: tuple[Table, ...], fetch: Fetch, quote: Quote, source: Source) -> dict[tuple[str, str], Counts]:
    """For each text column that was reached, how often its most frequent values are there."""
    wanted = [(t, c) for t in tables if t.kind == "table" for c in t.columns if _TEXT.search(c.type)]
    found: dict[tuple[str, str], list[tuple[str, int]]] = {}
    batches = (wanted[start : start + BATCH] for start in range(0, len(wanted), BATCH))
    for batch, rows in _in_time(batches, fetch, lambda batch: _counting(batch, quote, source)):
        for position, value, count in rows:
            table, column = batch[int(position)]
            found.setdefault((table.full_name, column.name), []).append((str(value), int(count)))
    return {key: tuple(rows) for key, rows in found.items()}


def _counting(batch: Sequence[tuple[Table, Column]], quote: Quote, source: Source) -> str:
    parts = []
    for position, (table, column) in enumerate(batch):
        parts.append(
            f"SELECT {position} AS k, v, n FROM (SELECT v, count(*) AS n FROM "  # noqa: S608  names are quoted
            f"(SELECT {quote(column.name)} AS v FROM {source(table)} LIMIT {SCAN_ROWS}) AS a{position} "
            f"WHERE v IS NOT NULL GROUP BY v ORDER BY n DESC, v LIMIT {SAMPLE_VALUES + 1}) AS b{position}"
        )
    return " UNION ALL ".join(parts)


def _profiles(tables: tuple[Table, ...], fetch: Fetch, quote: Quote, source: Source) -> dict[str, dict[str, Profile]]:
    """For each table that was reached, the profiles of its columns by name."""
    wanted = (
        (table, columns[start : start + BATCH])
        for table in tables
        if table.kind == "table"
        for columns in [[c for c in table.columns if _TEXT.search(c.type) or _RANGED.fullmatch(c.type)]]
        for start in range(0, len(columns), BATCH)
    )
    found: dict[str, dict[str, Profile]] = {}
    for (table, columns), rows in _in_time(wanted, fetch, lambda scan: _scanning(scan[0], scan[1], quote, source)):
        if rows and rows[0][0]:
            count, *figures = rows[0]
            named = found.setdefault(table.full_name, {})
            for place, column in enumerate(columns):
                filled, distinct, least, greatest = figures[4 * place : 4 * place + 4]
                named[column.name] = Profile(
                    rows=int(count),
                    nulls=int(count) - int(filled),
                    distinct=int(distinct),
                    range=_range(least, greatest),
                )
    return found


def _scanning(table: Table, columns: Sequence[Column], quote: Quote, source: Source) -> str:
    figures = []
    for column in columns:
        name = quote(column.name)
        ends = f"min({name}), max({name})" if _RANGED.fullmatch(column.type) else "NULL, NULL"
        figures.append(f"count({name}), count(DISTINCT {name}), {ends}")
    names = ", ".join(quote(column.name) for column in columns)
    return (
        f"SELECT count(*), {', '.join(figures)} FROM "  # noqa: S608  names are quoted
        f"(SELECT {names} FROM {source(table)} LIMIT {SCAN_ROWS}) AS scan"
    )


def _range(least: Any, greatest: Any) -> tuple[str, str] | None:
    """Both ends where they are numbers or dates: of other text they would be values."""
    ends = [_end(least), _end(greatest)]
    return (ends[0], ends[1]) if ends[0] and ends[1] else None


def _end(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="minutes")
    if isinstance(value, int | Decimal | date):
        return str(value)
    return value if isinstance(value, str) and _DATE.fullmatch(value) else ""


def _in_time(batches: Any, fetch: Fetch, query: Callable[[Any], str]) -> Iterator[tuple[Any, Sequence[Sequence[Any]]]]:
    """Each batch with the rows of its query, until the deadline; one that the engine refuses is left out."""
    end = time.monotonic() + DEADLINE_S
    for batch in batches:
        left = end - time.monotonic()
        if left <= 0:
            return
        try:
            yield batch, fetch(query(batch), left)
        except QueryError:  # a column that may not be read
            continue
