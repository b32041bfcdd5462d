"""DuckDB: a read-only file, no access to anything else, and a configuration that cannot be changed back."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from t2s.database.connection import Connection
from t2s.database.engine import Engine
from t2s.errors import DatabaseUnavailable, QueryError
from t2s.types.query import ResultColumn, ResultSet
from t2s.types.schema import Column, Dialect, ForeignKey, Table

if TYPE_CHECKING:
    pass

LOCKED = {
    "enable_external_access": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "lock_configuration": "true",
}
"""What a connection is opened with; the last entry makes the others final."""

_COLUMNS = """
SELECT c.schema_name, c.table_name, c.column_name, c.data_type, c.is_nullable, c.comment
FROM duckdb_columns() AS c
WHERE c.database_name = current_database() AND NOT c.internal
ORDER BY c.schema_name, c.table_name, c.column_index
"""
_TABLES = """
SELECT schema_name, table_name, comment, estimated_size, 'table' FROM duckdb_tables()
WHERE database_name = current_database() AND NOT internal
UNION ALL
SELECT schema_name, view_name, comment, NULL, 'view' FROM duckdb_views()
WHERE database_name = current_database() AND NOT internal
"""
_CONSTRAINTS = """
SELECT schema_name, table_name, constraint_type, constraint_column_names, referenced_table,
       referenced_column_names
FROM duckdb_constraints()
WHERE database_name = current_database() AND constraint_type IN ('PRIMARY KEY', 'UNIQUE', 'FOREIGN KEY')
"""


class DuckDB(Engine):
    """A DuckDB file."""

    dialect: Dialect = "duckdb"

    def __init__(self, connection: Connection, path: Path, cache_dir: Path | None) -> None:
        super().__init__(connection, cache_dir)
        import duckdb

        self._path = path
        try:
            self._db = duckdb.connect(str(path), read_only=True, config=dict(LOCKED))
        except duckdb.Error as e:
            raise _unavailable(path, str(e)) from e

    def _fetch(self, sql: str, limit: int | None, timeout: float) -> ResultSet:
        import duckdb

        try:
            cursor = self._db.execute(self._only_query(sql))
            rows = cursor.fetchall() if limit is None else cursor.fetchmany(limit + 1)
            columns = tuple(ResultColumn(name=str(item[0]), type=str(item[1])) for item in cursor.description or ())
        except (duckdb.Error, ValueError, OverflowError) as e:
            raise QueryError(_one_line(e)) from e
        return ResultSet(
            columns=columns,
            rows=rows if limit is None else rows[:limit],
            truncated=limit is not None and len(rows) > limit,
        )

    def _plan(self, sql: str) -> str:
        import duckdb

        try:
            self._only_query(sql)
            return "\n".join(row[1] for row in self._db.execute(f"EXPLAIN {sql}").fetchall())
        except duckdb.Error as e:
            raise QueryError(_one_line(e)) from e

    def _only_query(self, sql: str) -> str:
        """The text, if DuckDB's own parser finds one SELECT in it and nothing else."""
        import duckdb

        statements = self._db.extract_statements(sql)
        if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
            kinds = ", ".join(statement.type.name for statement in statements) or "nothing"
            raise QueryError(f"DuckDB runs a single SELECT here, not {kinds}")
        return sql

    def _tables(self) -> tuple[Table, ...]:
        columns: dict[tuple[str, str], list[Column]] = defaultdict(list)
        for schema, table, name, type_, nullable, comment in self._ask(_COLUMNS):
            columns[schema, table].append(Column(name=name, type=type_, nullable=nullable, comment=comment))
        default = self._ask("SELECT current_schema()")[0][0]
        keys = _keys(self._ask(_CONSTRAINTS), default)
        return tuple(
            Table(
                name=name,
                namespace=_namespace(schema, default),
                kind=kind,
                columns=tuple(columns[schema, name]),
                comment=comment,
                row_estimate=rows,
                **keys.get((schema, name), {}),
            )
            for schema, name, comment, rows, kind in sorted(self._ask(_TABLES), key=lambda row: row[:2])
        )

    def _ask(self, sql: str) -> list[tuple[Any, ...]]:
        import duckdb

        try:
            return self._db.execute(sql).fetchall()
        except duckdb.Error as e:
            raise DatabaseUnavailable(f"cannot read the schema of {self.name}: {_one_line(e)}") from e

    def _version(self) -> str:
        status = self._path.stat()
        return repr((status.st_mtime_ns, status.st_size))

    def _quote(self, name: str) -> str:
        return '"' + name.replace('"', '""') + '"'

    def cancel(self) -> None:
        """See `t2s.types.database.Database`."""
        self._db.interrupt()

    def close(self) -> None:
        """See `t2s.types.database.Database`."""
        self._db.close()


def _namespace(schema: str, default: str) -> str | None:
    return None if schema == default else schema


def _keys(rows: list[tuple[Any, ...]], default: str) -> dict[tuple[str, str], dict[str, Any]]:
    """Primary, unique and foreign keys of each table, as `Table` takes them."""
    found: dict[tuple[str, str], dict[str, Any]] = defaultdict(dict)
    for schema, table, kind, names, target, target_names in rows:
        keys = found[schema, table]
        if kind == "PRIMARY KEY":
            keys["primary_key"] = tuple(names)
        elif kind == "UNIQUE":
            keys["unique_keys"] = (*keys.get("unique_keys", ()), tuple(names))
        else:
            full = target if schema == default else f"{schema}.{target}"
            key = ForeignKey(columns=tuple(names), target_table=full, target_columns=tuple(target_names))
            keys["foreign_keys"] = (*keys.get("foreign_keys", ()), key)
    return found


def _one_line(error: Exception) -> str:
    """DuckDB's message without the picture of the query below it."""
    text = str(error).split("\n\nLINE ")[0]
    return " ".join(text.split())


def _unavailable(path: Path, text: str) -> DatabaseUnavailable:
    if "not a valid DuckDB database" in text:
        return DatabaseUnavailable(f"{path} is not a DuckDB database")
    if "lock" in text.casefold():
        return DatabaseUnavailable(f"{path} is being written by another program", hint="close it, or ask a copy")
    return DatabaseUnavailable(f"cannot open {path}: {' '.join(text.split())}")
