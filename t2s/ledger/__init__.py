"""The system of record: sessions, turns, usage and what is reserved of the budgets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from t2s.ledger.limits import Limits, Pace
from t2s.ledger.redact import redact

if TYPE_CHECKING:
    from t2s.ledger.store import Ledger

__all__ = ["Limits", "Pace", "open_ledger", "redact"]


def open_ledger(place: str) -> Ledger:
    """Open the ledger at a file's path, a `postgresql://` URL, or `:memory:`; made or migrated as needed.

    Raises `LedgerError` where it cannot be opened, is damaged, or was made by a newer t2s.
    """
    from t2s.ledger.store import Ledger  # sqlalchemy costs 0.2 s to import

    return Ledger(place)
