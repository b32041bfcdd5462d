"""The month's end, from the days before."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from t2s.ledger.forecast import forecast

TODAY = date(2026, 11, 21)


def days(*costs: float) -> dict[date, float]:
    """Costs of the days up to today, the latest last."""
    return {TODAY - timedelta(days=len(costs) - 1 - n): cost for n, cost in enumerate(costs)}


def test_the_days_that_are_left_cost_what_the_last_seven_did() -> None:
    told = forecast(days(100, 1, 1, 1, 1, 1, 1, 8, 0.5), TODAY)
    assert told.so_far == 114.5
    assert told.by_end == pytest.approx(114.5 + (2 - 0.5) + 9 * 2)  # a mean of 2, nine days, the rest of today


def test_days_without_a_call_count() -> None:
    told = forecast({TODAY - timedelta(days=4): 4.0}, TODAY)
    assert told.by_end == pytest.approx(4 + 10 * 1)


def test_on_the_first_day_nobody_can_tell() -> None:
    assert forecast(days(3), TODAY).by_end is None
    assert forecast({}, TODAY).so_far == 0


def test_the_month_before_is_for_judging_only() -> None:
    first = date(2026, 12, 1)
    told = forecast({first - timedelta(days=n): 1.0 for n in range(1, 8)}, first)
    assert told.so_far == 0
    assert told.by_end == pytest.approx(31)


@given(st.lists(st.floats(0, 1000), min_size=2, max_size=40))
def test_the_end_is_never_below_what_was_spent(costs: list[float]) -> None:
    told = forecast(days(*costs), TODAY)
    assert told.by_end is not None
    assert told.by_end >= told.so_far
