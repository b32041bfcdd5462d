"""Runs are written behind the answers' backs: a question only puts them on a queue."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from t2s.errors import LedgerError
from t2s.types.event import Event, Notice
from t2s.types.run import RUNNING, Run

if TYPE_CHECKING:
    from t2s.ledger.store import Ledger

GATHER_S = 0.25
"""Runs of so long a time are written together, and a run that begins and ends within it only once."""
CLOSE_S = 2.0
"""An end of the program waits at most so long for what is not written or sent yet."""

Sink = Callable[[Sequence[Run]], None]
"""Takes runs that have ended; may be slow, must not raise."""


class Recorder:
    """Writes runs to the ledger and hands those that have ended to `sinks`, each in a thread of its own."""

    def __init__(self, ledger: Ledger, sinks: Sequence[Sink], on_event: Callable[[Event], None]) -> None:
        self._ledger = ledger
        self._on_event = on_event
        self._told = False
        self._writer = _Behind(self._write)
        self._senders = [_Behind(sink) for sink in sinks]

    def put(self, run: Run) -> None:
        """Take a run that has begun or ended."""
        self._writer.put(run)
        for sender in self._senders if run.status != RUNNING else ():
            sender.put(run)

    def close(self) -> None:
        """Write and send what is left, as far as it can be done in time."""
        until = time.monotonic() + CLOSE_S
        behind = (self._writer, *self._senders)
        for one in behind:
            one.end()
        for one in behind:
            one.join(until - time.monotonic())

    def _write(self, runs: Sequence[Run]) -> None:
        from t2s.ledger.runs import keep_runs

        try:
            keep_runs(self._ledger, runs)
        except LedgerError as e:  # the answers were given; what is lost are figures
            if not self._told:
                self._told = True
                self._on_event(Notice(message=f"{e.message}; what questions took is not recorded"))


class _Behind:
    """A thread that does `work` with the runs of a moment, each as it was last."""

    def __init__(self, work: Sink) -> None:
        self._work = work
        self._queue: SimpleQueue[Run | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._loop, daemon=True, name="t2s-recorder")
        self._thread.start()

    def put(self, run: Run) -> None:
        self._queue.put(run)

    def end(self) -> None:
        self._queue.put(None)

    def join(self, timeout_s: float) -> None:
        self._thread.join(max(0.0, timeout_s))

    def _loop(self) -> None:
        goes_on = True
        while goes_on:
            runs, goes_on = _gathered(self._queue)
            if runs:
                self._work(runs)


def _gathered(queue: SimpleQueue[Run | None]) -> tuple[list[Run], bool]:
    """What comes within a moment, and whether more may come."""
    item, runs, until = queue.get(), dict[str, Run](), time.monotonic() + GATHER_S
    while item is not None:
        runs[item.run_id] = item
        try:
            item = queue.get(timeout=max(0.0, until - time.monotonic()))
        except Empty:
            return list(runs.values()), True
    return list(runs.values()), False
