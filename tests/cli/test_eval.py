"""Evaluations as a person and a CI job run them: side by side, killed and resumed, over services that answer or fail."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from claude_server import ClaudeServer, Turn, sql_answer
from command import data_of, t2s, write_shop

COUNT = "SELECT COUNT(*) FROM customers"
SET = f"""\
questions:
  - question: how many customers?
    db: shop.db
    sql: {COUNT}
  - question: how many customers per country?
    db: shop.db
    sql: SELECT country, COUNT(*) FROM customers GROUP BY country
  - question: who is the tallest?
    db: shop.db
    unanswerable: true
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_shop(tmp_path / "shop.db")
    (tmp_path / "set.yaml").write_text(SET)
    return tmp_path


@pytest.fixture
def server() -> Iterator[ClaudeServer]:
    with ClaudeServer() as running:
        running.always_sql(COUNT)
        yield running


def claude(server: ClaudeServer, **more: str) -> dict[str, str]:
    return {
        "ANTHROPIC_API_KEY": "sk-ant-secret-0123456789",
        "ANTHROPIC_BASE_URL": server.url,
        "T2S_PACE_REQUESTS_PER_MINUTE": "none",
        "T2S_PACE_AT_ONCE_USER": "none",
        **more,
    }


def many(folder: Path, count: int) -> Path:
    rows = [{"db_id": "shop", "question": f"question number {n}", "query": COUNT} for n in range(count)]
    path = folder / "many.json"
    path.write_text(json.dumps(rows))
    return path


def evaluate(*arguments: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """One worker: with so few questions a second one is not worth its start."""
    return t2s("eval", *arguments, "--jobs", "1", env=env)


def asked(server: ClaudeServer) -> Counter[str]:
    """How often each question reached the service."""
    return Counter(str(body["messages"][-1]["content"]).rpartition("Question: ")[2] for body in server.requests)


def test_models_side_by_side_with_a_threshold(folder: Path, server: ClaudeServer) -> None:
    models = ["-m", "local", "-m", "claude-haiku-5-5"]
    run = evaluate("set.yaml", *models, "--json", env=claude(server))
    local, haiku = data_of(run)["models"]
    assert (local["model"], local["accuracy"]) == ("local", {"count": 2, "of": 2, "share": 1.0})
    assert local["unanswerable_declined"]["share"] == 1.0
    assert (haiku["accuracy"]["count"], haiku["precision"]["of"]) == (1, 3)  # it counts customers whatever is asked
    assert haiku["mistakes"] == {"columns": 1, "grouping": 1}
    assert sum(haiku["tokens"].values()) == sum(server.counted.values())
    assert haiku["cost_usd"] > 0 == local["cost_usd"]
    wrong = data_of(run)["wrong"]
    assert [(case["model"], case["state"]) for case in wrong] == [("claude-haiku-5-5", "wrong")] * 2
    assert wrong[0]["place"].endswith("set.yaml:5")
    usage = json.loads(t2s("usage", "--by", "model", "--json").stdout)["data"]["rows"]
    assert [(row["key"], row["calls"]) for row in usage] == [("claude-haiku-5-5", 3)]
    passed = evaluate("set.yaml", "--min-accuracy", "0.9", "-q")
    assert (passed.returncode, passed.stderr) == (0, "")
    missed = evaluate("set.yaml", "-m", "claude-haiku-5-5", "--min-accuracy", "0.9", env=claude(server))
    assert missed.returncode == 1
    assert "t2s: claude-haiku-5-5: execution accuracy is below 0.9" in missed.stderr
    told = json.loads(evaluate("set.yaml", *models, "--min-accuracy", "0.9", "--json", env=claude(server)).stdout)
    assert (told["success"], told["error"]["code"], len(told["data"]["models"])) == (False, "accuracy", 2)
    assert len(server.requests) == 3  # the same questions again came from the cache


def test_the_reports_have_the_wrong_cases_and_no_word_of_them_is_markup(folder: Path, server: ClaudeServer) -> None:
    (folder / "set.yaml").write_text(SET.replace("per country", "per <b>country</b> | `x`"))
    command = ["set.yaml", "-m", "claude-haiku-5-5"]
    page = evaluate(*command, "--format", "html", "--out", "report.html", env=claude(server))
    assert (page.returncode, page.stdout) == (0, "")
    html = (folder / "report.html").read_text()
    assert "per &lt;b&gt;country&lt;/b&gt;" in html
    assert "<b>" not in html
    assert "<svg" in html
    again = evaluate(*command, "--resume", "--format", "markdown", env=claude(server))
    assert "### how many customers per \\<b\\>country\\</b\\> \\| \\`x\\`?" in again.stdout
    assert "3 of 3 are known from the last run" in again.stderr
    assert json.loads(evaluate(*command, "--resume", "--format", "json", env=claude(server)).stdout)["wrong"]
    assert len(server.requests) == 3


def test_killed_at_any_moment_it_goes_on_and_asks_nothing_twice(folder: Path, server: ClaudeServer) -> None:
    path, env = many(folder, 24), claude(server)
    server.default = lambda _: Turn(text=sql_answer(COUNT), delay_s=0.2)
    command = [sys.executable, "-m", "t2s", "eval", str(path), "-m", "claude-haiku-5-5", "--databases", str(folder)]
    for _ in range(2):
        before = len(server.requests)
        process = subprocess.Popen([*command, "--resume", "-j", "2"], env={**os.environ, **env}, stderr=-3, stdout=-3)
        while len(server.requests) < before + 5:
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        process.wait()
    end = evaluate(*command[4:], "--resume", "--json", env={**env, "T2S_MODEL": "local"})
    assert asked(server) == Counter({f"question number {n}": 1 for n in range(24)})
    (model,) = data_of(end)["models"]
    assert model["accuracy"] == {"count": 24, "of": 24, "share": 1.0}
    assert (model["calls"], model["tokens"]["input"]) == (24, server.counted["input_tokens"])


def test_ctrl_c_keeps_what_was_answered_and_says_how_to_go_on(folder: Path, server: ClaudeServer) -> None:
    path, env = many(folder, 12), claude(server)
    server.default = lambda _: Turn(text=sql_answer(COUNT), delay_s=0.2)
    command = [sys.executable, "-m", "t2s", "eval", str(path), "-m", "claude-haiku-5-5", "--databases", str(folder)]
    process = subprocess.Popen([*command, "-j", "2"], env={**os.environ, **env}, stderr=subprocess.PIPE, text=True)
    while len(server.requests) < 3:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate()
    assert process.returncode == 130
    assert "the same command with --resume goes on" in said
    assert "Traceback" not in said
    first = len(server.requests)
    assert first < 12
    end = evaluate(*command[4:], "--resume", env=env)
    assert end.returncode == 0, end.stderr
    assert set(asked(server).values()) == {1}
    (folder / "many.json").write_text((folder / "many.json").read_text().replace("number 11", "number 12"))
    changed = evaluate(*command[4:], "--resume", env=env)
    assert "11 of 12 are known" in changed.stderr
    assert len(server.requests) == 13


def test_other_settings_are_another_run(folder: Path) -> None:
    assert evaluate("set.yaml").returncode == 0
    other = evaluate("set.yaml", "--resume", env={"T2S_REPAIRS": "0"})
    assert other.returncode == 2
    assert "the last run was made with other settings" in other.stderr


@pytest.mark.parametrize(
    ("turn", "code", "said"),
    [
        (Turn(status=401, error="authentication_error"), 5, "key"),
        (Turn(status=529, error="overloaded_error"), 5, "--resume"),
    ],
)
def test_a_service_that_does_not_answer_ends_the_run_and_nothing_else_answers(
    folder: Path, server: ClaudeServer, turn: Turn, code: int, said: str
) -> None:
    server.default = lambda _: turn
    run = evaluate("set.yaml", "-m", "claude-haiku-5-5", env=claude(server, T2S_PROVIDER_RETRIES="0"))
    assert run.returncode == code
    assert said in run.stderr
    assert run.stdout == ""


def test_a_budget_ends_the_run(folder: Path, server: ClaudeServer) -> None:
    env = claude(server, T2S_BUDGET_DAY_TOKENS="100")
    run = evaluate("set.yaml", "-m", "claude-haiku-5-5", env=env)
    assert run.returncode == 7
    assert server.requests == []


def test_replies_of_no_use_refused_and_broken_sql_are_told_apart(folder: Path, server: ClaudeServer) -> None:
    turns = {
        "number 0": Turn(text="no JSON at all"),
        "number 1": Turn(text=sql_answer("SELECT nothing FROM customers")),
        "number 2": Turn(text=sql_answer("DELETE FROM customers")),
        "number 3": Turn(text=sql_answer("", outcome="unanswerable", explanation="no idea")),
    }

    def answer(body: dict[str, Any]) -> Turn:
        said = json.dumps(body["messages"])
        return next((turn for name, turn in turns.items() if name in said), Turn(text=sql_answer(COUNT)))

    server.default = answer
    path = many(folder, 6)
    run = evaluate(str(path), "-m", "claude-haiku-5-5", "--databases", ".", "--json", env=claude(server))
    data = data_of(run)
    assert [case["state"] for case in data["wrong"]] == ["failed", "invalid", "invalid", "abstained"]
    (model,) = data["models"]
    assert (model["failed"], model["valid_sql"]["count"], model["valid_sql"]["of"]) == (1, 2, 4)
    assert model["precision"] == {"count": 2, "of": 2, "share": 1.0}


def test_recorded_answers_can_be_evaluated_without_a_service(folder: Path, server: ClaudeServer) -> None:
    env = claude(server, T2S_PROVIDER_RECORD=str(folder / "answers.jsonl"))
    live = evaluate("set.yaml", "-m", "claude-haiku-5-5", "--json", env=env)
    replayed = evaluate("set.yaml", "-m", "replay:answers.jsonl", "--json")
    (once,), (again,) = data_of(live)["models"], data_of(replayed)["models"]
    assert once["accuracy"] == again["accuracy"]
    assert len(server.requests) == 3


def test_a_conversation_is_one_session_that_leaves_none_behind(folder: Path, server: ClaudeServer) -> None:
    talk = [
        {"db_id": "shop", "turns": [{"question": f"{n} turn {t}", "query": COUNT} for t in range(3)]} for n in range(3)
    ]
    (folder / "talks.json").write_text(json.dumps(talk))
    server.default = lambda body: Turn(text=sql_answer("SELECT 7" if "2 turn 1" in json.dumps(body) else COUNT))
    run = evaluate("talks.json", "--databases", ".", "-m", "claude-haiku-5-5", "--json", env=claude(server))
    (model,) = data_of(run)["models"]
    assert model["conversations"] == {"count": 2, "of": 3, "share": pytest.approx(2 / 3)}
    assert [turn["count"] for turn in model["by_turn"]] == [3, 2, 2]
    by_question = {
        str(body["messages"][-1]["content"]).rpartition("Question: ")[2]: body["messages"] for body in server.requests
    }
    assert len(by_question["0 turn 0"]) == 1
    history = json.dumps(by_question["0 turn 2"])
    assert "0 turn 0" in history
    assert "0 turn 1" in history
    assert "1 turn" not in history
    assert "2 turn" not in history
    listed = json.loads(t2s("session", "list", "--json").stdout)["data"]
    assert "eval" not in json.dumps(listed)


def test_databases_are_found_or_named_as_missing(folder: Path) -> None:
    path = many(folder, 2)
    missing = evaluate(str(path))
    assert missing.returncode == 3
    assert f"{path}:1: there is no database shop" in missing.stderr
    assert "--databases FOLDER" in missing.stderr
    assert evaluate(str(path), "--db", f"{folder}/{{db}}.db", "-q").returncode == 0
    (folder / "database" / "shop").mkdir(parents=True)
    (folder / "shop.db").rename(folder / "database" / "shop" / "shop.sqlite")
    assert evaluate(str(path), "-q").returncode == 0


def test_questions_whose_own_query_does_not_run_are_not_asked_and_not_counted(
    folder: Path, server: ClaudeServer
) -> None:
    (folder / "set.yaml").write_text(SET.replace("GROUP BY country", "GROUP BY land"))
    run = evaluate("set.yaml", "-m", "claude-haiku-5-5", "--json", env=claude(server))
    (model,) = data_of(run)["models"]
    assert (model["unjudged"], model["accuracy"]["of"]) == (1, 1)
    assert len(server.requests) == 2
    assert "land" in next(case["reason"] for case in data_of(run)["wrong"] if case["state"] == "unjudged")


def test_the_example_of_our_own_format_runs() -> None:
    path = Path(__file__).resolve().parent.parent.parent / "configs" / "eval" / "questions.yaml"
    (model,) = data_of(evaluate(str(path), "--json"))["models"]
    assert (model["questions"], model["unjudged"]) == (5, 0)
    assert model["accuracy"]["count"] >= 3
