"""All that the ledger holds of one user: given out whole, or taken away for good."""

from __future__ import annotations

import base64
from typing import Any

from sqlalchemy import Table, select

from t2s.ledger.memory_tables import actions, archives, changes, memories, postings, tasks, vectors
from t2s.ledger.run_tables import alerts, runs
from t2s.ledger.store import Ledger
from t2s.ledger.tables import holds, saved, sessions, turns, usage

_OF_A_USER: tuple[Table, ...] = (sessions, usage, saved, memories, tasks, archives, actions, runs, alerts)


def export_user(ledger: Ledger, user: str) -> dict[str, list[dict[str, Any]]]:
    """Every row about a user, by table."""
    with ledger.reading() as connection:
        found = {
            table.name: [_plain(row._mapping) for row in connection.execute(select(table).where(table.c.user == user))]
            for table in _OF_A_USER
        }
        own = select(sessions.c.id).where(sessions.c.user == user)
        rows = connection.execute(select(turns).where(turns.c.session_id.in_(own)))
        return {**found, "turns": [_plain(row._mapping) for row in rows]}


def erase_user(ledger: Ledger, user: str) -> dict[str, int]:
    """Take away every row about a user, also what the user taught for all; returns how many of each table.

    On SQLite the file is written anew, so that nothing is left in its free pages.
    """
    with ledger.transaction() as connection:
        numbers = select(memories.c.number).where(memories.c.user == user)
        own = select(sessions.c.id).where(sessions.c.user == user)
        connection.execute(vectors.delete().where(vectors.c.memory.in_(numbers)))
        connection.execute(postings.delete().where(postings.c.memory.in_(numbers)))
        for row in connection.execute(select(memories.c.id).where(memories.c.user == user)).all():
            connection.execute(changes.insert().values(memory_id=row.id))
        removed = {"turns": connection.execute(turns.delete().where(turns.c.session_id.in_(own))).rowcount}
        connection.execute(holds.delete().where(holds.c.user == user))
        for table in _OF_A_USER:
            removed[table.name] = connection.execute(table.delete().where(table.c.user == user)).rowcount
    if ledger.engine.dialect.name == "sqlite":
        plain = ledger.engine.raw_connection()  # without the transaction in which VACUUM is not allowed
        try:
            plain.cursor().execute("VACUUM")
            plain.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            plain.close()
    return removed


def _plain(row: Any) -> dict[str, Any]:
    return {
        name: base64.b64encode(value).decode() if isinstance(value, bytes) else value for name, value in row.items()
    }
