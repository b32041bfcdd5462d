"""The process behind `t2s batch run` that makes the calls: when its parent dies, it finishes what has been begun.

A call whose answer nobody waits for has been paid all the same. So the calls are made here, in a session of their
own; the parent only shows what happens. When the parent is gone no new call begins, those under way are waited for and
kept in the journal, and a next run waits for that before it begins.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event as Flag
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any

from t2s.batch.lock import Done, append, read_lock
from t2s.batch.plan import Plan, done_of, journal_of, plan, take_over
from t2s.batch.spec import Query, SpecFile, read_spec, select
from t2s.cli.batch_bulk import generate_in_bulk, state_of
from t2s.config import home
from t2s.errors import BudgetRefused, T2SError
from t2s.types.event import Event, Notice

if TYPE_CHECKING:
    from t2s.workspace import Workspace


PINNED = {"budget.economise": False}
"""SQL that is kept is by the model that was chosen: where the budget ends, the run does, and goes on later."""
QUEUE_S = 24 * 3_600.0
"""A question of many waits for its place as long as it takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What the parent wants done."""

    file: str
    names: tuple[str, ...]
    tags: tuple[str, ...]
    again: bool
    bulk: bool
    db: str | None
    jobs: int
    flags: dict[str, Any] = field(default_factory=dict)


def main() -> None:
    """Take the order from the first line of standard input, do it, tell of it line by line."""
    order = Order(**json.loads(sys.stdin.readline()))
    stop = Flag()
    Thread(target=_watch_parent, args=(stop,), daemon=True).start()
    try:
        _tell(result=_run(order, stop))
    except T2SError as e:
        _tell(error={"code": e.code, "message": e.message, "hint": e.hint, "exit_code": e.exit_code})
    except Exception as e:  # a bug; the parent shows it as one
        message = f"internal error: {type(e).__name__}: {e}"
        _tell(error={"code": "internal", "message": message, "hint": "what was answered is kept", "exit_code": 70})


def _watch_parent(stop: Flag) -> None:
    sys.stdin.read()  # ends when the parent closes its end, or is no more
    stop.set()


def _run(order: Order, stop: Flag) -> dict[str, Any]:
    file = read_spec(Path(order.file))
    chosen = select(file, names=tuple(order.names), tags=tuple(order.tags))
    with _alone(file):
        lock = take_over(file, read_lock(file.lock_path))
        again = frozenset(query.name for query in chosen) if order.again else frozenset()
        wanted = plan(file, chosen, lock, again=again)
        _tell(plan={"todo": len(wanted.todo), "kept": len(wanted.kept)})
        counted = _generate(file, order, wanted, stop) if wanted.todo else {"done": 0, "failed": [], "cost_usd": 0.0}
        take_over(file, lock)
    return {**counted, "kept": len(wanted.kept), "stopped": stop.is_set()}


def _generate(file: SpecFile, order: Order, wanted: Plan, stop: Flag) -> dict[str, Any]:
    """Each query of the plan, `jobs` at once."""
    from t2s.database.shared import Shared
    from t2s.workspace import Workspace

    given = {name: value for name, value in order.flags.items() if value is not None}
    flags = {"model": file.spec.defaults.model, "pace.queue_s": QUEUE_S, "memory.auto": False, **PINNED, **given}
    refused = Flag()
    with Workspace.open(order.db or file.datasource(), flags=flags, use_memory=True, on_event=_on_event) as ws:
        ws.origin = "batch"
        ws.database = Shared(ws.database)
        ws.prepare()
        if order.bulk or state_of(file).exists():  # what was handed in is collected, not asked again
            return generate_in_bulk(ws, file, wanted.todo, stopped=stop.wait, tell=_tell)
        one = _generator(ws, file, journal_of(file), lambda: stop.is_set() or refused.is_set(), refused)
        with ThreadPoolExecutor(order.jobs) as pool:
            results = [done for done in pool.map(one, wanted.todo) if done is not None]
    costs = [done.cost_usd for done in results]
    return {
        "done": sum(done.sql is not None for done in results),
        "failed": [{"name": done.name, "error": done.error} for done in results if done.sql is None],
        "cost_usd": None if None in costs else sum(cost or 0.0 for cost in costs),
        "refused": refused.is_set(),
    }


def _generator(
    ws: Workspace, file: SpecFile, journal: Path, stopped: Callable[[], bool], refused: Flag
) -> Callable[[Query], Done | None]:
    from t2s.pipeline.prompt import prompt_version

    schema = ws.database.schema()
    version = prompt_version(schema.dialect)
    keeping = Lock()

    def generate(query: Query) -> Done | None:
        if stopped():
            return None
        try:
            answer = ws.ask(query.asked, run=False)
        except BudgetRefused as e:
            refused.set()
            done = Done(name=query.name, sql=None, locked=None, error=e.message)
        except T2SError as e:
            done = Done(name=query.name, sql=None, locked=None, error=e.message)
        else:
            done = done_of(query, answer, schema, version)
        with keeping:
            if done.sql is not None:
                append(journal, done)
            _tell(done={"name": done.name, "error": done.error, "cost_usd": done.cost_usd})
        return done

    return generate


@contextmanager
def _alone(file: SpecFile) -> Iterator[None]:
    """One run of a file at a time; the next one waits."""
    folder = home() / "batch"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    name = hashlib.sha256(str(file.path.resolve()).encode("utf-8", "surrogateescape")).hexdigest()[:16]
    with (folder / f"{name}.lock").open("a") as held:  # never removed: who waits on a removed file waits alone
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _tell(notice=f"another run of {file.path.name} is at work: waiting for it")
            fcntl.flock(held, fcntl.LOCK_EX)
        yield


def _on_event(event: Event) -> None:
    if isinstance(event, Notice):
        _tell(notice=event.message)


_telling = Lock()


def _tell(**told: Any) -> None:
    """A line to the parent; where that is gone nobody listens, and the work goes on."""
    with _telling:
        try:
            sys.stdout.write(json.dumps(told) + "\n")
            sys.stdout.flush()
        except (BrokenPipeError, ValueError):
            return


if __name__ == "__main__":
    main()
