"""Prices by hand, estimates against invariants."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from t2s.caches import DiskCache, Recent
from t2s.errors import ProviderError
from t2s.llm import cost_usd, estimate_tokens, known_models, model_info
from t2s.llm.attempt import AttemptFailed
from t2s.llm.cache import Cached
from t2s.llm.replay import Recorded, replay
from t2s.settings import PriceSettings
from t2s.types.event import Event, ignore
from t2s.types.llm import Message, Reply, Request
from t2s.types.usage import Usage

REQUEST = Request(model="m", system=(), messages=(Message(role="user", text="hi"),), max_tokens=10)


def test_a_call_costs_what_the_table_says() -> None:
    cost = cost_usd(
        "claude-sonnet-5-5", {}, input_tokens=1000, output_tokens=100, cache_write_tokens=2000, cache_read_tokens=4000
    )
    assert cost == pytest.approx((1000 * 2 + 100 * 10 + 2000 * 2.5 + 4000 * 0.10) / 1e6)


def test_a_long_prompt_makes_all_of_haiku_dearer() -> None:
    short = cost_usd("claude-haiku-5-5", {}, input_tokens=100_000, output_tokens=1000)
    long = cost_usd("claude-haiku-5-5", {}, input_tokens=100_001, output_tokens=1000)
    assert short == pytest.approx((100_000 * 0.10 + 1000 * 0.50) / 1e6)
    assert long == pytest.approx((100_001 * 0.50 + 1000 * 2.50) / 1e6)


def test_an_unknown_model_is_unpriced_until_the_settings_price_it() -> None:
    assert cost_usd("openai:mine", {}, input_tokens=1, output_tokens=1) is None
    prices = {"openai:mine": PriceSettings(input=1, output=2)}
    assert cost_usd("openai:mine", prices, input_tokens=1_000_000, output_tokens=1_000_000) == pytest.approx(3)


def test_a_dated_id_is_its_model_and_every_model_is_whole() -> None:
    assert model_info("claude-sonnet-5-5-20261007") is model_info("claude-sonnet-5-5")
    for info in known_models().values():
        assert 0 < info.price.cache_read < info.price.input < info.price.output
        assert info.max_output < info.context


@given(st.integers(0, 90_000), st.integers(0, 90_000), st.sampled_from(sorted(known_models())))
def test_costs_add_up(a: int, b: int, model: str) -> None:
    one = cost_usd(model, {}, input_tokens=0, output_tokens=a) or 0
    two = cost_usd(model, {}, input_tokens=0, output_tokens=b) or 0
    assert cost_usd(model, {}, input_tokens=0, output_tokens=a + b) == pytest.approx(one + two)


@given(st.text(max_size=300), st.text(max_size=300))
def test_more_text_is_never_fewer_tokens(a: str, b: str) -> None:
    assert estimate_tokens(a + " " + b, "claude-sonnet-5-5") >= estimate_tokens(a, "claude-sonnet-5-5") - 2


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [("SELECT name, city FROM customers WHERE id = 12", 10, 25), ("上海有多少客户下过订单", 8, 20), ("", 0, 0)],
)
def test_an_estimate_is_about_right(text: str, low: int, high: int) -> None:
    assert low <= estimate_tokens(text, "claude-sonnet-5-5") <= high


class Counting:
    """An LLM that counts how often it is asked."""

    calls = 0

    def complete(self, request: Request, on_event: object) -> Reply:
        self.calls += 1
        usage = Usage(model=request.model, input_tokens=5, cost_usd=0.1, calls=1)
        return Reply(text=f"answer {self.calls}", stop_reason="end_turn", usage=usage, latency_ms=1)


def cached(llm: Counting, folder: Path) -> Cached:
    """As a new process would have it."""
    disk = DiskCache(folder=folder, max_age_s=60, max_bytes=100_000)
    return Cached(llm, disk, Recent(10, 60))


def test_a_repeated_request_is_answered_from_disk_at_no_cost(tmp_path: Path) -> None:
    llm = Counting()
    first = cached(llm, tmp_path).complete(REQUEST, ignore)
    again = cached(llm, tmp_path).complete(REQUEST, ignore)
    assert llm.calls == 1
    assert again.text == first.text
    assert (again.usage.calls, again.usage.cost_usd) == (0, 0.0)


def test_a_damaged_entry_is_asked_again(tmp_path: Path) -> None:
    llm = Counting()
    cached(llm, tmp_path).complete(REQUEST, ignore)
    (file,) = tmp_path.iterdir()
    file.write_text(file.read_text().replace("answer 1", "answer 9"))
    assert cached(llm, tmp_path).complete(REQUEST, ignore).text == "answer 2"


def test_what_was_recorded_can_be_replayed_and_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "answers.jsonl"
    Recorded(Counting(), file).complete(REQUEST, ignore)
    events: list[Event] = []
    reply = replay(file)(REQUEST, events.append)
    assert reply.text == "answer 1"
    assert reply.usage.calls == 0
    other = Request(model="m", system=(), messages=(Message(role="user", text="other"),), max_tokens=10)
    with pytest.raises(AttemptFailed, match="no answer to this request"):
        replay(file)(other, ignore)
    with pytest.raises(ProviderError, match="cannot read"):
        replay(tmp_path / "nosuch.jsonl")
