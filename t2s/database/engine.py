"""What all engines share: watching a query, caching the schema, reading values."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from t2s.database import cache
from t2s.database.connection import Connection
from t2s.database.contents import look_into, read_texts
from t2s.errors import Cancelled, DatabaseUnavailable, QueryError, QueryTimeout
from t2s.types.query import ResultSet
from t2s.types.schema import Dialect, Schema, Table

EXPLAIN_TIMEOUT_S = 10.0
VALUES_TIMEOUT_S = 2.0

T = TypeVar("T")


class Engine(ABC):
    """A `Database`; each engine family says how it fetches, explains and describes itself."""

    dialect: Dialect

    def __init__(self, connection: Connection, cache_dir: Path | None) -> None:
        self.name = connection.name
        self.identity = connection.identity
        self.privacy = connection.privacy
        self._connection = connection
        self._cache_dir = cache_dir
        self._schema: Schema | None = None

    @abstractmethod
    def _fetch(self, sql: str, limit: int | None, timeout: float) -> ResultSet:
        """Run one query to its end; raises `QueryError` and its kin."""

    @abstractmethod
    def _plan(self, sql: str) -> str:
        """The engine's plan as text; raises `QueryError`."""

    @abstractmethod
    def _tables(self) -> tuple[Table, ...]:
        """Structure and row estimates of every table, by a fixed number of queries."""

    def _functions(self) -> tuple[str, ...]:
        """The database's own functions that cannot write, where its catalogue tells."""
        return ()

    @abstractmethod
    def _version(self) -> str:
        """A text that changes when the structure (or a file's content) does; cheap to get."""

    @abstractmethod
    def _quote(self, name: str) -> str:
        """A name as the engine wants it in SQL."""

    @abstractmethod
    def cancel(self) -> None:
        """Break off what runs."""

    @abstractmethod
    def close(self) -> None:
        """Give the connection back."""

    def run(self, sql: str, *, limit: int | None, timeout: float) -> ResultSet:
        """See `t2s.types.database.Database`."""
        return self._watched(lambda: self._fetch(_bare(sql), limit, timeout), timeout)

    def explain(self, sql: str) -> str:
        """See `t2s.types.database.Database`."""
        return self._watched(lambda: self._plan(_bare(sql)), EXPLAIN_TIMEOUT_S)

    def values(self, table: str, column: str, limit: int) -> tuple[str, ...]:
        """See `t2s.types.database.Database`."""
        found = self.schema().table(table)
        known = found.column(column) if found else None
        if found is None or known is None:
            raise QueryError(f"there is no column {table}.{column}")
        name = self._quote(known.name)
        sql = (
            f"SELECT {name} FROM {self._from(found)} WHERE {name} IS NOT NULL "  # noqa: S608  names are quoted
            f"GROUP BY {name} ORDER BY count(*) DESC, {name} LIMIT {int(limit)}"
        )
        rows = self.run(sql, limit=None, timeout=VALUES_TIMEOUT_S).rows
        return tuple(str(row[0]) for row in rows)

    def schema(self, *, refresh: bool = False) -> Schema:
        """See `t2s.types.database.Database`."""
        if self._schema is not None and not refresh:
            return self._schema
        version = self._version()
        kept = None if refresh else cache.load(self._cache_dir, self._key, version)
        if kept is None:
            tables = self._tables()
            if not tables:
                raise DatabaseUnavailable(f"{self.name} has no tables", hint="is it the right database or schema?")
            if self.privacy != "schema":
                tables = look_into(
                    tables,
                    lambda sql, seconds: self.run(sql, limit=None, timeout=seconds).rows,
                    self._quote,
                    self._from,
                    values=self.privacy in ("values", "rows"),
                )
            kept = Schema(
                dialect=self.dialect,
                tables=tables,
                fingerprint=cache.fingerprint(tables),
                functions=self._functions(),
            )
            cache.save(self._cache_dir, self._key, version, kept)
            cache.forget(self._cache_dir, self._texts_key)
        self._schema = kept
        return kept

    def texts(self) -> Mapping[tuple[str, str], tuple[str, ...]]:
        """See `t2s.types.database.Database`."""
        schema, version = self.schema(), self._version()
        kept = cache.load_texts(self._cache_dir, self._texts_key, version)
        found = read_texts(schema, kept, self.values)
        if len(found) > len(kept) and self.privacy in ("values", "rows"):
            cache.save_texts(self._cache_dir, self._texts_key, version, found)
        return found

    def last_schema(self) -> Schema | None:
        """See `t2s.types.database.Database`."""
        return cache.load(self._cache_dir, self._key, None)

    def risk(self) -> tuple[str, str] | None:
        """See `t2s.types.database.Database`."""
        return None

    @property
    def _key(self) -> str:
        return f"{self._connection.url} {self.privacy}"

    @property
    def _texts_key(self) -> str:
        return f"{self._key} texts"

    def _from(self, table: Table) -> str:
        return ".".join(self._quote(part) for part in (table.namespace, table.name) if part)

    def _watched(self, work: Callable[[], T], timeout: float) -> T:
        """Do `work` in a thread, so that a deadline and Ctrl-C hold on every engine alike."""
        box: list[T] = []
        errors: list[BaseException] = []
        done = threading.Event()  # not `Thread.join`: Ctrl-C in it makes Python 3.11 take the thread for ended

        def body() -> None:
            try:
                box.append(work())
            except BaseException as e:  # handed to the caller's thread
                errors.append(e)
            finally:
                done.set()

        threading.Thread(target=body, daemon=True, name="t2s-query").start()
        try:
            in_time = done.wait(timeout)
        except KeyboardInterrupt:
            self._stop(done)
            raise Cancelled("the query was cancelled") from None
        if not in_time:
            self._stop(done)
            raise QueryTimeout(f"the query ran longer than {timeout:g} s and was stopped", hint="--timeout allows more")
        if errors:
            raise errors[0]
        return box[0]

    def _stop(self, done: threading.Event) -> None:
        """Cancel until it is heard: an engine may be between two things that can be cancelled."""
        for _ in range(50):
            self.cancel()
            if done.wait(0.1):
                return


def _bare(sql: str) -> str:
    """Without the semicolons and white space at the end, so that it can stand inside a statement."""
    return sql.strip().rstrip("; \t\r\n")
