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
from sqlalchemy import text

from t2s.errors import BudgetRefused, BudgetSpent, LedgerError
from t2s.ledger import Limits, open_ledger, redact
from t2s.ledger.calibration import calibration_of
from t2s.ledger.meter import LedgerMeter, release_dead
from t2s.ledger.store import Ledger
from t2s.ledger.tables import holds
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
        (Limits(session_tokens=150), "session_tokens"),
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
    span = name.partition("_")[0]
    assert (caught.value.hint or "").startswith(f"raise it: t2s budget set {span} ")
    assert f"T2S_BUDGET_{name.upper()}" in (caught.value.hint or "")
    assert isinstance(caught.value, BudgetSpent) is (span != "request")


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


def test_a_call_counts_on_the_day_on_which_it_was_reserved(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    book = meter(ledger, Limits(day_tokens=1000), f"user-{time.time_ns()}")
    hold = book.reserve(model="m", tokens=600, cost_usd=0.0)
    monkeypatch.setattr("t2s.ledger.budgets.today", lambda: "2999-01-01")
    monkeypatch.setattr("t2s.ledger.meter.today", lambda: "2999-01-01")
    book.settle(hold, Usage(model="m", input_tokens=600), purpose="p", latency_ms=1, outcome="ok")
    assert book.fits(tokens=900, cost_usd=None)


def test_what_a_killed_call_may_have_cost_is_spent_until_it_tells(ledger: Ledger) -> None:
    user = f"user-{time.time_ns()}"
    book = meter(ledger, Limits(day_tokens=1000, day_usd=1.0), user)
    hold = book.reserve(model="m", tokens=600, cost_usd=0.6)
    with ledger.transaction() as connection:  # as though its process had not been heard of for too long
        connection.execute(holds.update().values(expires=0.0))
        release_dead(connection)
    (tokens, usd) = (b for b in book.budgets() if b.name in ("day_tokens", "day_usd"))
    assert (tokens.used, tokens.held, usd.used) == (600, 0, 0.6)
    book.settle(hold, Usage(model="m", input_tokens=40, cost_usd=0.04), purpose="p", latency_ms=1, outcome="ok")
    (row,) = ledger.usage("day", days=1, user=user)
    assert (row.calls, row.input_tokens, row.cost_usd) == (1, 40, 0.04)


def test_estimates_are_calibrated_by_what_was_returned(ledger: Ledger) -> None:
    model = f"model-{time.time_ns()}"
    book = meter(ledger, Limits(request_tokens=None, day_tokens=None), f"user-{time.time_ns()}")
    assert book.span(model, 1000) == (500, 1050)
    for returned in (700, 690, 710, 700, 700, 700):
        hold = book.reserve(model=model, tokens=1000, cost_usd=0.0, estimate=1000)
        used = Usage(model=model, input_tokens=returned - 500, cache_read_tokens=500, output_tokens=9)
        book.settle(hold, used, purpose="p", latency_ms=1, outcome="ok")
    known = calibration_of(ledger, model)
    assert (known.calls, round(known.ratio, 2)) == (6, 0.70)
    assert 0 < known.error < 0.03
    least, most = known.span(1000)
    assert 640 < least < 690
    assert 710 < most < 760


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_a_ledger_from_before_estimates_keeps_what_was_used(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    place = str(tmp_path / "ledger.db") if kind == "sqlite" else request.getfixturevalue("postgres_url")
    user = f"user-{time.time_ns()}"
    opened = open_ledger(place)
    spend(meter(opened, Limits(), user), 70, 0.5)
    with opened.transaction() as connection:
        for statement in (
            "ALTER TABLE usage DROP COLUMN estimate",
            'ALTER TABLE usage DROP COLUMN "call"',
            "ALTER TABLE holds DROP COLUMN model",
            "DROP TABLE saved",
            "DROP TABLE calibrations",
            "UPDATE t2s_version SET number = 3",
        ):
            connection.execute(text(statement))
    opened.close()
    again = open_ledger(place)
    spend(meter(again, Limits(day_tokens=100), user), 30, 0.5)
    (row,) = again.usage("day", days=1, user=user)
    assert (row.calls, row.input_tokens) == (2, 100)
    again.close()


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
    if spent < 2000:  # what the killed ones had begun counts as spent, the rest is free again
        with opened.transaction() as connection:
            release_dead(connection)
        spent = sum(row.input_tokens for row in opened.usage("day", days=1, user="crowd"))
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
