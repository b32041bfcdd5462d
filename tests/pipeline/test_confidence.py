"""Confidence follows what was seen: everything that speaks against an answer lowers it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from t2s.pipeline.confidence import WEIGHTS, Evidence, confidence
from t2s.pipeline.unlinked import ignored_values, unlinked
from t2s.types.query import Context, Valid, ValueMatch
from t2s.types.schema import Column, Schema, Table

COUNTS = st.integers(0, 9)


@pytest.mark.parametrize("name", WEIGHTS)
@pytest.mark.parametrize("own", [None, 0.2, 0.95])
def test_each_thing_that_speaks_against_it_lowers_it(name: str, own: float | None) -> None:
    clean = Evidence(own=own)
    assert confidence(replace(clean, **{name: 1})) < confidence(clean)


@given(st.none() | st.floats(0, 1), st.lists(COUNTS, min_size=len(WEIGHTS), max_size=len(WEIGHTS)))
def test_it_is_a_probability(own: float | None, counts: list[int]) -> None:
    assert 0 <= confidence(Evidence(own=own, **dict(zip(WEIGHTS, counts, strict=True)))) <= 1


def test_without_anything_against_it_stands_what_the_generator_said() -> None:
    assert confidence(Evidence(own=0.7)) == 0.7
    assert confidence(Evidence()) == 0.9


SCHEMA = Schema(
    dialect="sqlite",
    fingerprint="x",
    tables=(
        Table(
            name="customers",
            columns=(Column(name="id", type="int"), Column(name="signed_up_on", type="date", comment="registration")),
        ),
    ),
)


@pytest.mark.parametrize(
    ("question", "share"),
    [
        ("How many customers are there?", 0.0),
        ("How many customers signed up?", 0.0),
        ("latest registrations of customers", 0.0),
        ("How many customers like opera?", 0.5),
        ("有多少客户?", 0.0),
    ],
)
def test_words_that_no_part_of_the_query_accounts_for(question: str, share: float) -> None:
    valid = Valid(
        sql="SELECT count(signed_up_on) FROM customers", tables=("customers",), columns=("customers.signed_up_on",)
    )
    context = Context(question=question, schema=SCHEMA, whole=True, today=date(2026, 1, 1))
    assert unlinked(context, valid) == share


def test_values_of_the_question_that_the_query_does_not_use() -> None:
    found = tuple(
        ValueMatch(table="customers", column="city", value=value, text=value.lower(), score=1.0)
        for value in ("Berlin", "Paris")
    )
    context = Context(question="in berlin, not paris", schema=SCHEMA, whole=True, today=date(2026, 1, 1), values=found)
    sql = "SELECT id FROM customers WHERE city = 'Berlin'"
    assert ignored_values(context, Valid(sql=sql, tables=("customers",))) == 0.5
