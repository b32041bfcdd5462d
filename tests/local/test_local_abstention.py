"""Where the local generator does not understand, it says so and proposes nothing."""

from __future__ import annotations

import pytest

from t2s.types.query import Candidate, Clarification, Rejected

NONSENSE = [
    "What is the meaning of life?",
    "Tell me a joke",
    "blorp the frobnicator",
    "How is the weather in Berlin?",
    "Which customers are vegetarian?",
    "Who is the president of France?",
    "What will the revenue be next year under the new tax law?",
    "Which products smell best?",
    "Explain the churn of customers",
    "How many employees and customers do we have?",
    "",
    "   ",
    "???",
    "top " + "9" * 400 + " customers",
    "'; DROP TABLE orders; --",
    "今天天气怎么样？",
    "给我讲个笑话",
    "哪些客户喜欢音乐？",
]

WRITES = [
    ("Delete all orders", "Delete"),
    ("please drop the table customers", "drop"),
    ("update the price of Green Tea to 5", "update"),
    ("Insert a new customer called Bob", "Insert"),
    ("删除所有订单", "删除"),
    ("请把产品价格修改为5", "修改"),
]


@pytest.mark.parametrize("question", NONSENSE)
def test_declines_what_it_does_not_understand(shop, question) -> None:
    draft = shop.abstention(question)
    assert draft.reason
    assert draft.hint


@pytest.mark.parametrize(("question", "word"), WRITES)
def test_declines_to_change_data(shop, question: str, word: str) -> None:
    draft = shop.abstention(question)
    assert f"“{word}” would change data" in draft.reason


def test_says_which_words_it_did_not_understand_and_which_it_did(shop) -> None:
    draft = shop.abstention("How many flamboyant customers are in Berlin?")
    assert "“flamboyant”" in draft.reason
    assert "customers" in (draft.hint or "")
    assert "Berlin" in (draft.hint or "")


def test_asks_back_where_a_value_has_two_readings(chinook) -> None:
    draft = chinook.ask("How many songs did Iron Maiden record?")
    assert isinstance(draft, Clarification)
    assert draft.question == "What is “Iron Maiden”: album or artist?"
    assert "How many songs did artist Iron Maiden record?" in draft.choices


def test_a_choice_of_its_own_clarification_is_understood(chinook) -> None:
    tracks = (
        "SELECT count(*) FROM Track JOIN Album USING (AlbumId) JOIN Artist USING (ArtistId)"
        " WHERE Artist.Name = 'Iron Maiden'"
    )
    assert chinook.answer("How many songs did artist Iron Maiden record?") == chinook.rows(tracks)


def test_does_not_repeat_a_query_that_was_rejected(shop) -> None:
    rejected: list[Rejected] = []
    draft = shop.ask("How many orders are there?")
    while isinstance(draft, Candidate):
        assert draft.sql not in {one.sql for one in rejected}
        rejected.append(Rejected(sql=draft.sql, problems=()))
        assert len(rejected) < 5  # what is left is less and less likely
        draft = shop.ask("How many orders are there?", tuple(rejected))
    assert rejected
    assert "guess" in draft.reason or "refused" in draft.reason


def test_where_a_query_was_rejected_the_next_best_says_something_else(shop) -> None:
    question = "customers without orders"
    first = shop.ask(question)
    second = shop.ask(question, (Rejected(sql=first.sql, problems=()),))
    assert isinstance(second, Candidate)
    assert second.confidence < first.confidence
    assert shop.rows(second.sql) != shop.rows(first.sql)


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("how many custmers are in Berlin?", "I do not understand “custmers”; did you mean customers?"),
        ("average salry of employees", "did you mean salary?"),
        ("how many flurbish customers?", "“flurbish”"),
    ],
)
def test_a_misspelt_name_is_answered_with_the_right_one(shop, question: str, said: str) -> None:
    reason = shop.abstention(question).reason
    assert said in reason
    assert ("did you mean" in reason) == ("did you mean" in said)
