"""The seam to a database."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from t2s.types.query import Privacy, ResultSet
from t2s.types.schema import Dialect, Schema


class Database(Protocol):
    """An open database that can only be read. Not for use by two threads at once, except `cancel`."""

    name: str
    """How the user named it: a connection's name, a URL without its password, or a file."""
    identity: str
    """What its memories are kept under: equal for the same database, however it was named just now."""
    dialect: Dialect
    privacy: Privacy

    def schema(self, *, refresh: bool = False) -> Schema:
        """Structure, row estimates and sample values; from the cache where the structure is unchanged."""
        ...

    def last_schema(self) -> Schema | None:
        """The schema as it was kept the last time, however old; None where none is kept."""
        ...

    def explain(self, sql: str) -> str:
        """The engine's plan as text, without running the query; raises `QueryError` where it refuses."""
        ...

    def run(self, sql: str, *, limit: int | None, timeout: float) -> ResultSet:
        """At most `limit` rows (None: all) within `timeout` seconds.

        Raises `QueryError`, `QueryTimeout`, `DatabaseUnavailable` (connection lost) or `Cancelled` (Ctrl-C).
        """
        ...

    def values(self, table: str, column: str, limit: int) -> tuple[str, ...]:
        """At most `limit` distinct non-null values of a column, as text, the most frequent first."""
        ...

    def texts(self) -> Mapping[tuple[str, str], tuple[str, ...]]:
        """The values of the text columns, by table and column, as far as they are bounded and were read in time.

        Kept on disk with the schema where the privacy level has values.
        """
        ...

    def risk(self) -> tuple[str, str] | None:
        """What of the login or engine makes reading less safe than it could be, and the remedy."""
        ...

    def cancel(self) -> None:
        """Break off what `run` is doing, from another thread; harmless when it does nothing."""
        ...

    def close(self) -> None:
        """Give the connection back."""
        ...
