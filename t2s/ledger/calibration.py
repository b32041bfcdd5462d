"""How far a model's prompts are from their estimates, learned from what each call returned."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from sqlalchemy import Connection, select

from t2s.ledger.store import Ledger
from t2s.ledger.tables import calibrations

WEIGHT = 0.05
"""How much the latest call counts at least; the first ones count alike."""
TRUSTED_CALLS = 5
"""After so many calls a prompt may be reserved below its estimate."""
ERRORS = 3.0
"""So many mean errors lie between what is expected and what is reserved."""
LEAST_MARGIN = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """Returned by estimated tokens (`ratio`), and the mean share by which a calibrated estimate is off (`error`)."""

    model: str
    calls: int = 0
    ratio: float = 1.0
    error: float = 0.0

    def expected(self, estimate: int) -> int:
        """How many tokens a prompt of that estimate will have."""
        return round(estimate * self.ratio)

    def span(self, estimate: int) -> tuple[int, int]:
        """Between how many and how many tokens a prompt of that estimate will have."""
        margin = max(ERRORS * self.error, LEAST_MARGIN)
        least, most = self.ratio * max(0.0, 1 - margin), self.ratio * (1 + margin)
        if self.calls < TRUSTED_CALLS:
            least, most = min(least, 0.5), max(most, 1.0)
        return int(estimate * least), ceil(estimate * most)


def calibration_of(ledger: Ledger, model: str) -> Calibration:
    """What is known of a model's estimates; of a new one, nothing."""
    with ledger.reading() as connection:
        return _read(connection, model)


def all_calibrations(ledger: Ledger) -> dict[str, Calibration]:
    """What is known of the estimates of every model that was called."""
    with ledger.reading() as connection:
        rows = connection.execute(select(calibrations)).all()
    return {row.model: Calibration(**row._mapping) for row in rows}


def learn(connection: Connection, model: str, *, estimate: int, returned: int) -> None:
    """Take in what one call returned; the caller holds the lock of the budgets."""
    if estimate <= 0 or returned <= 0:
        return
    before = _read(connection, model)
    error = abs(before.expected(estimate) - returned) / returned
    if not before.calls:  # the raw estimate is not the calibrated one's mistake
        error = 0.0
    weight = max(1 / (before.calls + 1), WEIGHT)
    values = {
        "calls": before.calls + 1,
        "ratio": before.ratio + weight * (returned / estimate - before.ratio),
        "error": before.error + max(1 / max(before.calls, 1), WEIGHT) * (error - before.error),
    }
    if before.calls:
        connection.execute(calibrations.update().where(calibrations.c.model == model).values(**values))
    else:
        connection.execute(calibrations.insert().values(model=model, **values))


def _read(connection: Connection, model: str) -> Calibration:
    row = connection.execute(select(calibrations).where(calibrations.c.model == model)).one_or_none()
    return Calibration(**row._mapping) if row else Calibration(model=model)
