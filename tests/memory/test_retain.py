"""What stays and what goes: nothing without an archive entry, and every merge can be taken back."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from memory_shop import ALICE, BOB, NOW, SCHEMA, of, saved

from t2s.errors import ArchiveError
from t2s.ledger import memories as store
from t2s.memory import remember, retain
from t2s.memory.memories import Memories, searchable
from t2s.types.memory import Memory

On = Callable[[str], Memories]


def said(text: str, now: float = NOW) -> Memory:
    return remember.of_session(ALICE, "conversation", text, now=now)


def test_what_is_past_its_retention_goes_to_the_archive(on: On, place: str) -> None:
    memories = on(place)
    old, fresh = said("an hour and a minute ago", time.time() - 3_660 * 24), said("just now")
    for memory in (old, fresh):
        kept = replace(memory, layer="short", expires=memory.created + 3_600)
        store.put_back(memories.ledger, kept, searchable(memories.searcher, kept))
    archived: list[Memory] = []
    assert retain.prune(memories.ledger, archived.extend) == (1, 0)
    assert [m.content for m in archived] == ["an hour and a minute ago"]
    assert [m.content for m in store.find(memories.ledger, dead_too=True)] == ["just now"]


def test_where_the_archive_fails_nothing_goes(memories: Memories) -> None:
    old = replace(said("old"), expires=NOW - 1)
    store.put_back(memories.ledger, old, searchable(memories.searcher, old))

    def broken(_: Sequence[Memory]) -> None:
        raise ArchiveError("the disk is full")

    with pytest.raises(ArchiveError):
        retain.prune(memories.ledger, broken)
    assert len(store.find(memories.ledger, dead_too=True)) == 1


def test_beyond_the_capacity_the_least_important_go_first(memories: Memories, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retain, "CAPACITY", 3)
    kept = saved(memories, *(said(f"note {n}") for n in range(5)))
    store.rescore(memories.ledger, [replace(m, importance=n / 10) for n, m in enumerate(kept)])
    bobs = saved(of(memories, BOB), *(remember.of_session(BOB, "conversation", f"b{n}", now=NOW) for n in range(3)))
    archived: list[Memory] = []
    assert retain.prune(memories.ledger, archived.extend) == (0, 2)
    assert {m.content for m in archived} == {"note 0", "note 1"}
    assert {m.id for m in bobs} <= {m.id for m in store.find(memories.ledger)}


def test_queries_are_merged_only_where_their_trees_are_equal(memories: Memories) -> None:
    def query(question: str, sql: str) -> Memory:
        return remember.query(ALICE, question, sql, SCHEMA, state="accepted", now=NOW)

    first, same, other = saved(
        memories,
        query("the number of orders of all customers in the shop", "SELECT count(*) FROM orders"),
        query("The number of orders of all customers in the shop now", "select COUNT(*)\nfrom ORDERS"),
        query("the number of orders of all customers in this shop", "SELECT count(*) FROM customers"),
    )
    store.rescore(memories.ledger, [replace(first, accesses=2, importance=0.9), replace(same, accesses=3)])
    ((gone, into),) = retain.consolidate(memories.ledger, "lexical-1")
    assert (gone.id, into.id) == (same.id, first.id)
    alive = {m.id: m for m in store.find(memories.ledger)}
    assert set(alive) == {first.id, other.id}
    assert alive[first.id].accesses == 5
    retain.part(memories.ledger, gone)
    assert same.id in {m.id for m in store.find(memories.ledger)}


def test_words_of_the_glossary_are_never_merged(memories: Memories) -> None:
    saved(
        memories,
        remember.glossary(ALICE, "net order value", "orders.customer_id > 1", SCHEMA, now=NOW),
        remember.glossary(ALICE, "net orders value", "orders.customer_id > 1", SCHEMA, now=NOW),
    )
    assert retain.consolidate(memories.ledger, "lexical-1") == ()


def test_what_earned_it_moves_up_and_what_is_marked_stays(memories: Memories) -> None:
    (memory,) = saved(memories, said("select the orders table, please: a longer piece of talk " * 2))
    assert memory.layer != "long"
    store.rescore(memories.ledger, [replace(store.find(memories.ledger)[0], accesses=12, feedback=1.0)])
    (moved,) = retain.promote(memories.ledger, store.find(memories.ledger))
    assert moved.layer == "long"
    marked = retain.mark(memories.ledger, said("x"))
    assert marked.layer == "long"


def test_growth_counts_by_day() -> None:
    made = [replace(said("a", NOW), layer="long"), replace(said("b", NOW - 86_400), layer="short")]
    assert [(sum(layers.values()), layers["long"]) for _, layers in retain.growth(made)] == [(1, 0), (1, 1)]
