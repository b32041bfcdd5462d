"""What a memory is worth and how long it stays."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from memory_shop import ALICE, NOW

from t2s.memory import remember
from t2s.memory.score import BASE, DAY_S, RETENTION_S, importance, layer_of, quality, rank, scored
from t2s.types.memory import Kind, Memory


def memory(kind: Kind = "query", **more: object) -> Memory:
    made = remember.of_session(ALICE, kind, "x" * 120, now=NOW)
    return replace(made, **more)  # type: ignore[arg-type]


def test_importance_is_the_sum_of_its_five_parts() -> None:
    fresh = memory("query")
    assert importance(fresh, NOW) == pytest.approx(0.4 * 0.6 + 0 + 0.2 + 0.2 * quality("x" * 120) + 0.2 * 0.5)
    assert importance(replace(fresh, accesses=3), NOW) - importance(fresh, NOW) == pytest.approx(0.15)
    assert importance(replace(fresh, accesses=99), NOW) - importance(fresh, NOW) == pytest.approx(0.2)
    assert importance(fresh, NOW) - importance(fresh, NOW + 365 * DAY_S) == pytest.approx(0.06)


def test_quality_counts_length_and_words_of_sql() -> None:
    assert quality("short") == pytest.approx(0.15)
    assert quality("x" * 50) == pytest.approx(0.3)
    assert quality("select the count of rows from a table of orders") == pytest.approx((0.6 + 0.4) / 2)
    assert quality("查询订单表的平均金额, 按月分组") > quality("你好, 今天天气怎么样, 我很好呢呢")


@given(
    st.sampled_from(list(BASE)),
    st.integers(0, 1_000),
    st.floats(0, 1),
    st.floats(-DAY_S, 5_000 * DAY_S),
    st.text(max_size=300),
)
def test_importance_is_between_0_and_1_and_grows_with_use(
    kind: Kind, accesses: int, feedback: float, age: float, content: str
) -> None:
    one = memory(kind, accesses=accesses, feedback=feedback, content=content)
    score = importance(one, NOW + age)
    assert 0 <= score <= 1
    assert importance(replace(one, accesses=accesses + 1), NOW + age) >= score


@pytest.mark.parametrize("kind", ["schema", "config", "preference", "glossary", "correction"])
def test_knowledge_stays_long(kind: Kind) -> None:
    assert layer_of(memory(kind), 0.1) == "long"


def test_layers_by_importance_marks_and_use() -> None:
    assert layer_of(memory(), 0.8) == "long"
    assert layer_of(memory(), 0.5) == "medium"
    assert layer_of(memory(), 0.49) == "short"
    assert layer_of(memory(marked=True), 0.1) == "long"
    assert layer_of(memory(accesses=5), 0.49) == "medium"


def test_a_memory_never_sinks_a_layer_and_its_end_moves_with_use() -> None:
    first = scored(memory("query", feedback=1.0, accesses=4), NOW)
    assert first.layer == "long"
    later = scored(replace(first, feedback=0.0, accesses=0, last_access=NOW + 60), NOW + 60)
    assert later.layer == "long"
    assert later.expires == NOW + 60 + RETENTION_S["long"]


def test_rank_weighs_relevance_age_and_importance() -> None:
    one = memory(importance=0.5)
    assert rank(1.0, one, NOW) == pytest.approx(0.5 + 0.3 + 0.1)
    assert rank(1.0, one, NOW + 30 * DAY_S) == pytest.approx(0.5 + 0.15 + 0.1)
