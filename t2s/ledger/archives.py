"""What has been written to the archive, and where; what is taken back from there."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select, text

from t2s.ledger.memory_tables import archives
from t2s.ledger.store import Ledger
from t2s.ledger.tables import sessions, turns


@dataclass(frozen=True, slots=True, kw_only=True)
class Archived:
    """One file of the archive."""

    path: str
    user: str
    session_id: str
    datasource: str
    at: float
    memories: int
    sha256: str


@dataclass(slots=True)
class Record:
    """The entry of a file that is being written; `known` when the file was there before."""

    connection: Connection
    path: str
    known: bool

    def written(self, user: str, session_id: str, datasource: str, memories: int, sha256: str) -> None:
        """Keep what the file holds now."""
        self.connection.execute(archives.delete().where(archives.c.path == self.path))
        self.connection.execute(
            archives.insert().values(
                path=self.path,
                user=user,
                session_id=session_id,
                datasource=datasource,
                at=time.time(),
                memories=memories,
                sha256=sha256,
            )
        )


@contextmanager
def writing(ledger: Ledger, path: str) -> Iterator[Record]:
    """One process at a time writes a file; the entry is kept only where the writing succeeds."""
    with ledger.transaction() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(hashtext(:path))"), {"path": path})
        known = connection.scalar(select(archives.c.path).where(archives.c.path == path))
        yield Record(connection, path, known is not None)


def list_archives(ledger: Ledger, user: str) -> tuple[Archived, ...]:
    """The user's files in the archive, the latest first."""
    query = select(archives).where(archives.c.user == user).order_by(archives.c.at.desc())
    with ledger.reading() as connection:
        return tuple(Archived(**row._mapping) for row in connection.execute(query))


def forget_archive(ledger: Ledger, path: str) -> None:
    """Take a file off the list."""
    with ledger.transaction() as connection:
        connection.execute(archives.delete().where(archives.c.path == path))


def put_back_session(ledger: Ledger, session: Mapping[str, Any], its_turns: Sequence[Mapping[str, Any]]) -> None:
    """Keep a session and its turns again where they are no more."""
    with ledger.transaction() as connection:
        if not connection.scalar(select(sessions.c.id).where(sessions.c.id == session["id"])):
            values = {name: session[name] for name in session if name != "turns"}
            connection.execute(sessions.insert().values(**values, metadata={}))
        for turn in its_turns:
            if not connection.scalar(select(turns.c.run_id).where(turns.c.run_id == turn["run_id"])):
                rest = {"problems": [], "privacy": "schema", "timings_ms": {}}
                connection.execute(turns.insert().values(**{**rest, **turn}))
