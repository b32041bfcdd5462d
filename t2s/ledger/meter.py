"""Budgets that hold across processes: reserve before a call, settle after it, both in one transaction."""

from __future__ import annotations

import os
import socket
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from sqlalchemy import Connection, func, select, text

from t2s.errors import BudgetRefused, Throttled
from t2s.ledger.limits import Limits
from t2s.ledger.pace import HOLD_S, PACE_LOCK, seconds_to_wait
from t2s.ledger.store import Ledger
from t2s.ledger.tables import holds, usage
from t2s.types.event import Event, Notice
from t2s.types.usage import Usage

SUBMITTED = "submitted"
"""The outcome of a call that is paid when its answer is collected: what is recorded is the most that it can cost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Spent:
    """What has been used and is held, of one user."""

    day_tokens: int
    day_usd: float
    session_usd: float


class LedgerMeter:
    """Checks and records the calls of one run; see `t2s.types.llm.Meter`."""

    def __init__(
        self,
        ledger: Ledger,
        *,
        user: str,
        session_id: str,
        run_id: str,
        limits: Limits,
        on_event: Callable[[Event], None],
    ) -> None:
        self._ledger = ledger
        self._user = user
        self._session_id = session_id
        self._run_id = run_id
        self._limits = limits
        self._on_event = on_event
        self._warned: set[str] = set()

    def reserve(self, *, model: str, tokens: int, cost_usd: float | None) -> str:
        """Hold what a call may cost at most; raises `BudgetRefused` that names the limit it would pass."""
        if cost_usd is None and self._limits.in_usd:
            raise BudgetRefused(
                f"{model} has no known price, so that a budget in USD cannot be kept",
                hint=f'give it one in the config file: [prices."{model}"] input = …, output = …',
            )
        hold = str(uuid.uuid4())
        deadline = time.monotonic() + self._limits.pace.queue_s
        while (wait := self._hold(hold, tokens, cost_usd or 0.0)) > 0:
            if time.monotonic() + wait > deadline:
                raise Throttled(
                    f"no place for another call within {self._limits.pace.queue_s:g} s",
                    hint="T2S_PACE_AT_ONCE_USER and T2S_PACE_REQUESTS_PER_MINUTE allow more",
                )
            time.sleep(wait)
        return hold

    def _hold(self, hold: str, tokens: int, cost: float) -> float:
        """Put up the hold and return 0, or return after how many seconds there may be a place for it."""
        with self._ledger.transaction() as connection:
            _lock(connection, self._user)
            _release_dead(connection)
            wait = seconds_to_wait(connection, self._limits.pace, self._user, tokens)
            if wait > 0:
                return wait
            self._check(self._spent(connection), tokens, cost)
            now = time.time()
            connection.execute(
                holds.insert().values(
                    id=hold,
                    user=self._user,
                    session_id=self._session_id,
                    day=_today(),
                    tokens=tokens,
                    cost_usd=cost,
                    host=socket.gethostname(),
                    pid=os.getpid(),
                    process_started=process_started(os.getpid()) or "",
                    expires=now + HOLD_S,
                )
            )
        return 0.0

    def settle(self, hold: str, used: Usage, *, purpose: str, latency_ms: float, outcome: str) -> None:
        """Replace a hold by what the call really used."""
        with self._ledger.transaction() as connection:
            _lock(connection, self._user)
            connection.execute(holds.delete().where(holds.c.id == hold))
            connection.execute(
                usage.insert().values(
                    at=time.time(),
                    day=_today(),
                    user=self._user,
                    session_id=self._session_id,
                    run_id=self._run_id,
                    model=used.model,
                    purpose=purpose,
                    input_tokens=used.input_tokens,
                    output_tokens=used.output_tokens,
                    cache_write_tokens=used.cache_write_tokens,
                    cache_read_tokens=used.cache_read_tokens,
                    cost_usd=used.cost_usd,
                    latency_ms=latency_ms,
                    outcome=outcome,
                )
            )

    def correct(self, run_id: str, used: Usage, *, outcome: str) -> bool:
        """Put what a call really used in the place of what was taken for it; false where that was done already."""
        with self._ledger.transaction() as connection:
            estimate = (usage.c.run_id == run_id) & (usage.c.outcome == SUBMITTED)
            counts = {name: getattr(used, name) for name in (*_TOKENS, "cost_usd")}
            return connection.execute(usage.update().where(estimate).values(outcome=outcome, **counts)).rowcount > 0

    def _spent(self, connection: Connection) -> _Spent:
        day = _today()
        tokens = func.sum(sum(usage.c[name] for name in _TOKENS))
        used = connection.execute(
            select(func.coalesce(tokens, 0), func.coalesce(func.sum(usage.c.cost_usd), 0.0)).where(
                usage.c.user == self._user, usage.c.day == day
            )
        ).one()
        held = connection.execute(
            select(func.coalesce(func.sum(holds.c.tokens), 0), func.coalesce(func.sum(holds.c.cost_usd), 0.0)).where(
                holds.c.user == self._user, holds.c.day == day
            )
        ).one()
        session = sum(
            connection.scalar(
                select(func.coalesce(func.sum(table.c.cost_usd), 0.0)).where(table.c.session_id == self._session_id)
            )
            or 0.0
            for table in (usage, holds)
        )
        return _Spent(day_tokens=used[0] + held[0], day_usd=used[1] + held[1], session_usd=session)

    def _check(self, spent: _Spent, tokens: int, cost: float) -> None:
        limits = self._limits
        for name, limit, before, wanted in (
            ("request_tokens", limits.request_tokens, 0, tokens),
            ("day_tokens", limits.day_tokens, spent.day_tokens, tokens),
            ("request_usd", limits.request_usd, 0.0, cost),
            ("session_usd", limits.session_usd, spent.session_usd, cost),
            ("day_usd", limits.day_usd, spent.day_usd, cost),
        ):
            if limit is None:
                continue
            if before + wanted > limit:
                raise BudgetRefused(
                    f"the budget {name} would be passed: {_amount(name, before)} of {_amount(name, limit)} "
                    f"is used or held, this call may take {_amount(name, wanted)}",
                    hint=f"raise it with T2S_BUDGET_{name.upper()}",
                )
            if before + wanted > limit * limits.warn_share and before and name not in self._warned:
                self._warned.add(name)
                share = (before + wanted) / limit
                self._on_event(Notice(message=f"{share:.0%} of the budget {name} ({_amount(name, limit)}) is used"))


_TOKENS = ("input_tokens", "output_tokens", "cache_write_tokens", "cache_read_tokens")


def _amount(name: str, value: float) -> str:
    return f"${value:.4f}" if name.endswith("usd") else f"{value:,.0f} tokens"


def _lock(connection: Connection, user: str) -> None:
    """On a server the user's budget is locked; on SQLite the transaction is the only writer anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": PACE_LOCK})
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtext(:user))"), {"user": f"t2s {user}"})


def _release_dead(connection: Connection) -> None:
    """Drop what processes of this machine held that are no more, and what is too old."""
    rows = connection.execute(select(holds.c.id, holds.c.host, holds.c.pid, holds.c.process_started, holds.c.expires))
    here, now = socket.gethostname(), time.time()
    dead = [
        row.id
        for row in rows
        if row.expires < now
        or (row.host == here and (process_started(row.pid) or "gone") != (row.process_started or "gone"))
    ]
    if dead:
        connection.execute(holds.delete().where(holds.c.id.in_(dead)))


def process_started(pid: int) -> str | None:
    """When a process began, in the kernel's words; None where there is no such process (or no /proc)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return None


def _today() -> str:
    return date.today().isoformat()
