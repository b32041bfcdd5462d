"""Tasks of the memory: sum a session up, find preferences and events in it, archive it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from t2s.errors import LedgerError, T2SError, UsageError
from t2s.ledger import memories as store
from t2s.ledger import sessions, tasks
from t2s.ledger.redact import redact
from t2s.memory import remember
from t2s.memory.archive import archive_session
from t2s.memory.memories import Memories, embed_missing
from t2s.types.memory import Owner

if TYPE_CHECKING:
    from t2s.ledger.store import Ledger
    from t2s.memory.extract import Extractor

MAX_TURNS = 100
"""Turns that one summary looks at."""


def plan(ledger: Ledger, spool: Path, owner: Owner, kind: str) -> None:
    """Have something done later; where the ledger cannot keep the task, a file beside it does."""
    task = tasks.new_task(kind, user=owner.user, session_id=owner.session_id, datasource=owner.datasource)
    try:
        if ledger.place == ":memory:":
            raise LedgerError("the ledger is not kept")
        tasks.enqueue(ledger, task)
    except LedgerError:
        spool.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with spool.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(task)) + "\n")


def take_spooled(ledger: Ledger, spool: Path) -> int:
    """Bring into the ledger what was spooled while it was down; returns how many tasks."""
    try:
        aside = spool.rename(spool.with_suffix(".taken"))  # one process wins
    except OSError:
        return 0
    lines = aside.read_text(encoding="utf-8").splitlines()
    for line in lines:
        tasks.enqueue(ledger, tasks.Task(**json.loads(line)))
    aside.unlink()
    return len(lines)


def work(memories: Memories, *, extract: Extractor, archive: str) -> Iterator[tasks.Task]:
    """Do the user's due tasks one after the other, each given with how it ended."""
    while task := tasks.take(memories.ledger, memories.owner.user):
        owner = Owner(user=task.user, session_id=task.session_id, datasource=task.datasource)
        error = None
        with _released(memories.ledger, task):
            try:
                _do(task.kind, replace(memories, owner=owner), extract, archive)
            except T2SError as e:
                error = e.message
            tasks.finish(memories.ledger, task, error=error)
        yield replace(task, error=error, status="completed" if error is None else "failed")


@contextmanager
def _released(ledger: Ledger, task: tasks.Task) -> Iterator[None]:
    """A task broken off by Ctrl-C or a bug is not left as taken."""
    try:
        yield
    except BaseException as e:
        tasks.finish(ledger, task, error=f"broken off: {type(e).__name__}")
        raise


def _do(kind: str, memories: Memories, extract: Extractor, archive: str) -> None:
    match kind:
        case "summarise":
            summarise(memories, extract)
        case "archive":
            session = sessions.get_session(memories.ledger, memories.owner.session_id, user=memories.owner.user)
            archive_session(memories.ledger, archive, session)
        case "embed":
            embed_missing(memories)
        case _:
            raise UsageError(f"there is no task of the kind {kind!r}")


def summarise(memories: Memories, extract: Extractor) -> None:
    """Keep a summary of the session, and the preferences and events that its questions speak of."""
    owner, now = memories.owner, time.time()
    turns = sessions.list_turns(memories.ledger, user=owner.user, session_id=owner.session_id, limit=MAX_TURNS)
    if not turns:
        return
    found = extract(tuple(reversed(turns)))
    summary = remember.of_session(owner, "summary", redact(found.summary), now=now, key="summary")
    remember.keep(memories, summary, now)
    for text, confidence in found.preferences:
        keep_preference(memories, redact(text), confidence, now)
    for event in found.events:
        remember.keep(memories, remember.of_session(owner, "event", redact(event), now=now), now)


def keep_preference(memories: Memories, text: str, confidence: float, now: float) -> None:
    """Keep a preference that was found; the greatest confidence it was ever found with counts."""
    new = remember.preference(memories.owner, text, now=now, confidence=confidence, source="auto")
    known = store.find(memories.ledger, scopes=[new.scope], keys=[new.key], limit=1)
    if not known:
        remember.keep(memories, new, now)
    elif (known[0].confidence or 0) < confidence:
        store.change(memories.ledger, [known[0].id], confidence=confidence)
