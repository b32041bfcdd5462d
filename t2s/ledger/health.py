"""Whether the ledger is whole, and what its entries say of the clock."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import func, select, text

from t2s.ledger.memory_tables import actions, tasks
from t2s.ledger.tables import turns, usage

if TYPE_CHECKING:
    from t2s.ledger.store import Ledger


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """What was found: `problem` is the engine's own word, empty where all is well.

    `ahead_s` is how far (seconds) this machine's clock is behind the latest entry or off the server's clock.
    """

    problem: str
    size_mb: float | None
    ahead_s: float
    dead_tasks: int


def examine(ledger: Ledger) -> Health:
    """Read the ledger through; raises `LedgerError` where it cannot be read at all."""
    with ledger.reading() as connection:
        problem, ahead = "", 0.0
        if connection.dialect.name == "sqlite":
            told = connection.execute(text("PRAGMA quick_check(1)")).scalar()
            problem = "" if told == "ok" else str(told)
        else:
            there = connection.execute(text("SELECT extract(epoch FROM clock_timestamp())")).scalar_one()
            ahead = abs(float(there) - time.time())
        latest = [connection.scalar(select(func.max(table.c.at))) or 0.0 for table in (turns, usage, actions)]
        dead = connection.scalar(select(func.count()).where(tasks.c.status == "dead")) or 0
    return Health(
        problem=problem, size_mb=_size_mb(ledger.place), ahead_s=max(ahead, max(latest) - time.time()), dead_tasks=dead
    )


def _size_mb(place: str) -> float | None:
    try:
        return Path(place).stat().st_size / 1e6
    except OSError:
        return None
