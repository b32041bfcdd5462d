"""A database's value as text and as JSON."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from t2s.types.query import ResultSet

SAFE_INTEGER = 2**53
"""Greater integers are strings in JSON: most readers would round them."""


def as_text(value: Any) -> str:
    """How a person reads a value; NULL is empty."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case bytes() | bytearray() | memoryview():
            return "\\x" + bytes(value).hex()
        case datetime():
            return value.isoformat(sep=" ")
        case float() if value.is_integer() and abs(value) < 1e15:
            return f"{value:.1f}"
        case _:
            return str(value)


def as_json(value: Any) -> Any:
    """The nearest JSON value: decimals and integers keep their digits (as text where JSON would lose them)."""
    match value:
        case None | bool() | str():
            return value
        case int():
            return value if abs(value) < SAFE_INTEGER else str(value)
        case float():
            return value if math.isfinite(value) else None
        case Decimal():
            return _decimal(value)
        case datetime() | date() | time():
            return value.isoformat()
        case timedelta():
            return str(value)
        case bytes() | bytearray() | memoryview():
            return bytes(value).hex()
        case dict():
            return {str(key): as_json(inner) for key, inner in value.items()}
        case list() | tuple() | set() | frozenset():
            return [as_json(inner) for inner in value]
        case _:
            return str(value)


def _decimal(value: Decimal) -> int | float | str | None:
    if not value.is_finite():
        return None
    if value == value.to_integral_value() and abs(value) < SAFE_INTEGER:
        return int(value)
    return float(value) if len(value.as_tuple().digits) <= 15 else str(value)


def unique_names(result: ResultSet) -> list[str]:
    """Column names of which none occurs twice: `name`, `name_2`, …; none is empty."""
    taken: set[str] = set()
    names = []
    for position, column in enumerate(result.columns, 1):
        base = column.name or f"column_{position}"
        name, number = base, 2
        while name in taken:
            name, number = f"{base}_{number}", number + 1
        taken.add(name)
        names.append(name)
    return names


def is_number(value: Any) -> bool:
    """Whether a value is a number (a truth value is none)."""
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def all_numbers(values: Iterable[Any]) -> bool:
    """Whether there are values beside NULL and all of them are numbers."""
    present = [value for value in values if value is not None]
    return bool(present) and all(map(is_number, present))
