"""Values that a query asks for and no row has, and what was probably meant."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace

from t2s.errors import QueryError
from t2s.sql import Compared, compared, nearest, surely
from t2s.types.query import Problem
from t2s.types.schema import Schema

MAX_VALUES = 5_000
"""Distinct values of a column in which the nearest is looked for."""

FEW = 12
"""A column with no more values has them all named."""

_DATE = re.compile(
    r"(\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}|\d{1,2}[- ]?[A-Za-z]{3,9}[- ]?\d{2,4}|[A-Za-z]{3,9} \d{1,2}, \d{4}).*"
)

HasRow = Callable[[str], bool]
"""Whether a small query gives a row; raises `QueryError` where that cannot be told."""
ValuesOf = Callable[[str, str, int], tuple[str, ...]]


def strange_values(sql: str, schema: Schema, *, empty: bool, has_row: HasRow, values_of: ValuesOf) -> Iterator[Problem]:
    """Every string that the query holds against a column and no row of it has, where something like it is there.

    With `empty` (the query found nothing) also those where nothing alike is there, if the column has few values.
    """
    for one in compared(sql, schema):
        try:
            if not has_row(one.exists) and (problem := _missing(one, empty, has_row, values_of)):
                yield replace(problem, line=one.line, column=one.place)
        except QueryError:  # too large to look, or part of the engine's own types
            continue


def _missing(one: Compared, empty: bool, has_row: HasRow, values_of: ValuesOf) -> Problem | None:
    name = f"{one.table.name}.{one.column.name}"
    if one.pattern:
        return _cased(one, name) if has_row(one.folded) else None
    values = values_of(one.table.full_name, one.column.name, MAX_VALUES)
    said = f"no row has {name} = {_quoted(one.text)}"
    if near := surely(one.text, values):
        return Problem(code="value", message=said, severity="doubt", suggestion=near)
    if dates := _other_format(one.text, values):
        remedy = f"write dates as they stand in {name}, such as {_quoted(dates)}"
        return Problem(code="date_format", message=said, severity="doubt", remedy=remedy)
    if elsewhere := [column for column, query in one.others if has_row(query)]:
        remedy = f"it is a value of {' and '.join(elsewhere)}"
        return Problem(code="value", message=said, severity="doubt", remedy=remedy)
    if empty and 0 < len(values) <= FEW:
        remedy = f"its values are {', '.join(map(_quoted, values))}"
        near = nearest(one.text, values)
        return Problem(code="value", message=said, severity="doubt", remedy=remedy, suggestion=near)
    return None


def _cased(one: Compared, name: str) -> Problem:
    return Problem(
        code="value_case",
        message=f"no row has {name} LIKE {_quoted(one.text)}, but some have it in other upper and lower case",
        severity="doubt",
        remedy=f"compare lower({one.column.name}) with {_quoted(one.text.lower())}",
    )


def _other_format(text: str, values: tuple[str, ...]) -> str | None:
    """An example of how dates are written where `text` is a date and none is written like it."""
    if not _DATE.fullmatch(text):
        return None
    dates = [value for value in values if _DATE.fullmatch(value)]
    alike = any(_shape(value).startswith(_shape(text)) for value in dates)
    return dates[0] if dates and not alike and len(dates) * 2 > len(values) else None


def _shape(text: str) -> str:
    return re.sub(r"[A-Za-z]+", "a", re.sub(r"\d", "9", text))


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
