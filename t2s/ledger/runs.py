"""Runs: kept, listed, added up; words are forgotten after 90 days, figures stay."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, Row, case, desc, func, select

from t2s.errors import UsageError
from t2s.ledger.memory_tables import actions
from t2s.ledger.meter import process_started
from t2s.ledger.redact import redact
from t2s.ledger.run_tables import runs
from t2s.ledger.sessions import AUDIT_DAYS
from t2s.ledger.store import Ledger
from t2s.types.run import BROKEN_OFF, HARMLESS, RUNNING, Run, Step
from t2s.types.usage import Usage

BOUNDS_S = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Upper bounds, in seconds, of the histogram of durations."""

WITH_TURN = frozenset({RUNNING, "ok", "rejected", "abstained", "clarify", "failed"})
"""What is in the audit history by the turn that was recorded, or not at all yet; other runs ended in an error."""

_USAGE = ("input_tokens", "output_tokens", "cache_write_tokens", "cache_read_tokens", "cost_usd", "calls")
_COLUMNS = [column.name for column in runs.columns]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunTotals:
    """All runs of a model that ended with a status; `within` counts, for each bound, those that took no longer."""

    model: str
    status: str
    count: int
    seconds: float
    within: tuple[int, ...]
    memories_used: int
    memories_made: int


def here() -> dict[str, Any]:
    """The fields by which a run names its process."""
    return {"host": socket.gethostname(), "pid": os.getpid(), "process_started": process_started(os.getpid()) or ""}


def keep_runs(ledger: Ledger, known: Iterable[Run]) -> None:
    """Keep runs, each in the place of what was known of it; what is said in those older than 90 days goes.

    A run that ended in an error is an action of its user, too.
    """
    told = tuple(known)
    rows = [_as_row(run) for run in told]
    old = time.time() - AUDIT_DAYS * 86_400
    with ledger.transaction() as connection:
        connection.execute(runs.delete().where(runs.c.run_id.in_([row["run_id"] for row in rows])))
        connection.execute(runs.insert(), rows)
        forgotten = (runs.c.at < old) & (runs.c.question != "")
        connection.execute(runs.update().where(forgotten).values(question="", error="", target=""))
        connection.execute(actions.delete().where(actions.c.at < old))
        for run in told:
            if run.status not in WITH_TURN:
                details = {"question": redact(run.question), "status": run.status, "run_id": run.run_id}
                connection.execute(actions.insert().values(at=run.at, user=run.user, action="ask", details=details))


def list_runs(
    ledger: Ledger,
    *,
    since: float,
    until: float | None = None,
    user: str | None = None,
    failed: bool = False,
    limit: int | None = None,
) -> tuple[Run, ...]:
    """Runs that began in a time (seconds since the epoch), the latest first; with `failed` no others."""
    query = select(runs).where(runs.c.at >= since).order_by(desc(runs.c.at))
    if until is not None:
        query = query.where(runs.c.at < until)
    if user is not None:
        query = query.where(runs.c.user == user)
    if failed:
        query = query.where(runs.c.status.not_in(HARMLESS - {RUNNING}))
    with ledger.reading() as connection:
        found = map(_as_run, connection.execute(query if failed else query.limit(limit)))
        return tuple(islice((run for run in found if run.failed or not failed), limit))


def get_run(ledger: Ledger, prefix: str, *, user: str) -> Run:
    """The user's run whose id begins so; raises `UsageError` where there is none, or more than one."""
    query = select(runs).where(runs.c.user == user, runs.c.run_id.startswith(prefix, autoescape=True)).limit(2)
    with ledger.reading() as connection:
        found = [_as_run(row) for row in connection.execute(query)]
    if len(found) != 1 or not prefix:
        what = f"no run {prefix!r}" if not found else f"more than one run whose id begins with {prefix!r}"
        raise UsageError(f"there is {what}", hint="`t2s history runs` shows them")
    return found[0]


def close_broken(ledger: Ledger) -> None:
    """Write down of the runs whose process is gone that they were broken off."""
    with ledger.transaction() as connection:
        for row in connection.execute(select(runs).where(runs.c.status == RUNNING)).all():
            if _as_run(row).status == BROKEN_OFF:
                connection.execute(runs.update().where(runs.c.run_id == row.run_id).values(status=BROKEN_OFF))


def total_runs(ledger: Ledger) -> tuple[RunTotals, ...]:
    """Every run that has ended, added up by model and status; these figures never fall."""
    within = [func.sum(case((runs.c.total_ms <= bound * 1000, 1), else_=0)) for bound in BOUNDS_S]
    sums: list[ColumnElement[Any]] = [func.sum(runs.c[name]) for name in ("memories_used", "memories_made")]
    query = (
        select(runs.c.model, runs.c.status, func.count(), func.sum(runs.c.total_ms), *sums, *within)
        .where(runs.c.status != RUNNING)
        .group_by(runs.c.model, runs.c.status)
        .order_by(runs.c.model, runs.c.status)
    )
    with ledger.reading() as connection:
        return tuple(
            RunTotals(
                model=row[0],
                status=row[1],
                count=row[2],
                seconds=row[3] / 1000,
                memories_used=row[4],
                memories_made=row[5],
                within=tuple(row[6:]),
            )
            for row in connection.execute(query)
        )


def _as_row(run: Run) -> dict[str, Any]:
    plain = {name: getattr(run, name) for name in _COLUMNS if hasattr(run, name)}
    return plain | {
        "question": redact(run.question),
        "error": redact(run.error),
        "target": redact(run.target),
        "model": run.usage.model,
        "steps": [asdict(step) for step in run.steps],
        **{name: getattr(run.usage, name) for name in _USAGE},
    }


def _as_run(row: Row[Any]) -> Run:
    values = row._mapping
    plain = {name: values[name] for name in _COLUMNS if name not in (*_USAGE, "model", "steps")}
    usage = Usage(model=values["model"], **{name: values[name] for name in _USAGE})
    run = Run(**plain, usage=usage, steps=tuple(Step(**step) for step in values["steps"]))
    return replace(run, status=BROKEN_OFF) if run.status == RUNNING and _is_gone(run) else run


def _is_gone(run: Run) -> bool:
    """Whether the run's process is no more; of another machine's only time tells."""
    if run.host == socket.gethostname():
        return (process_started(run.pid) or "gone") != (run.process_started or "gone")
    return time.time() - run.at > 3_600
