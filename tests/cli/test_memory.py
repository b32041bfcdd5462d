"""The memory, sessions and history from the command line, without any model."""

from __future__ import annotations

import json
import sqlite3
import subprocess
from pathlib import Path

import pytest
from command import data_of, t2s


@pytest.fixture
def shop(tmp_path: Path) -> str:
    path = tmp_path / "shop.db"
    with sqlite3.connect(path) as connection:
        connection.executescript(
            "CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT, country TEXT, status TEXT);"
            "INSERT INTO customers VALUES (1, 'Ann', 'Germany', 'a'), (2, 'Bo', 'France', 'x'), (3, 'Cy', 'Germany', 'x');"
        )
    return str(path)


def count(run: subprocess.CompletedProcess[str]) -> int:
    """The one number that was answered."""
    assert run.returncode == 0, run.stderr
    return int(run.stdout.split()[-1])


def test_a_taught_word_changes_the_next_answer_and_a_forgotten_one_does_not(shop: str) -> None:
    question = ["ask", "how many active customers?", "-d", shop, "--format", "csv"]
    assert t2s(*question).returncode == 1
    added = t2s("memory", "add", "active customer = customers.status = 'a'", "-d", shop)
    assert added.stdout.startswith("glossary ")
    assert count(t2s(*question)) == 1
    assert "“active customer” means customers.status = 'a'" in t2s(*question).stderr
    id_ = added.stdout.split()[1].rstrip(":")
    assert t2s("memory", "forget", id_, "-d", shop).stderr == "1 forgotten\n"
    assert t2s(*question).returncode == 1
    (path,) = (
        line.split()[0] for line in t2s("memory", "archive", "--verify").stdout.splitlines() if ".json.gz" in line
    )
    assert t2s("memory", "restore", path, "-d", shop).stderr == "1 restored, 0 were there\n"
    assert count(t2s(*question)) == 1


def test_a_corrected_answer_comes_back_right(shop: str) -> None:
    question = ["ask", "how many customers?", "-d", shop, "--format", "csv"]
    assert count(t2s(*question)) == 3
    right = "SELECT COUNT(*) FROM customers WHERE status <> 'x'"
    assert t2s("memory", "bad", "-d", shop, "--sql", right, "--why", "x is gone").returncode == 0
    again = t2s(*question)
    assert count(again) == 1
    assert "From memory: corrected by" in again.stderr or "From memory: verified by" in again.stderr
    assert t2s("memory", "bad", "-d", shop).returncode == 1  # neither the right SQL nor a reason


def test_locked_answers_from_verified_sql_only(shop: str) -> None:
    question = ["ask", "how many customers?", "-d", shop, "--format", "csv", "--locked"]
    refused = t2s(*question)
    assert refused.returncode == 1
    assert "no verified query answers this question" in refused.stderr
    t2s("memory", "add", "--question", "how many customers?", "--sql", "SELECT COUNT(*) FROM customers", "-d", shop)
    assert count(t2s(*question)) == 3


def test_a_preference_changes_a_later_answer(shop: str) -> None:
    t2s("memory", "add", "only customers.country = 'Germany'", "-d", shop)
    run = t2s("ask", "how many customers?", "-d", shop, "--format", "csv")
    assert count(run) == 2
    assert "as you prefer" in run.stderr
    assert count(t2s("ask", "how many customers?", "-d", shop, "--format", "csv", "--no-memory")) == 3


def test_list_search_show_and_stats(shop: str) -> None:
    t2s("memory", "add", "active customer = customers.status = 'a'", "-d", shop)
    t2s("memory", "add", "--question", "all names", "--sql", "SELECT name FROM customers", "--golden", "-d", shop)
    t2s("memory", "add", "the ISO name", "--note", "customers.country", "-d", shop)
    listed = data_of(t2s("memory", "list", "-d", shop, "--json"))
    assert [m["kind"] for m in listed] == ["schema", "query", "glossary"]
    assert [m["kind"] for m in data_of(t2s("memory", "list", "-d", shop, "--kind", "query", "--json"))] == ["query"]
    (best, *_) = data_of(t2s("memory", "search", "who counts as active?", "-d", shop, "--json"))
    assert best["data"]["term"] == "active customer"
    shown = data_of(t2s("memory", "show", best["id"][:6], "-d", shop))
    assert shown["columns"] == ["customers.status"]
    stats = data_of(t2s("memory", "stats", "-d", shop, "--json"))
    assert (stats["index_behind"], stats["stale"], stats["embedder"]) == (0, 0, "lexical-1")
    assert data_of(t2s("memory", "growth", "-d", shop, "--json"))[0]["long"] == 3
    for command in ("promote", "consolidate", "prune", "reindex", "work"):
        assert t2s("memory", command).returncode == 0, command


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["memory", "add", "VIP = customers.idd < 3"], 1, "there is no column idd in customers; did you mean id?"),
        (["memory", "add"], 2, "there is nothing to remember"),
        (["memory", "add", "--question", "x"], 2, "needs --question and --sql"),
        (["memory", "add", "--question", "x", "--sql", "DROP TABLE customers"], 1, "cannot be learned"),
        (["memory", "add", "password = hunter2222"], 1, "looks like a key or password"),
        (["memory", "show", "nope"], 1, "there is no memory 'nope'"),
        (["memory", "forget"], 2, "which memory?"),
        (["memory", "forget", "--everything"], 2, "this cannot be undone"),
        (["memory", "list", "--kind", "poem"], 2, "there is no kind 'poem'"),
        (["memory", "good"], 2, "there is no answer yet"),
        (["memory", "import", "nope.yaml"], 2, "cannot read nope.yaml: No such file"),
        (["memory", "restore", "x/y.json.gz"], 70, "cannot be read"),
    ],
)
def test_bad_input_gets_one_clear_line(shop: str, arguments: list[str], code: int, message: str) -> None:
    run = t2s(*arguments, *(["-d", shop] if arguments[1] != "archive" else []))
    assert run.returncode == code, run.stderr
    assert message in run.stderr
    assert len(run.stderr.splitlines()) <= 2


def test_knowledge_goes_from_one_home_to_another(shop: str, tmp_path: Path) -> None:
    t2s("memory", "add", "active customer = customers.status = 'a'", "-d", shop)
    file = tmp_path / "team.yaml"
    assert t2s("memory", "export", str(file), "-d", shop).returncode == 0
    other = {"T2S_HOME": str(tmp_path / "other")}
    for said in ("1 learned, 0 known already", "0 learned, 1 known already"):
        assert said in t2s("memory", "import", str(file), "-d", shop, env=other).stderr
    assert count(t2s("ask", "how many active customers?", "-d", shop, "--format", "csv", env=other)) == 1
    file.write_text(file.read_text().replace("'a'", "'x'"))
    conflict = t2s("memory", "import", str(file), "-d", shop, env=other)
    assert conflict.returncode == 1
    assert conflict.stdout.startswith("conflict: glossary 'active customer'")
    assert t2s("memory", "import", "-", "--replace", "-d", shop, env=other, stdin=file.read_text()).returncode == 0


def test_sessions_are_listed_renamed_resumed_exported_and_deleted(shop: str) -> None:
    for question in ("how many customers?", "customers by country"):
        assert t2s("ask", question, "-d", shop, "--session", "march", "-q").returncode == 0
    (session,) = data_of(t2s("session", "list", "--json"))
    assert (session["title"], session["turns"], session["active"]) == ("march", 2, True)
    assert t2s("session", "rename", "march", "april").returncode == 0
    assert "there is no session 'march'; " not in t2s("session", "show", "march").stderr
    assert t2s("session", "show", "aprl").stderr.splitlines()[1].strip() == "did you mean april?"
    shown = t2s("session", "show", "april")
    assert "how many customers?" in shown.stdout
    assert "ORDER BY" in shown.stderr
    assert t2s("session", "end", "april").returncode == 0
    work = t2s("memory", "work", "-d", shop)
    assert sorted(line.split()[1:] for line in work.stdout.splitlines()) == [
        ["archive", "completed"],
        ["summarise", "completed"],
    ]
    exported = json.loads(t2s("session", "export", "april").stdout)
    assert [turn["question"] for turn in exported["turns"]] == ["how many customers?", "customers by country"]
    assert {m["kind"] for m in exported["memories"]} >= {"conversation", "summary"}
    assert t2s("session", "resume", "april").returncode == 0
    assert data_of(t2s("session", "list", "--json"))[0]["active"] is True
    assert t2s("session", "delete", "april", "--yes").returncode == 0
    assert data_of(t2s("session", "list", "--json")) == []
    assert ".json.gz" not in t2s("memory", "archive").stdout


def test_a_refresh_of_the_schema_names_the_memories_that_no_longer_fit(shop: str) -> None:
    t2s("memory", "add", "active customer = customers.status = 'a'", "-d", shop)
    with sqlite3.connect(shop) as connection:
        connection.execute("ALTER TABLE customers DROP COLUMN status")
    refreshed = t2s("schema", "refresh", "-d", shop)
    assert "! stale: active customer = customers.status = 'a'" in refreshed.stdout.splitlines()
    assert data_of(t2s("memory", "stats", "-d", shop, "--json"))["stale"] == 1


def test_history_tells_who_did_what(shop: str) -> None:
    t2s("ask", "how many customers?", "-d", shop, "-q")
    t2s("memory", "good", "-d", shop)
    actions = data_of(t2s("history", "list", "--json"))
    assert [entry["action"] for entry in actions] == ["accept", "ask"]
    assert actions[1]["details"]["question"] == "how many customers?"
    assert [e["action"] for e in data_of(t2s("history", "list", "--action", "ask", "--json"))] == ["ask"]
    assert data_of(t2s("history", "list", "--since", "2999-01-01", "--json")) == []
    summary = data_of(t2s("history", "summary", "--json"))
    assert (summary["total"], summary["days"]) == (2, 1)


def test_everything_of_a_user_can_be_exported_and_forgotten(shop: str, tmp_path: Path) -> None:
    t2s("ask", "how many customers called Annabella?", "-d", shop, "--session", "s")
    t2s("memory", "add", "I prefer Annabella", "-d", shop)
    everything = json.loads(t2s("memory", "export", "--everything").stdout)
    assert everything["memories"]
    assert everything["turns"]
    assert t2s("memory", "forget", "--everything", "--yes").returncode == 0
    home = tmp_path / "t2s"
    kept = [file for file in home.rglob("*") if file.is_file() and b"Annabella" in file.read_bytes()]
    assert kept == []
