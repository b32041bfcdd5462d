"""MySQL and MariaDB: every query in a read-only transaction, one statement, with the server's own time limit.

A read-only transaction does not keep a user with the FILE right from writing files, so that a query is first
looked at by the server as a subquery, where INTO has no place. What remains for the guard alone, and for
the login's rights, are functions such as LOAD_FILE and GET_LOCK.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from t2s.database.connection import Connection
from t2s.database.engine import Engine
from t2s.database.server import CONNECT_TIMEOUT_S, Address, address, assemble
from t2s.errors import DatabaseUnavailable, QueryError, QueryTimeout, UsageError
from t2s.types.query import ResultColumn, ResultSet
from t2s.types.schema import Dialect, Table

if TYPE_CHECKING:
    import pymysql

_LOST = {2006, 2013, 0}
_STOPPED = {1317, 1969, 3024}
_DUPLICATE_COLUMN = 1060

_COLUMNS = """
SELECT c.table_schema, c.table_name, t.table_type LIKE '%%VIEW', CASE WHEN t.table_type LIKE '%%VIEW' THEN NULL
       ELSE t.table_comment END, t.table_rows, c.column_name, c.column_type, c.is_nullable = 'YES', c.column_comment
FROM information_schema.columns c JOIN information_schema.tables t
  ON t.table_schema = c.table_schema AND t.table_name = c.table_name
WHERE c.table_schema = %s ORDER BY c.table_name, c.ordinal_position
"""
_KEYS = """
SELECT table_schema, table_name, index_name, index_name = 'PRIMARY', column_name
FROM information_schema.statistics
WHERE table_schema = %s AND non_unique = 0 AND column_name IS NOT NULL
ORDER BY table_name, index_name, seq_in_index
"""
_REFERENCES = """
SELECT table_schema, table_name, constraint_name, column_name, referenced_table_schema, referenced_table_name,
       referenced_column_name
FROM information_schema.key_column_usage
WHERE table_schema = %s AND referenced_table_name IS NOT NULL
ORDER BY table_name, constraint_name, ordinal_position
"""
_VERSION = """
SELECT count(*), sum(crc32(concat_ws(' ', table_name, column_name, column_type, is_nullable, column_key,
       column_comment, ordinal_position)))
FROM information_schema.columns WHERE table_schema = %s
"""


class MySQL(Engine):
    """A MySQL or MariaDB database."""

    dialect: Dialect = "mysql"

    def __init__(self, connection: Connection, cache_dir: Path | None) -> None:
        super().__init__(connection, cache_dir)
        self._address = address(connection, "mysql", port=3306, user="root")
        if not self._address.database:
            raise UsageError(f"{self.name} names no database", hint="mysql://user@host:3306/database")
        self._open()

    def _open(self) -> None:
        self._db = _connect(self._address)
        self._mariadb = "mariadb" in self._db.get_server_info().casefold()

    def _fetch(self, sql: str, limit: int | None, timeout: float) -> ResultSet:
        rows, description = self._read_only(sql, timeout, limit)
        kept = rows if limit is None else rows[:limit]
        return ResultSet(
            columns=tuple(ResultColumn(name=item[0], type=_type_name(item[1])) for item in description),
            rows=kept,
            truncated=len(kept) < len(rows),
        )

    def _plan(self, sql: str) -> str:
        rows, description = self._read_only(f"EXPLAIN {sql}", 0, None, checked=sql)
        names = [item[0] for item in description]
        return "\n".join(
            ", ".join(f"{n}={v}" for n, v in zip(names, row, strict=True) if v is not None) for row in rows
        )

    def _read_only(
        self, sql: str, timeout: float, limit: int | None, *, checked: str | None = None
    ) -> tuple[list[tuple[Any, ...]], tuple[Any, ...]]:
        """Rows and description of `sql` in a read-only transaction that is always rolled back."""
        import pymysql

        if not self._db.open:
            self._open()
        try:
            with self._db.cursor() as cursor:
                self._limit_session(cursor, timeout, limit)
                cursor.execute("START TRANSACTION READ ONLY")
                self._refuse_into(cursor, checked or sql)
                cursor.execute(sql)
                return list(cursor.fetchall()), cursor.description or ()
        except pymysql.err.MySQLError as e:
            code = e.args[0] if e.args else 0
            if code in _STOPPED:
                raise QueryTimeout("the query was stopped: it ran too long", hint="--timeout allows more") from e
            if code in _LOST or not self._db.open:
                self._db.close() if self._db.open else None
                raise DatabaseUnavailable(f"the connection to {self._address.server} was lost") from e
            raise QueryError(_message(e)) from e
        except (UnicodeEncodeError, ValueError) as e:
            raise QueryError(str(e)) from e
        finally:
            if self._db.open:
                self._db.rollback()

    def _limit_session(self, cursor: pymysql.cursors.Cursor, timeout: float, limit: int | None) -> None:
        if self._mariadb:
            cursor.execute("SET SESSION max_statement_time = %s", (timeout,))
        else:
            cursor.execute("SET SESSION max_execution_time = %s", (int(timeout * 1000),))
        cursor.execute(f"SET SESSION sql_select_limit = {'DEFAULT' if limit is None else limit + 1}")

    def _refuse_into(self, cursor: pymysql.cursors.Cursor, sql: str) -> None:
        """Raise for text that is not a plain query: it would not parse as a subquery."""
        import pymysql

        try:
            cursor.execute(f"EXPLAIN SELECT 1 FROM (\n{sql}\n) AS t2s")  # noqa: S608  looked at, not run
        except pymysql.err.MySQLError as e:
            if e.args and e.args[0] == _DUPLICATE_COLUMN:  # fine in a query, not in a subquery
                return
            raise

    def _tables(self) -> tuple[Table, ...]:
        parts = (_COLUMNS, _KEYS, _REFERENCES)
        columns, keys, references = (self._ask(sql, (self._address.database,)) for sql in parts)
        return assemble(columns, keys, references, self._address.database)

    def _version(self) -> str:
        return repr(self._ask(_VERSION, (self._address.database,))[0])

    def _ask(self, sql: str, parameters: tuple[str, ...]) -> list[tuple[Any, ...]]:
        import pymysql

        try:
            with self._db.cursor() as cursor:
                cursor.execute("SET SESSION sql_select_limit = DEFAULT")
                cursor.execute(sql, parameters)
                return list(cursor.fetchall())
        except pymysql.err.MySQLError as e:
            raise DatabaseUnavailable(f"cannot read the schema of {self.name}: {_message(e)}") from e

    def _quote(self, name: str) -> str:
        return "`" + name.replace("`", "``") + "`"

    def risk(self) -> tuple[str, str] | None:
        """See `t2s.types.database.Database`."""
        grants = " ".join(str(row[0]) for row in self._ask("SHOW GRANTS", ()))
        if "ALL PRIVILEGES ON *.*" not in grants and "FILE" not in grants:
            return None
        return f"{self._address.user} may read and write files of the server", "use a login with SELECT only"

    def cancel(self) -> None:
        """See `t2s.types.database.Database`."""
        other = _connect(self._address)
        try:
            with other.cursor() as cursor:
                cursor.execute(f"KILL QUERY {self._db.thread_id()}")
        finally:
            other.close()

    def close(self) -> None:
        """See `t2s.types.database.Database`."""
        if self._db.open:
            self._db.close()


def _connect(where: Address) -> pymysql.Connection[Any]:
    import pymysql

    try:
        return pymysql.connect(
            host=where.host,
            port=where.port,
            user=where.user,
            password=where.password or "",
            database=where.database,
            connect_timeout=CONNECT_TIMEOUT_S,
            charset="utf8mb4",
            local_infile=False,
            autocommit=True,
        )
    except (pymysql.err.MySQLError, OSError, RuntimeError) as e:
        raise _unavailable(where, e) from None  # the original may show the password


def _unavailable(where: Address, error: Exception) -> DatabaseUnavailable:
    code = error.args[0] if error.args else 0
    if code in (1045, 1698):
        return DatabaseUnavailable(
            f"{where.server} does not let {where.user} in: wrong user or password",
            hint="set T2S_PASSWORD_<CONNECTION> or MYSQL_PWD",
        )
    if code in (1049, 1044):
        return DatabaseUnavailable(f"{where.server} has no database {where.database}")
    if "Name or service" in str(error) or "getaddrinfo" in str(error):
        return DatabaseUnavailable(f"there is no host {where.host}")
    return DatabaseUnavailable(f"no MySQL or MariaDB answers at {where.server}", hint="is the server running?")


def _message(error: Exception) -> str:
    return " ".join(str(error.args[-1] if error.args else error).split())


def _type_name(code: int) -> str:
    from pymysql.constants import FIELD_TYPE

    names = {value: name for name, value in vars(FIELD_TYPE).items() if name.isupper()}
    return str(names.get(code, "")).lower()
