"""The ledger on SQLite and PostgreSQL: sessions, turns, usage, budgets that hold across processes."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from t2s.errors import BudgetRefused, LedgerError
from t2s.ledger import Limits, open_ledger, redact
from t2s.ledger.meter import LedgerMeter
from t2s.ledger.store import Ledger
from t2s.types.event import Event, Notice, ignore
from t2s.types.query import Answer, ResultColumn, ResultSet
from t2s.types.usage import Usage


@pytest.fixture(params=["sqlite", "postgres", "memory"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ledger]:
    match request.param:
        case "sqlite":
            place = str(tmp_path / "deep" / "ledger.db")
        case "postgres":
            place = request.getfixturevalue("postgres_url")
        case _:
            place = ":memory:"
    opened = open_ledger(place)
    yield opened
    opened.close()


def meter(ledger: Ledger, limits: Limits, user: str = "ann", events: list[Event] | None = None) -> LedgerMeter:
    listener = ignore if events is None else events.append
    session = ledger.enter_session(user=user, datasource="shop", name=None)
    return LedgerMeter(ledger, user=user, session_id=session, run_id="r", limits=limits, on_event=listener)


def spend(meter: LedgerMeter, tokens: int, cost: float | None = 0.0) -> None:
    hold = meter.reserve(model="m", tokens=tokens, cost_usd=cost)
    used = Usage(model="m", input_tokens=tokens, cost_usd=cost, calls=1)
    meter.settle(hold, used, purpose="generate", latency_ms=5, outcome="ok")


def answer(session: str, run: str, question: str = "how many?", status: str = "ok") -> Answer:
    return Answer(
        question=question,
        status=status,  # type: ignore[arg-type]
        sql="SELECT count(*) FROM orders",
        result=ResultSet(columns=(ResultColumn(name="n"),), rows=[("a secret row",)]),
        session_id=session,
        run_id=run,
    )


def test_a_named_session_is_found_again_and_an_unnamed_one_is_always_new(ledger: Ledger) -> None:
    def enter(user: str, name: str | None, datasource: str = "shop") -> str:
        return ledger.enter_session(user=user, datasource=datasource, name=name)

    monday = enter("ann", "monday")
    assert enter("ann", "monday") == monday
    assert enter("bob", "monday") != monday
    assert enter("ann", "monday", "other") != monday
    assert enter("ann", None) != enter("ann", None)


def test_history_is_of_answered_turns_the_oldest_first(ledger: Ledger) -> None:
    session = ledger.enter_session(user="ann", datasource="shop", name="x")
    for number, status in enumerate(["ok", "failed", "ok", "ok"]):
        ledger.record_turn(
            answer(session, f"run-{session[:20]}-{number}", f"question {number}", status), privacy="values"
        )
    assert [e.question for e in ledger.history(session, 2)] == ["question 2", "question 3"]
    assert len(ledger.history(session, 9)) == 3


def test_usage_adds_up_to_the_calls(ledger: Ledger) -> None:
    user = f"user-{time.time_ns()}"
    book = meter(ledger, Limits(), user)
    for tokens in (10, 20, 30):
        spend(book, tokens, 0.25)
    hold = book.reserve(model="strange", tokens=5, cost_usd=None)
    book.settle(hold, Usage(model="strange", cost_usd=None), purpose="repair", latency_ms=1, outcome="provider_down")
    rows = {row.key: row for row in ledger.usage("model", days=1, user=user)}
    assert (rows["m"].calls, rows["m"].input_tokens, rows["m"].cost_usd) == (3, 60, 0.75)
    assert (rows["strange"].errors, rows["strange"].unpriced) == (1, 1)
    for by in ("session", "day", "user", "purpose"):
        assert sum(row.input_tokens for row in ledger.usage(by, days=1, user=user)) == 60  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("limits", "name"),
    [
        (Limits(request_tokens=50), "request_tokens"),
        (Limits(day_tokens=150), "day_tokens"),
        (Limits(request_usd=0.5), "request_usd"),
        (Limits(session_usd=1.5), "session_usd"),
        (Limits(day_usd=1.5), "day_usd"),
    ],
)
def test_a_refused_call_says_which_limit_and_how_to_raise_it(ledger: Ledger, limits: Limits, name: str) -> None:
    book = meter(ledger, limits, f"user-{time.time_ns()}")
    with pytest.raises(BudgetRefused) as caught:
        for _ in range(3):
            spend(book, 100, 1.0)
    assert name in caught.value.message
    assert caught.value.hint == f"raise it with T2S_BUDGET_{name.upper()}"


def test_a_model_without_a_price_is_refused_under_a_budget_in_usd(ledger: Ledger) -> None:
    with pytest.raises(BudgetRefused, match="no known price"):
        meter(ledger, Limits(day_usd=1)).reserve(model="mine", tokens=1, cost_usd=None)
    assert meter(ledger, Limits()).reserve(model="mine", tokens=1, cost_usd=None)


def test_eighty_percent_is_said_once(ledger: Ledger) -> None:
    events: list[Event] = []
    book = meter(ledger, Limits(day_tokens=1000), f"user-{time.time_ns()}", events)
    for _ in range(9):
        spend(book, 100)
    notices = [event.message for event in events if isinstance(event, Notice)]
    assert len(notices) == 1
    assert "90% of the budget day_tokens" in notices[0]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(1, 60), st.integers(0, 60), st.booleans()), max_size=12))
def test_used_and_held_never_pass_the_limit(calls: list[tuple[int, int, bool]]) -> None:
    opened = open_ledger(":memory:")
    book = meter(opened, Limits(request_tokens=None, day_tokens=100))
    used = held = 0
    for most, really, settle in calls:
        really = min(really, most)
        try:
            hold = book.reserve(model="m", tokens=most, cost_usd=0.0)
        except BudgetRefused:
            assert used + held + most > 100
            continue
        if settle:
            book.settle(hold, Usage(model="m", input_tokens=really), purpose="p", latency_ms=1, outcome="ok")
            used += really
        else:
            held += most
        assert used + held <= 100
    assert sum(row.input_tokens for row in opened.usage("day", days=1)) == used
    opened.close()


WORKER = """
import sys, time
from t2s.errors import BudgetRefused
from t2s.ledger import Limits, open_ledger
from t2s.ledger.meter import LedgerMeter
from t2s.types.event import ignore
from t2s.types.usage import Usage
ledger = open_ledger(sys.argv[1])
session = ledger.enter_session(user="crowd", datasource="d", name=None)
meter = LedgerMeter(ledger, user="crowd", session_id=session, run_id="r", limits=Limits(day_tokens=2000), on_event=ignore)
try:
    while True:
        hold = meter.reserve(model="m", tokens=10, cost_usd=0.0)
        time.sleep(0.002)
        meter.settle(hold, Usage(model="m", input_tokens=10, calls=1), purpose="p", latency_ms=1, outcome="ok")
except BudgetRefused:
    pass
"""


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_many_processes_killed_at_random_never_pass_a_budget(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    place = str(tmp_path / "ledger.db") if kind == "sqlite" else request.getfixturevalue("postgres_url")
    workers = [subprocess.Popen([sys.executable, "-c", WORKER, place]) for _ in range(8)]
    chance = random.Random(3)
    time.sleep(1.5)
    for worker in chance.sample(workers, 4):
        worker.send_signal(signal.SIGKILL)
        time.sleep(0.05)
    for worker in workers:
        worker.wait(timeout=60)
    opened = open_ledger(place)
    book = meter(opened, Limits(request_tokens=None, day_tokens=2000), "crowd")
    spent = sum(row.input_tokens for row in opened.usage("day", days=1, user="crowd"))
    assert 0 < spent <= 2000
    if spent < 2000:  # what the killed ones held is free again
        book.reserve(model="m", tokens=2000 - spent, cost_usd=0.0)
    with pytest.raises(BudgetRefused):
        book.reserve(model="m", tokens=10, cost_usd=0.0)
    opened.close()


def test_rows_and_secrets_are_not_kept_and_the_file_is_private(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    opened = open_ledger(str(path))
    session = opened.enter_session(user="ann", datasource="shop", name=None)
    question = "why does sk-ant-api03-abcdefghijklmnop not work with postgresql://u:hunter22@h/d?"
    opened.record_turn(answer(session, "r1", question), privacy="values")
    opened.close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    everything = b"".join(file.read_bytes() for file in tmp_path.glob("ledger.db*"))
    for secret in (b"sk-ant-api03", b"hunter22", b"a secret row"):
        assert secret not in everything
    assert b"[redacted]" in everything


@pytest.mark.parametrize("text", ["total = 5", "password policy of customers", "SELECT token FROM t", "sk-1"])
def test_ordinary_words_are_not_redacted(text: str) -> None:
    assert redact(text) == text


def test_a_place_that_cannot_be_written_a_damaged_and_a_newer_ledger_are_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LedgerError, match="cannot be written"):
        open_ledger(str(tmp_path / "file" / "ledger.db"))
    (tmp_path / "damaged.db").write_bytes(os.urandom(4096))
    with pytest.raises(LedgerError, match="not a database"):
        open_ledger(str(tmp_path / "damaged.db"))
    open_ledger(str(tmp_path / "newer.db")).close()
    with sqlite3.connect(tmp_path / "newer.db") as db:
        db.execute("UPDATE t2s_version SET number = 99")
    with pytest.raises(LedgerError, match="newer t2s"):
        open_ledger(str(tmp_path / "newer.db"))
    with pytest.raises(LedgerError):
        open_ledger("postgresql://nobody:hunter22@127.0.0.1:1/x")


def test_a_bad_ledger_url_does_not_show_its_password() -> None:
    with pytest.raises(LedgerError) as caught:
        open_ledger("postgresql://nobody:hunter22@127.0.0.1:1/x")
    assert "hunter22" not in caught.value.message


def test_two_processes_open_a_new_ledger_at_once(tmp_path: Path) -> None:
    program = "import sys; from t2s.ledger import open_ledger; open_ledger(sys.argv[1]).close()"
    place = str(tmp_path / "ledger.db")
    workers = [subprocess.Popen([sys.executable, "-c", program, place]) for _ in range(4)]
    assert [worker.wait(timeout=60) for worker in workers] == [0, 0, 0, 0]
