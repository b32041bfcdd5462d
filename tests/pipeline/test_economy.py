"""Little is left of a budget: the economical model answers, then the local generator, and it is always said."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from claude_server import ClaudeServer

from t2s.errors import BudgetRefused, BudgetSpent
from t2s.ledger.sessions import list_actions
from t2s.types.event import Event, Switched
from t2s.types.query import Answer
from t2s.types.usage import Usage
from t2s.workspace import Workspace

SONNET, HAIKU = "claude-sonnet-5-5", "claude-haiku-5-5"
QUESTION = "how many customers are there?"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ClaudeServer]:
    with ClaudeServer() as running:
        running.always_sql("SELECT count(*) FROM customers")
        monkeypatch.setenv("ANTHROPIC_BASE_URL", running.url)
        monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-test")
        yield running


def spend(ws: Workspace, tokens: int, cost: float) -> None:
    """Use so much of the budgets beforehand."""
    meter = ws.meter("before")
    hold = meter.reserve(model=SONNET, tokens=tokens, cost_usd=cost)
    used = Usage(model=SONNET, input_tokens=tokens, cost_usd=cost)
    meter.settle(hold, used, purpose="generate", latency_ms=1, outcome="ok")


def ask(
    sample: Path, *, used: tuple[int, float], question: str = QUESTION, **budget: object
) -> tuple[Answer, list[Event]]:
    events: list[Event] = []
    flags = {"model": SONNET, **{f"budget.{name}": value for name, value in budget.items()}}
    with Workspace.open(str(sample), flags=flags, on_event=events.append) as ws:
        spend(ws, *used)
        answer = ws.ask(question)
        recorded = list_actions(ws.ledger, user=ws.config.settings.user, action="switch")
        kept = [action.details["model"] for action in recorded if action.details["run_id"] == answer.run_id]
    assert sorted(kept) == sorted(model for model, _ in switched(events))
    return answer, events


def switched(events: list[Event]) -> list[tuple[str, str]]:
    return [(event.model, event.because) for event in events if isinstance(event, Switched)]


def test_the_chosen_model_answers_while_enough_is_left(server: ClaudeServer, sample: Path) -> None:
    answer, events = ask(sample, used=(1000, 0.5), day_usd=1.0)
    assert answer.usage.model == SONNET
    assert switched(events) == []


def test_below_a_fifth_the_economical_model_answers(server: ClaudeServer, sample: Path) -> None:
    answer, events = ask(sample, used=(1000, 0.85), day_usd=1.0)
    assert answer.usage.model == HAIKU
    assert [body["model"] for body in server.requests] == [HAIKU]
    (notice,) = (event for event in events if isinstance(event, Switched))
    assert notice.message == "only $0.1500 left today; answering with claude-haiku-5-5"


def test_what_only_the_economical_model_can_do_it_does(server: ClaudeServer, sample: Path) -> None:
    answer, events = ask(sample, used=(1000, 0.06), day_usd=0.09)  # a third is left, and the other may take $0.05
    assert answer.usage.model == HAIKU
    assert switched(events) == [(HAIKU, "budget")]


def test_when_nothing_fits_the_local_generator_answers(server: ClaudeServer, sample: Path) -> None:
    answer, events = ask(sample, used=(1000, 0.0899999), day_usd=0.09)
    assert answer.usage.model == "local"
    assert answer.result is not None
    assert answer.result.rows == [(400,)]
    assert switched(events) == [(HAIKU, "budget"), ("local", "budget")]
    assert server.requests == []


def test_a_budget_in_tokens_is_a_budget_too(server: ClaudeServer, sample: Path) -> None:
    assert ask(sample, used=(90_000, 0.0), day_tokens=100_000, request_tokens="off")[0].usage.model == HAIKU
    assert (
        ask(sample, used=(9_999, 0.0), question="how many orders are there?", session_tokens=10_000)[0].usage.model
        == "local"
    )


def test_it_can_be_turned_off(server: ClaudeServer, sample: Path) -> None:
    answer, events = ask(sample, used=(1000, 0.85), day_usd=1.0, economise=False)
    assert answer.usage.model == SONNET
    assert switched(events) == []


def test_turned_off_the_refusal_says_how_to_raise_the_limit(server: ClaudeServer, sample: Path) -> None:
    with pytest.raises(BudgetSpent, match=r"day_usd would be passed: \$0.0800 of \$0.0900 is used") as caught:
        ask(sample, used=(1000, 0.08), day_usd=0.09, economise=False)
    assert "t2s budget set day 0.18usd" in (caught.value.hint or "")
    assert server.requests == []


def test_what_has_no_price_and_what_is_too_large_at_once_stay_refused(server: ClaudeServer, sample: Path) -> None:
    with pytest.raises(BudgetRefused, match="request_tokens"):
        ask(sample, used=(10, 0.0), request_tokens=100)
    with (
        Workspace.open(str(sample), flags={"model": "claude-strange-1", "budget.day_usd": 1}) as ws,
        pytest.raises(BudgetRefused, match="claude-strange-1 has no known price") as caught,
    ):
        ws.ask(QUESTION)
    assert '[prices."claude-strange-1"]' in (caught.value.hint or "")


def test_an_answer_of_the_economical_model_is_not_kept_as_the_other_ones(server: ClaudeServer, sample: Path) -> None:
    ask(sample, used=(1000, 0.85), day_usd=1.0)
    answer, _ = ask(sample, used=(0, 0.0), day_usd=1000.0)
    assert answer.usage.model == SONNET
    assert [body["model"] for body in server.requests] == [HAIKU, SONNET]
    again, events = ask(sample, used=(1000, 100.0), day_usd=101.0)
    assert (again.usage.calls, switched(events)) == (0, [])  # what is known costs nothing, however little is left
