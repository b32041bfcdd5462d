"""What of a conversation goes with the next question: the newest turns, within bounds; the rest summed up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from t2s.types.query import Exchange

Strategy = Literal["aggressive", "balanced", "conservative"]
MAX_MESSAGES = 20
MAX_TOKENS = 32_768
AGGRESSIVE_TURNS = 3
SHARES: dict[Strategy, float] = {"aggressive": 1.0, "balanced": 0.6, "conservative": 0.8}
"""How much of the budget the turns may take; `aggressive` is bounded by its number of turns."""
SUMMARY_QUESTIONS = 12


def conversation(
    exchanges: Sequence[Exchange],
    strategy: Strategy,
    *,
    turns: int,
    budget: int,
    estimate: Callable[[str], int],
) -> tuple[tuple[Exchange, ...], str]:
    """The newest of `exchanges` (oldest first) that fit, and a summary of the others, empty where there are none.

    At most `turns`, 20 messages (a question and its answer are two), and `budget` tokens, itself at most 32,768.
    """
    most = min(turns, AGGRESSIVE_TURNS if strategy == "aggressive" else MAX_MESSAGES // 2)
    room = min(budget, MAX_TOKENS) * SHARES[strategy]
    kept: list[Exchange] = []
    for exchange in reversed(exchanges):
        room -= estimate(f"{exchange.question}\n{exchange.sql}")
        if room < 0 or len(kept) == most:
            break
        kept.append(exchange)
    dropped = exchanges[: len(exchanges) - len(kept)]
    return tuple(reversed(kept)), _summary(dropped)


def _summary(dropped: Sequence[Exchange]) -> str:
    if not dropped:
        return ""
    questions = [exchange.question for exchange in dropped[-SUMMARY_QUESTIONS:]]
    more = f" (and {len(dropped) - len(questions)} before)" if len(dropped) > len(questions) else ""
    return f"Asked earlier in this conversation{more}: " + "; ".join(questions)
