"""What is left of the budgets, in a few words."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from t2s.ledger.budgets import Budget

_SPANS = {"session": "in this session", "day": "today"}


def left_in_words(budgets: Sequence[Budget]) -> str:
    """What is left of the session's or day's budget that is nearest to its end; empty where there is none."""
    lasting = [budget for budget in budgets if budget.name.partition("_")[0] in _SPANS]
    if not lasting:
        return ""
    tightest = max(lasting, key=lambda budget: budget.share)
    amount = _usd(tightest.left) if tightest.in_usd else f"{_tokens(tightest.left)} tokens"
    return f"{amount} left {_SPANS[tightest.name.partition('_')[0]]}"


def _usd(amount: float) -> str:
    """`$1.23`, below a dollar in more digits; never rounded up."""
    digits = 2 if amount >= 1 else 4
    return f"${int(amount * 10**digits) / 10**digits:,.{digits}f}"


def _tokens(count: float) -> str:
    """`999k`; never rounded up."""
    if count < 10_000:
        return f"{int(count):,}"
    return f"{int(count / 1_000):,}k" if count < 10_000_000 else f"{int(count / 1_000_000):,}M"
