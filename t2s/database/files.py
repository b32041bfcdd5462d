"""Data files as tables: CSV, TSV, JSON, Parquet and Excel through an in-memory DuckDB.

The files are registered as views before the engine is locked to exactly these files; then it can read
nothing else. Excel sheets are loaded, since they cannot be read in place.
"""

from __future__ import annotations

import glob
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from t2s.database.connection import DATA_SUFFIXES, Connection
from t2s.database.duck import DuckDB, _one_line
from t2s.database.engine import Engine
from t2s.errors import DatabaseUnavailable
from t2s.types.schema import Table

if TYPE_CHECKING:
    import duckdb

MAX_FILES = 500

_READERS = {
    ".csv": "read_csv({file}, auto_detect=true, sample_size=20480)",
    ".tsv": "read_csv({file}, auto_detect=true, delim='\t', sample_size=20480)",
    ".json": "read_json_auto({file})",
    ".jsonl": "read_json_auto({file}, format='newline_delimited')",
    ".ndjson": "read_json_auto({file}, format='newline_delimited')",
    ".parquet": "read_parquet({file})",
}


class Files(DuckDB):
    """One or many data files, each a table by its name."""

    def __init__(self, connection: Connection, pattern: str, cache_dir: Path | None) -> None:
        Engine.__init__(self, connection, cache_dir)
        import duckdb

        self._paths = _find(pattern)
        self._db = duckdb.connect(":memory:")
        taken: set[str] = set()
        for path in self._paths:
            try:
                _register(self._db, path, taken)
            except duckdb.Error as e:
                raise DatabaseUnavailable(f"cannot read {path.name}: {_one_line(e)[:200]}") from e
        self._lock()

    def _lock(self) -> None:
        allowed = ", ".join(_literal(str(path)) for path in self._paths)
        self._db.execute(f"SET allowed_paths = [{allowed}]")
        for setting, value in (
            ("autoinstall_known_extensions", "false"),
            ("autoload_known_extensions", "false"),
            ("allow_community_extensions", "false"),
            ("enable_external_access", "false"),
            ("lock_configuration", "true"),
        ):
            self._db.execute(f"SET {setting} = {value}")

    def _tables(self) -> tuple[Table, ...]:
        return tuple(replace(table, kind="table") for table in super()._tables())

    def _version(self) -> str:
        return repr([(str(p), p.stat().st_mtime_ns, p.stat().st_size) for p in self._paths])


def _find(pattern: str) -> tuple[Path, ...]:
    """The data files that a path, a folder or a glob means, in order of their names."""
    path = Path(pattern).expanduser()
    if path.is_dir():
        found = [p for p in path.iterdir() if p.suffix.casefold() in DATA_SUFFIXES and p.is_file()]
        where = f"the folder {path}"
    else:
        found = [Path(name) for name in glob.glob(str(path), recursive=True)]  # noqa: PTH207  may be absolute
        found = [p for p in found if p.suffix.casefold() in DATA_SUFFIXES and p.is_file()]
        where = str(path)
    if not found:
        hint = f"t2s reads {' '.join(DATA_SUFFIXES)}"
        raise DatabaseUnavailable(f"there are no data files: {where}", hint=hint)
    if len(found) > MAX_FILES:
        raise DatabaseUnavailable(f"{where} has {len(found)} data files; at most {MAX_FILES} can be tables")
    return tuple(sorted(p.resolve() for p in found))


def _register(db: duckdb.DuckDBPyConnection, path: Path, taken: set[str]) -> None:
    suffix = path.suffix.casefold()
    if suffix == ".xlsx":
        for sheet, rows in _sheets(path):
            _load(db, _name(f"{path.stem}_{sheet}" if sheet else path.stem, taken), rows)
        return
    source = _READERS[suffix].format(file=_literal(str(path)))
    db.execute(f'CREATE VIEW "{_name(path.stem, taken)}" AS SELECT * FROM {source}')  # noqa: S608  quoted


def _name(stem: str, taken: set[str]) -> str:
    """A table's name from a file's: word characters only, not taken yet."""
    base = re.sub(r"\W+", "_", stem).strip("_").lower() or "data"
    base = f"t_{base}" if base[0].isdigit() else base
    name, number = base, 2
    while name in taken:
        name, number = f"{base}_{number}", number + 1
    taken.add(name)
    return name


def _sheets(path: Path) -> Iterator[tuple[str, list[tuple[Any, ...]]]]:
    """Each sheet that has rows; without its name where it is the only one."""
    import warnings

    from openpyxl import load_workbook

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # openpyxl warns of styles that it drops
            book = load_workbook(path, read_only=True, data_only=True)
    except Exception as e:  # openpyxl lets every error of zip and XML through
        raise DatabaseUnavailable(f"cannot read {path.name}: it is not an Excel workbook") from e
    filled = [(sheet.title, [r for r in sheet.iter_rows(values_only=True) if any(r)]) for sheet in book]
    book.close()
    filled = [(title, rows) for title, rows in filled if len(rows) > 1]
    for title, rows in filled:
        yield (title if len(filled) > 1 else ""), rows


def _load(db: duckdb.DuckDBPyConnection, name: str, rows: list[tuple[Any, ...]]) -> None:
    """A table from a header row and rows of Python values."""
    header, *body = rows
    taken: set[str] = set()
    columns = []
    for position, title in enumerate(header):
        kind = _type({type(row[position]) for row in body if row[position] is not None})
        columns.append((_name(str(title or f"column_{position + 1}"), taken), kind))
    ddl = ", ".join(f'"{column}" {kind}' for column, kind in columns)
    db.execute(f'CREATE TABLE "{name}" ({ddl})')
    marks = ", ".join("?" for _ in columns)
    texts = [kind == "VARCHAR" for _, kind in columns]
    db.executemany(
        f'INSERT INTO "{name}" VALUES ({marks})',  # noqa: S608  quoted
        [[str(v) if text and v is not None else v for v, text in zip(row, texts, strict=True)] for row in body],
    )


def _type(kinds: set[type]) -> str:
    from datetime import date, datetime

    for wanted, name in (({bool}, "BOOLEAN"), ({int}, "BIGINT"), ({int, float}, "DOUBLE")):
        if kinds and kinds <= wanted:
            return name
    return "TIMESTAMP" if kinds and kinds <= {date, datetime} else "VARCHAR"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
