"""What is recorded of questions: steps, tokens, cost, memories, failures; and that nobody waits for it."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from claude_server import ClaudeServer, Turn, sql_answer
from runs import made

from t2s.errors import BudgetRefused, LedgerError, ProviderKeyError, UsageError
from t2s.ledger import open_ledger
from t2s.ledger.runs import get_run, keep_runs, list_runs, total_runs
from t2s.monitor.recorder import Recorder
from t2s.types.event import Event, Notice
from t2s.types.run import Run, Step
from t2s.types.usage import Usage
from t2s.workspace import Workspace

KEY = "sk-ant-very-secret-0123456789"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ClaudeServer]:
    with ClaudeServer() as running:
        monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
        monkeypatch.setenv("ANTHROPIC_BASE_URL", running.url)
        monkeypatch.setenv("T2S_PROVIDER_RETRIES", "0")
        yield running


def recorded(home: Path) -> tuple[Run, ...]:
    ledger = open_ledger(str(home / "t2s" / "ledger.db"))
    try:
        return list_runs(ledger, since=0)
    finally:
        ledger.close()


def test_a_question_leaves_a_run_with_its_steps_and_cost(server: ClaudeServer, sample: Path, tmp_path: Path) -> None:
    server.always_sql("SELECT count(*) AS n FROM customers")
    with Workspace.open(str(sample), session="march", use_cache=False) as ws:
        answer = ws.ask("How many customers?")
    (run,) = recorded(tmp_path)
    assert (run.run_id, run.status, run.origin) == (answer.run_id, "ok", "ask")
    assert run.usage == answer.usage
    assert [step.stage for step in run.steps] == [
        "link",
        "recall",
        "link",
        "model",
        "check",
        "execute",
        "check",
        "remember",
    ]
    assert sum(step.ms for step in run.steps) <= run.total_ms
    assert run.memories_made == 2  # what was said, and what came of it
    assert run.target == str(sample)
    assert run.rss_mb is None or run.rss_mb > 10


def test_used_memories_are_counted(sample: Path, tmp_path: Path) -> None:
    from t2s.memory import remember

    with Workspace.open(str(sample), flags={"model": "local"}) as ws:
        assert ws.recollection is not None
        memories = ws.recollection.memories
        word = remember.glossary(memories.owner, "buyers", "customers", ws.database.schema(), now=time.time())
        remember.keep(memories, word, time.time())
        ws.ask("how many buyers are there?")
    (run,) = recorded(tmp_path)
    assert run.memories_used == 1


def test_a_failed_call_is_a_failed_run_with_what_it_took(server: ClaudeServer, sample: Path, tmp_path: Path) -> None:
    server.script = [Turn(status=401, error="authentication_error")]
    with Workspace.open(str(sample)) as ws, pytest.raises(ProviderKeyError):
        ws.ask("How many customers?")
    (run,) = recorded(tmp_path)
    assert run.status == "provider_key"
    assert run.failed
    assert run.usage.calls == 1
    assert KEY not in run.error


def test_attempts_that_failed_count_too(server: ClaudeServer, sample: Path, tmp_path: Path) -> None:
    server.script = [
        Turn(text=sql_answer("SELECT nme FROM customers")),
        Turn(text=sql_answer("SELECT name FROM customers")),
    ]
    with Workspace.open(str(sample)) as ws:
        ws.ask("names of customers")
    (run,) = recorded(tmp_path)
    assert run.usage.calls == 2
    assert run.usage.input_tokens == server.counted["input_tokens"]
    assert "repair" in [step.stage for step in run.steps]


def test_a_refused_budget_is_a_run(server: ClaudeServer, sample: Path, tmp_path: Path) -> None:
    flags = {"budget.request_tokens": 10}
    with Workspace.open(str(sample), flags=flags) as ws, pytest.raises(BudgetRefused):
        ws.ask("How many customers?")
    (run,) = recorded(tmp_path)
    assert (run.status, run.usage.calls) == ("budget", 0)


def test_a_killed_process_leaves_a_run_that_is_broken_off(server: ClaudeServer, sample: Path, tmp_path: Path) -> None:
    server.script = [Turn(text=sql_answer("SELECT 1"), delay_s=30)]
    command = [sys.executable, "-m", "t2s", "ask", "How many customers?", "--db", str(sample)]
    asking = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while not (tmp_path / "t2s" / "ledger.db").exists() or not recorded(tmp_path):
            time.sleep(0.05)
        assert [run.status for run in recorded(tmp_path)] == ["running"]
    finally:
        asking.kill()
        asking.wait()
    (run,) = recorded(tmp_path)
    assert run.status == "broken_off"
    assert run.failed
    assert run.question == "How many customers?"


def test_secrets_in_questions_are_not_kept(tmp_path: Path) -> None:
    ledger = open_ledger(str(tmp_path / "ledger.db"))
    keep_runs(ledger, [made("r", question=f"is {KEY} a key?", target="postgresql://me:hidden@host/db")])
    (run,) = list_runs(ledger, since=0)
    ledger.close()
    assert (run.question, run.target) == ("is [redacted] a key?", "postgresql://[redacted]@host/db")


def test_words_go_after_90_days_and_figures_stay(tmp_path: Path) -> None:
    ledger = open_ledger(str(tmp_path / "ledger.db"))
    old = made("old", at=time.time() - 91 * 86_400, usage=Usage(model="m", calls=1, output_tokens=7))
    keep_runs(ledger, [old])
    keep_runs(ledger, [made("new", usage=Usage(model="m"))])
    new, old = list_runs(ledger, since=0)
    assert (new.question, old.question, old.usage.output_tokens) == ("how many?", "", 7)
    (totals,) = total_runs(ledger)
    assert totals.count == 2
    ledger.close()


def test_a_run_is_found_by_the_beginning_of_its_id(tmp_path: Path) -> None:
    ledger = open_ledger(str(tmp_path / "ledger.db"))
    keep_runs(ledger, [made("abc1"), made("abc2"), made("xyz", user="bob")])
    assert get_run(ledger, "abc1", user="ann").run_id == "abc1"
    for wrong in ("abc", "", "xyz", "%"):
        with pytest.raises(UsageError, match="run"):
            get_run(ledger, wrong, user="ann")
    ledger.close()


def test_the_later_word_on_a_run_stands(tmp_path: Path) -> None:
    ledger = open_ledger(str(tmp_path / "ledger.db"))
    keep_runs(ledger, [made("r", status="running")])
    keep_runs(ledger, [made("r", steps=(Step(stage="link", start_ms=0, ms=2),))])
    (run,) = list_runs(ledger, since=0)
    ledger.close()
    assert (run.status, run.ms("link")) == ("ok", 2)


def test_a_ledger_that_fails_costs_figures_and_no_answer(tmp_path: Path) -> None:
    ledger = open_ledger(str(tmp_path / "ledger.db"))
    with ledger.transaction() as connection:
        connection.exec_driver_sql("DROP TABLE runs")
    events: list[Event] = []
    recorder = Recorder(ledger, (), events.append)
    recorder.put(made("a"))
    recorder.close()
    with pytest.raises(LedgerError):
        list_runs(ledger, since=0)
    ledger.close()
    (notice,) = events
    assert isinstance(notice, Notice)
    assert "not recorded" in notice.message


def test_runs_are_kept_on_postgresql(postgres_url: str) -> None:
    ledger = open_ledger(postgres_url)
    keep_runs(ledger, [made("r", status="running")])
    keep_runs(ledger, [made("r", total_ms=300.0, usage=Usage(model="m", cost_usd=None, calls=1))])
    (run,) = list_runs(ledger, since=0)
    (totals,) = total_runs(ledger)
    ledger.close()
    assert run.usage.cost_usd is None
    assert totals.within[:3] == (0, 0, 1)
