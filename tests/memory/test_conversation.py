"""How much of a conversation goes with the next question."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from t2s.memory.conversation import MAX_MESSAGES, MAX_TOKENS, SHARES, Strategy, conversation
from t2s.types.query import Exchange


def talk(count: int, size: int = 8) -> list[Exchange]:
    return [Exchange(question=f"q{n}", sql="x" * size) for n in range(count)]


def questions(kept: tuple[Exchange, ...]) -> list[str]:
    return [exchange.question for exchange in kept]


def test_aggressive_keeps_the_last_three_turns() -> None:
    kept, earlier = conversation(talk(5), "aggressive", turns=10, budget=10_000, estimate=len)
    assert questions(kept) == ["q2", "q3", "q4"]
    assert earlier == "Asked earlier in this conversation: q0; q1"


def test_balanced_and_conservative_take_their_share_of_the_budget() -> None:
    turns = talk(10, size=97)  # 100 tokens each, by letters
    assert len(conversation(turns, "balanced", turns=10, budget=1_000, estimate=len)[0]) == 6
    assert len(conversation(turns, "conservative", turns=10, budget=1_000, estimate=len)[0]) == 8


@given(
    st.integers(0, 40),
    st.integers(0, 5_000),
    st.sampled_from(list(SHARES)),
    st.integers(0, 10),
    st.integers(0, 100_000),
)
def test_the_newest_turns_win_within_every_bound(
    count: int, size: int, strategy: Strategy, turns: int, budget: int
) -> None:
    said = talk(count, size)
    kept, earlier = conversation(said, strategy, turns=turns, budget=budget, estimate=len)
    assert list(kept) == said[len(said) - len(kept) :]
    assert 2 * len(kept) <= MAX_MESSAGES
    assert len(kept) <= turns
    assert sum(len(e.question) + 1 + len(e.sql) for e in kept) <= SHARES[strategy] * min(budget, MAX_TOKENS)
    assert bool(earlier) is (len(kept) < count)
