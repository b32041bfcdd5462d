"""Whether a result is what a team expects of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from t2s.batch.spec import Expect
from t2s.types.query import ResultSet

_KINDS: dict[str, tuple[type, ...]] = {
    "number": (int, float, Decimal),
    "text": (str,),
    "date": (date, datetime, time),
    "boolean": (bool,),
}


def failures(expect: Expect, result: ResultSet, seconds: float) -> Iterator[str]:
    """What of the expectations does not hold, each in one line."""
    names = [column.name for column in result.columns]
    if expect.columns is not None and names != list(expect.columns):
        yield f"the columns are {', '.join(names)}, not {', '.join(expect.columns)}"
    yield from _counts(expect, result)
    wanted = [*expect.types, *expect.unique, *expect.not_null]
    for missing in dict.fromkeys(name for name in wanted if name not in names):
        yield f"there is no column {missing}"
    values = {name: [row[position] for row in result.rows] for position, name in enumerate(names)}
    for name, kind in expect.types.items():
        wrong = next((v for v in values.get(name, ()) if v is not None and not _is(v, kind)), None)
        if wrong is not None:
            yield f"{name} is not a {kind}: {str(wrong)[:40]}"
    for name in expect.unique:
        seen = [_plain(value) for value in values.get(name, ())]
        if len(set(seen)) < len(seen):
            yield f"{name} has values that are there twice"
    for name in expect.not_null:
        if any(value is None for value in values.get(name, ())):
            yield f"{name} has NULL"
    if expect.fingerprint is not None and fingerprint(result) != expect.fingerprint:
        yield f"the result's fingerprint is {fingerprint(result)}"
    if expect.max_seconds is not None and seconds > expect.max_seconds:
        yield f"it took {seconds:.1f} s, more than {expect.max_seconds:g} s"


def fingerprint(result: ResultSet) -> str:
    """A hash of the rows as a set with counts, so that it does not hang on an order that nobody asked for."""
    rows = sorted(json.dumps([_plain(value) for value in row], ensure_ascii=False) for row in result.rows)
    return hashlib.sha256("\n".join(rows).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _counts(expect: Expect, result: ResultSet) -> Iterator[str]:
    if expect.rows is None:
        return
    count, least, most = len(result.rows), expect.rows.min, expect.rows.max
    if least is not None and count < least:
        yield f"there are {count} rows, fewer than {least}"
    if most is not None and count > most:
        yield f"there are {count} rows, more than {most}"


def _is(value: Any, kind: str) -> bool:
    return isinstance(value, _KINDS[kind]) and (kind == "boolean" or not isinstance(value, bool))


def _plain(value: Any) -> Any:
    """A value that compares and prints alike, whichever engine gave it."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int | float | Decimal):
        return f"{float(value):.9g}"
    return str(value)
