"""Find the stretches of a question that stand in the data as values."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping

from t2s.errors import QueryError
from t2s.memory.words import fold, has_cjk, terms
from t2s.types.database import Database
from t2s.types.query import ValueMatch
from t2s.types.schema import Schema

MAX_VALUES = 5_000
"""Distinct values looked at per column."""

MAX_ROWS = 500_000
"""Tables larger than this are not scanned for values; their samples still count."""

DEADLINE_S = 1.0
"""Reading values ends after so many seconds with what it has."""

MAX_WORDS = 8
"""The longest value that is found, in words."""

_TEXT_TYPES = re.compile(r"char|text|string|enum|clob|^$", re.IGNORECASE)
_PIECES = re.compile(r"[^\s,.;:!?\"“”‘’()\[\]]+")

Values = Mapping[tuple[str, str], tuple[str, ...]]
"""The values of each (table, column)."""


def load_values(database: Database, schema: Schema) -> Values:
    """The values of every text column, the sampled ones at once, the others until the deadline."""
    found: dict[tuple[str, str], tuple[str, ...]] = {}
    open_columns = []
    for table in schema.tables:
        for column in table.columns:
            if column.samples:
                found[table.full_name, column.name] = column.samples
            elif _TEXT_TYPES.search(column.type) and (table.row_estimate or 0) <= MAX_ROWS:
                open_columns.append((table.full_name, column.name))
    end = time.monotonic() + DEADLINE_S
    for key in open_columns:
        if time.monotonic() > end:
            break
        try:
            found[key] = database.values(*key, MAX_VALUES)
        except QueryError:  # a view that is broken, a column that may not be read: no values then
            continue
    return found


def match_values(question: str, values: Values) -> tuple[ValueMatch, ...]:
    """Every value that stands in the question, the longest first; a part of a longer match is left out.

    Latin words must stand whole, in any case; Chinese values may stand anywhere.
    """
    phrases = _phrases(question)
    chinese = fold(question) if has_cjk(question) else ""
    matches = [
        ValueMatch(table=table, column=column, value=value, text=text, score=len(text) / len(question))
        for (table, column), column_values in values.items()
        for value in column_values
        if (text := _stands_in(value, phrases, chinese))
    ]
    matches.sort(key=lambda m: (-len(m.text), m.table, m.column, m.value))
    longest: list[ValueMatch] = []
    for match in matches:
        if not any(len(kept.text) > len(match.text) and match.text in kept.text for kept in longest):
            longest.append(match)
    return tuple(longest)


def _stands_in(value: str, phrases: Mapping[str, str], chinese: str) -> str | None:
    folded = fold(value)
    if folded in phrases:
        return phrases[folded]
    if len(folded) > 1 and chinese and has_cjk(folded) and folded in chinese:
        return folded
    return None


def _phrases(question: str) -> dict[str, str]:
    """Every run of up to `MAX_WORDS` words, folded, and how it is written in the question."""
    return dict(_runs(question, [m.span() for m in _PIECES.finditer(question)]))


def _runs(question: str, spans: list[tuple[int, int]]) -> Iterator[tuple[str, str]]:
    for first, (start, _) in enumerate(spans):
        for _, end in spans[first : first + MAX_WORDS]:
            text = question[start:end]
            if any(True for _ in terms(text)) and not text.isdigit():  # a bare number is a number
                yield fold(text), text
                if text.endswith(("'s", "’s")):
                    yield fold(text[:-2]), text[:-2]
