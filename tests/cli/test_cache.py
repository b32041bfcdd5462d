"""`t2s cache`: what is kept, what it saved, and whether it is whole."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from claude_server import ClaudeServer
from command import data_of, t2s


@pytest.fixture
def env(sample: Path) -> Iterator[dict[str, str]]:
    """The environment of someone who asked the same thing four times."""
    with ClaudeServer() as server:
        server.always_sql("SELECT count(*) FROM customers")
        key = {"ANTHROPIC_API_KEY": "sk-ant-secret-0123456789", "ANTHROPIC_BASE_URL": server.url}
        given = {**key, "T2S_MODEL": "claude-haiku-5-5", "T2S_DB": str(sample)}
        for _ in range(4):
            assert t2s("ask", "how many customers?", env=given).returncode == 0
        assert len(server.requests) == 1
        yield given


def test_what_is_kept_is_counted_checked_and_cleared(env: dict[str, str], tmp_path: Path) -> None:
    told = data_of(t2s("cache", "stats", "--json", env=env))
    assert told["caches"]["answers"]["entries"] == 1
    assert told["caches"]["schemas"]["entries"] == 2  # a schema, and the values of its text columns
    assert (told["answers_hits"], told["answers_asked"], told["hit_rate"]) == (3, 4, 0.75)
    assert "3 of 4 answers were kept ones (75%)" in t2s("cache", "stats", env=env).stderr

    assert t2s("cache", "check", env=env).stdout == "answers: 1 good\nschemas: 2 good\n"
    (file,) = (tmp_path / "t2s" / "cache").iterdir()
    file.write_text("{")
    run = t2s("cache", "check", env=env)
    assert run.returncode == 1
    assert f"damaged: {file}" in run.stdout
    assert "--repair removes them" in run.stderr
    assert data_of(t2s("cache", "check", "--json", env=env))["damaged"] == [str(file)]
    assert t2s("cache", "check", "answers", "--repair", env=env).returncode == 0
    assert t2s("cache", "check", "answers", env=env).stdout == "answers: empty\n"

    assert t2s("cache", "clear", env=env).stderr == "answers: 0 entries removed\nschemas: 2 entries removed\n"


def test_what_is_no_cache_is_said() -> None:
    run = t2s("cache", "clear", "everything")
    assert run.returncode == 2
    assert "'everything' is not one of 'answers', 'schemas'" in run.stderr


def test_keeping_answers_can_be_turned_off(env: dict[str, str]) -> None:
    t2s("cache", "clear", env=env)
    t2s("ask", "how many customers?", env={**env, "T2S_CACHE_ANSWERS": "false"})
    assert data_of(t2s("cache", "stats", "--json", env=env))["caches"]["answers"]["entries"] == 0
