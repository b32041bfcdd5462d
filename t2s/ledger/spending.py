"""All that `t2s usage` tells: what was used by a key, what was saved, what the month will cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select

from t2s.ledger.calibration import Calibration, all_calibrations
from t2s.ledger.forecast import WEEK, Forecast, forecast
from t2s.ledger.savings import Saving, savings
from t2s.ledger.store import By, Ledger, UsageRow
from t2s.ledger.tables import sessions


@dataclass(frozen=True, slots=True, kw_only=True)
class Spending:
    """Use by a key and by model, with what belongs to it; `titles` are the names of sessions by their ids."""

    rows: tuple[UsageRow, ...]
    models: tuple[UsageRow, ...]
    saved: Mapping[str, Saving]
    estimates: Mapping[str, Calibration]
    forecast: Forecast
    titles: Mapping[str, str]


def spending(ledger: Ledger, by: By, *, days: int, user: str | None) -> Spending:
    """What was spent in the last `days` days (today is one), of one user or (None) of all."""
    today = date.today()
    rows = ledger.usage(by, days=days, user=user)
    daily = ledger.usage("day", days=today.day + WEEK, user=user)
    return Spending(
        rows=rows,
        models=rows if by == "model" else ledger.usage("model", days=days, user=user),
        saved=savings(ledger, days=days, user=user),
        estimates=all_calibrations(ledger),
        forecast=forecast({date.fromisoformat(row.key): row.cost_usd for row in daily}, today),
        titles=_titles(ledger) if by == "session" else {},
    )


def _titles(ledger: Ledger) -> dict[str, str]:
    with ledger.reading() as connection:
        return {row.id: row.title for row in connection.execute(select(sessions.c.id, sessions.c.title)) if row.title}
