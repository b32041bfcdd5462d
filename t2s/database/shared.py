"""A database for several threads: one at a time."""

from __future__ import annotations

from collections.abc import Mapping
from threading import RLock

from t2s.types.database import Database
from t2s.types.query import ResultSet
from t2s.types.schema import Schema


class Shared:
    """A `Database` whose calls wait for each other; `cancel` does not wait."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._turn = RLock()
        self.name = database.name
        self.identity = database.identity
        self.dialect = database.dialect
        self.privacy = database.privacy

    def schema(self, *, refresh: bool = False) -> Schema:
        """See `t2s.types.database.Database`."""
        with self._turn:
            return self._database.schema(refresh=refresh)

    def last_schema(self) -> Schema | None:
        """See `t2s.types.database.Database`."""
        with self._turn:
            return self._database.last_schema()

    def explain(self, sql: str) -> str:
        """See `t2s.types.database.Database`."""
        with self._turn:
            return self._database.explain(sql)

    def run(self, sql: str, *, limit: int | None, timeout: float) -> ResultSet:
        """See `t2s.types.database.Database`."""
        with self._turn:
            return self._database.run(sql, limit=limit, timeout=timeout)

    def values(self, table: str, column: str, limit: int) -> tuple[str, ...]:
        """See `t2s.types.database.Database`."""
        with self._turn:
            return self._database.values(table, column, limit)

    def texts(self) -> Mapping[tuple[str, str], tuple[str, ...]]:
        """See `t2s.types.database.Database`."""
        with self._turn:
            return self._database.texts()

    def risk(self) -> tuple[str, str] | None:
        """See `t2s.types.database.Database`."""
        with self._turn:
            return self._database.risk()

    def cancel(self) -> None:
        """See `t2s.types.database.Database`."""
        self._database.cancel()

    def close(self) -> None:
        """See `t2s.types.database.Database`."""
        with self._turn:
            self._database.close()
