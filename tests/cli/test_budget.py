"""`t2s budget`: shown, set, said in plain words where an amount is none."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from claude_server import ClaudeServer
from command import data_of, t2s


@pytest.fixture
def server() -> Iterator[ClaudeServer]:
    with ClaudeServer() as running:
        running.always_sql("SELECT count(*) FROM customers")
        yield running


def claude(server: ClaudeServer, **more: str) -> dict[str, str]:
    key = {"ANTHROPIC_API_KEY": "sk-ant-secret-0123456789", "ANTHROPIC_BASE_URL": server.url}
    return {"T2S_MODEL": "claude-sonnet-5-5", "T2S_PROVIDER_RETRIES": "0", **key, **more}


def shown(*arguments: str, env: dict[str, str] | None = None) -> dict[str, dict[str, float]]:
    return {one["name"]: one for one in data_of(t2s("budget", "show", "--json", *arguments, env=env))["budgets"]}


def test_the_budgets_say_what_was_used(server: ClaudeServer, sample: Path) -> None:
    env = claude(server, T2S_BUDGET_SESSION_USD="1", T2S_BUDGET_DAY_USD="2")
    t2s("ask", "how many customers?", "-d", str(sample), "--session", "march", env=env)
    used = sum(server.counted.values())
    budgets = shown("--session", "march", env=env)
    assert budgets["day_tokens"]["used"] == used
    assert budgets["day_tokens"]["left"] == 1_000_000 - used
    assert budgets["day_usd"]["used"] == budgets["session_usd"]["used"] > 0
    assert {one["reserved"] for one in budgets.values()} == {0}
    assert "day_usd" in t2s("budget", env=env).stdout
    assert shown("--user", "someone else", env=env)["day_tokens"]["used"] == 0


@pytest.mark.parametrize(
    ("words", "name", "limit"),
    [
        (["day", "2usd"], "day_usd", 2.0),
        (["day", "$0.50"], "day_usd", 0.5),
        (["session", "3", "usd"], "session_usd", 3.0),
        (["day", "500k"], "day_tokens", 500_000),
        (["request", "20,000"], "request_tokens", 20_000),
        (["session", "1.5m"], "session_tokens", 1_500_000),
    ],
)
def test_a_limit_is_set_in_the_config_file(words: list[str], name: str, limit: float) -> None:
    run = t2s("budget", "set", *words)
    assert run.returncode == 0, run.stderr
    assert f"budget.{name} = " in run.stderr
    assert shown()[name]["limit"] == limit


def test_a_limit_can_be_taken_away_and_the_rest_of_the_file_stays(tmp_path: Path) -> None:
    config = tmp_path / "t2s" / "config.toml"
    config.parent.mkdir()
    config.write_text("# mine\nlimit = 7\n[budget]\nday_usd = 1.0 # enough\n")
    t2s("budget", "set", "request", "off")
    assert set(shown()) == {"day_tokens", "day_usd"}
    assert config.read_text().startswith("# mine\nlimit = 7\n[budget]\nday_usd = 1.0 # enough\n")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["day", "abc"], "'abc' is no amount"),
        (["day", "2"], "2 of what?"),
        (["day", "0.5tokens"], "no number of tokens"),
        (["day", "$5tokens"], "in USD and in tokens"),
        (["week", "2usd"], "'week' is not one of"),
        (["day"], "missing argument"),
    ],
)
def test_what_is_no_amount_is_said(words: list[str], said: str, tmp_path: Path) -> None:
    run = t2s("budget", "set", *words)
    assert run.returncode == 2
    assert said in run.stderr
    assert not (tmp_path / "t2s" / "config.toml").exists()


def test_what_overrules_the_file_is_named() -> None:
    run = t2s("budget", "set", "day", "2usd", env={"T2S_BUDGET_DAY_USD": "1"})
    assert "T2S_BUDGET_DAY_USD is set, too, and overrules it" in run.stderr
