"""The REPL on a real terminal: keys, completion, choices, Ctrl-C, lost connections."""

from __future__ import annotations

import os
import re
import sqlite3
import sys
from pathlib import Path

import pexpect
import pytest
from claude_server import ClaudeServer, Turn, sql_answer

SLOW = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000000) SELECT count(*) FROM n"


def repl(*arguments: str, env: dict[str, str] | None = None, columns: int = 80) -> pexpect.spawn[str]:
    """A REPL in a terminal of 24 lines that answers no questions about itself."""
    merged = {
        **os.environ,
        "T2S_MODEL": "local",
        "TERM": "xterm",
        "PROMPT_TOOLKIT_NO_CPR": "1",
        "PAGER": "cat",
        **(env or {}),
    }
    child = pexpect.spawn(
        sys.executable, ["-m", "t2s", *arguments], env=merged, dimensions=(24, columns), encoding="utf-8", timeout=90
    )
    child.expect(">")
    return child


def claude(server: ClaudeServer) -> dict[str, str]:
    return {"T2S_MODEL": "claude-haiku-5-5", "ANTHROPIC_API_KEY": "sk-test", "ANTHROPIC_BASE_URL": server.url}


def leave(child: pexpect.spawn[str]) -> str:
    """Leave with Ctrl-D at the next prompt; gives all that was still said."""
    child.expect(r">\x1b\[0m")
    child.sendeof()
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0
    return str(child.before)


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A SQLite file with a table of one row."""
    path = tmp_path / "small.db"
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE planets (name TEXT, moons INTEGER)")
        db.execute("INSERT INTO planets VALUES ('火星', 2)")
    db.close()
    return path


def test_a_conversation_from_the_prompt_to_its_summary(sample: Path) -> None:
    child = repl("--db", str(sample))
    child.send("how many customers are there?\r")
    child.expect("400")
    child.expect("confidence")
    child.expect("values")  # the privacy level stands in the prompt
    said = leave(child)
    assert "1 question" in said
    assert "t2s --resume 'how many customers are there?'" in said


def test_tab_completes_a_table(small: Path) -> None:
    child = repl("--db", str(small))
    child.send("\r")
    child.expect("values")
    child.send("SELECT * FROM pla")
    child.expect("planets")
    child.send("\t\r")
    child.expect("火星")
    leave(child)


def test_enter_in_open_sql_begins_a_line(small: Path) -> None:
    child = repl("--db", str(small))
    child.send("SELECT count(\r*) + 40 FROM planets\r")
    child.expect("41")
    leave(child)


def test_a_paste_of_several_lines_is_one_entry(small: Path) -> None:
    child = repl("--db", str(small))
    child.send("\x1b[200~SELECT moons + 100\nFROM planets\x1b[201~")
    child.send("\r")
    child.expect("102")
    leave(child)


def test_ctrl_c_empties_the_line_and_stops_what_runs_but_never_the_program(small: Path) -> None:
    child = repl("--db", str(small))
    child.send("SELECT 1 FROM nonsense")
    child.sendintr()
    child.send(SLOW + "\r")
    child.expect("running")
    child.sendintr()
    child.expect("cancelled")
    child.send("SELECT moons + 5 FROM planets\r")
    child.expect("7")
    leave(child)


def test_ctrl_c_stops_a_model_that_does_not_answer(small: Path) -> None:
    with ClaudeServer() as server:
        slow = Turn(text=sql_answer("SELECT 1"), delay_s=20)
        quick = Turn(text=sql_answer("SELECT 77 AS n"))
        server.default = lambda body: slow if "planets?" in body["messages"][-1]["content"] else quick
        child = repl("--db", str(small), env=claude(server))
        child.send("how many planets?\r")
        child.expect("asking")
        child.sendintr()
        child.expect("cancelled")
        child.send("how many moons?\r")
        child.expect("77")
        leave(child)


def test_a_clarifying_question_is_a_choice(small: Path) -> None:
    asked = Turn(text=sql_answer("", outcome="clarify", clarifying_question="Which moons?", choices=["big", "small"]))
    with ClaudeServer(asked, Turn(text=sql_answer("SELECT 2 AS moons"))) as server:
        child = repl("--db", str(small), env=claude(server))
        child.send("how many moons?\r")
        child.expect("1. big")
        child.expect("Which one")
        child.send("7\r")
        child.expect("Which one")
        child.send("2\r")
        child.expect("1 row")
        leave(child)
        assert "small" in server.requests[-1]["messages"][-1]["content"]


def test_bad_asks_what_was_wrong_and_tries_again(small: Path) -> None:
    with ClaudeServer(Turn(text=sql_answer("SELECT 1 AS n"))) as server:
        server.always_sql("SELECT 99 AS n")
        child = repl("--db", str(small), env=claude(server))
        child.send("how many moons?\r")
        child.expect("1 row")
        child.send("/bad\r")
        child.expect("What was wrong")
        child.send("it is ninety-nine\r")
        child.expect("The right SQL")
        child.send("\r")
        child.expect("Ask again")
        child.send("\r")
        child.expect("99")
        assert "learned 1 correction" in leave(child)
        assert "it is ninety-nine" in str(server.requests[-1])


def test_a_budget_is_set_for_the_conversation_that_goes_on(small: Path) -> None:
    with ClaudeServer(Turn(text=sql_answer("SELECT name FROM planets"))) as server:
        child = repl("--db", str(small), env=claude(server), columns=120)
        child.send("which planets?\r")
        child.expect("火星")
        child.send("/budget set session 0.00001usd\r")
        child.expect("budget.session_usd = 1e-05 in")
        child.send("/budget\r")
        child.expect(r"session_usd +\$0.000010")
        child.send("which planets have moons?\r")
        child.expect("answering with local")
        leave(child)


def test_a_lost_connection_is_made_anew(postgres_url: str) -> None:
    import psycopg

    with psycopg.connect(postgres_url, autocommit=True) as db:
        db.execute("CREATE TABLE planets (name text)")
        child = repl("--db", postgres_url)
        child.send("SELECT 41 + 1 AS n\r")
        child.expect("42")
        db.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()"
        )
        child.send("SELECT 50 + 1 AS n\r")
        child.expect("51")
        leave(child)


def test_a_database_that_cannot_be_opened_leaves_the_prompt(small: Path, tmp_path: Path) -> None:
    child = repl("--db", "nowhere.db")
    child.send("how many?\r")
    child.expect("no such file")
    child.send(f"/db {small}\r")
    child.expect("1 table")
    child.send("SELECT moons + 5 FROM planets\r")
    child.expect("7")
    leave(child)


def test_without_colours_there_are_none(small: Path) -> None:
    child = repl("--db", str(small), "--no-color")
    child.send("SELECT name FROM planets\r")
    child.expect("1 row")
    shown = str(child.before) + leave(child)
    assert not re.search(r"\x1b\[[0-9;]*3[0-8]m", shown)


def test_the_history_knows_no_password(tmp_path: Path) -> None:
    child = repl()
    child.send("/db postgresql://me:hunter2@127.0.0.1:1/x\r")
    child.expect("answers at")
    leave(child)
    kept = [path.read_text() for path in (tmp_path / "t2s" / "entries").iterdir()]
    assert any("postgresql://me" in text for text in kept)
    assert not any("hunter2" in text for text in kept)
    assert all(path.stat().st_mode & 0o077 == 0 for path in (tmp_path / "t2s" / "entries").iterdir())


def test_vi_keys(small: Path) -> None:
    child = repl("--db", str(small), env={"T2S_REPL_KEYS": "vi"})
    child.send("SELECT 1 AS n\x1b0wcw55\r")
    child.expect("55")
    leave(child)


def test_hostile_values_cannot_speak_to_the_terminal(tmp_path: Path) -> None:
    path = tmp_path / "evil.db"
    with sqlite3.connect(path) as db:
        db.execute('CREATE TABLE "t" (a TEXT)')
        db.execute("INSERT INTO t VALUES (?)", ("\x1b]0;pwned\x07visible",))
    db.close()
    child = repl("--db", str(path))
    child.send("SELECT a FROM t\r")
    child.expect("1 row")
    assert "visible" in str(child.before)
    assert "\x1b]0;pwned" not in str(child.before) + leave(child)
