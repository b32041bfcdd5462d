"""Results that are the same and results that are not, by the public rule."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from t2s.evaluate.compare import orders, same, within, without_distinct

Rows = list[tuple[Any, ...]]


@pytest.mark.parametrize(
    ("gold", "other", "unordered", "in_order"),
    [
        ([(1,), (2,)], [(2,), (1,)], True, False),
        ([(1, "a"), (2, "b")], [("a", 1), ("b", 2)], True, True),  # columns turned round
        ([(1, 2), (2, 1)], [(1, 1), (2, 2)], False, False),  # each column is the same, the rows are not
        ([(1,), (1,), (2,)], [(1,), (2,), (2,)], False, False),  # multisets, not sets
        ([(1,)], [(1, 1)], False, False),
        ([], [(1,)], False, False),
        ([], [], True, True),
        ([(1,)], [(1.0,)], True, True),
        ([(1,)], [("1",)], False, False),
        ([(Decimal("2.50"),)], [(2.5,)], True, True),
        ([(0.1 + 0.2,)], [(0.3,)], True, True),  # a sum in another order
        ([(0.3,)], [(0.3001,)], False, False),
        ([(None, [1])], [([1], None)], True, True),
        ([(date(2024, 1, 1),)], [("2024-01-01",)], False, False),
    ],
)
def test_rows_are_compared_as_the_public_evaluator_does(
    gold: Rows, other: Rows, unordered: bool, in_order: bool
) -> None:
    assert same(gold, other, ordered=False) is unordered
    assert same(gold, other, ordered=True) is in_order


def test_more_columns_than_wanted_are_another_reading() -> None:
    gold, other = [(1,), (2,)], [("a", 2), ("b", 1)]
    assert not same(gold, other, ordered=False)
    assert within(gold, other, ordered=False)
    assert not within(gold, other, ordered=True)
    assert not within(other, gold, ordered=False)


cells = st.one_of(st.integers(0, 3), st.sampled_from(["a", "b", None, 0.5]))


@given(st.integers(1, 4).flatmap(lambda n: st.lists(st.tuples(*[cells] * n), max_size=6)), st.randoms())
def test_any_order_of_columns_and_rows_is_the_same_result(rows: Rows, chance: Any) -> None:
    columns = list(range(len(rows[0]))) if rows else []
    chance.shuffle(columns)
    turned = [tuple(row[n] for n in columns) for row in rows]
    assert same(rows, turned, ordered=True)
    chance.shuffle(turned)
    assert same(rows, turned, ordered=False)
    assert within([row[:1] for row in rows], turned, ordered=False)
    assert not rows or not same(rows, [*turned, turned[0]], ordered=False)


def test_what_is_read_off_the_gold_query() -> None:
    assert orders("SELECT a FROM t Order  By a")
    assert not orders("SELECT a FROM t")
    assert without_distinct("SELECT DISTINCT a, 'distinct' FROM t") == "SELECT  a, 'distinct' FROM t"
