"""`t2s usage`: every call in every view, what was saved, what the month will cost."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from claude_server import ClaudeServer
from command import data_of, t2s

QUESTIONS = ("how many customers are there?", "how many customers live here?", "number of customers?")


@pytest.fixture
def server() -> Iterator[ClaudeServer]:
    with ClaudeServer() as running:
        running.always_sql("SELECT count(*) FROM customers")
        yield running


@pytest.fixture
def asked(server: ClaudeServer, sample: Path) -> dict[str, str]:
    """The environment of someone who asked three questions in a conversation, and one of them again by itself."""
    env = {
        "T2S_MODEL": "claude-sonnet-5-5",
        "ANTHROPIC_API_KEY": "sk-ant-secret-0123456789",
        "ANTHROPIC_BASE_URL": server.url,
        "T2S_USER": "ann",
        "T2S_DB": str(sample),
    }
    for question in QUESTIONS:
        assert t2s("ask", question, "--session", "march", env=env).returncode == 0
    for _ in range(2):
        assert t2s("ask", "how many?", env=env).returncode == 0
    return env


def test_every_view_adds_up_to_what_the_server_counted(server: ClaudeServer, asked: dict[str, str]) -> None:
    counted = server.counted
    for by in ("session", "day", "model", "user", "purpose"):
        rows = data_of(t2s("usage", "--by", by, "--json", env=asked))["rows"]
        assert sum(row["input_tokens"] for row in rows) == counted["input_tokens"]
        assert sum(row["cache_write_tokens"] for row in rows) == counted["cache_creation_input_tokens"]
        assert sum(row["cache_read_tokens"] for row in rows) == counted["cache_read_input_tokens"]
        assert sum(row["output_tokens"] for row in rows) == counted["output_tokens"]
    assert data_of(t2s("usage", "--user", "bob", "--json", env=asked))["rows"] == []


def test_what_was_saved_and_how_far_estimates_are_off(server: ClaudeServer, asked: dict[str, str]) -> None:
    data = data_of(t2s("usage", "--by", "model", "--json", env=asked))
    written, read = (server.counted[f"cache_{kind}_input_tokens"] for kind in ("creation", "read"))
    assert data["saved"]["prompt_cache"]["cost_usd"] == pytest.approx((read * 1.9 - written * 0.5) / 1e6)
    assert data["saved"]["cache"]["calls"] == 1  # the question that was asked again
    assert 0 < data["saved"]["cache"]["cost_usd"] < 0.01
    known = data["estimates"]["claude-sonnet-5-5"]
    assert known["calls"] == 4
    assert 0 < known["mean_error"] < 0.5
    assert f"{known['mean_error']:.1%}" in t2s("usage", "--by", "model", env=asked).stdout


def test_a_verified_query_saves_a_call(server: ClaudeServer, asked: dict[str, str]) -> None:
    assert t2s("memory", "good", env=asked).returncode == 0
    calls = len(server.requests)
    assert t2s("ask", "how many?", env=asked).returncode == 0
    assert len(server.requests) == calls
    saved = data_of(t2s("usage", "--json", env=asked))["saved"]["memory"]
    assert saved["calls"] == 1
    assert saved["cost_usd"] > 0


def test_each_format_is_what_it_is_called(asked: dict[str, str]) -> None:
    def shown(format: str) -> str:
        return t2s("usage", "--by", "session", "--format", format, env=asked).stdout

    assert {row["title"] for row in csv.DictReader(io.StringIO(shown("csv")))} == {"march", ""}
    assert [row["calls"] for row in json.loads(shown("json"))] == [3, 1]
    assert shown("markdown").startswith("| session | title | calls |")
    assert "march" in shown("chart")
    table = t2s("usage", env=asked)
    assert "prompt caching saved $0.0" in table.stderr
    assert "kept answers saved 1 call, $0.0" in table.stderr
    assert "too early to say more" in table.stderr


def test_nothing_used_is_no_error() -> None:
    run = t2s("usage", "--days", "3")
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "no model was called in the last 3 days\n")
    assert json.loads(t2s("usage", "--format", "json").stdout) == []
