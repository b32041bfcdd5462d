"""Calls that were not needed: what kept answers and verified queries have saved."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from sqlalchemy import distinct, func, select

from t2s.ledger.budgets import today
from t2s.ledger.store import Ledger
from t2s.ledger.tables import saved, usage

Source = Literal["cache", "memory"]
"""A model's earlier answer to the same prompt, or a verified query for the same question."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Saving:
    """Calls not made for one reason; `cost_usd` is what they cost before (cache) or would have cost on average."""

    source: Source
    calls: int
    cost_usd: float | None


def note_saved(
    ledger: Ledger,
    *,
    user: str,
    session_id: str,
    run_id: str,
    model: str,
    source: Source,
    tokens: int | None = None,
    cost_usd: float | None = None,
) -> None:
    """Record a call that was not needed, with what it cost when it was made (None: it never was)."""
    with ledger.transaction() as connection:
        connection.execute(
            saved.insert().values(
                at=time.time(),
                day=today(),
                user=user,
                session_id=session_id,
                run_id=run_id,
                model=model,
                source=source,
                tokens=tokens,
                cost_usd=cost_usd,
            )
        )


def savings(ledger: Ledger, *, days: int, user: str | None = None) -> dict[str, Saving]:
    """What was saved in the last `days` days (today is one), by source."""
    since = (date.today() - timedelta(days=days - 1)).isoformat()
    query = select(saved.c.source, func.count(), func.sum(saved.c.cost_usd)).where(saved.c.day >= since)
    each = select(func.sum(usage.c.cost_usd), func.count(distinct(usage.c.run_id))).where(
        usage.c.day >= since, usage.c.outcome == "ok", usage.c.purpose == "generate"
    )
    if user is not None:
        query, each = query.where(saved.c.user == user), each.where(usage.c.user == user)
    with ledger.reading() as connection:
        rows = connection.execute(query.group_by(saved.c.source)).all()
        total, runs = connection.execute(each).one()
    mean = total / runs if runs and total is not None else None
    found = {source: Saving(source=source, calls=0, cost_usd=0.0) for source in ("cache", "memory")}
    for source, calls, cost in rows:
        if source == "memory":
            cost = None if mean is None else calls * mean
        found[source] = Saving(source=source, calls=calls, cost_usd=cost)
    return found
