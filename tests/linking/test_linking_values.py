"""Values of the data that a question names: as they are written, in another form, or with a slip of the pen."""

from __future__ import annotations

import pytest

from t2s.linking.values import Values, index_values, match_values

SHOP = index_values(
    {
        ("customers", "city"): ("New York", "York", "Paris", "Berlin", "São Paulo", "O'Fallon"),
        ("customers", "state"): ("new york",),
        ("products", "name"): ("上海茶", "French Press", "Espresso Machine"),
        ("products", "kind"): ("coffee", "tea", "order"),
        ("orders", "year"): ("2024",),
        ("orders", "word"): ("of", "all"),
    }
)


def found(question: str, values: Values = SHOP) -> list[tuple[str, str]]:
    return [(match.column, match.value) for match in match_values(question, values)]


def test_values_are_found_whole_in_any_case_and_the_longest_wins() -> None:
    assert found("Orders from NEW YORK, not from Yorkshire") == [("city", "New York"), ("state", "new york")]
    assert found("有多少上海茶的订单") == [("name", "上海茶")]
    assert found("all orders of 2024") == []


@pytest.mark.parametrize(
    ("question", "value"),
    [
        ("customers in Sao Paulo", "São Paulo"),
        ("revenue of espresso machines", "Espresso Machine"),
        ("who lives in OFallon?", "O'Fallon"),
        ("revenue of the French-Press", "French Press"),
        ("customers in Berlim", "Berlin"),
        ("customers in berllin", "Berlin"),
        ("sales of 'Expresso Machine'", "Espresso Machine"),
    ],
)
def test_another_form_or_a_slip_of_the_pen_is_forgiven(question: str, value: str) -> None:
    (match,) = match_values(question, SHOP)
    assert match.value == value
    assert match.text in question


@pytest.mark.parametrize(
    "question",
    [
        "how many customers ordered twice?",  # `customers` is a name of the schema, `ordered` no `order`
        "which city has the tee?",  # too short to be a slip
        "the boffee of Parid or Karis",  # a lower-case word, a wrong first letter
        "products by coverage",
    ],
)
def test_other_words_are_no_values(question: str) -> None:
    assert [value for _, value in found(question) if value != "Paris"] == []


def test_a_slip_that_may_be_one_of_two_values_is_none() -> None:
    assert found("who is Marla?", index_values({("t", "c"): ("Marta", "Maria")})) == []


def test_a_value_as_it_is_written_counts_more_than_one_in_another_form() -> None:
    exact, other = match_values("in Berlin", SHOP), match_values("in Berlim", SHOP)
    assert exact[0].score > other[0].score > 0
