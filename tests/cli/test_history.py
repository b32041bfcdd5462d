"""The audit history and runs from the command line: filtered, summed up, exported, asked again."""

from __future__ import annotations

import csv
import io
import json
import time
from datetime import date, timedelta
from pathlib import Path

import pytest
from claude_server import ClaudeServer, Turn
from command import data_of, t2s
from runs import made

from t2s.ledger import open_ledger
from t2s.ledger.memory_tables import actions
from t2s.ledger.redact import redact_details
from t2s.ledger.runs import keep_runs
from t2s.types.run import Step

QUESTION = "how many customers are there?"
TODAY, YESTERDAY = date.today().isoformat(), (date.today() - timedelta(days=1)).isoformat()


@pytest.fixture
def acted(tmp_path: Path) -> None:
    """Two of ann's actions today, one yesterday, one of bob's, and one that is too old."""
    ledger = open_ledger(str(tmp_path / "t2s" / "ledger.db"))
    rows = [
        (0, "ann", "ask", {"question": "one"}),
        (0, "ann", "session.end", {"session": "march"}),
        (1, "ann", "ask", {"question": "two, with a \x1b[31mcolour"}),
        (0, "bob", "ask", {"question": "three"}),
        (91, "ann", "ask", {"question": "long ago"}),
    ]
    with ledger.transaction() as connection:
        for days, user, action, details in rows:
            at = time.time() - days * 86_400
            connection.execute(actions.insert().values(at=at, user=user, action=action, details=details))
    ledger.close()


def listed(*arguments: str) -> list[str]:
    run = t2s("history", "list", *arguments, "--json", env={"T2S_USER": "ann"})
    return [entry["details"].get("question") or entry["action"] for entry in data_of(run)]


@pytest.mark.usefixtures("acted")
def test_actions_are_filtered_by_day_action_user_and_number() -> None:
    assert listed() == ["session.end", "one", "two, with a \x1b[31mcolour"]  # what is older than 90 days is gone
    assert listed("--since", TODAY, "--action", "ask") == ["one"]
    assert listed("--until", YESTERDAY) == ["two, with a \x1b[31mcolour"]
    assert listed("--action", "session") == ["session.end"]
    assert listed("--user", "bob") == ["three"]
    assert len(listed("--user", "all")) == 4
    assert listed("--limit", "1") == ["session.end"]
    backwards = t2s("history", "list", "--since", TODAY, "--until", YESTERDAY)
    assert backwards.returncode == 2
    assert "before --since" in backwards.stderr


@pytest.mark.usefixtures("acted")
def test_a_summary_has_total_days_and_the_most_common_action() -> None:
    summary = data_of(t2s("history", "summary", "--user", "all", "--json"))
    assert (summary["total"], summary["days"], summary["most_common"]) == (4, 2, "ask")
    assert summary["by_action"] == {"ask": 3, "session.end": 1}
    shown = t2s("history", "summary", env={"T2S_USER": "ann"})
    assert shown.stderr == "3 actions on 2 days; the most common is ask\n"


@pytest.mark.usefixtures("acted")
def test_an_export_is_read_by_other_programs(tmp_path: Path) -> None:
    text = t2s("history", "export", env={"T2S_USER": "ann"}).stdout
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["action"] for row in rows] == ["session.end", "ask", "ask"]
    assert json.loads(rows[1]["details"]) == {"question": "one"}
    assert "\x1b" not in text
    file = tmp_path / "audit.json"
    run = t2s("history", "export", "--user", "all", "--format", "json", "--out", str(file))
    assert run.returncode == 0
    assert {entry["user"] for entry in json.loads(file.read_text())} >= {"ann", "bob"}
    assert listed("--action", "history.export", "--user", "all")[0] == "history.export"


def test_secrets_are_redacted_by_name_and_by_looks_however_deep() -> None:
    told = redact_details(
        {"password": "x", "note": "key sk-ant-0123456789abcdef0", "inner": {"api_key": "y", "list": ["a", "pwd=abcd"]}}
    )
    assert told == {"password": "[redacted]", "note": "key [redacted]", "inner": {"api_key": "[redacted]", "list": ["a", "[redacted]"]}}  # fmt: skip


def test_what_commands_do_is_in_the_history(tmp_path: Path, sample: Path) -> None:
    t2s("db", "add", "shop", str(sample))
    t2s("sql", "run", "SELECT 1", "--db", "shop")
    t2s("db", "remove", "shop", "--yes")
    entries = data_of(t2s("history", "list", "--json"))
    assert [entry["action"] for entry in entries] == ["db.remove", "sql", "db.add"]


def test_a_question_that_ended_in_an_error_is_in_the_history() -> None:
    with ClaudeServer(Turn(status=401, error="authentication_error")) as server:
        key = {"ANTHROPIC_API_KEY": "sk-ant-0123456789abcdef", "ANTHROPIC_BASE_URL": server.url, "T2S_MODEL": "claude-haiku-5-5"}  # fmt: skip
        assert t2s("ask", QUESTION, env=key).returncode == 5
    (entry,) = data_of(t2s("history", "list", "--json"))
    assert entry["details"]["question"] == QUESTION
    assert entry["details"]["status"] == "provider_key"


def test_runs_and_their_steps_are_shown(tmp_path: Path) -> None:
    ledger = open_ledger(str(tmp_path / "t2s" / "ledger.db"))
    steps = (Step(stage="link", start_ms=0, ms=5), Step(stage="check", start_ms=5, ms=7), Step(stage="remember", start_ms=12, ms=1))  # fmt: skip
    keep_runs(ledger, [made("aaaa", steps=steps), made("bbbb", steps=steps, status="rejected", error="no column nme")])
    ledger.close()
    me = {"T2S_USER": "ann"}
    failed = data_of(t2s("history", "runs", "--failed", "--json", env=me))
    assert [run["run_id"] for run in failed] == ["bbbb"]
    assert [step["state"] for step in failed[0]["steps"]] == ["done", "failed", "done"]
    shown = t2s("history", "show", "bbbb", env=me)
    assert "check" in shown.stdout
    assert "no column nme" in shown.stdout
    assert "t2s resume bbbb" in shown.stderr
    assert t2s("history", "show", "cccc", env=me).returncode == 2


def test_a_question_that_failed_is_asked_again_in_its_conversation(sample: Path, tmp_path: Path) -> None:
    with ClaudeServer(Turn(status=500, error="api_error")) as server:
        server.always_sql("SELECT count(*) AS n FROM customers")
        env = {
            "ANTHROPIC_API_KEY": "sk-ant-0123456789abcdef",
            "ANTHROPIC_BASE_URL": server.url,
            "T2S_MODEL": "claude-haiku-5-5",
            "T2S_PROVIDER_RETRIES": "0",
        }
        locked = {**env, "T2S_BUDGET_REQUEST_TOKENS": "5"}
        refused = t2s("ask", QUESTION, "--db", str(sample), "--session", "march", env=locked)
        assert refused.returncode == 7
        server.script.clear()
        again = t2s("resume", env=env)
    assert again.returncode == 0, again.stderr
    assert "400" in again.stdout
    assert again.stderr.startswith(QUESTION)
    turns = data_of(t2s("session", "show", "march", "--json"))["turns"]
    assert [turn["question"] for turn in turns] == [QUESTION]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"origin": "batch"}, "t2s batch resume"),
        ({"question": ""}, "not kept any more"),
        ({"question": "is [redacted] a key?"}, "secret"),
        ({"status": "running", "at": time.time()}, "still being answered"),
    ],
)
def test_what_cannot_be_asked_again_is_said(values: dict[str, object], said: str, tmp_path: Path) -> None:
    ledger = open_ledger(str(tmp_path / "t2s" / "ledger.db"))
    keep_runs(ledger, [made("aaaa", **({"status": "provider"} | values))])
    ledger.close()
    run = t2s("resume", "aaaa", env={"T2S_USER": "ann"})
    assert run.returncode == 2
    assert said in run.stderr


def test_nothing_failed_is_said() -> None:
    assert "none of your questions failed" in t2s("resume").stderr
