"""Tokens, stems and names."""

from __future__ import annotations

import pytest

from t2s.local.words import concepts_of, lexicon, name_words, stem, tokens


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("city", "cities"),
        ("movie", "movies"),
        ("order", "ordered"),
        ("ship", "shipped"),
        ("hire", "hired"),
        ("address", "addresses"),
        ("person", "people"),
        ("box", "boxes"),
        ("Employee", "employees"),
        ("buy", "bought"),
        ("category", "categories"),
        ("price", "prices"),
    ],
)
def test_forms_of_a_word_meet(one: str, other: str) -> None:
    assert stem(one) == stem(other)


@pytest.mark.parametrize(
    ("one", "other"), [("sale", "salary"), ("status", "state"), ("product", "price"), ("order", "border")]
)
def test_different_words_stay_apart(one: str, other: str) -> None:
    assert stem(one) != stem(other)


@pytest.mark.parametrize("name", ["order_items", "OrderItems", "ORDER_ITEMS", "orderItems", "Order Items"])
def test_names_are_split_however_they_are_written(name: str) -> None:
    assert name_words(name) == (stem("order"), stem("items"))


def test_chinese_is_cut_into_the_words_it_knows() -> None:
    cut = [token.text for token in tokens("每个国家有多少客户")]
    assert cut == ["每个", "国家", "有多少", "客户"]


def test_chinese_and_latin_may_stand_together() -> None:
    assert [token.text for token in tokens("Berlin的客户")] == ["Berlin", "的", "客户"]


def test_values_of_the_database_are_words_too() -> None:
    assert "徐汇区" in [token.text for token in tokens("徐汇区的门店", frozenset({"徐汇区"}))]


def test_numbers_quotations_and_possessives() -> None:
    found = tokens('the customer\'s orders over 1,250.5 named "Blue Sky", ５ times')
    assert [t.number for t in found if t.kind == "number"] == [1250.5, 5.0]
    assert [t.text for t in found if t.kind == "quoted"] == ["Blue Sky"]
    assert "customer" in [t.stem for t in found]


def test_positions_are_those_of_the_question() -> None:
    question = "列出“Berlin”的ｃｕｓｔｏｍｅｒｓ, 共 5 个"
    assert all(token.text in question[token.start : token.end] for token in tokens(question))


def test_chinese_and_english_words_share_concepts() -> None:
    assert concepts_of(("客户",)) & concepts_of((stem("clients"),))


def test_no_operator_of_the_lexicon_is_a_skipped_word() -> None:
    single = {phrase[0] for phrase in lexicon().operators if len(phrase) == 1}
    assert not single & lexicon().skipped
