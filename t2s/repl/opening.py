"""Opening a workspace behind the prompt, so that the user can type meanwhile."""

from __future__ import annotations

import threading
import uuid
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from t2s.errors import UsageError
from t2s.repl.names import Names

if TYPE_CHECKING:
    from collections.abc import Callable

    from t2s.ledger.sessions import Session
    from t2s.repl.start import Start
    from t2s.types.event import Event
    from t2s.workspace import Workspace


SETTLE_S = 5.0
"""An opening under way gets so long at the end: an interpreter must not leave a thread behind in a driver."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A workspace ready for questions, its session, and the names that can be completed."""

    workspace: Workspace
    session: Session
    names: Names


class Opening:
    """The work of a thread that opens a workspace."""

    def __init__(self, start: Start, on_event: Callable[[Event], None], done: Callable[[], None]) -> None:
        self._opened: Opened | None = None
        self._wanted = True
        self._error: BaseException | None = None
        self._done = threading.Event()
        work = threading.Thread(target=self._open, args=(start, on_event, done), daemon=True, name="t2s-opening")
        work.start()

    @property
    def ready(self) -> Opened | None:
        """What was opened, if it is; None as long as it is not, or where it failed."""
        return self._opened

    @property
    def failed(self) -> bool:
        """Whether it is over and nothing was opened."""
        return self._done.is_set() and self._opened is None

    def settle(self) -> Opened | None:
        """What was opened, also where that only now comes to an end."""
        self._done.wait(SETTLE_S)
        return self._opened

    def wait(self) -> Opened:
        """What was opened; raises what went wrong, and `KeyboardInterrupt` where Ctrl-C came first."""
        while not self._done.wait(0.1):
            pass
        if self._opened is None:
            assert self._error is not None
            raise self._error
        return self._opened

    def abandon(self) -> None:
        """Nobody waits any more: what is opened is closed again."""
        self._wanted = False
        if self._opened is not None:
            self._opened.workspace.close()

    def _open(self, start: Start, on_event: Callable[[Event], None], done: Callable[[], None]) -> None:
        try:
            opened = open_now(start, on_event)
            if self._wanted:
                self._opened = opened
            else:
                opened.workspace.close()
        except BaseException as e:  # handed to whoever waits
            self._error = e
        finally:
            self._done.set()
            done()


def open_now(start: Start, on_event: Callable[[Event], None]) -> Opened:
    """Open database, ledger and memory, and load what a first question needs."""
    from t2s.ledger.sessions import get_session
    from t2s.workspace import Workspace

    if start.resume is not None:
        start = _resumed(start)
    title = start.resume or f"chat-{uuid.uuid4().hex[:8]}"
    workspace = Workspace.open(start.db, session=title, flags=start.flags, on_event=on_event)
    workspace.origin = "chat"
    try:
        names = Names.of(workspace.database.schema())
        workspace.prepare()
        session = get_session(workspace.ledger, workspace.session_id, user=workspace.config.settings.user)
    except BaseException:
        workspace.close()
        raise
    return Opened(workspace=workspace, session=session, names=names)


def _resumed(start: Start) -> Start:
    """The start with the title and the database of the session that shall go on; it is active again."""
    from t2s.config import load_config
    from t2s.ledger import open_ledger
    from t2s.ledger.sessions import get_session, rename_session, resume_session
    from t2s.workspace import ledger_place, resolve

    config = load_config(start.flags)
    ledger = open_ledger(ledger_place(config))
    try:
        session = get_session(ledger, start.resume or "", user=config.settings.user)
        if start.db is not None and resolve(config, start.db).identity != session.datasource:
            raise UsageError(
                f"the session {session.title or session.id[:8]} is about {session.datasource}, not {start.db}",
                hint="leave --db out",
            )
        title = session.title or f"chat-{session.id[:8]}"
        if session.title is None:
            rename_session(ledger, session, title)
        resume_session(ledger, session)
    finally:
        ledger.close()
    return replace(start, db=start.db or session.datasource, resume=title)
