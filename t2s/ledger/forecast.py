"""What the month will have cost by its end."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

WEEK = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """USD of this month so far, and by its end; None where there is no full day yet to judge by."""

    so_far: float
    by_end: float | None


def forecast(daily: Mapping[date, float], today: date) -> Forecast:
    """As many days as are left will cost what the last seven full ones did on average; `daily` has USD by day."""
    so_far = sum(cost for day, cost in daily.items() if (day.year, day.month) == (today.year, today.month))
    full = min(WEEK, (today - min(daily, default=today)).days)
    if full <= 0:
        return Forecast(so_far=so_far, by_end=None)
    mean = sum(daily.get(today - timedelta(days=back), 0.0) for back in range(1, full + 1)) / full
    left = monthrange(today.year, today.month)[1] - today.day
    rest_of_today = max(0.0, mean - daily.get(today, 0.0))
    return Forecast(so_far=so_far, by_end=so_far + rest_of_today + left * mean)
