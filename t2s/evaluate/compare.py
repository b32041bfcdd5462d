"""Whether two results are the same.

The rule is that of taoyds/test-suite-sql-eval (`result_eq`): rows as a multiset, as a list where the gold query
orders, columns in any order and by any name, and no rows equal no rows whatever their columns. Numbers that differ
after the twelfth digit are equal here, because sums of floats depend on the order in which an engine adds.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

Rows = Sequence[tuple[Any, ...]]

_DISTINCT = re.compile(r"('[^']*'|\"[^\"]*\"|`[^`]*`)|\bdistinct\b", re.IGNORECASE)
_ORDER = re.compile(r"order\s+by", re.IGNORECASE)


def same(gold: Rows, other: Rows, *, ordered: bool) -> bool:
    """Whether the results are equal but for the order and names of their columns."""
    if not gold and not other:
        return True
    if len(gold) != len(other) or len(gold[0]) != len(other[0]):
        return False
    return _embedded(gold, other, ordered=ordered)


def within(gold: Rows, other: Rows, *, ordered: bool) -> bool:
    """Whether the gold columns are among the other's, row for row; what stands beside them does not matter."""
    if not gold and not other:
        return True
    if len(gold) != len(other) or len(gold[0]) > len(other[0]):
        return False
    return _embedded(gold, other, ordered=ordered)


def orders(sql: str) -> bool:
    """Whether a gold query says ORDER BY, anywhere: that is how the public evaluator decides that order matters."""
    return _ORDER.search(sql) is not None


def without_distinct(sql: str) -> str:
    """The query with every DISTINCT taken out, as the public evaluator compares unless it is told to keep them."""
    return _DISTINCT.sub(lambda match: match[1] or "", sql)


def _embedded(gold: Rows, other: Rows, *, ordered: bool) -> bool:
    """Whether some choice of the other's columns, in some order, gives the gold rows."""
    wanted, given = _columns(gold), _columns(other)
    if ordered:
        return not Counter(wanted) - Counter(given)
    contents = [Counter(column) for column in given]
    fitting = [[n for n, content in enumerate(contents) if content == Counter(column)] for column in wanted]
    return any(True for _ in _choices(wanted, given, fitting, ()))


def _choices(
    wanted: list[tuple[Any, ...]], given: list[tuple[Any, ...]], fitting: list[list[int]], chosen: tuple[int, ...]
) -> Iterator[tuple[int, ...]]:
    """Every way to go on choosing columns so that the rows as far as they are chosen are the same multiset."""
    if len(chosen) == len(wanted):
        yield chosen
        return
    goal = Counter(zip(*wanted[: len(chosen) + 1], strict=True))
    tried: set[tuple[Any, ...]] = set()
    for position in fitting[len(chosen)]:
        if position in chosen or given[position] in tried:
            continue
        tried.add(given[position])
        if Counter(zip(*(given[n] for n in (*chosen, position)), strict=True)) == goal:
            yield from _choices(wanted, given, fitting, (*chosen, position))


def _columns(rows: Rows) -> list[tuple[Any, ...]]:
    return [tuple(map(_plain, column)) for column in zip(*rows, strict=True)]


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        value = int(value) if value.is_finite() and value == value.to_integral_value() else float(value)
    if isinstance(value, float):
        return float(f"{value:.12g}") if value == value else "NaN"
    return value if isinstance(value, int | str | bytes) or value is None or _hashable(value) else repr(value)


def _hashable(value: Any) -> bool:
    try:
        hash(value)
    except TypeError:
        return False
    return True
