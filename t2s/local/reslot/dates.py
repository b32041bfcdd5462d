"""What to write for the dates of a query whose question now names other periods."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import TYPE_CHECKING

from t2s.local.dates import Period

if TYPE_CHECKING:
    from sqlglot import exp

Edits = list[tuple["exp.Literal", str]]
"""Literals of a tree and what to write for each; a list, for equal literals of two places are equal keys."""

_DATED = re.compile(r"(?<!\d)(?:1[5-9]|20)\d\d(?:\d{4})?(?!\d)")
"""A year, alone or in a date or a moment."""


class Unplaced(Exception):
    """A period of the question has no one place in the query."""


def dates_for(old: tuple[Period, ...], new: tuple[Period, ...]) -> dict[str, str]:
    """What to write for each date, and each year, of the old periods; raises `Unplaced` where two disagree.

    Periods that stay are in it too, for what they name must not be changed along with another.
    """
    if len(old) != len(new):
        raise Unplaced
    put: dict[str, str] = {}
    for one, other in zip(old, new, strict=True):
        for text, wanted in _written(one, other).items():
            if put.setdefault(text, wanted) != wanted:
                raise Unplaced
    return put


def is_relative(period: Period) -> bool:
    """Whether a period is told from the day of the question: last month."""
    return _DATED.search(period.text) is None


def redated(tree: exp.Expr, put: dict[str, str], spoken: set[float]) -> Edits:
    """The literals to write anew; raises `Unplaced` at a date that no period of the question tells.

    `spoken` are the other numbers of the question: 2000 can be an amount.
    """
    from sqlglot import exp

    found: Edits = []
    for node in tree.find_all(exp.Literal):
        if node.name in put:
            found.append((node, put[node.name]))
        elif _DATED.search(node.name) and not (not node.is_string and float(node.name) in spoken):
            raise Unplaced
    return found


def _written(one: Period, other: Period) -> dict[str, str]:
    """What to write for the first day, the last, the day after it, and the year where the periods are years."""
    put: dict[str, str] = {}
    if one.first and other.first:
        put[one.first.isoformat()] = other.first.isoformat()
        if _is_year(one) and _is_year(other):
            put[str(one.first.year)] = str(other.first.year)
    if one.after and other.after:
        put[(one.after - timedelta(days=1)).isoformat()] = (other.after - timedelta(days=1)).isoformat()
        put[one.after.isoformat()] = other.after.isoformat()
    return put


def _is_year(period: Period) -> bool:
    first, after = period.first, period.after
    january = first is not None and first.day == first.month == 1
    return first is not None and january and after == date(first.year + 1, 1, 1)
