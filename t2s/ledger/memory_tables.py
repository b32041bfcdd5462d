"""The ledger's tables of memories, their search data, tasks, archives and actions."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Connection,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

metadata = MetaData()

memories = Table(
    "memories",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("id", String(36), nullable=False, unique=True),
    Column("kind", String(20), nullable=False),
    Column("scope", String(900), nullable=False),
    Column("key", String(100), nullable=False),
    Column("content", Text, nullable=False),
    Column("user", String(200), nullable=False),
    Column("session_id", String(36), nullable=False),
    Column("datasource", String(500), nullable=False),
    Column("created", Float, nullable=False),
    Column("last_access", Float, nullable=False),
    Column("valid_from", Float, nullable=False),
    Column("source", String(20), nullable=False),
    Column("state", String(20)),
    Column("layer", String(10), nullable=False),
    Column("importance", Float, nullable=False),
    Column("feedback", Float, nullable=False),
    Column("confidence", Float),
    Column("accesses", Integer, nullable=False),
    Column("expires", Float),
    Column("valid_to", Float),
    Column("superseded_by", String(36)),
    Column("merged_into", String(36)),
    Column("stale", Text),
    Column("marked", Boolean, nullable=False),
    Column("data", JSON, nullable=False),
    Column("tables", JSON, nullable=False),
    Column("columns", JSON, nullable=False),
    Column("fingerprint", String(64)),
    Column("sql_hash", String(64)),
    Column("veto", String(64)),
    Index("memories_by_key", "scope", "key"),
    Index("memories_by_user", "user"),
    Index("memories_by_session", "session_id"),
    Index("memories_by_expiry", "expires"),
    sqlite_autoincrement=True,  # a number is never given twice: readers load what is above the last they saw
)

vectors = Table(
    "vectors",
    metadata,
    Column("memory", Integer, primary_key=True, autoincrement=False),
    Column("scope", String(900), nullable=False),
    Column("embedder", String(200), nullable=False),
    Column("vector", LargeBinary, nullable=False),  # half-precision floats
    Index("vectors_by_scope", "scope", "embedder", "memory"),
)

postings = Table(
    "postings",
    metadata,
    Column("term", BigInteger, primary_key=True, autoincrement=False),  # a hash of scope and term
    Column("memory", Integer, primary_key=True, autoincrement=False),
    Column("weight", Float, nullable=False),
    Index("postings_by_memory", "memory"),
    sqlite_with_rowid=False,
)

changes = Table(
    "memory_changes",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("memory_id", String(36), nullable=False),
    sqlite_autoincrement=True,
)

tasks = Table(
    "tasks",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("kind", String(30), nullable=False),
    Column("user", String(200), nullable=False),
    Column("session_id", String(36), nullable=False),
    Column("datasource", String(500), nullable=False),
    Column("payload", JSON, nullable=False),
    Column("status", String(20), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("not_before", Float, nullable=False),
    Column("created", Float, nullable=False),
    Column("updated", Float, nullable=False),
    Column("error", Text),
    Column("host", String(200)),
    Column("pid", Integer),
    Column("process_started", String(40)),
    Index("tasks_by_status", "status", "not_before"),
)

archives = Table(
    "archives",
    metadata,
    Column("path", String(900), primary_key=True),
    Column("user", String(200), nullable=False, index=True),
    Column("session_id", String(36), nullable=False),
    Column("datasource", String(500), nullable=False),
    Column("at", Float, nullable=False),
    Column("memories", Integer, nullable=False),
    Column("sha256", String(64), nullable=False),
)

actions = Table(
    "actions",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("at", Float, nullable=False, index=True),
    Column("user", String(200), nullable=False, index=True),
    Column("action", String(50), nullable=False),
    Column("details", JSON, nullable=False),
)


def add_memory(connection: Connection) -> None:
    """The second step of the migrations."""
    metadata.create_all(connection)
