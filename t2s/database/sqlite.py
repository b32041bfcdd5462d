"""SQLite: a read-only file, `query_only`, and an authorizer that knows nothing but reading."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from pathlib import Path
from urllib.parse import quote

from t2s.database.connection import Connection
from t2s.database.engine import Engine
from t2s.errors import DatabaseUnavailable, QueryError
from t2s.types.query import ResultColumn, ResultSet
from t2s.types.schema import Column, Dialect, ForeignKey, Table

_READING = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE}
COUNTS_PER_QUERY = 500
_NEVER = {"load_extension", "readfile", "writefile", "edit", "fts3_tokenizer", "zipfile", "optimize"}

_COLUMNS = """
SELECT t.name, t.type, t.wr, c.name, c.type, c."notnull", c.pk
FROM pragma_table_list AS t JOIN pragma_table_xinfo(t.name, t.schema) AS c
WHERE t.schema = 'main' AND t.name NOT LIKE 'sqlite~_%' ESCAPE '~' AND t.type IN ('table', 'view', 'virtual')
  AND c.hidden <> 1
ORDER BY t.name, c.cid
"""
_FOREIGN_KEYS = """
SELECT t.name, k.id, k."table", k."from", k."to"
FROM pragma_table_list AS t JOIN pragma_foreign_key_list(t.name, t.schema) AS k
WHERE t.schema = 'main' ORDER BY t.name, k.id, k.seq
"""
_UNIQUE = """
SELECT t.name, i.name, x.name
FROM pragma_table_list AS t JOIN pragma_index_list(t.name, t.schema) AS i JOIN pragma_index_xinfo(i.name) AS x
WHERE t.schema = 'main' AND i."unique" AND i.origin <> 'pk' AND NOT i.partial AND x.key
ORDER BY t.name, i.name, x.seqno
"""


class SQLite(Engine):
    """A SQLite file."""

    dialect: Dialect = "sqlite"

    def __init__(self, connection: Connection, path: Path, cache_dir: Path | None) -> None:
        super().__init__(connection, cache_dir)
        self._path = path
        uri = f"file:{quote(str(path.resolve()))}?mode=ro"
        try:
            self._db = sqlite3.connect(uri, uri=True, check_same_thread=False, isolation_level=None)
            self._db.text_factory = lambda raw: raw.decode("utf-8", errors="replace")
            self._db.execute("PRAGMA query_only = ON")
            self._db.execute("PRAGMA trusted_schema = OFF")
            self._db.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except sqlite3.DatabaseError as e:
            raise _unavailable(path, e) from e
        self._db.set_authorizer(_authorize)

    def _fetch(self, sql: str, limit: int | None, timeout: float) -> ResultSet:
        try:
            cursor = self._db.execute(sql)
            rows = cursor.fetchall() if limit is None else cursor.fetchmany(limit + 1)
            names = [item[0] for item in cursor.description or ()]
            cursor.close()
        except (sqlite3.Error, sqlite3.Warning, UnicodeEncodeError) as e:
            raise _query_error(e) from e
        return ResultSet(
            columns=tuple(ResultColumn(name=name) for name in names),
            rows=rows if limit is None else rows[:limit],
            truncated=limit is not None and len(rows) > limit,
        )

    def _plan(self, sql: str) -> str:
        try:
            return "\n".join(str(row[3]) for row in self._db.execute(f"EXPLAIN QUERY PLAN {sql}"))
        except (sqlite3.Error, sqlite3.Warning, UnicodeEncodeError) as e:
            raise _query_error(e) from e

    def _ask(self, sql: str) -> list[tuple[str, ...]]:
        self._db.set_authorizer(None)  # the pragmas of the introspection are not for a query's SQL
        try:
            return self._db.execute(sql).fetchall()
        except sqlite3.Error as e:
            raise DatabaseUnavailable(f"cannot read the schema of {self.name}: {e}") from e
        finally:
            self._db.set_authorizer(_authorize)

    def _tables(self) -> tuple[Table, ...]:
        columns: dict[tuple[str, str], list[tuple[Column, int]]] = defaultdict(list)
        with_rowid: set[str] = set()
        for table, kind, without_rowid, name, type_, not_null, position in self._ask(_COLUMNS):
            column = Column(name=name, type=type_ or "", nullable=not int(not_null))
            columns[table, kind].append((column, int(position)))
            if kind == "table" and not int(without_rowid):
                with_rowid.add(table)
        primary = {
            table: tuple(column.name for column, position in sorted(listed, key=lambda c: c[1]) if position)
            for (table, _), listed in columns.items()
        }
        rows = self._row_counts(sorted(with_rowid))
        keys = self._foreign_keys(primary)
        unique: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        for table, index, name in self._ask(_UNIQUE):
            unique[table][index].append(name)
        return tuple(
            Table(
                name=table,
                kind="view" if kind == "view" else "table",
                columns=tuple(column for column, _ in listed),
                primary_key=primary[table],
                unique_keys=tuple(tuple(names) for names in unique[table].values() if None not in names),
                foreign_keys=keys.get(table, ()),
                row_estimate=rows.get(table),
            )
            for (table, kind), listed in columns.items()
        )

    def _foreign_keys(self, primary: dict[str, tuple[str, ...]]) -> dict[str, tuple[ForeignKey, ...]]:
        by_fold = {name.casefold(): name for name in primary}
        grouped: dict[tuple[str, int, str], list[tuple[str, str | None]]] = defaultdict(list)
        for table, number, target, source, to in self._ask(_FOREIGN_KEYS):
            grouped[table, int(number), target].append((source, to))
        keys: dict[str, list[ForeignKey]] = defaultdict(list)
        for (table, _, target), pairs in grouped.items():
            known = by_fold.get(target.casefold())
            if known is None:
                continue
            sources = tuple(source for source, _ in pairs)
            # a key that names no columns means the other table's primary key
            targets = tuple(to for _, to in pairs if to) or primary[known]
            if len(sources) == len(targets):
                keys[table].append(ForeignKey(columns=sources, target_table=known, target_columns=targets))
        return {table: tuple(listed) for table, listed in keys.items()}

    def _row_counts(self, tables: list[str]) -> dict[str, int]:
        """ANALYZE's figures, else the greatest rowid, which SQLite finds without reading the table."""
        counts: dict[str, int] = {}
        if self._ask("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_stat1'"):
            for table, stat in self._ask("SELECT tbl, stat FROM sqlite_stat1 WHERE stat IS NOT NULL"):
                counts[table] = int(stat.split()[0])
        missing = [table for table in tables if table not in counts]
        for start in range(0, len(missing), COUNTS_PER_QUERY):
            batch = missing[start : start + COUNTS_PER_QUERY]
            parts = ", ".join(f"(SELECT max(rowid) FROM {self._quote(table)})" for table in batch)  # noqa: S608
            counts.update(zip(batch, (int(n or 0) for n in self._ask(f"SELECT {parts}")[0]), strict=True))
        return counts

    def _version(self) -> str:
        status = self._path.stat()
        wal = self._path.with_name(self._path.name + "-wal")
        later = (wal.stat().st_mtime_ns, wal.stat().st_size) if wal.exists() else ()
        return repr((status.st_mtime_ns, status.st_size, later))

    def _quote(self, name: str) -> str:
        return '"' + name.replace('"', '""') + '"'

    def cancel(self) -> None:
        """See `t2s.types.database.Database`."""
        self._db.interrupt()

    def close(self) -> None:
        """See `t2s.types.database.Database`."""
        self._db.close()


def _authorize(action: int, first: str | None, second: str | None, _database: str | None, _inner: str | None) -> int:
    """Called by SQLite for each thing that a statement would do, while it is compiled."""
    harmful = action == sqlite3.SQLITE_FUNCTION and (second or "").casefold() in _NEVER
    return sqlite3.SQLITE_OK if action in _READING and not harmful else sqlite3.SQLITE_DENY


def _query_error(error: Exception) -> QueryError:
    if isinstance(error, sqlite3.DatabaseError) and "not authorized" in str(error):
        return QueryError(f"SQLite refused: {error}; only reading is allowed")
    return QueryError(str(error))


def _unavailable(path: Path, error: sqlite3.DatabaseError) -> DatabaseUnavailable:
    text = str(error)
    if "not a database" in text:
        return DatabaseUnavailable(f"{path} is not a SQLite database")
    if "unable to open" in text:
        return DatabaseUnavailable(f"cannot open {path}", hint="does this user have the right to read it?")
    return DatabaseUnavailable(f"cannot read {path}: {text}")
