"""The ledger's tables of runs and of alerts that were sent."""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, Connection, Float, Index, Integer, MetaData, String, Table, Text

metadata = MetaData()

runs = Table(
    "runs",
    metadata,
    Column("run_id", String(36), primary_key=True),
    Column("at", Float, nullable=False, index=True),
    Column("user", String(200), nullable=False),
    Column("session_id", String(36), nullable=False, index=True),
    Column("datasource", String(500), nullable=False),
    Column("target", String(500), nullable=False),
    Column("origin", String(10), nullable=False),
    Column("question", Text, nullable=False),
    Column("status", String(30), nullable=False),
    Column("error", Text, nullable=False),
    Column("model", String(200), nullable=False),
    Column("calls", Integer, nullable=False),
    Column("input_tokens", Integer, nullable=False),
    Column("output_tokens", Integer, nullable=False),
    Column("cache_write_tokens", Integer, nullable=False),
    Column("cache_read_tokens", Integer, nullable=False),
    Column("cost_usd", Float),
    Column("total_ms", Float, nullable=False),
    Column("steps", JSON, nullable=False),
    Column("memories_used", Integer, nullable=False),
    Column("memories_made", Integer, nullable=False),
    Column("rss_mb", Float),
    Column("host", String(200), nullable=False),
    Column("pid", Integer, nullable=False),
    Column("process_started", String(40), nullable=False),
    Index("runs_by_user", "user", "at"),
)

alerts = Table(
    "alerts",
    metadata,
    Column("day", String(10), primary_key=True),
    Column("user", String(200), primary_key=True),
    Column("alert", String(100), primary_key=True),
    Column("at", Float, nullable=False),
    Column("sent", Boolean, nullable=False),
)


def add_runs(connection: Connection) -> None:
    """A step of the migrations."""
    metadata.create_all(connection)
