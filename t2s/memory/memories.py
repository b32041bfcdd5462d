"""What every part of the memory works with."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from t2s.errors import EmbedderUnavailable, MemoryRefused
from t2s.ledger import memories as store
from t2s.ledger import redact
from t2s.memory.embed import pack
from t2s.memory.score import scored
from t2s.memory.search import stored_terms

if TYPE_CHECKING:
    from collections.abc import Callable

    from t2s.ledger.store import Ledger
    from t2s.memory.search import Searcher
    from t2s.types.event import Event
    from t2s.types.memory import Memory, Owner


@dataclass(frozen=True, slots=True, kw_only=True)
class Memories:
    """The memory as one owner sees it."""

    ledger: Ledger
    searcher: Searcher
    owner: Owner
    on_event: Callable[[Event], None]


def save(memories: Memories, memory: Memory, now: float) -> Memory:
    """Keep a memory, scored and searchable; where no embedder answers, by words for now.

    Raises `MemoryRefused` for what holds a secret, and `LedgerError`.
    """
    require_no_secret(memory)
    return store.add(memories.ledger, scored(memory, now), searchable(memories.searcher, memory))


def searchable(searcher: Searcher, memory: Memory) -> store.Searchable:
    """What the searches need of a memory."""
    terms = stored_terms(memory.content)
    try:
        vector = searcher.embedder.embed([memory.content])[0]
    except EmbedderUnavailable:  # `memory work` embeds it later
        return store.Searchable(terms=terms)
    return store.Searchable(terms=terms, embedder=searcher.embedder.name, vector=pack(vector))


def require_no_secret(memory: Memory) -> None:
    """Raise `MemoryRefused` where a key or password stands in the memory."""
    for text in (memory.content, *memory.data.values()):
        if redact(text) != text:
            raise MemoryRefused("this holds what looks like a key or password; it is not kept", hint="leave it out")


def embed_missing(memories: Memories, limit: int = 10_000) -> int:
    """Make the vectors that the present embedder has not made yet; returns how many.

    Raises `EmbedderUnavailable`.
    """
    embedder = memories.searcher.embedder
    made = 0
    while made < limit and (rows := store.without_vector(memories.ledger, embedder.name, 256)):
        vectors = embedder.embed([memory.content for memory in rows])
        packed = {memory.id: pack(vector) for memory, vector in zip(rows, vectors, strict=True)}
        store.set_vectors(memories.ledger, embedder.name, packed)
        made += len(rows)
    return made


def touched(memory: Memory, now: float) -> Memory:
    """The memory after one more access."""
    return scored(replace(memory, accesses=memory.accesses + 1, last_access=now), now)
