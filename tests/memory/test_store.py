"""Memories in the ledger: superseded and never overwritten, kept once, checked before they are kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from memory_shop import ALICE, BOB, NOW, SCHEMA, WITHOUT_STATUS, of, saved

from t2s.errors import MemoryRefused
from t2s.ledger import memories as store
from t2s.ledger import memory_search
from t2s.memory import remember
from t2s.memory.memories import Memories, embed_missing, save
from t2s.memory.stale import review

On = Callable[[str], Memories]


def active(definition: str, now: float = NOW):  # type: ignore[no-untyped-def]
    return remember.glossary(ALICE, "active customer", definition, SCHEMA, now=now)


def test_a_newer_fact_supersedes_the_older_which_stays(on: On, place: str) -> None:
    memories = on(place)
    old, new = saved(memories, active("customers.status = 'active'"), active("customers.status = 'open'", NOW + 1))
    scope = ALICE.scope("glossary")
    (alive,) = store.find(memories.ledger, scopes=[scope])
    assert alive.id == new.id
    both = {m.id: m for m in store.find(memories.ledger, scopes=[scope], dead_too=True)}
    assert both[old.id].superseded_by == new.id
    assert both[old.id].valid_to == NOW + 1


def test_adding_the_same_id_again_changes_nothing(on: On, place: str) -> None:
    memories = on(place)
    memory = active("customers.status = 'active'")
    for _ in range(3):
        save(memories, memory, NOW)
    assert [m.id for m in store.find(memories.ledger, dead_too=True)] == [memory.id]


def test_what_is_removed_leaves_nothing_behind_that_finds_it(on: On, place: str) -> None:
    memories = on(place)
    (memory,) = saved(memories, active("customers.status = 'active'"))
    assert store.remove(memories.ledger, [memory.id]) == 1
    scopes = [ALICE.scope("glossary")]
    assert memory_search.by_terms(memories.ledger, {scopes[0]: 1}, {"active": 1}, 10) == {scopes[0]: {}}
    assert memory_search.load_vectors(memories.ledger, scopes, "lexical-1") == ((), b"")


def test_changes_are_told_in_the_order_in_which_they_were_made(on: On, place: str) -> None:
    memories = on(place)
    made = saved(memories, *(remember.preference(ALICE, f"wish {n}", now=NOW) for n in range(5)))
    store.remove(memories.ledger, [made[0].id])
    last, ids = memory_search.changed(memories.ledger, 0, 100)
    assert ids == tuple(m.id for m in made)
    assert memory_search.changed(memories.ledger, last - 1, 100)[1] == (made[0].id,)
    assert memory_search.newest_change(memories.ledger) == last


def test_sql_that_does_not_fit_the_schema_is_not_learned() -> None:
    with pytest.raises(MemoryRefused, match=r"no column nam in customers; did you mean name\?"):
        remember.query(ALICE, "names", "SELECT nam FROM customers", SCHEMA, state="accepted", now=NOW)
    with pytest.raises(MemoryRefused, match="cannot be learned"):
        remember.query(ALICE, "empty it", "DELETE FROM customers", SCHEMA, state="accepted", now=NOW)
    with pytest.raises(MemoryRefused, match=r"status is in customers, orders: write table\.status"):
        active("status = 'active'")
    with pytest.raises(MemoryRefused, match=r"no column statuz"):
        active("customers.statuz = 'active'")
    with pytest.raises(MemoryRefused, match=r"no table or column custmers\.status"):
        remember.note(ALICE, "custmers.status", "1 is open", SCHEMA, now=NOW)
    with pytest.raises(MemoryRefused, match="same query"):
        remember.correction(ALICE, "q", "SELECT id FROM orders", "select ID\nfrom orders", "", SCHEMA, now=NOW)


def test_a_definition_may_be_plain_words() -> None:
    memory = active("whoever bought something this year")
    assert memory.tables == ()
    assert memory.data["definition"] == "whoever bought something this year"


def test_secrets_are_not_kept(memories: Memories) -> None:
    with pytest.raises(MemoryRefused, match="key or password"):
        save(memories, remember.preference(ALICE, "use password=hunter22 for the database", now=NOW), NOW)
    assert store.find(memories.ledger, dead_too=True) == ()


def test_what_is_trusted_less_does_not_replace_what_is_trusted_more(memories: Memories) -> None:
    verified = remember.query(ALICE, "how many?", "SELECT count(*) FROM orders", SCHEMA, state="accepted", now=NOW)
    ran = remember.query(ALICE, "How many", "SELECT count(id) FROM orders", SCHEMA, state="executed", now=NOW + 1)
    remember.keep(memories, verified, NOW)
    assert remember.keep(memories, ran, NOW + 1).id == verified.id
    vouched = replace(ran, state="golden", id=replace(verified).id[::-1])
    assert remember.keep(memories, vouched, NOW + 2).state == "golden"


def test_what_contradicts_a_newer_and_more_important_memory_is_kept_as_superseded(memories: Memories) -> None:
    newer = remember.keep(memories, active("customers.status = 'active'", NOW + 100), NOW + 100)
    store.rescore(memories.ledger, [replace(newer, importance=0.99)])
    older = remember.keep(memories, active("customers.status = 'open'", NOW), NOW)
    assert older.superseded_by == newer.id
    (alive,) = store.find(memories.ledger, scopes=[newer.scope])
    assert alive.id == newer.id
    assert len(store.find(memories.ledger, scopes=[newer.scope], dead_too=True)) == 2


def test_a_change_of_the_schema_marks_what_no_longer_fits(on: On, place: str) -> None:
    memories = on(place)
    word, query, note, other = saved(
        memories,
        active("customers.status = 'active'"),
        remember.query(ALICE, "q", "SELECT status FROM customers", SCHEMA, state="accepted", now=NOW),
        remember.note(ALICE, "customers.status", "1 is open", SCHEMA, now=NOW),
        remember.query(ALICE, "all", "SELECT count(*) FROM orders", SCHEMA, state="accepted", now=NOW),
    )
    assert {m.id for m in review(memories, WITHOUT_STATUS)} == {word.id, query.id, note.id}
    now = {m.id: m for m in store.find(memories.ledger)}
    assert now[word.id].stale == "there is no column status in customers (it is in orders)"
    assert now[other.id].stale is None
    assert memories.searcher.search("active customer", [word.scope], k=5).memories == ()
    assert review(memories, WITHOUT_STATUS) == ()
    review(memories, SCHEMA)  # the column is back, and so are the memories
    assert all(m.stale is None for m in store.find(memories.ledger))


def test_only_what_one_may_see_is_found_by_its_id(memories: Memories) -> None:
    shared, private = saved(
        memories, active("customers.status = 'active'"), remember.preference(ALICE, "round to 2 decimals", now=NOW)
    )
    bobs = store.visible(user="bob", datasource="shop")
    assert store.get(memories.ledger, shared.id[:8], seen_by=bobs).id == shared.id
    with pytest.raises(MemoryRefused, match="no memory"):
        store.get(memories.ledger, private.id[:8], seen_by=bobs)
    with pytest.raises(MemoryRefused, match="no memory"):
        store.get(memories.ledger, "", seen_by=bobs)
    saved(of(memories, BOB), remember.preference(BOB, "no charts", now=NOW))
    assert {m.content for m in store.listed(memories.ledger, bobs, kinds=(), dead_too=False, limit=None)} == {
        shared.content,
        "no charts",
    }


def test_another_embedder_embeds_anew(memories: Memories) -> None:
    saved(memories, active("customers.status = 'active'"))

    class Other:
        name = "other"

        def embed(self, texts):  # type: ignore[no-untyped-def]
            return [[1.0, 0.0] for _ in texts]

    changed = replace(memories, searcher=replace(memories.searcher, embedder=Other()))
    assert embed_missing(changed) == 1
    assert embed_missing(changed) == 0
    assert memory_search.vector_count(memories.ledger, [ALICE.scope("glossary")], "other") == 1
