"""Results that say the same are one voice each, however they are written down; what runs in parallel can be stopped."""

from __future__ import annotations

import os
import signal
import threading
import time
from datetime import date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from t2s.errors import Cancelled, ProviderError
from t2s.pipeline.parallel import in_parallel
from t2s.pipeline.vote import Tried, Vote, essence, vote
from t2s.types.query import Candidate, Problem, ResultColumn, ResultSet, Valid


def result(*rows: tuple[object, ...]) -> ResultSet:
    names = tuple(ResultColumn(name=str(n)) for n in range(len(rows[0]) if rows else 1))
    return ResultSet(columns=names, rows=rows)


def tried(sql: str, *rows: tuple[object, ...], doubts: tuple[Problem, ...] = ()) -> Tried:
    valid = Valid(sql=sql, tables=())
    return Tried(candidate=Candidate(sql=sql), valid=valid, result=result(*rows), doubts=doubts)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (result(("a", 1), ("b", 2)), result((2, "b"), (1, "a"))),  # order of rows and columns
        (result((Decimal("1.50"),)), result((1.5,))),
        (result((0.1 + 0.2,)), result((0.3,))),
        (result((True,)), result((1,))),
        (result((date(2025, 1, 1),)), result(("2025-01-01",))),
        (result((datetime(2025, 1, 1),)), result((date(2025, 1, 1),))),
    ],
)
def test_results_that_say_the_same(one: ResultSet, other: ResultSet) -> None:
    assert essence(one) == essence(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (result((1,), (1,)), result((1,))),  # a multiset
        (result(("a", 1), ("b", 2)), result(("a", 2), ("b", 1))),
        (result(("1",)), result((1,))),
        (result((None,)), result((0,))),
        (result(), result((None,))),
    ],
)
def test_results_that_do_not(one: ResultSet, other: ResultSet) -> None:
    assert essence(one) != essence(other)


VALUES = st.none() | st.integers(-5, 5) | st.text(max_size=2) | st.booleans() | st.floats(allow_nan=False)


@given(st.lists(st.tuples(VALUES, VALUES, VALUES), max_size=5), st.permutations(range(3)), st.randoms())
def test_no_order_of_rows_matters(rows: list[tuple[object, ...]], order: list[int], chance: object) -> None:
    shuffled = list(rows)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    assert essence(result(*rows)) == essence(result(*shuffled))


def test_most_voices_win_and_of_equals_the_first() -> None:
    a, b, c = tried("a", (1,)), tried("b", (2,)), tried("c", (2,))
    assert vote((a, b, c)) == Vote(best=b, agreement=2 / 3)
    assert vote((a, b)) == Vote(best=a, agreement=0.5, rivals=(b,))


def test_doubts_halve_a_voice_and_warnings_do_not() -> None:
    doubt = Problem(code="fan_out", message="", severity="doubt")
    warning = Problem(code="tie", message="", severity="warning")
    a, b = tried("a", (1,), doubts=(doubt,)), tried("b", (2,), doubts=(warning,))
    assert vote((a, b)) == Vote(best=b, agreement=1 / 1.5)


def test_tasks_run_in_parallel_within_bounds_and_keep_their_order() -> None:
    running, most, lock = 0, 0, threading.Lock()

    def task(number: int) -> int:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.02)
        with lock:
            running -= 1
        if number == 3:
            raise ProviderError("no answer")
        return number

    results = in_parallel([lambda n=n: task(n) for n in range(6)], 2)  # type: ignore[misc]
    assert [r for r in results if isinstance(r, int)] == [0, 1, 2, 4, 5]
    assert isinstance(results[3], ProviderError)
    assert most == 2


def test_ctrl_c_does_not_wait_for_what_is_under_way() -> None:
    begun: list[int] = []
    released = threading.Event()

    def task(number: int) -> None:
        begun.append(number)
        released.wait(20)

    def interrupt() -> None:
        while len(begun) < 2:
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt, daemon=True).start()
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(Cancelled):
            in_parallel([lambda n=n: task(n) for n in range(5)], 2)  # type: ignore[misc]
    finally:
        signal.signal(signal.SIGINT, before)
        released.set()
    assert sorted(begun) == [0, 1]
