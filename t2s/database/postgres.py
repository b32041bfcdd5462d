"""PostgreSQL: every query in a read-only transaction of its own, through a cursor that takes only queries.

The extended protocol takes one statement, DECLARE CURSOR takes only a SELECT without writing CTEs, and the
transaction is rolled back afterwards whatever happened. A superuser's login is lowered to
`pg_read_all_data`, so that functions that reach files are refused; SQL that runs further SQL from text could
raise it again, so that a login without such rights is better (`t2s doctor` says so).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from t2s.database.connection import Connection
from t2s.database.engine import Engine
from t2s.database.server import CONNECT_TIMEOUT_S, Address, address, assemble
from t2s.errors import DatabaseUnavailable, QueryError, QueryTimeout
from t2s.types.query import ResultColumn, ResultSet
from t2s.types.schema import Dialect, Table

if TYPE_CHECKING:
    import psycopg

T = TypeVar("T")

_VISIBLE = "n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'"

_COLUMNS = f"""
SELECT n.nspname, c.relname, c.relkind IN ('v', 'm'), obj_description(c.oid, 'pg_class'), c.reltuples::bigint,
       a.attname, format_type(a.atttypid, a.atttypmod), NOT a.attnotnull, col_description(c.oid, a.attnum)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relkind IN ('r', 'v', 'm', 'p', 'f') AND NOT c.relispartition AND {_VISIBLE}
  AND has_schema_privilege(n.oid, 'USAGE')
ORDER BY n.nspname, c.relname, a.attnum
"""  # noqa: S608  no value is put in
_KEYS = f"""
SELECT n.nspname, c.relname, k.conname, k.contype = 'p', a.attname
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN LATERAL unnest(k.conkey) WITH ORDINALITY AS u(attnum, at)
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = u.attnum
WHERE k.contype IN ('p', 'u') AND {_VISIBLE} ORDER BY 1, 2, 3, u.at
"""  # noqa: S608
_REFERENCES = f"""
SELECT n.nspname, c.relname, k.conname, a.attname, fn.nspname, fc.relname, fa.attname
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_class fc ON fc.oid = k.confrelid JOIN pg_namespace fn ON fn.oid = fc.relnamespace
CROSS JOIN LATERAL unnest(k.conkey, k.confkey) WITH ORDINALITY AS u(attnum, fattnum, at)
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = u.attnum
JOIN pg_attribute fa ON fa.attrelid = fc.oid AND fa.attnum = u.fattnum
WHERE k.contype = 'f' AND k.conparentid = 0 AND {_VISIBLE} ORDER BY 1, 2, 3, u.at
"""  # noqa: S608
_FUNCTIONS = f"""
SELECT DISTINCT lower(p.proname) FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE {_VISIBLE} AND p.provolatile IN ('i', 's') AND p.prokind IN ('f', 'a', 'w') ORDER BY 1
"""  # noqa: S608
_VERSION = f"""
SELECT md5(coalesce(string_agg(x, ',' ORDER BY x), '')) FROM (
  SELECT concat_ws(' ', n.nspname, c.relname, c.relkind, a.attname, a.atttypid, a.atttypmod, a.attnotnull) AS x
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  WHERE c.relkind IN ('r', 'v', 'm', 'p', 'f') AND {_VISIBLE}
  UNION ALL SELECT concat_ws(' ', p.proname, p.provolatile) FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
  WHERE {_VISIBLE}
  UNION ALL SELECT concat_ws(' ', k.oid, k.conname) FROM pg_constraint k JOIN pg_namespace n ON n.oid = k.connamespace
  WHERE {_VISIBLE}
  UNION ALL SELECT concat_ws(' ', d.objoid, d.objsubid, d.description) FROM pg_description d
  WHERE d.classoid = 'pg_class'::regclass AND d.objoid >= 16384
) AS parts
"""  # noqa: S608


class PostgreSQL(Engine):
    """A PostgreSQL database; `?schema=name` chooses the schema that needs no name."""

    dialect: Dialect = "postgres"

    def __init__(self, connection: Connection, cache_dir: Path | None) -> None:
        super().__init__(connection, cache_dir)
        self._address = address(connection, "postgres", port=5432, user="postgres")
        self._chosen = self._address.options.get("schema")
        self._db = _connect(self._address)
        try:
            self._prepare()
        except BaseException:
            self._db.close()
            raise

    def _prepare(self) -> None:
        """What holds for the whole session: nothing may be written, names are looked up in one schema."""
        self._db.execute("SET default_transaction_read_only = on")
        if self._chosen:
            known = [row[0] for row in self._ask("SELECT nspname FROM pg_namespace ORDER BY 1")]
            if self._chosen not in known:
                visible = ", ".join(name for name in known if not name.startswith("pg_"))
                raise DatabaseUnavailable(f"{self.name} has no schema {self._chosen}", hint=f"it has: {visible}")
            self._db.execute("SELECT set_config('search_path', %s, false)", (self._quote(self._chosen),))
        superuser, member = self._ask(
            "SELECT rolsuper, EXISTS (SELECT FROM pg_roles WHERE rolname = 'pg_read_all_data') "
            "FROM pg_roles WHERE rolname = current_user"
        )[0]
        self._superuser = bool(superuser)
        self._lowered = bool(superuser and member)

    def _fetch(self, sql: str, limit: int | None, timeout: float) -> ResultSet:
        def work(cursor: psycopg.Cursor[Any]) -> ResultSet:
            cursor.execute(_declare(sql), prepare=True)
            count = "ALL" if limit is None else str(limit + 1)
            cursor.execute(f"FETCH {count} FROM t2s".encode())
            columns = tuple(
                ResultColumn(name=item.name, type=_type_name(self._db, item.type_code))
                for item in cursor.description or ()
            )
            rows = cursor.fetchall()
            kept = rows if limit is None else rows[:limit]
            return ResultSet(columns=columns, rows=kept, truncated=len(kept) < len(rows))

        return self._read_only(work, timeout)

    def _plan(self, sql: str) -> str:
        def work(cursor: psycopg.Cursor[Any]) -> str:
            cursor.execute(_declare(sql), prepare=True)  # refuses whatever is not a single query
            cursor.execute(f"EXPLAIN {sql}".encode(), prepare=True)
            return "\n".join(row[0] for row in cursor.fetchall())

        return self._read_only(work, 0)

    def _read_only(self, work: Callable[[psycopg.Cursor[Any]], T], timeout: float) -> T:
        """`work` inside a read-only transaction that is always rolled back; reconnects where it was lost."""
        import psycopg

        if self._db.closed:
            self._db = _connect(self._address)
            self._prepare()
        try:
            self._db.execute("BEGIN READ ONLY")
            self._db.execute(f"SET LOCAL statement_timeout = {int(timeout * 1000)}".encode())
            if self._lowered:
                self._db.execute("SET LOCAL ROLE pg_read_all_data")
            with self._db.cursor() as cursor:
                return work(cursor)
        except psycopg.errors.QueryCanceled as e:
            raise QueryTimeout("the query was stopped: it ran too long", hint="--timeout allows more") from e
        except psycopg.OperationalError as e:
            if self._db.closed:
                raise DatabaseUnavailable(f"the connection to {self._address.server} was lost") from e
            raise QueryError(_message(e)) from e
        except (psycopg.Error, UnicodeEncodeError, ValueError) as e:
            raise QueryError(_message(e)) from e
        finally:
            if not self._db.closed:
                self._db.execute("ROLLBACK")

    def _tables(self) -> tuple[Table, ...]:
        default = self._ask("SELECT current_schema()")[0][0] or "public"
        tables = assemble(self._ask(_COLUMNS), self._ask(_KEYS), self._ask(_REFERENCES), default)
        return tuple(t for t in tables if t.namespace is None) if self._chosen else tables

    def _functions(self) -> tuple[str, ...]:
        return tuple(str(row[0]) for row in self._ask(_FUNCTIONS))

    def _version(self) -> str:
        return str(self._ask(_VERSION)[0][0])

    def _ask(self, sql: str) -> list[tuple[Any, ...]]:
        import psycopg

        try:
            return self._db.execute(sql.encode()).fetchall()
        except psycopg.Error as e:
            raise DatabaseUnavailable(f"cannot read the schema of {self.name}: {_message(e)}") from e

    def _quote(self, name: str) -> str:
        return '"' + name.replace('"', '""') + '"'

    def risk(self) -> tuple[str, str] | None:
        """See `t2s.types.database.Database`."""
        if not self._superuser:
            return None
        return f"{self._address.user} is a superuser", "use a login that may only read"

    def cancel(self) -> None:
        """See `t2s.types.database.Database`."""
        self._db.cancel()

    def close(self) -> None:
        """See `t2s.types.database.Database`."""
        self._db.close()


def _declare(sql: str) -> bytes:
    return f"DECLARE t2s NO SCROLL CURSOR FOR {sql}".encode()


def _connect(where: Address) -> psycopg.Connection[Any]:
    import psycopg

    try:
        return psycopg.connect(
            host=where.options.get("host", where.host),
            port=where.port,
            dbname=where.database or where.user,
            user=where.user,
            password=where.password,
            sslmode=where.options.get("sslmode", "prefer"),
            connect_timeout=CONNECT_TIMEOUT_S,
            application_name="t2s",
            autocommit=True,
        )
    except psycopg.Error as e:
        raise _unavailable(where, str(e)) from None  # the original may show the password


def _unavailable(where: Address, text: str) -> DatabaseUnavailable:
    if "does not exist" in text and "database" in text:
        return DatabaseUnavailable(f"{where.server} has no database {where.database}")
    if "password" in text or "authentication" in text or "does not exist" in text:
        return DatabaseUnavailable(
            f"{where.server} does not let {where.user} in: wrong user or password",
            hint="set T2S_PASSWORD_<CONNECTION> or PGPASSWORD, or use ~/.pgpass",
        )
    if "resolve" in text or "not known" in text:
        return DatabaseUnavailable(f"there is no host {where.host}")
    return DatabaseUnavailable(f"no PostgreSQL answers at {where.server}", hint="is the server running?")


def _message(error: Exception) -> str:
    primary = getattr(getattr(error, "diag", None), "message_primary", None)
    return " ".join(str(primary or error).split())


def _type_name(db: psycopg.Connection[Any], oid: int) -> str:
    known = db.adapters.types.get(oid)
    return known.name if known else ""
