"""No way of recalling crosses the lines between users, sessions and datasources."""

from __future__ import annotations

import uuid
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from memory_shop import ALICE, NOW, memories_at, of

from t2s.ledger import memories as store
from t2s.ledger.memories import Searchable
from t2s.memory import search
from t2s.memory.embed import Lexical, pack
from t2s.memory.memories import Memories
from t2s.memory.recall import recall
from t2s.memory.search import stored_terms
from t2s.types.memory import DATASOURCE_KINDS, USER_KINDS, Kind, Memory, Owner

KINDS: list[Kind] = [
    "schema",
    "glossary",
    "preference",
    "query",
    "correction",
    "event",
    "summary",
    "conversation",
    "result",
]
QUESTION = "again, as I prefer: what did we decide on the active customers last time?"
OWNERS = [
    Owner(user=u, session_id=s, datasource=d) for u in ("alice", "bob") for s in ("s1", "s2") for d in ("shop", "crm")
]


def planted(owner: Owner, kind: Kind) -> Memory:
    """A memory that the question calls for, whoever asks it."""
    text = f"{QUESTION} {owner.user} {owner.session_id} {owner.datasource}"
    data = {"term": "active customers", "definition": "x", "question": QUESTION, "sql": "SELECT 1", "wrong": "SELECT 2"}
    return Memory(
        id=str(uuid.uuid4()),
        kind=kind,
        scope=owner.scope(kind),
        key=str(uuid.uuid4()),
        content=text,
        user=owner.user,
        session_id=owner.session_id,
        datasource=owner.datasource,
        created=NOW,
        last_access=NOW,
        valid_from=NOW,
        state="accepted" if kind == "query" else None,
        importance=0.9,
        data=data,
    )


def allowed(memory: Memory, owner: Owner) -> bool:
    """The lines, said once more and in other words than the code has them."""
    if memory.kind in DATASOURCE_KINDS:
        return memory.datasource == owner.datasource
    if memory.kind in USER_KINDS:
        return memory.user == owner.user
    return (memory.user, memory.session_id) == (owner.user, owner.session_id)


@pytest.fixture(scope="module")
def everybody(tmp_path_factory: pytest.TempPathFactory) -> Memories:
    """A ledger with one memory of each kind of each owner."""
    memories = memories_at(":memory:", tmp_path_factory.mktemp("everybody"))
    for owner in OWNERS:
        for kind in KINDS:
            memory = planted(owner, kind)
            vector = pack(Lexical().embed([memory.content])[0])
            found_by = Searchable(terms=stored_terms(memory.content), embedder="lexical-1", vector=vector)
            store.put_back(memories.ledger, memory, found_by)
    return memories


@pytest.mark.parametrize("owner", OWNERS, ids=str)
def test_recall_stays_within_the_lines(everybody: Memories, owner: Owner) -> None:
    recalled = recall(
        of(everybody, owner), QUESTION, count=50, max_tokens=100_000, glossary_tokens=100_000, estimate=len
    )
    assert recalled.intent == "mixed"
    assert {hit.memory.kind for hit in recalled.hits} >= set(KINDS) - {"schema"}
    assert all(allowed(hit.memory, owner) for hit in recalled.hits)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.sampled_from(OWNERS), st.lists(st.sampled_from(KINDS), min_size=1, unique=True), st.integers(1, 30))
def test_a_search_stays_within_its_scopes(everybody: Memories, owner: Owner, kinds: list[Kind], k: int) -> None:
    scopes = [owner.scope(kind) for kind in kinds]
    found = everybody.searcher.search(QUESTION, scopes, k=k, timeout=30).memories
    assert found
    assert all(memory.scope in scopes and allowed(memory, owner) for memory, _ in found)


def test_chroma_itself_stays_within_the_scopes(
    everybody: Memories, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "EXACT", 0)
    index = everybody.searcher.index
    index.update(everybody.ledger, "lexical-1")
    searcher = replace(everybody.searcher, vector_share=1.0)
    for owner in OWNERS:
        scopes = [owner.scope("conversation"), owner.scope("preference")]
        found = searcher.search(QUESTION, scopes, k=20, timeout=30)
        assert found.missing == ()
        assert {memory.kind for memory, _ in found.memories} == {"conversation", "preference"}
        assert all(allowed(memory, owner) for memory, _ in found.memories)


def test_what_the_index_says_is_held_against_the_ledger(everybody: Memories, monkeypatch: pytest.MonkeyPatch) -> None:
    """An index that lies (or has been tampered with) gives away nothing."""
    monkeypatch.setattr(search, "EXACT", 0)
    every = [m.id for m in store.find(everybody.ledger, dead_too=True)]
    monkeypatch.setattr(everybody.searcher.index.__class__, "nearest", lambda *_: dict.fromkeys(every, 1.0))
    scopes = [ALICE.scope("conversation")]
    found = replace(everybody.searcher, vector_share=1.0).search(QUESTION, scopes, k=1_000, timeout=30).memories
    assert found
    assert all(allowed(memory, ALICE) for memory, _ in found)
