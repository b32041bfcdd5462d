"""Open the ledger, write sessions and turns, read usage."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from pathlib import Path
from threading import RLock
from typing import Any, Literal

from sqlalchemy import Connection, Engine, case, create_engine, desc, event, func, select, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.pool import StaticPool

from t2s.errors import LedgerError
from t2s.ledger.budgets import TOKENS
from t2s.ledger.memory_tables import actions
from t2s.ledger.redact import redact
from t2s.ledger.tables import migrate, sessions, turns, usage
from t2s.types.query import Answer, Exchange, Privacy

BUSY_TIMEOUT_S = 10
MIGRATION_LOCK = 7_283_301
SESSION_IDLE_S = 3_600
POOL = {"pool_size": 16, "max_overflow": 128}
"""Many questions at once, each with two searches: a connection to a file costs next to nothing."""

By = Literal["session", "day", "model", "user", "purpose"]


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageRow:
    """What was used under one key; `cost_usd` counts the priced calls, `unpriced` are the others."""

    key: str
    calls: int
    errors: int
    input_tokens: int
    output_tokens: int
    cache_write_tokens: int
    cache_read_tokens: int
    cost_usd: float
    unpriced: int


class Ledger:
    """One ledger, safe for threads and processes; every method raises `LedgerError` when it cannot be kept."""

    def __init__(self, place: str) -> None:
        self.place = place if place == ":memory:" or "://" not in place else make_url(place).render_as_string()
        self.engine = _engine(place)
        self._turn: AbstractContextManager[object] = (
            RLock() if place == ":memory:" else nullcontext()
        )  # there is but one connection then
        try:
            with self.transaction() as connection:
                if connection.dialect.name == "postgresql":
                    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
                migrate(connection)
        except BaseException:
            self.engine.dispose()
            raise

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """All or nothing; on SQLite the only writer."""
        try:
            with self._turn, self.engine.begin() as connection:
                yield connection
        except SQLAlchemyError as e:
            raise self._unusable(e) from e

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One state of the ledger to read from; it neither waits for a writer nor holds one up."""
        try:
            with self._turn, self.engine.connect() as connection:
                connection.execution_options(reading=True)
                with connection.begin():
                    yield connection
        except SQLAlchemyError as e:
            raise self._unusable(e) from e

    def _unusable(self, error: SQLAlchemyError) -> LedgerError:
        reason = " ".join(str(getattr(error, "orig", None) or error).split())
        return LedgerError(f"the ledger {self.place} cannot be used: {reason}")

    def close(self) -> None:
        """Give the connections back."""
        self.engine.dispose()

    def enter_session(self, *, user: str, datasource: str, name: str | None) -> str:
        """The id of the user's session of that name on the datasource, resumed or new; unnamed is always new."""
        now = time.time()
        with self.transaction() as connection:
            if name is not None:
                known = connection.scalar(
                    select(sessions.c.id)
                    .where(sessions.c.user == user, sessions.c.datasource == datasource, sessions.c.title == name)
                    .where(sessions.c.ended.is_(None))
                    .order_by(desc(sessions.c.last_activity))
                )
                if known:
                    connection.execute(
                        sessions.update().where(sessions.c.id == known).values(last_activity=now, active=True)
                    )
                    return str(known)
            session_id = str(uuid.uuid4())
            connection.execute(
                sessions.insert().values(
                    id=session_id,
                    user=user,
                    datasource=datasource,
                    title=name,
                    created=now,
                    last_activity=now,
                    active=True,
                    metadata={},
                )
            )
            idle = sessions.c.active & (sessions.c.last_activity < now - SESSION_IDLE_S)
            connection.execute(sessions.update().where(idle).values(active=False))
        return session_id

    def record_turn(self, answer: Answer, *, privacy: Privacy) -> None:
        """Keep a question and what came of it: never its rows, and no secrets."""
        now = time.time()
        with self.transaction() as connection:
            connection.execute(
                turns.insert().values(
                    run_id=answer.run_id,
                    session_id=answer.session_id,
                    at=now,
                    question=redact(answer.question),
                    sql=redact(answer.sql) if answer.sql else None,
                    status=answer.status,
                    confidence=answer.confidence,
                    tables=list(answer.tables),
                    problems=[{**asdict(p), "message": redact(p.message)} for p in answer.problems],
                    privacy=privacy,
                    model=answer.usage.model,
                    row_count=len(answer.result.rows) if answer.result else None,
                    timings_ms=dict(answer.timings_ms),
                )
            )
            connection.execute(
                sessions.update().where(sessions.c.id == answer.session_id).values(last_activity=now, active=True)
            )
            user = connection.scalar(select(sessions.c.user).where(sessions.c.id == answer.session_id))
            details = {"question": redact(answer.question), "status": answer.status, "run_id": answer.run_id}
            connection.execute(actions.insert().values(at=now, user=user or "", action="ask", details=details))

    def history(self, session_id: str, turns_wanted: int) -> tuple[Exchange, ...]:
        """The latest questions of a session that were answered, the oldest first."""
        query = (
            select(turns.c.question, turns.c.sql)
            .where(turns.c.session_id == session_id, turns.c.status == "ok")
            .order_by(desc(turns.c.at))
            .limit(turns_wanted)
        )
        with self.reading() as connection:
            rows = connection.execute(query).all()
        return tuple(Exchange(question=row.question, sql=row.sql) for row in reversed(rows))

    def usage(self, by: By, *, days: int, user: str | None = None) -> tuple[UsageRow, ...]:
        """What was used in the last `days` days (today is one), by a key; the dearest first, days in order."""
        key = usage.c.session_id if by == "session" else usage.c[by]
        since = (date.today() - timedelta(days=days - 1)).isoformat()
        totals = [
            func.count().label("calls"),
            func.sum(case((usage.c.outcome == "ok", 0), else_=1)).label("errors"),
            *(func.sum(usage.c[name]).label(name) for name in TOKENS),
            func.coalesce(func.sum(usage.c.cost_usd), 0.0).label("cost_usd"),
            func.sum(case((usage.c.cost_usd.is_(None), 1), else_=0)).label("unpriced"),
        ]
        query = select(key.label("key"), *totals).where(usage.c.day >= since).group_by(key)
        query = query.order_by(key) if by == "day" else query.order_by(desc("cost_usd"), desc("calls"), key)
        if user is not None:
            query = query.where(usage.c.user == user)
        with self.reading() as connection:
            return tuple(UsageRow(**row._mapping) for row in connection.execute(query))


def _engine(place: str) -> Engine:
    if place == ":memory:":
        engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
    elif "://" in place:
        engine = _server(place)
    else:
        path = Path(place)
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            path.touch(mode=0o600)
        except OSError as e:
            raise LedgerError(f"the ledger {path} cannot be written: {e.strerror}") from e
        engine = create_engine(
            URL.create("sqlite", database=str(path)), connect_args={"timeout": BUSY_TIMEOUT_S}, **POOL
        )
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _on_connect)
        event.listen(engine, "begin", _on_begin)
    return engine


def _server(place: str) -> Engine:
    try:
        url = make_url(place)
        if url.drivername in ("postgres", "postgresql"):
            url = url.set(drivername="postgresql+psycopg")
        return create_engine(url, pool_pre_ping=True)
    except (ArgumentError, SQLAlchemyError, ImportError) as e:
        raise LedgerError("the ledger's URL cannot be used", hint="a path, or postgresql://user@host/database") from e


def _on_connect(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # transactions are begun below, not by the driver
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")


def _on_begin(connection: Connection) -> None:
    reads = connection.get_execution_options().get("reading", False)
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")  # a reader that later writes would be refused
