"""The ledger's tables, and the steps that lead an older ledger to them."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Connection,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    inspect,
    select,
    text,
)

from t2s.errors import LedgerError
from t2s.ledger.memory_tables import add_memory
from t2s.ledger.run_tables import add_runs

metadata = MetaData()

version = Table("t2s_version", metadata, Column("number", Integer, primary_key=True))

sessions = Table(
    "sessions",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("user", String(200), nullable=False),
    Column("datasource", String(500), nullable=False),
    Column("title", String(500)),
    Column("created", Float, nullable=False),
    Column("last_activity", Float, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("ended", Float),
    Column("metadata", JSON, nullable=False),
    Index("sessions_by_user", "user", "datasource", "title"),
)

turns = Table(
    "turns",
    metadata,
    Column("run_id", String(36), primary_key=True),
    Column("session_id", String(36), nullable=False, index=True),
    Column("at", Float, nullable=False),
    Column("question", Text, nullable=False),
    Column("sql", Text),
    Column("status", String(20), nullable=False),
    Column("confidence", Float),
    Column("tables", JSON, nullable=False),
    Column("problems", JSON, nullable=False),
    Column("privacy", String(20), nullable=False),
    Column("model", String(200), nullable=False),
    Column("row_count", Integer),
    Column("timings_ms", JSON, nullable=False),
)

usage = Table(
    "usage",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", Float, nullable=False),
    Column("day", String(10), nullable=False),
    Column("user", String(200), nullable=False),
    Column("session_id", String(36), nullable=False),
    Column("run_id", String(36), nullable=False),
    Column("model", String(200), nullable=False),
    Column("purpose", String(50), nullable=False),
    Column("input_tokens", Integer, nullable=False),
    Column("output_tokens", Integer, nullable=False),
    Column("cache_write_tokens", Integer, nullable=False),
    Column("cache_read_tokens", Integer, nullable=False),
    Column("cost_usd", Float),
    Column("latency_ms", Float, nullable=False),
    Column("outcome", String(50), nullable=False),
    Column("estimate", Integer),
    Column("call", String(36)),
    Index("usage_by_day", "user", "day"),
    Index("usage_by_session", "session_id"),
)

holds = Table(
    "holds",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("user", String(200), nullable=False, index=True),
    Column("session_id", String(36), nullable=False),
    Column("day", String(10), nullable=False),
    Column("tokens", Integer, nullable=False),
    Column("cost_usd", Float, nullable=False),
    Column("host", String(200), nullable=False),
    Column("pid", Integer, nullable=False),
    Column("process_started", String(40), nullable=False),
    Column("expires", Float, nullable=False),
    Column("model", String(200)),
    Column("run_id", String(36)),
    Column("estimate", Integer),
)

calibrations = Table(
    "calibrations",
    metadata,
    Column("model", String(200), primary_key=True),
    Column("calls", Integer, nullable=False),
    Column("ratio", Float, nullable=False),
    Column("error", Float, nullable=False),
)

saved = Table(
    "saved",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", Float, nullable=False),
    Column("day", String(10), nullable=False, index=True),
    Column("user", String(200), nullable=False),
    Column("session_id", String(36), nullable=False),
    Column("run_id", String(36), nullable=False),
    Column("model", String(200), nullable=False),
    Column("source", String(20), nullable=False),
    Column("tokens", Integer),
    Column("cost_usd", Float),
)


def _first(connection: Connection) -> None:
    metadata.create_all(connection)


def _by_time(connection: Connection) -> None:
    connection.execute(text("CREATE INDEX IF NOT EXISTS usage_by_time ON usage (at)"))


def _cost(connection: Connection) -> None:
    """What a call was estimated at, whose a hold is, what estimates are worth, and which calls were not needed."""
    metadata.create_all(connection)
    for table, names in ((usage, ("estimate", "call")), (holds, ("model", "run_id", "estimate"))):
        known = {column["name"] for column in inspect(connection).get_columns(table.name)}
        for name in names:
            if name not in known:
                kind = table.c[name].type.compile(connection.dialect)
                connection.execute(text(f"ALTER TABLE {table.name} ADD COLUMN {name} {kind}"))


STEPS: tuple[Callable[[Connection], None], ...] = (_first, add_memory, _by_time, _cost, add_runs)
"""Step n leads a ledger of version n to version n + 1; a released step never changes."""


def migrate(connection: Connection) -> None:
    """Lead the ledger to the newest version; the caller holds the only transaction that writes."""
    number = 0
    if inspect(connection).has_table(version.name):
        number = connection.scalar(select(version.c.number)) or 0
    if number > len(STEPS):
        raise LedgerError(f"the ledger was made by a newer t2s (version {number})", hint="update t2s")
    for step in STEPS[number:]:
        step(connection)
    if number < len(STEPS):
        connection.execute(version.delete())
        connection.execute(version.insert().values(number=len(STEPS)))
