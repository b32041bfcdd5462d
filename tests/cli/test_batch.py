"""Batch as a CI job and a person use it: generated once, locked, checked without a model, killed and resumed."""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from claude_server import ClaudeServer, Turn, sql_answer
from command import t2s, write_shop

SPEC = """\
version: 1
datasource: shop.db
queries:
  - name: how_many
    question: how many customers?
    expect: {rows: 1, types: {count: number}}
  - name: by_country
    question: number of customers per country
    expect: {columns: [country, count], unique: [country]}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_shop(tmp_path / "shop.db")
    (tmp_path / "q.yaml").write_text(SPEC)
    return tmp_path


@pytest.fixture
def server() -> Iterator[ClaudeServer]:
    with ClaudeServer() as running:
        running.always_sql("SELECT COUNT(*) AS n FROM customers")
        yield running


def claude(server: ClaudeServer, **more: str) -> dict[str, str]:
    return {
        "T2S_MODEL": "claude-haiku-5-5",
        "ANTHROPIC_API_KEY": "sk-ant-secret-0123456789",
        "ANTHROPIC_BASE_URL": server.url,
        "T2S_PACE_REQUESTS_PER_MINUTE": "none",
        "T2S_PACE_AT_ONCE_USER": "none",
        "T2S_PACE_AT_ONCE": "none",
        **more,
    }


def questions(folder: Path, count: int) -> Path:
    rows = [{"name": f"q{n}", "question": f"question number {n}"} for n in range(count)]
    path = folder / "many.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    return path


def asked(server: ClaudeServer) -> Counter[str]:
    """How often each question reached the service."""
    return Counter(str(body["messages"][-1]["content"]).rpartition("Question: ")[2] for body in server.requests)


def test_init_writes_what_runs_and_checks(folder: Path) -> None:
    assert t2s("batch", "init", "first.yaml").returncode == 0
    assert json.loads((folder / "t2s-batch.schema.json").read_text())["required"] == ["version", "queries"]
    assert t2s("batch", "run", "first.yaml", "--locked").returncode == 1
    assert t2s("batch", "run", "first.yaml").returncode == 0
    assert t2s("batch", "run", "first.yaml", "--locked").returncode == 0
    assert t2s("batch", "check", "first.yaml", "--run").returncode == 0
    assert t2s("batch", "init", "first.yaml").returncode == 2  # nothing is written over


def test_a_second_run_changes_nothing_and_only_what_changed_is_generated(folder: Path) -> None:
    assert "2 generated, 0 stood" in t2s("batch", "run", "q.yaml").stderr
    before = {path: path.read_bytes() for path in [folder / "q.lock", *(folder / "sql").iterdir()]}
    assert "0 generated, 2 stood" in t2s("batch", "run", "q.yaml").stderr
    assert all(path.read_bytes() == content for path, content in before.items())
    (folder / "q.yaml").write_text(SPEC.replace("how many customers?", "how many customers in Germany?"))
    assert "1 generated, 1 stood" in t2s("batch", "run", "q.yaml").stderr
    assert "Germany" in (folder / "sql" / "how_many.sql").read_text()
    (folder / "q.yaml").write_text(SPEC.partition("  - name: by_country")[0])
    t2s("batch", "run", "q.yaml")
    assert not (folder / "sql" / "by_country.sql").exists()
    assert "by_country" not in (folder / "q.lock").read_text()


def found(folder: Path, *arguments: str) -> list[tuple[str, str, str]]:
    run = t2s("batch", "check", "q.yaml", "--report", "json", *arguments)
    document = json.loads(run.stdout)
    assert run.returncode == (1 if document["errors"] else 0)
    return [(f["query"], f["code"], f["level"]) for f in document["findings"]]


def test_a_check_finds_every_way_of_drifting_apart(folder: Path) -> None:
    assert found(folder) == [("how_many", "not_generated", "error"), ("by_country", "not_generated", "error")]
    t2s("batch", "run", "q.yaml")
    assert found(folder, "--run") == []
    sql = folder / "sql" / "how_many.sql"
    good = sql.read_text()
    sql.write_text(good.replace("COUNT(*)", "count( * )"))
    assert found(folder) == []  # laid out otherwise, the same query
    sql.write_text(good.replace("COUNT(*)", "MAX(id)"))
    assert found(folder) == [("how_many", "sql_edited", "error")]
    assert t2s("batch", "run", "q.yaml", "--accept").returncode == 0
    assert found(folder) == []
    sql.unlink()
    assert found(folder) == [("how_many", "sql_missing", "error")]
    assert "1 generated, 1 stood" in t2s("batch", "run", "q.yaml").stderr
    (folder / "q.yaml").write_text(SPEC.replace("per country", "by country").replace("rows: 1", "rows: 2"))
    assert found(folder, "--run") == [("how_many", "expectation", "error"), ("by_country", "question_changed", "error")]
    (folder / "q.yaml").write_text(SPEC)
    with sqlite3.connect(folder / "shop.db") as connection:
        connection.execute("ALTER TABLE customers RENAME COLUMN country TO land")
    assert found(folder) == [("by_country", "broken", "error")]
    check = t2s("batch", "check", "q.yaml")
    assert check.stdout.startswith("sql/by_country.sql:4: error: by_country: there is no column country in customers")
    with sqlite3.connect(folder / "shop.db") as connection:
        connection.executescript(
            "ALTER TABLE customers RENAME TO old; CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT, country INTEGER);"
        )
    assert found(folder) == [("by_country", "drift", "warning")]


def test_a_check_can_not_call_a_model(folder: Path) -> None:
    t2s("batch", "run", "q.yaml")
    code = (
        "import sys; from t2s.cli.app import run; run(['batch', 'check', 'q.yaml', '--run', '-q'])\n"
        "print([m for m in sys.modules if m.startswith(('anthropic', 'openai', 'httpx', 't2s.llm', 'chromadb'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "[]", done.stderr


def test_on_github_actions_the_findings_are_annotations(folder: Path) -> None:
    run = t2s("batch", "check", "q.yaml", env={"GITHUB_ACTIONS": "true"})
    assert run.stdout.splitlines()[0].startswith("::error file=q.yaml,line=4,title=how_many%3A not_generated::")
    assert t2s("batch", "check", "q.yaml", "--report", "junit", "--out", "report.xml").returncode == 1
    assert (folder / "report.xml").read_text().startswith("<?xml")


def test_what_fails_is_told_and_the_rest_is_kept(folder: Path, server: ClaudeServer) -> None:
    server.default = lambda body: Turn(
        text=sql_answer(
            "SELECT COUNT(*) FROM nowhere" if "country" in str(body["messages"]) else "SELECT COUNT(*) FROM customers"
        )
    )
    run = t2s("batch", "run", "q.yaml", env=claude(server))
    assert run.returncode == 1
    assert "by_country: there is no table nowhere" in run.stderr
    assert "1 generated, 0 stood, 1 failed; $0.0" in run.stderr
    assert found(folder) == [("by_country", "not_generated", "error")]


def test_a_budget_stops_the_run_and_what_was_paid_is_kept(folder: Path, server: ClaudeServer) -> None:
    path = questions(folder, 12)
    run = t2s("batch", "run", str(path), "-d", "shop.db", "-j", "1", env=claude(server, T2S_BUDGET_DAY_TOKENS="8000"))
    assert run.returncode == 7
    assert "the budget day_tokens would be passed" in run.stderr
    first = len(server.requests)
    assert 0 < first < 12
    assert t2s("batch", "resume", str(path), "-d", "shop.db", env=claude(server)).returncode == 0
    assert asked(server) == Counter({f"question number {n}": 1 for n in range(12)})


def test_many_at_once_and_never_more_than_the_slots(folder: Path, server: ClaudeServer) -> None:
    now = Counter[str]()
    most = 0

    def slow(_: dict[str, Any]) -> Turn:
        nonlocal most
        now["under way"] += 1
        most = max(most, now["under way"])
        time.sleep(0.15)
        now["under way"] -= 1
        return Turn(text=sql_answer("SELECT COUNT(*) FROM customers"))

    server.default = slow
    path = questions(folder, 16)
    run = t2s("batch", "run", str(path), "-d", "shop.db", "-j", "8", env=claude(server, T2S_PACE_AT_ONCE_USER="3"))
    assert run.returncode == 0, run.stderr
    assert asked(server).total() == 16


@pytest.mark.parametrize("seed", range(3))
def test_killed_at_any_moment_nothing_is_lost_or_paid_for_twice(folder: Path, server: ClaudeServer, seed: int) -> None:
    server.default = lambda _: Turn(text=sql_answer("SELECT COUNT(*) AS n FROM customers"), delay_s=0.1)
    path, chance = questions(folder, 30), random.Random(seed)
    command = [sys.executable, "-m", "t2s", "batch", "run", str(path), "-d", "shop.db", "-j", "4", "--no-input"]
    for _ in range(3):
        process = subprocess.Popen(command, env={**os.environ, **claude(server)}, stderr=subprocess.DEVNULL)
        time.sleep(chance.uniform(0.2, 2.5))
        process.send_signal(signal.SIGKILL)
        process.wait()
    done = t2s("batch", "run", str(path), "-d", "shop.db", env=claude(server))
    assert done.returncode == 0, done.stderr
    assert asked(server) == Counter({f"question number {n}": 1 for n in range(30)})
    assert len(list((folder / "sql").iterdir())) == 30
    assert not list(folder.glob("many.journal"))


def test_two_runs_of_one_file_take_turns(folder: Path, server: ClaudeServer) -> None:
    server.default = lambda _: Turn(text=sql_answer("SELECT COUNT(*) AS n FROM customers"), delay_s=0.2)
    path = questions(folder, 10)
    command = [sys.executable, "-m", "t2s", "batch", "run", str(path), "-d", "shop.db", "-j", "2"]
    both = [
        subprocess.Popen(command, env={**os.environ, **claude(server)}, stderr=subprocess.PIPE, text=True) for _ in "12"
    ]
    told = [process.communicate(timeout=60)[1] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert sum("another run of many.jsonl is at work" in each for each in told) == 1
    assert asked(server) == Counter({f"question number {n}": 1 for n in range(10)})


def test_ctrl_c_keeps_what_was_answered(folder: Path, server: ClaudeServer) -> None:
    server.default = lambda _: Turn(text=sql_answer("SELECT COUNT(*) AS n FROM customers"), delay_s=0.3)
    path = questions(folder, 20)
    command = [sys.executable, "-m", "t2s", "batch", "run", str(path), "-d", "shop.db", "-j", "2"]
    process = subprocess.Popen(command, env={**os.environ, **claude(server)}, stderr=subprocess.PIPE, text=True)
    while len(server.requests) < 4:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "cancelled; what was answered is kept" in told
    assert len(list((folder / "sql").iterdir())) == len(server.requests)
    assert "Traceback" not in told


def test_in_bulk_at_half_price_collected_later(folder: Path, server: ClaudeServer) -> None:
    path, env = questions(folder, 5), claude(server)
    server.batch_delay_s = 6.0
    command = [sys.executable, "-m", "t2s", "batch", "run", str(path), "-d", "shop.db", "--bulk"]
    process = subprocess.Popen(command, env={**os.environ, **env}, stderr=subprocess.DEVNULL)
    while not server.batches:
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)  # between handing in and collecting
    process.wait()
    run = t2s("batch", "resume", str(path), "-d", "shop.db", env=env)
    assert run.returncode == 0, run.stderr
    assert len(server.batches) == 1
    assert asked(server) == Counter({f"question number {n}": 1 for n in range(5)})
    assert "5 generated" in run.stderr
    usage = json.loads(t2s("usage", "--by", "purpose", "--json").stdout)["data"]["rows"]
    (bulk,) = [row for row in usage if row["key"] == "bulk"]
    assert (bulk["calls"], bulk["input_tokens"]) == (5, server.counted["input_tokens"])
    single = t2s("ask", "question number 77", "-d", "shop.db", "--json", env=env)
    assert bulk["cost_usd"] / 5 < json.loads(single.stdout)["data"]["usage"]["cost_usd"] * 0.8


def test_a_batch_whose_id_was_not_noted_is_found_again(folder: Path, server: ClaudeServer) -> None:
    path, env = questions(folder, 3), claude(server)
    server.batch_delay_s = 3.0
    command = [sys.executable, "-m", "t2s", "batch", "run", str(path), "-d", "shop.db", "--bulk"]
    process = subprocess.Popen(command, env={**os.environ, **env}, stderr=subprocess.DEVNULL)
    while not server.batches:
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    time.sleep(1.5)  # the worker ends by itself
    state = folder / "many.bulk"
    state.write_text(json.dumps({**json.loads(state.read_text()), "batch": None}))
    assert t2s("batch", "run", str(path), "-d", "shop.db", env=env).returncode == 0
    assert len(server.batches) == 1
    assert asked(server).total() == 3


def test_bulk_wants_claude(folder: Path) -> None:
    run = t2s("batch", "run", "q.yaml", "--bulk")
    assert run.returncode == 2
    assert "--bulk wants a Claude model, not local" in run.stderr
