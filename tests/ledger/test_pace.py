"""Slots and rates: so many calls at once, so many in a minute, over all processes."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from t2s.errors import Throttled
from t2s.ledger import Limits, Pace, open_ledger, pace
from t2s.ledger.meter import LedgerMeter
from t2s.ledger.store import Ledger
from t2s.types.event import ignore
from t2s.types.usage import Usage


def meter(ledger: Ledger, user: str = "ann", **limits: float | None) -> LedgerMeter:
    paced = Limits(request_tokens=None, day_tokens=None, pace=Pace(**{"queue_s": 0.0, **limits}))  # type: ignore[arg-type]
    return LedgerMeter(ledger, user=user, session_id="s", run_id="r", limits=paced, on_event=ignore)


def settle(book: LedgerMeter, hold: str, tokens: int = 10) -> None:
    used = Usage(model="m", input_tokens=tokens, calls=1)
    book.settle(hold, used, purpose="p", latency_ms=1, outcome="ok")


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return open_ledger(str(tmp_path / "ledger.db"))


def test_a_call_that_finds_no_slot_waits_for_one(ledger: Ledger) -> None:
    book = meter(ledger, at_once_user=1, queue_s=5.0)
    first = book.reserve(model="m", tokens=1, cost_usd=0)
    threading.Timer(0.3, settle, (book, first)).start()
    begin = time.monotonic()
    book.reserve(model="m", tokens=1, cost_usd=0)
    assert time.monotonic() - begin > 0.25


def test_a_call_does_not_wait_for_ever(ledger: Ledger) -> None:
    book = meter(ledger, at_once_user=1)
    book.reserve(model="m", tokens=1, cost_usd=0)
    with pytest.raises(Throttled, match="no place for another call within 0 s") as caught:
        book.reserve(model="m", tokens=1, cost_usd=0)
    assert caught.value.exit_code == 7
    assert meter(ledger, "bob", at_once_user=1).reserve(model="m", tokens=1, cost_usd=0)
    with pytest.raises(Throttled):
        meter(ledger, "cleo", at_once_user=1, at_once=2).reserve(model="m", tokens=1, cost_usd=0)


def test_what_a_dead_process_held_is_free(tmp_path: Path, ledger: Ledger) -> None:
    code = (
        "import sys; from t2s.ledger import *; from t2s.ledger.meter import LedgerMeter; from t2s.types.event import ignore\n"
        "m = LedgerMeter(open_ledger(sys.argv[1]), user='ann', session_id='s', run_id='r', limits=Limits(), on_event=ignore)\n"
        "m.reserve(model='m', tokens=1, cost_usd=0)\n"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "ledger.db")], check=True, timeout=60)
    assert meter(ledger, at_once_user=1).reserve(model="m", tokens=1, cost_usd=0)


def test_so_many_calls_begin_in_a_minute_and_no_more(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "MINUTE_S", 0.5)
    book = meter(ledger, requests_per_minute=4, queue_s=30.0)
    began = []
    for _ in range(14):
        hold = book.reserve(model="m", tokens=1, cost_usd=0)
        began.append(time.time())
        settle(book, hold)
    for first, fifth in zip(began, began[4:], strict=False):
        assert fifth - first >= 0.48


def test_so_many_tokens_in_a_minute(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "MINUTE_S", 0.5)
    book = meter(ledger, tokens_per_minute=100, queue_s=30.0)
    began = []
    for _ in range(6):
        hold = book.reserve(model="m", tokens=50, cost_usd=0)
        began.append(time.time())
        settle(book, hold, 50)
    for first, third in zip(began, began[2:], strict=False):
        assert third - first >= 0.45
    alone = meter(ledger, tokens_per_minute=100, queue_s=30.0)
    assert alone.reserve(model="m", tokens=500, cost_usd=0)  # larger than the limit: when nothing else is in the minute


def test_the_newest_ledger_can_be_opened_from_the_first_version(tmp_path: Path) -> None:
    import sqlite3

    path = tmp_path / "old.db"
    open_ledger(str(path)).close()
    with sqlite3.connect(path) as old:
        old.executescript("UPDATE t2s_version SET number = 1; DROP INDEX usage_by_time;")
        for table in ("memories", "vectors", "postings", "memory_changes", "tasks", "archives", "actions"):
            old.execute(f"DROP TABLE {table}")
    assert meter(open_ledger(str(path)), requests_per_minute=5).reserve(model="m", tokens=1, cost_usd=0)
