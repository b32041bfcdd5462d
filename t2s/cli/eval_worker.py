"""A process behind `t2s eval` that asks and judges: when its parent dies, it finishes the question that it has begun.

A reply that nobody waits for has been paid all the same, so it is judged and kept in the journal by whoever asked.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from queue import SimpleQueue
from threading import Event as Flag
from threading import Thread
from typing import TYPE_CHECKING, Any

from t2s.errors import BudgetRefused, ProviderError, ProviderKeyError, ProviderUnavailable, T2SError
from t2s.types.event import Event, Notice

if TYPE_CHECKING:
    from t2s.evaluate.cases import Case
    from t2s.evaluate.outcome import Outcome
    from t2s.workspace import Workspace


QUEUE_S = 24 * 3_600.0
"""A question of many waits for its place as long as it takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """Questions to be asked in a row; those of a conversation are told by `session`, `skip` were asked before."""

    journal: str
    model: str
    target: str
    cases: tuple[dict[str, Any], ...]
    session: str | None = None
    skip: int = 0


def main() -> None:
    """Do the tasks on standard input, a line each, and tell of each outcome; end with the input."""
    stop = Flag()
    tasks: SimpleQueue[Task | None] = SimpleQueue()
    Thread(target=_read, args=(tasks, stop), daemon=True).start()
    desk = _Desk()
    try:
        while (task := tasks.get()) is not None:
            _do(task, desk, stop)
            _tell(done=True)
    except T2SError as e:
        _tell(error={"code": e.code, "message": e.message, "hint": e.hint, "exit_code": e.exit_code})
    except Exception as e:  # a bug; the parent shows it as one
        message = f"internal error: {type(e).__name__}: {e}"
        _tell(error={"code": "internal", "message": message, "hint": "what was answered is kept", "exit_code": 70})
    finally:
        desk.clear()


def _read(tasks: SimpleQueue[Task | None], stop: Flag) -> None:
    """Tasks as they come; the input ends when the parent wants no more, or is no more."""
    for line in sys.stdin:
        document = json.loads(line)
        tasks.put(Task(**{**document, "cases": tuple(document["cases"])}))
    stop.set()
    tasks.put(None)


class _Desk:
    """The one workspace that is open, for the model and database of the last task."""

    def __init__(self) -> None:
        self._key: tuple[str, str, str | None] | None = None
        self._open: Workspace | None = None

    def workspace(self, task: Task) -> Workspace:
        from t2s.workspace import Workspace

        key = (task.model, task.target, task.session)
        if self._open is None or self._key != key:
            self.clear()
            flags = {"model": task.model, "pace.queue_s": QUEUE_S}
            # without memory: an evaluation that learned from itself would measure that
            self._open = Workspace.open(
                task.target, session=task.session, flags=flags, use_memory=False, on_event=_on_event
            )
            self._open.origin = "eval"
            self._open.fallback = False  # what another one answers says nothing of this model
            self._key = key
        return self._open

    def clear(self) -> None:
        if self._open is not None:
            self._open.close()
            self._open = None


def _do(task: Task, desk: _Desk, stop: Flag) -> None:
    from t2s.evaluate.journal import keep

    ws = desk.workspace(task)
    for outcome in _outcomes(task, ws):
        keep(Path(task.journal), outcome)
        _tell(outcome=asdict(outcome))
        if stop.is_set():
            return
    if task.session is not None:
        _forget(ws)


def _outcomes(task: Task, ws: Workspace) -> Iterator[Outcome]:
    from t2s.evaluate.cases import Case
    from t2s.evaluate.outcome import run_gold, unjudged

    timeout = ws.config.settings.timeout
    for document in task.cases[task.skip :]:
        case = Case(**{**document, "gold": tuple(document["gold"])})
        gold = run_gold(case, ws.database, timeout=timeout)
        yield (
            unjudged(case, gold, ws.database, model=task.model) if gold.reason else _asked(case, gold, ws, task.model)
        )


def _asked(case: Case, gold: Any, ws: Workspace, model: str) -> Outcome:
    from t2s.evaluate.outcome import failed, judge

    try:
        answer = ws.ask(case.asked)
    except (ProviderKeyError, ProviderUnavailable, BudgetRefused):
        raise  # the next question would fare no better
    except ProviderError as e:
        return failed(case, e, ws.database, model=model)
    return judge(case, gold, answer, ws.database, model=model, timeout=ws.config.settings.timeout)


def _forget(ws: Workspace) -> None:
    """Take a finished conversation out of the user's sessions; what it cost stays recorded."""
    from t2s.ledger.sessions import delete_session, get_session

    delete_session(ws.ledger, get_session(ws.ledger, ws.session_id, user=ws.config.settings.user))


def _on_event(event: Event) -> None:
    if isinstance(event, Notice):
        _tell(notice=event.message)


def _tell(**told: Any) -> None:
    """A line to the parent; where that is gone nobody listens, and the work goes on."""
    try:
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()
    except (BrokenPipeError, ValueError):
        return


if __name__ == "__main__":
    main()
