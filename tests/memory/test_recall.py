"""What comes to mind: what fits, what is trusted, and no more than a prompt can bear."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from threading import Event

import pytest
from memory_shop import ALICE, NOW, SCHEMA, saved

from t2s.errors import EmbedderUnavailable
from t2s.ledger import memories as store
from t2s.local.words import shape_of
from t2s.memory import remember
from t2s.memory.intent import intent_of
from t2s.memory.memories import Memories
from t2s.memory.recall import note_accesses, recall
from t2s.types.memory import Intent, Recalled


def ask(
    memories: Memories, question: str, *, count: int = 5, max_tokens: int = 1_000, glossary_tokens: int = 1_000
) -> Recalled:
    return recall(
        memories,
        question,
        count=count,
        max_tokens=max_tokens,
        glossary_tokens=glossary_tokens,
        estimate=lambda text: len(text) // 4 + 1,
    )


def contents(recalled: Recalled) -> list[str]:
    return [hit.memory.content for hit in recalled.hits]


@pytest.mark.parametrize(
    ("question", "intent"),
    [
        ("how many customers are there?", "none"),
        ("各国有多少客户?", "none"),
        ("what was my previous question?", "history"),
        ("show the last query again", "history"),
        ("上次问的是什么?", "history"),
        ("in my usual format please", "preference"),
        ("照我的习惯列出订单", "preference"),
        ("what happened to the refunds?", "event"),
        ("我们什么时候改的规则?", "event"),
        ("as I prefer, and like last time", "mixed"),
        ("the last 5 orders", "none"),
        ("names of customers with their last order", "none"),
    ],
)
def test_intent_by_the_words_of_the_question(question: str, intent: Intent) -> None:
    assert intent_of(question) == intent


def test_a_word_of_the_glossary_is_recalled_where_the_question_uses_it(memories: Memories) -> None:
    saved(
        memories,
        remember.glossary(ALICE, "active customer", "customers.status = 'active'", SCHEMA, now=NOW),
        remember.glossary(ALICE, "大客户", "orders.id < 10", SCHEMA, now=NOW),
    )
    assert contents(ask(memories, "how many active customers?", glossary_tokens=0)) == [
        "active customer = customers.status = 'active'"
    ]
    assert contents(ask(memories, "有多少大客户?", glossary_tokens=0)) == ["大客户 = orders.id < 10"]
    assert len(ask(memories, "how many orders?").hits) == 2  # small enough to be shown whole


def test_only_what_a_person_accepted_serves_as_an_example(memories: Memories) -> None:
    sql = "SELECT count(*) FROM orders"
    saved(memories, remember.query(ALICE, "how many orders?", sql, SCHEMA, state="executed", now=NOW, source="auto"))
    assert ask(memories, "how many orders?").hits == ()
    saved(memories, remember.query(ALICE, "how many orders?", sql, SCHEMA, state="accepted", now=NOW))
    (hit,) = ask(memories, "number of orders").hits
    assert hit.memory.state == "accepted"


def test_questions_that_look_alike_but_mean_something_else_stay_apart(memories: Memories) -> None:
    saved(
        memories,
        remember.query(
            ALICE, "orders from Paris", "SELECT id FROM orders WHERE id = 1", SCHEMA, state="golden", now=NOW
        ),
        remember.query(ALICE, "orders to Paris", "SELECT id FROM orders WHERE id = 2", SCHEMA, state="golden", now=NOW),
    )
    assert len(ask(memories, "orders to Paris").hits) == 2


def test_no_more_than_so_many_memories_and_tokens(memories: Memories) -> None:
    saved(
        memories,
        *(
            remember.query(
                ALICE,
                f"orders of customer {n}",
                f"SELECT id FROM orders WHERE customer_id = {n}",
                SCHEMA,
                state="accepted",
                now=NOW,
            )
            for n in range(20)
        ),
    )
    assert len(ask(memories, "orders of customer 7").hits) == 5
    assert "customer 7" in contents(ask(memories, "orders of customer 7"))[0]
    few = ask(memories, "orders of customer 7", max_tokens=60)
    assert 0 < sum(len(text) // 4 + 1 for text in contents(few)) <= 60


def test_what_the_session_holds_is_recalled_when_the_question_asks_for_it(memories: Memories) -> None:
    saved(memories, remember.of_session(ALICE, "conversation", "asked for revenue by month", now=NOW))
    assert ask(memories, "revenue by month").hits == ()
    assert contents(ask(memories, "what did I ask about revenue?")) == ["asked for revenue by month"]


def test_newer_and_more_important_memories_come_first(memories: Memories) -> None:
    old = remember.preference(ALICE, "always round to 2 decimals", now=NOW - 60 * 86_400)
    new = remember.preference(ALICE, "never round anything", now=NOW)
    saved(memories, old, new)
    assert contents(ask(memories, "revenue")) == ["never round anything", "always round to 2 decimals"]


def test_an_embedder_that_is_down_leaves_the_search_by_words(memories: Memories) -> None:
    saved(memories, remember.query(ALICE, "open orders", "SELECT id FROM orders", SCHEMA, state="accepted", now=NOW))

    class Down:
        name = "lexical-1"

        def embed(self, texts):  # type: ignore[no-untyped-def]
            raise EmbedderUnavailable("the embeddings service answers 503")

    broken = replace(memories, searcher=replace(memories.searcher, embedder=Down()))
    recalled = ask(broken, "open orders")
    assert recalled.missing == ("vector search: the embeddings service answers 503",)
    assert len(recalled.hits) == 1


def test_an_embedder_that_hangs_is_not_waited_for(memories: Memories) -> None:
    saved(memories, remember.query(ALICE, "open orders", "SELECT id FROM orders", SCHEMA, state="accepted", now=NOW))

    released = Event()

    class Slow:
        name = "lexical-1"

        def embed(self, texts):  # type: ignore[no-untyped-def]
            released.wait(60)
            return [[1.0] for _ in texts]

    slow = replace(memories, searcher=replace(memories.searcher, embedder=Slow()))
    recalled = recall(slow, "open orders", count=5, max_tokens=1_000, glossary_tokens=0, estimate=len, timeout=1.0)
    assert not released.is_set()  # it came back while the embedder was still at it
    released.set()
    assert recalled.missing == ("vector search: too slow",)
    assert len(recalled.hits) == 1


def test_what_is_used_stays_longer(memories: Memories) -> None:
    (memory,) = saved(
        memories, remember.query(ALICE, "open orders", "SELECT id FROM orders", SCHEMA, state="accepted", now=NOW)
    )
    note_accesses(memories, ask(memories, "open orders"))
    (after,) = store.find(memories.ledger)
    assert after.accesses == 1
    assert after.importance == pytest.approx(memory.importance + 0.05, abs=0.001)
    assert after.last_access > memory.last_access


def test_of_two_examples_the_one_of_a_like_shape_comes_first(memories: Memories) -> None:
    like_words = "how many orders of customers are open?"
    like_shape = "top 5 orders"
    sql = "SELECT count(*) FROM orders WHERE orders.id < {}"
    for number, question in enumerate((like_words, like_shape)):
        saved(memories, remember.query(ALICE, question, sql.format(number), SCHEMA, state="accepted", now=NOW))

    def first(shape: Callable[[str], frozenset[str]] | None) -> str:
        found = recall(
            memories, "top 3 orders of customers", count=5, max_tokens=1_000, glossary_tokens=0,
            estimate=len, shape=shape,
        )  # fmt: skip
        return found.hits[0].memory.data["question"]

    assert first(None) == like_words
    assert first(shape_of) == like_shape


@pytest.mark.parametrize(
    ("question", "shape"),
    [
        ("How many customers are there per country?", {"count", "group"}),
        ("Which 3 products are the most expensive?", {"super desc price"}),
        ("每个城市有多少客户?", {"count", "group"}),
        ("names of customers", set()),
    ],
)
def test_the_shape_of_a_question(question: str, shape: set[str]) -> None:
    assert shape_of(question) == shape
