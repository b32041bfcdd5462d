"""A bounded number of things at once, which Ctrl-C does not wait for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count
from queue import SimpleQueue
from threading import Event, Thread
from typing import TypeVar

from t2s.errors import Cancelled, T2SError

T = TypeVar("T")


def in_parallel(tasks: Sequence[Callable[[], T]], most: int) -> list[T | T2SError]:
    """What each task gives, or the error it ends with, in order; at most `most` of them run at once.

    Raises `Cancelled` at Ctrl-C, at once: what has not begun does not begin, what is under way ends unheard. Errors
    that are no `T2SError` are raised.
    """
    ended: SimpleQueue[tuple[int, T | BaseException]] = SimpleQueue()
    stop, turn = Event(), count()

    def work() -> None:
        while not stop.is_set() and (number := next(turn)) < len(tasks):
            try:
                ended.put((number, tasks[number]()))
            except BaseException as e:  # handed to the caller's thread
                ended.put((number, e))

    for _ in range(min(most, len(tasks))):
        Thread(target=work, daemon=True, name="t2s-candidate").start()
    results: dict[int, T | T2SError] = {}
    try:
        while len(results) < len(tasks):
            number, outcome = ended.get()
            if isinstance(outcome, BaseException) and not isinstance(outcome, T2SError):
                raise outcome
            results[number] = outcome
    except KeyboardInterrupt:
        raise Cancelled("cancelled") from None
    finally:
        stop.set()
    return [results[number] for number in range(len(tasks))]
