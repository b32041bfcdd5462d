"""The audit history, for commands that need no ledger otherwise."""

from __future__ import annotations

import sys

from t2s.errors import LedgerError


def audit(action: str, **details: str | float | None) -> None:
    """Keep that the user did something; where that is not possible it is said, for it was done all the same."""
    from t2s.config import load_config
    from t2s.ledger import open_ledger
    from t2s.ledger.sessions import record_action
    from t2s.workspace import ledger_place

    config = load_config()
    try:
        ledger = open_ledger(ledger_place(config))
        try:
            record_action(ledger, user=config.settings.user, action=action, **details)
        finally:
            ledger.close()
    except LedgerError as e:
        sys.stderr.write(f"t2s: {e.message}; this is not in the history\n")
