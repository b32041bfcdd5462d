"""A result in each of the formats, one function for each."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

from t2s.errors import UsageError
from t2s.render.clean import clean
from t2s.render.files import whole_file
from t2s.render.table import write_table
from t2s.render.values import as_json, as_text, unique_names
from t2s.types.query import ResultSet

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write_result(result: ResultSet, format: str, stream: TextIO, *, color: bool = False) -> None:
    """Write a result as text; what goes to a terminal is harmless for it, what goes elsewhere is exact."""
    FORMATS[format](_for(stream, result, format), stream, color)


def write_file(result: ResultSet, format: str, path: Path) -> None:
    """Write a result to a file, whole or not at all."""
    with whole_file(path) as temporary:
        if format == "parquet":
            from t2s.database.parquet import write_parquet

            write_parquet(result, unique_names(result), temporary)
            return
        with temporary.open("w", encoding="utf-8", errors="backslashreplace", newline="") as stream:
            write_result(result, format, stream)


def disarmed(result: ResultSet) -> ResultSet:
    """The result with a quote before every text that a spreadsheet would run as a formula."""
    rows = [
        tuple(f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value for value in row)
        for row in result.rows
    ]
    return ResultSet(columns=result.columns, rows=rows, truncated=result.truncated)


def _for(stream: TextIO, result: ResultSet, format: str) -> ResultSet:
    if format not in ("csv", "markdown") or not stream.isatty():
        return result
    rows = [tuple(clean(value) if isinstance(value, str) else value for value in row) for row in result.rows]
    return ResultSet(columns=result.columns, rows=rows, truncated=result.truncated)


def _table(result: ResultSet, stream: TextIO, color: bool) -> None:
    write_table(result, stream, color=color)


def _csv(result: ResultSet, stream: TextIO, color: bool) -> None:
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([column.name for column in result.columns])
    for row in result.rows:
        writer.writerow([as_text(value) for value in row])


def _json(result: ResultSet, stream: TextIO, color: bool) -> None:
    stream.write("[")
    for number, line in enumerate(_objects(result, stream)):
        stream.write(("," if number else "") + "\n  " + line)
    stream.write("\n]\n" if result.rows else "]\n")


def _jsonl(result: ResultSet, stream: TextIO, color: bool) -> None:
    for line in _objects(result, stream):
        stream.write(line + "\n")


def _objects(result: ResultSet, stream: TextIO) -> list[str]:
    names = unique_names(result)
    ascii_only = stream.isatty()  # so that no value can speak to the terminal
    return [
        json.dumps(dict(zip(names, map(as_json, row), strict=True)), ensure_ascii=ascii_only, allow_nan=False)
        for row in result.rows
    ]


def _markdown(result: ResultSet, stream: TextIO, color: bool) -> None:
    def line(cells: list[str]) -> str:
        return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", "<br>") for cell in cells) + " |\n"

    stream.write(line([column.name for column in result.columns]))
    stream.write("|" + " --- |" * len(result.columns) + "\n")
    for row in result.rows:
        stream.write(line([as_text(value) for value in row]))


def _chart(result: ResultSet, stream: TextIO, color: bool) -> None:
    from t2s.render.chart import write_chart

    write_chart(result, stream, color=color)


def _binary(result: ResultSet, stream: TextIO, color: bool) -> None:
    raise UsageError("parquet is not text", hint="write it to a file with --out")


FORMATS: dict[str, Callable[[ResultSet, TextIO, bool], Any]] = {
    "table": _table,
    "csv": _csv,
    "json": _json,
    "jsonl": _jsonl,
    "markdown": _markdown,
    "chart": _chart,
    "parquet": _binary,
}
"""Every format by its name on the command line."""

SUFFIXES = {
    ".csv": "csv",
    ".json": "json",
    ".jsonl": "jsonl",
    ".md": "markdown",
    ".parquet": "parquet",
    ".txt": "table",
}
"""Formats by the end of a file's name."""
