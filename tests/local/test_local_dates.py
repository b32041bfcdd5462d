"""Periods of time in questions."""

from __future__ import annotations

from datetime import date

import pytest

from t2s.local.dates import find_periods

TODAY = date(2026, 11, 21)  # a Saturday

CASES = [
    ("orders in 2024", "2024-01-01", "2025-01-01"),
    ("orders from 2024", "2024-01-01", "2025-01-01"),
    ("sales since March 2024", "2024-03-01", None),
    ("orders before May 2023", None, "2023-05-01"),
    ("hired after 2015", "2016-01-01", None),
    ("until 2024-06-30", None, "2024-07-01"),
    ("between 2023-01-05 and 2024", "2023-01-05", "2025-01-01"),
    ("from Jan 2024 to March 2024", "2024-01-01", "2024-04-01"),
    ("on Sept 5, 2024", "2024-09-05", "2024-09-06"),
    ("on 5th of May 2024", "2024-05-05", "2024-05-06"),
    ("Q1 2024", "2024-01-01", "2024-04-01"),
    ("2024-Q4", "2024-10-01", "2025-01-01"),
    ("in the third quarter of 2024", "2024-07-01", "2024-10-01"),
    ("second half of 2024", "2024-07-01", "2025-01-01"),
    ("yesterday", "2026-11-20", "2026-11-21"),
    ("this week", "2026-11-16", "2026-11-23"),
    ("last month", "2026-10-01", "2026-11-01"),
    ("this quarter", "2026-10-01", "2027-01-01"),
    ("last year", "2025-01-01", "2026-01-01"),
    ("in the last 30 days", "2026-10-23", "2026-11-22"),
    ("last two years", "2024-11-22", "2026-11-22"),
    ("2024年3月的订单", "2024-03-01", "2024-04-01"),
    ("2024年3月5日", "2024-03-05", "2024-03-06"),
    ("2024年第二季度", "2024-04-01", "2024-07-01"),
    ("2024年上半年", "2024-01-01", "2024-07-01"),
    ("去年有多少订单", "2025-01-01", "2026-01-01"),
    ("上个月", "2026-10-01", "2026-11-01"),
    ("最近三个月", "2026-08-22", "2026-11-22"),
    ("2024年以来", "2024-01-01", None),
    ("2023年之前", None, "2023-01-01"),
    ("从2024年1月到2024年3月", "2024-01-01", "2024-04-01"),
]

NONE = ["price between 10 and 20", "more than 2000 orders", "Room 2024b", "marketing", "in May", "31/31/2024", ""]


@pytest.mark.parametrize(("text", "first", "after"), CASES)
def test_finds_the_period(text: str, first: str | None, after: str | None) -> None:
    (period,) = find_periods(text, TODAY)
    assert (period.first and str(period.first), period.after and str(period.after)) == (first, after)
    assert period.text == text[period.start : period.end].casefold()


@pytest.mark.parametrize("text", NONE)
def test_sees_no_period_where_there_is_none(text: str) -> None:
    assert find_periods(text, TODAY) == ()


def test_a_leap_day_goes_back_to_a_day_that_exists() -> None:
    (period,) = find_periods("last 1 months", date(2024, 3, 30))
    assert str(period.first) == "2024-02-29"


def test_finds_several_periods_in_their_order() -> None:
    first, second = find_periods("orders in 2023 and in 2024", TODAY)
    assert (first.text, second.text) == ("in 2023", "in 2024")
