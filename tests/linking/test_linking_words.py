"""Names, comments and questions meet in their words."""

from __future__ import annotations

import pytest

from t2s.linking.words import asked, closeness, parts


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("CustomerID", "customer id"),
        ("custid", "cust id"),
        ("sbTxCustId", "sb tx cust id"),
        ("HTMLText", "html text"),
        ("address2", "address 2"),
        ("orderdate", "order dat"),
        ("productcategory", "product categori"),
        ("unit_price", "unit pric"),
        ("视频价格", "视频 频价 价格"),
    ],
)
def test_names_are_cut_into_words(name: str, words: str) -> None:
    assert parts(name) == tuple(words.split())


def test_a_compound_is_cut_by_the_words_that_the_schema_has_elsewhere() -> None:
    assert parts("wirefly") == ("wirefli",)
    assert parts("wirefly", frozenset({"wir", "fly"})) == ("wir", "fly")


@pytest.mark.parametrize(
    ("said", "word"),
    [("quantiti", "qty"), ("manager", "mgr"), ("department", "dept"), ("custom", "cust"), ("client", "customer")],
)
def test_abbreviations_and_synonyms_are_close(said: str, word: str) -> None:
    assert closeness(said, word) >= 0.5


@pytest.mark.parametrize(("said", "word"), [("city", "country"), ("order", "odour"), ("price", "pet")])
def test_others_are_not(said: str, word: str) -> None:
    assert closeness(said, word) < 0.5


def test_two_words_of_a_question_may_be_one_of_a_name() -> None:
    words = asked("the zip code of each shop", frozenset({"zipcod"}))
    assert words.texts == ("zip", "code", "shop")
    assert all("zipcod" in forms or "#postal_code" in forms for forms in words.words[:2])


def test_chinese_is_read_by_its_meanings_and_by_its_own_signs() -> None:
    words = asked("每位客户的国籍", frozenset({"客户"}))
    assert any("customer" in forms for forms in words.words)
    assert any("nationaliti" in forms for forms in words.words)
    assert frozenset({"客户"}) in words.words
