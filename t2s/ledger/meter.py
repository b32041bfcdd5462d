"""Budgets that hold across processes: reserve before a call, settle after it, both in one transaction."""

from __future__ import annotations

import os
import socket
import time
import uuid
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Connection, select, text

from t2s.errors import BudgetRefused, BudgetSpent, Throttled
from t2s.ledger.budgets import TOKENS, Budget, budgets_of, today
from t2s.ledger.calibration import Calibration, calibration_of, learn
from t2s.ledger.limits import Limits
from t2s.ledger.pace import HOLD_S, PACE_LOCK, seconds_to_wait
from t2s.ledger.store import Ledger
from t2s.ledger.tables import holds, usage
from t2s.types.event import Event, Notice
from t2s.types.usage import Usage

SUBMITTED = "submitted"
"""The outcome of a call that is paid when its answer is collected: what is recorded is the most that it can cost."""
KILLED = "killed"
"""The outcome of a call whose process died before it could tell: it is paid, so the most it can cost is recorded."""


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
        warned: set[str] | None = None,
    ) -> None:
        """`warned` are the budgets of which the user was told that little is left; it is added to."""
        self._ledger = ledger
        self._user = user
        self._session_id = session_id
        self._run_id = run_id
        self._limits = limits
        self._on_event = on_event
        self._warned: set[str] = set() if warned is None else warned
        self._calibrations: dict[str, Calibration] = {}

    def span(self, model: str, estimate: int) -> tuple[int, int]:
        """Between how many and how many tokens a prompt of that estimate has, as the model's earlier calls tell."""
        if model not in self._calibrations:
            self._calibrations[model] = calibration_of(self._ledger, model)
        return self._calibrations[model].span(estimate)

    def budgets(self) -> tuple[Budget, ...]:
        """Every budget that is set, as it stands."""
        with self._ledger.reading() as connection:
            return budgets_of(connection, self._limits, self._user, self._session_id)

    def fits(self, *, tokens: int, cost_usd: float | None) -> bool:
        """Whether no budget would be passed by a call of so many tokens and USD."""
        wanted = {"tokens": tokens, "usd": cost_usd or 0.0}
        return not any(budget.would_pass(wanted[_unit(budget)]) for budget in self.budgets())

    def reserve(self, *, model: str, tokens: int, cost_usd: float | None, estimate: int | None = None) -> str:
        """Hold what a call may cost at most; raises `BudgetRefused` that names the limit it would pass.

        `estimate` is what its prompt was estimated at before any calibration, which learns from it.
        """
        if cost_usd is None and self._limits.in_usd:
            raise BudgetRefused(
                f"{model} has no known price, so that a budget in USD cannot be kept",
                hint=f'give it one in the config file: [prices."{model}"] input = …, output = …',
            )
        hold = str(uuid.uuid4())
        deadline = time.monotonic() + self._limits.pace.queue_s
        while (wait := self._hold(hold, model, tokens, cost_usd or 0.0, estimate)) > 0:
            if time.monotonic() + wait > deadline:
                raise Throttled(
                    f"no place for another call within {self._limits.pace.queue_s:g} s",
                    hint="T2S_PACE_AT_ONCE_USER and T2S_PACE_REQUESTS_PER_MINUTE allow more",
                )
            time.sleep(wait)
        return hold

    def _hold(self, hold: str, model: str, tokens: int, cost: float, estimate: int | None) -> float:
        """Put up the hold and return 0, or return after how many seconds there may be a place for it."""
        with self._ledger.transaction() as connection:
            _lock(connection, self._user)
            release_dead(connection)
            wait = seconds_to_wait(connection, self._limits.pace, self._user, tokens)
            if wait > 0:
                return wait
            self._check(budgets_of(connection, self._limits, self._user, self._session_id), tokens, cost)
            now = time.time()
            connection.execute(
                holds.insert().values(
                    id=hold,
                    user=self._user,
                    session_id=self._session_id,
                    day=today(),
                    tokens=tokens,
                    cost_usd=cost,
                    host=socket.gethostname(),
                    pid=os.getpid(),
                    process_started=process_started(os.getpid()) or "",
                    expires=now + HOLD_S,
                    model=model,
                    run_id=self._run_id,
                    estimate=estimate,
                )
            )
        return 0.0

    def settle(self, hold: str, used: Usage, *, purpose: str, latency_ms: float, outcome: str) -> None:
        """Replace a hold by what the call really used; it counts on the day on which it was reserved."""
        with self._ledger.transaction() as connection:
            _lock(connection, self._user)
            held = connection.execute(select(holds.c.day, holds.c.estimate).where(holds.c.id == hold)).one_or_none()
            if held is None:  # taken for dead, as after a long sleep of the machine: what was written then is replaced
                connection.execute(usage.delete().where(usage.c.call == hold))
            connection.execute(holds.delete().where(holds.c.id == hold))
            connection.execute(
                usage.insert().values(
                    at=time.time(),
                    day=held.day if held else today(),
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
                    estimate=held.estimate if held else None,
                    call=hold,
                )
            )
            if held and held.estimate and outcome == "ok":
                learn(connection, used.model, estimate=held.estimate, returned=used.total_tokens - used.output_tokens)

    def correct(self, run_id: str, used: Usage, *, outcome: str) -> bool:
        """Put what a call really used in the place of what was taken for it; false where that was done already."""
        with self._ledger.transaction() as connection:
            estimate = (usage.c.run_id == run_id) & (usage.c.outcome == SUBMITTED)
            counts = {name: getattr(used, name) for name in (*TOKENS, "cost_usd")}
            return connection.execute(usage.update().where(estimate).values(outcome=outcome, **counts)).rowcount > 0

    def _check(self, budgets: tuple[Budget, ...], tokens: int, cost: float) -> None:
        for budget in budgets:
            wanted = cost if budget.in_usd else tokens
            if budget.would_pass(wanted):
                raise _refusal(budget, wanted)
            before = budget.used + budget.held
            share = (before + wanted) / budget.limit if budget.limit else 1.0
            if before and share > self._limits.warn_share and budget.name not in self._warned:
                self._warned.add(budget.name)
                limit = budget.amount(budget.limit)
                self._on_event(Notice(message=f"{share:.0%} of the budget {budget.name} ({limit}) is used"))


def standing(ledger: Ledger, limits: Limits, *, user: str, session_id: str | None) -> tuple[Budget, ...]:
    """Every budget that is set, as it stands once what dead processes held is settled."""
    with ledger.transaction() as connection:
        _lock(connection, user)
        release_dead(connection)
        return budgets_of(connection, limits, user, session_id)


def _refusal(budget: Budget, wanted: float) -> BudgetRefused:
    span = budget.name.partition("_")[0]
    kind = BudgetRefused if span == "request" else BudgetSpent
    enough = max(budget.limit * 2, budget.used + budget.held + wanted)
    example = f"{enough:.2g}usd" if budget.in_usd else f"{enough:.0f}tokens"
    return kind(
        f"the budget {budget.name} would be passed: {budget.amount(budget.used + budget.held)} of "
        f"{budget.amount(budget.limit)} is used or held, this call may take {budget.amount(wanted)}",
        hint=f"raise it: t2s budget set {span} {example}, or T2S_BUDGET_{budget.name.upper()}",
    )


def _unit(budget: Budget) -> str:
    return "usd" if budget.in_usd else "tokens"


def _lock(connection: Connection, user: str) -> None:
    """On a server the user's budget is locked; on SQLite the transaction is the only writer anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": PACE_LOCK})
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtext(:user))"), {"user": f"t2s {user}"})


def release_dead(connection: Connection) -> None:
    """Settle what processes of this machine held that are no more, and what is too old, at the most it can cost.

    Nobody knows how far the call had come, and the service is paid for it either way.
    """
    rows = connection.execute(select(holds)).all()
    here, now = socket.gethostname(), time.time()
    for row in rows:
        gone = row.host == here and (process_started(row.pid) or "gone") != (row.process_started or "gone")
        if not gone and row.expires >= now:
            continue
        connection.execute(holds.delete().where(holds.c.id == row.id))
        connection.execute(
            usage.insert().values(
                at=now,
                day=row.day,
                user=row.user,
                session_id=row.session_id,
                run_id=row.run_id or "",
                model=row.model or "unknown",
                purpose=KILLED,
                input_tokens=row.tokens,
                output_tokens=0,
                cache_write_tokens=0,
                cache_read_tokens=0,
                cost_usd=row.cost_usd,
                latency_ms=0.0,
                outcome=KILLED,
                estimate=row.estimate,
                call=row.id,
            )
        )


def process_started(pid: int) -> str | None:
    """When a process began, in the kernel's words; None where there is no such process (or no /proc)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return None
