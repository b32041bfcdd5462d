"""On a real terminal: progress that goes away, colours, a choice that is asked, hostile values that stay harmless."""

from __future__ import annotations

import os
import sqlite3
import sys
from pathlib import Path

import pexpect
import pytest
from claude_server import ClaudeServer, Turn, sql_answer


def spawn(*arguments: str, env: dict[str, str] | None = None, columns: int = 100) -> pexpect.spawn[str]:
    merged = {**os.environ, "T2S_MODEL": "local", "TERM": "xterm-256color", **(env or {})}
    merged.pop("NO_COLOR", None)
    return pexpect.spawn(
        sys.executable,
        ["-m", "t2s", *arguments],
        env=merged,
        dimensions=(24, columns),
        encoding="utf-8",
        timeout=30,
    )


def claude(server: ClaudeServer) -> dict[str, str]:
    return {"T2S_MODEL": "claude-haiku-5-5", "ANTHROPIC_API_KEY": "sk-test", "ANTHROPIC_BASE_URL": server.url}


def test_an_answer_in_colour_and_the_progress_is_wiped(sample: Path) -> None:
    with ClaudeServer() as server:
        server.default = lambda _: Turn(text=sql_answer("SELECT city FROM customers LIMIT 1"), delay_s=1.5)
        child = spawn("ask", "a city", "-d", str(sample), env=claude(server))
        child.expect("asking")
        child.expect(r"\r\x1b\[K")
        child.expect(r"\x1b\[\d+")
        child.expect(r"\(1 row\)")
        child.expect(pexpect.EOF)
        child.close()
        assert child.exitstatus == 0


def test_no_color_means_none(sample: Path) -> None:
    child = spawn("ask", "how many customers are there?", "-d", str(sample), "--no-color")
    shown = child.read()
    assert "400" in shown
    assert "\x1b[3" not in shown


def test_a_clarifying_question_is_asked_as_a_choice(sample: Path) -> None:
    asked = Turn(text=sql_answer("", outcome="clarify", clarifying_question="Which year?", choices=["2024", "2025"]))
    with ClaudeServer(asked, Turn(text=sql_answer("SELECT 2025 AS year"))) as server:
        child = spawn("ask", "revenue", "-d", str(sample), env=claude(server))
        child.expect("Which year")
        child.expect("Which one")
        child.sendline("9")
        child.expect("Which one")
        child.sendline("2")
        child.expect("2025")
        child.expect(pexpect.EOF)
        assert "2025" in server.requests[-1]["messages"][-1]["content"]


def test_ctrl_c_at_a_question_ends_with_130(sample: Path) -> None:
    asked = Turn(text=sql_answer("", outcome="clarify", clarifying_question="Which year?", choices=["2024", "2025"]))
    with ClaudeServer(asked) as server:
        child = spawn("ask", "revenue", "-d", str(sample), env=claude(server))
        child.expect("Which one")
        child.sendintr()
        child.expect("cancelled")
        child.expect(pexpect.EOF)
        child.close()
        assert child.exitstatus == 130


@pytest.mark.parametrize("format", ["table", "csv", "json", "markdown"])
def test_hostile_values_cannot_speak_to_the_terminal(tmp_path: Path, format: str) -> None:
    path = tmp_path / "evil.db"
    with sqlite3.connect(path) as db:
        db.execute('CREATE TABLE "t" (a TEXT)')
        db.execute("INSERT INTO t VALUES (?)", ("\x1b]0;pwned\x07\x1b[2Jvisible",))
    db.close()
    shown = spawn("sql", "run", "SELECT a FROM t", "-d", str(path), "-f", format).read()
    assert "visible" in shown
    assert "\x1b]0" not in shown
    assert "\x1b[2J" not in shown
