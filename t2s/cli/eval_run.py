"""Hand out the questions of an evaluation to workers, and gather what they find."""

from __future__ import annotations

import fcntl
import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Event as Flag
from threading import Lock
from typing import Any

from t2s.cli.eval_worker import Task
from t2s.errors import Cancelled, T2SError
from t2s.evaluate.cases import Case, together
from t2s.evaluate.journal import outcome_of
from t2s.evaluate.outcome import Outcome

RESUME = "what was answered is kept: the same command with --resume goes on"


def tasks_of(
    cases: Sequence[Case],
    models: Sequence[str],
    *,
    journal: Path,
    run: str,
    targets: dict[str, str],
    known: set[tuple[str, str]],
) -> list[Task]:
    """What is left to ask: by model, then by database, so that what questions share is made once."""
    found = []
    settled = set(known)
    for model in models:
        for group in sorted(together(cases), key=lambda group: group[0].db):
            asked = sum((model, case.id) in settled for case in group)
            if asked == len(group):
                continue
            settled |= {(model, case.id) for case in group}  # a question that is there twice is asked once
            name = group[0].conversation
            found.append(
                Task(
                    journal=str(journal),
                    model=model,
                    target=targets[group[0].db],
                    cases=tuple(asdict(case) for case in group),
                    session=f"eval {run} {model} {name}" if name else None,
                    skip=asked,
                )
            )
    return found


def work(
    tasks: Sequence[Task], *, jobs: int, held: int, on_outcome: Callable[[Outcome], None], notice: Callable[[str], None]
) -> None:
    """Do the tasks, `jobs` at once; raises the first error that ends a worker, or `Cancelled` on Ctrl-C.

    Each worker keeps the file `held` open, whose lock so lasts until the last of them has ended.
    """
    waiting: SimpleQueue[Task] = SimpleQueue()
    for task in tasks:
        waiting.put(task)
    stop = Flag()
    workers: list[subprocess.Popen[str]] = []
    hearing = Lock()

    def heard(line: dict[str, Any]) -> None:
        with hearing:
            if "outcome" in line:
                on_outcome(outcome_of(line["outcome"]))
            elif "notice" in line:
                notice(line["notice"])

    with ThreadPoolExecutor(jobs) as pool:
        ends = [pool.submit(_work_off, waiting, stop, held, workers, heard) for _ in range(min(jobs, len(tasks)))]
        try:
            errors = [end.result() for end in ends]
        except KeyboardInterrupt:
            stop.set()
            sys.stderr.write("\nt2s: stopping; replies under way are waited for, since they are paid\n")
            for worker in workers:
                _end(worker)
            for end in ends:
                end.result()
            raise Cancelled("cancelled", hint=RESUME) from None
    for error in errors:
        if error is not None:
            raise error


def _work_off(
    waiting: SimpleQueue[Task],
    stop: Flag,
    held: int,
    workers: list[subprocess.Popen[str]],
    heard: Callable[[dict[str, Any]], None],
) -> T2SError | None:
    """One worker and its tasks; returns the error that it ended with."""
    worker = subprocess.Popen(
        [sys.executable, "-m", "t2s.cli.eval_worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        start_new_session=True,  # Ctrl-C is for the parent
        pass_fds=(held,),
    )
    workers.append(worker)
    with worker:
        for task in _next(waiting, stop):
            if not _sent(worker, task):
                break
            for line in _lines(worker):
                if "error" in line:
                    stop.set()
                    return _error(line["error"])
                if "done" in line:
                    break
                heard(line)
            else:
                if not stop.is_set():
                    stop.set()
                    return T2SError("a worker ended without a word", hint=RESUME)
        _end(worker)
    return None


def _sent(worker: subprocess.Popen[str], task: Task) -> bool:
    """Whether the worker still takes a task."""
    assert worker.stdin is not None
    try:
        worker.stdin.write(json.dumps(asdict(task)) + "\n")
        worker.stdin.flush()
    except (BrokenPipeError, ValueError):
        return False
    return True


def _end(worker: subprocess.Popen[str]) -> None:
    """Let a worker know that nothing more is wanted than what it has begun."""
    assert worker.stdin is not None
    try:
        worker.stdin.close()
    except BrokenPipeError:
        return


def _next(waiting: SimpleQueue[Task], stop: Flag) -> Iterator[Task]:
    while not stop.is_set():
        try:
            yield waiting.get_nowait()
        except Empty:
            return


def _lines(worker: subprocess.Popen[str]) -> Iterator[dict[str, Any]]:
    assert worker.stdout is not None
    for line in worker.stdout:
        yield json.loads(line)


def _error(told: dict[str, Any]) -> T2SError:
    failure = T2SError(told["message"], hint="; ".join(filter(None, (told["hint"], RESUME))))
    failure.code, failure.exit_code = told["code"], told["exit_code"]  # type: ignore[misc]
    return failure


@contextmanager
def alone(journal: Path, notice: Callable[[str], None]) -> Iterator[int]:
    """One run of a journal at a time, as an open file that holds the lock; the next one waits."""
    journal.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with journal.with_suffix(".lock").open("a") as file:  # never removed: who waits on a removed file waits alone
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            notice("another evaluation of this data set is at work: waiting for it")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield file.fileno()
