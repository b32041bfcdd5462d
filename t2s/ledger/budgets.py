"""What each budget allows, and how much of it is used, reserved and left."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, Connection, func, select

from t2s.ledger.limits import Limits
from t2s.ledger.tables import holds, usage
from t2s.types.usage import in_usd

TOKENS = ("input_tokens", "output_tokens", "cache_write_tokens", "cache_read_tokens")
"""The columns of a call that count against a budget of tokens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """A limit by its setting's name (`day_usd`), in tokens or USD; of a request nothing is used beforehand."""

    name: str
    limit: float
    used: float = 0.0
    held: float = 0.0

    @property
    def in_usd(self) -> bool:
        """Whether it is counted in USD, not in tokens."""
        return self.name.endswith("usd")

    @property
    def left(self) -> float:
        """What a further call may take."""
        return max(0.0, self.limit - self.used - self.held)

    @property
    def share(self) -> float:
        """How much of it is used or reserved, 0 to 1 and (where it was lowered meanwhile) above."""
        return (self.used + self.held) / self.limit if self.limit else 1.0

    def amount(self, value: float) -> str:
        """A number of what it counts, as it is said."""
        return in_usd(value) if self.in_usd else f"{value:,.0f} tokens"

    def would_pass(self, wanted: float) -> bool:
        """Whether a call that takes so much would pass the limit."""
        return self.used + self.held + wanted > self.limit


def budgets_of(connection: Connection, limits: Limits, user: str, session_id: str | None) -> tuple[Budget, ...]:
    """Every budget that is set, as it stands for the user today and for the session (None: one that is new)."""
    found = []
    for span, where in (
        ("request", None),
        ("session", "session_id" if session_id else None),
        ("day", "day"),
    ):
        set_ = {unit: limit for unit in ("tokens", "usd") if (limit := getattr(limits, f"{span}_{unit}")) is not None}
        if not set_:
            continue
        used, held = ({}, {}) if where is None else _spent(connection, where, user, session_id)
        for unit, limit in set_.items():
            found.append(Budget(name=f"{span}_{unit}", limit=limit, used=used.get(unit, 0.0), held=held.get(unit, 0.0)))
    return tuple(found)


def _spent(
    connection: Connection, span: str, user: str, session_id: str | None
) -> tuple[dict[str, float], dict[str, float]]:
    """What was used and what is held in the session or on this day, in tokens and USD."""
    tokens: ColumnElement[int] = sum((usage.c[name] for name in TOKENS[1:]), usage.c[TOKENS[0]])
    sums = []
    for table, counted in ((usage, tokens), (holds, holds.c.tokens)):
        mine = table.c.session_id == session_id
        if span == "day":
            mine = (table.c.user == user) & (table.c.day == today())
        row = connection.execute(
            select(func.coalesce(func.sum(counted), 0), func.coalesce(func.sum(table.c.cost_usd), 0.0)).where(mine)
        ).one()
        sums.append({"tokens": float(row[0]), "usd": float(row[1])})
    return sums[0], sums[1]


def today() -> str:
    """The machine's local day, as the ledger writes it."""
    return date.today().isoformat()
