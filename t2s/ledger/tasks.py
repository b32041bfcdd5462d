"""Work to be done later, by whichever process comes first."""

from __future__ import annotations

import os
import socket
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal

from sqlalchemy import Connection, Row, and_, or_, select

from t2s.errors import MemoryRefused
from t2s.ledger.memory_tables import tasks
from t2s.ledger.meter import process_started
from t2s.ledger.store import Ledger

MAX_ATTEMPTS = 4
"""The first and three retries; then a task is dead until somebody runs it again."""
RETRY_S = 30.0
TAKEN_S = 600.0
"""A task taken on another machine is free again after so many seconds."""

TaskStatus = Literal["pending", "processing", "completed", "failed", "dead"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A piece of work; `failed` ones are tried again at `not_before` (seconds since the epoch), dead ones are not."""

    id: str
    kind: str
    user: str
    session_id: str
    datasource: str
    payload: Mapping[str, Any]
    status: TaskStatus
    attempts: int
    not_before: float
    created: float
    updated: float
    error: str | None = None


_FIELDS = [field.name for field in fields(Task)]


def new_task(
    kind: str, *, user: str, session_id: str, datasource: str, payload: Mapping[str, Any] | None = None
) -> Task:
    """A task that can be taken at once."""
    now = time.time()
    return Task(
        id=str(uuid.uuid4()),
        kind=kind,
        user=user,
        session_id=session_id,
        datasource=datasource,
        payload=dict(payload or {}),
        status="pending",
        attempts=0,
        not_before=now,
        created=now,
        updated=now,
    )


def enqueue(ledger: Ledger, task: Task) -> None:
    """Keep a task; the same kind for the same session that is still waiting is enough."""
    with ledger.transaction() as connection:
        waiting = connection.scalar(
            select(tasks.c.id).where(
                or_(
                    tasks.c.id == task.id,
                    and_(
                        tasks.c.kind == task.kind,
                        tasks.c.session_id == task.session_id,
                        tasks.c.datasource == task.datasource,
                        tasks.c.status == "pending",
                    ),
                )
            )
        )
        if waiting is None:
            connection.execute(tasks.insert().values(**{name: getattr(task, name) for name in _FIELDS}))


def take(ledger: Ledger, user: str) -> Task | None:
    """The user's oldest task that is due, now this process's; also what a dead process left unfinished."""
    now = time.time()
    with ledger.transaction() as connection:
        _free_abandoned(connection, now)
        due = and_(tasks.c.status.in_(("pending", "failed")), tasks.c.not_before <= now, tasks.c.user == user)
        query = select(tasks).where(due).order_by(tasks.c.created).limit(1)
        row = connection.execute(query.with_for_update(skip_locked=True)).first()
        if row is None:
            return None
        connection.execute(
            tasks.update()
            .where(tasks.c.id == row.id)
            .values(
                status="processing",
                attempts=row.attempts + 1,
                updated=now,
                host=socket.gethostname(),
                pid=os.getpid(),
                process_started=process_started(os.getpid()),
            )
        )
        return _as_task(row, status="processing", attempts=row.attempts + 1)


def finish(ledger: Ledger, task: Task, *, error: str | None = None) -> None:
    """Say how a task ended; a failed one is due again later, at last it is dead."""
    now = time.time()
    status = "completed" if error is None else "failed" if task.attempts < MAX_ATTEMPTS else "dead"
    later = now + RETRY_S * 2 ** (task.attempts - 1) if status == "failed" else now
    with ledger.transaction() as connection:
        connection.execute(
            tasks.update()
            .where(tasks.c.id == task.id)
            .values(status=status, error=error, updated=now, not_before=later)
        )


def retry(ledger: Ledger, user: str, prefix: str) -> Task:
    """Make a failed or dead task due again from its first attempt on; raises `MemoryRefused`."""
    found = [t for t in listed(ledger, user=user) if t.id.startswith(prefix) and t.status in ("failed", "dead")]
    if len(found) != 1:
        raise MemoryRefused(f"there is no one failed task {prefix!r}", hint="`t2s memory tasks` lists them")
    with ledger.transaction() as connection:
        connection.execute(
            tasks.update()
            .where(tasks.c.id == found[0].id)
            .values(status="pending", attempts=0, error=None, not_before=time.time())
        )
    return found[0]


def listed(ledger: Ledger, *, user: str, statuses: Sequence[TaskStatus] = ()) -> tuple[Task, ...]:
    """The user's tasks, the newest first."""
    query = select(tasks).where(tasks.c.user == user).order_by(tasks.c.created.desc())
    if statuses:
        query = query.where(tasks.c.status.in_(statuses))
    with ledger.reading() as connection:
        return tuple(_as_task(row) for row in connection.execute(query))


def _free_abandoned(connection: Connection, now: float) -> None:
    here = socket.gethostname()
    for row in connection.execute(select(tasks).where(tasks.c.status == "processing")).all():
        gone = row.host == here and process_started(row.pid) != row.process_started
        if gone or row.updated < now - TAKEN_S:
            connection.execute(tasks.update().where(tasks.c.id == row.id).values(status="pending", not_before=now))


def _as_task(row: Row[Any], **changed: Any) -> Task:
    return Task(**{**{name: row._mapping[name] for name in _FIELDS}, **changed})
