"""Which alerts were sent, so that among all processes each is sent once a day."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from sqlalchemy.dialects import postgresql, sqlite

from t2s.ledger.budgets import today
from t2s.ledger.run_tables import alerts

if TYPE_CHECKING:
    from t2s.ledger.store import Ledger

RETRY_S = 600.0
"""An alert that could not be sent is tried again after so many seconds."""


def claim_alert(ledger: Ledger, user: str, alert: str) -> bool:
    """Whether this process is the one to send today's alert of a user now."""
    key = {"day": today(), "user": user, "alert": alert}
    now = time.time()
    with ledger.transaction() as connection:
        insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
        new = insert(alerts).values(**key, at=now, sent=False).on_conflict_do_nothing().returning(alerts.c.at)
        if connection.execute(new).first() is not None:
            return True
        late = ~alerts.c.sent & (alerts.c.at < now - RETRY_S)
        same = [alerts.c[name] == value for name, value in key.items()]
        return connection.execute(alerts.update().where(late, *same).values(at=now)).rowcount == 1


def note_sent(ledger: Ledger, user: str, alert: str) -> None:
    """Keep that today's alert has arrived."""
    with ledger.transaction() as connection:
        mine = (alerts.c.day == today()) & (alerts.c.user == user) & (alerts.c.alert == alert)
        connection.execute(alerts.update().where(mine).values(sent=True))
