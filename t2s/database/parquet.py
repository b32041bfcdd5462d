"""Rows as a Parquet file, by DuckDB."""

from __future__ import annotations

import json
import tempfile
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

from t2s.types.query import ResultSet


def write_parquet(result: ResultSet, names: list[str], path: Path) -> None:
    """Write the rows with columns of these (distinct) names, typed by the values they hold."""
    import duckdb

    kinds = [_kind([row[i] for row in result.rows]) for i in range(len(names))]
    columns = ", ".join(f"'{_escaped(name)}': 'VARCHAR'" for name in names)
    casts = ", ".join(
        f'CAST("{_quoted(name)}" AS {kind}) AS "{_quoted(name)}"' for name, kind in zip(names, kinds, strict=True)
    )
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as db:
        lines = Path(folder) / "rows.jsonl"
        with lines.open("w", encoding="utf-8", errors="backslashreplace") as file:
            for row in result.rows:
                file.write(json.dumps(dict(zip(names, map(_text, row), strict=True)), ensure_ascii=False) + "\n")
        source = f"read_json('{_escaped(str(lines))}', format='newline_delimited', columns={{{columns}}})"
        db.execute(f"COPY (SELECT {casts} FROM {source}) TO '{_escaped(str(path))}' (FORMAT parquet)")  # noqa: S608


def _kind(values: list[Any]) -> str:
    present = [value for value in values if value is not None]
    kinds = {type(value) for value in present}
    for wanted, name in (
        ({bool}, "BOOLEAN"),
        ({datetime}, "TIMESTAMP" if all(getattr(v, "tzinfo", None) is None for v in present) else "TIMESTAMPTZ"),
        ({date}, "DATE"),
        ({time}, "TIME"),
        ({int, float}, "DOUBLE"),
    ):
        if kinds and kinds <= wanted:
            if name == "DOUBLE" and kinds == {int}:
                return "BIGINT" if all(-(2**63) <= v < 2**63 for v in present) else "VARCHAR"
            return name
    if kinds and kinds <= {Decimal, int}:
        scale = max(
            (-int(v.as_tuple().exponent) for v in present if isinstance(v, Decimal) and v.is_finite()), default=0
        )
        return f"DECIMAL(38, {max(0, min(scale, 18))})"
    return "VARCHAR"


def _text(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).hex()
    return str(value)


def _escaped(text: str) -> str:
    return text.replace("'", "''")


def _quoted(name: str) -> str:
    return name.replace('"', '""')
