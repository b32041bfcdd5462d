"""What comes to mind for a question: searched within the owner's scopes, ranked, and cut to what a prompt can bear."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from t2s.errors import LedgerError
from t2s.ledger import memories as store
from t2s.memory.intent import intent_of
from t2s.memory.remember import question_key
from t2s.memory.score import rank
from t2s.memory.words import terms
from t2s.types.memory import Hit, Intent, Kind, Memory, Recalled

if TYPE_CHECKING:
    from t2s.memory.memories import Memories

TOP_K = 10
ALWAYS: tuple[Kind, ...] = ("schema", "glossary", "query", "correction")
WANTED: dict[Intent, tuple[Kind, ...]] = {
    "none": (),
    "history": ("conversation", "summary", "result"),
    "preference": ("preference",),
    "event": ("event", "summary"),
    "mixed": ("conversation", "summary", "result", "event", "preference"),
}
MIN_RELEVANCE: dict[Kind, float] = {"glossary": 0.25, "schema": 0.15, "query": 0.2, "correction": 0.2}
"""Below it a memory is about something else; as measured with the lexical embedder. 0.1 for the other kinds."""
MAX_PREFERENCES = 10
SHAPE_SHARE = 0.23
"""How much of an example's relevance is the likeness of the questions' shapes, the rest that of their words.

As measured on Spider's dev set, each question against the others of its database that have other SQL: the first
example has the same SQL but for names and constants for 14 % of the questions, by words alone for 7 %.
"""
ALIKE = 0.9
"""Two memories with so large a share of words in common are one."""


def recall(
    memories: Memories,
    question: str,
    *,
    count: int,
    max_tokens: int,
    glossary_tokens: int,
    estimate: Callable[[str], int],
    shape: Callable[[str], frozenset[str]] | None = None,
    timeout: float = 2.0,
) -> Recalled:
    """At most `count` memories a group and `max_tokens` in all, the best first.

    The groups are knowledge (glossary, notes, verified queries, corrections), preferences, and what the session
    holds where the question's intent asks for it. A glossary that fits `glossary_tokens` comes whole, for a
    model gains most by it. `shape` says what a question asks for (a count, the most, …) whatever it asks about: with it
    verified queries of a like shape come first. What fails or is late is left out and named in `missing`.
    """
    now = time.time()
    intent = intent_of(question)
    kinds = (*ALWAYS, *WANTED[intent])
    scopes = list(dict.fromkeys(memories.owner.scope(kind) for kind in kinds))
    found = memories.searcher.search(question, scopes, k=TOP_K, timeout=min(timeout, 1.0))
    missing = list(found.missing)
    tables = tuple((m.tables[0], relevance) for m, relevance in found.memories if is_table(m))
    hits = [_hit(memory, relevance, now) for memory, relevance in found.memories if not is_table(memory)]
    if shape is not None:
        hits = [_shaped(hit, shape(question), shape, now) for hit in hits]
    try:
        hits += _certain(memories, question, glossary_tokens, estimate, now)
    except LedgerError as e:
        missing.append(e.message)
    kept = _bounded(_distinct(filter(_fits, hits)), count, max_tokens, estimate)
    return Recalled(hits=kept, tables=tables, intent=intent, missing=tuple(missing))


def _certain(
    memories: Memories, question: str, glossary_tokens: int, estimate: Callable[[str], int], now: float
) -> list[Hit]:
    """What needs no search: this very question, words of the glossary that it uses, the user's preferences."""
    owner, ledger = memories.owner, memories.ledger
    scopes = [owner.scope("query"), owner.scope("correction")]
    hits = [_hit(m, 1.0, now) for m in store.find(ledger, scopes=scopes, keys=[question_key(question)]) if not m.stale]
    words = [m for m in store.find(ledger, scopes=[owner.scope("glossary")]) if not m.stale]
    whole = sum(estimate(m.content) for m in words) <= glossary_tokens
    used = frozenset(terms(question))
    for memory in words:
        named = (meant := frozenset(terms(memory.data["term"]))) and meant <= used
        if named or memory.data["term"].casefold() in question.casefold() or whole:
            hits.append(_hit(memory, 1.0 if named else 0.5, now))
    preferences = store.find(ledger, scopes=[owner.scope("preference")], limit=MAX_PREFERENCES)
    return hits + [_hit(memory, 0.5, now) for memory in preferences]


def is_table(memory: Memory) -> bool:
    """Whether this is a table as it was found in the database, not something that anybody said."""
    return memory.kind == "schema" and memory.source == "auto"


def usable(memory: Memory) -> bool:
    """Whether a query memory may serve as an example: it must have been accepted, not just have run."""
    return memory.kind != "query" or memory.verified_sql is not None


def _fits(hit: Hit) -> bool:
    return usable(hit.memory) and hit.relevance >= MIN_RELEVANCE.get(hit.memory.kind, 0.1)


def _hit(memory: Memory, relevance: float, now: float) -> Hit:
    return Hit(memory=memory, relevance=relevance, score=rank(relevance, memory, now))


def _shaped(hit: Hit, wanted: frozenset[str], shape: Callable[[str], frozenset[str]], now: float) -> Hit:
    """The hit with the likeness of shapes in its relevance, where it is an example that is relevant anyway."""
    if hit.memory.kind != "query" or not _fits(hit):
        return hit
    other = shape(hit.memory.data["question"])
    likeness = len(wanted & other) / len(wanted | other) if wanted | other else 1.0
    relevance = (1 - SHAPE_SHARE) * hit.relevance + SHAPE_SHARE * likeness
    return _hit(hit.memory, max(relevance, MIN_RELEVANCE["query"]), now)


def _distinct(hits: Iterable[Hit]) -> list[Hit]:
    """The hits by score, each memory once, and of those that say the same only the best."""
    kept: list[tuple[Hit, frozenset[str]]] = []
    for hit in sorted(hits, key=lambda h: (-h.score, -h.relevance, h.memory.id)):
        words = frozenset(terms(hit.memory.content))
        if not any(hit.memory.id == other.memory.id or _alike(hit, words, other, theirs) for other, theirs in kept):
            kept.append((hit, words))
    return [hit for hit, _ in kept]


def _alike(hit: Hit, words: frozenset[str], other: Hit, theirs: frozenset[str]) -> bool:
    """Of queries the trees are compared, for two questions may differ in one word and mean different things."""
    if hit.memory.kind != other.memory.kind:
        return False
    if hit.memory.kind in ("query", "correction", "glossary", "schema"):
        same_words = words == theirs
        return same_words and hit.memory.sql_hash == other.memory.sql_hash and hit.memory.veto == other.memory.veto
    return bool(words | theirs) and len(words & theirs) / len(words | theirs) >= ALIKE


def _bounded(hits: Sequence[Hit], count: int, max_tokens: int, estimate: Callable[[str], int]) -> tuple[Hit, ...]:
    """The best of each group, as many as fit; the glossary's tokens have a bound of their own."""
    room, left = max_tokens, {"knowledge": count, "preference": count, "session": count}
    kept = []
    for hit in hits:
        group = _group(hit.memory.kind)
        tokens = 0 if group == "glossary" else estimate(hit.memory.content)
        if tokens <= room and left.get(group, 1) > 0:
            kept.append(hit)
            room -= tokens
            if group in left:
                left[group] -= 1
    return tuple(kept)


def _group(kind: Kind) -> str:
    if kind in ("glossary", "preference"):
        return kind
    return "knowledge" if kind in ALWAYS else "session"


def note_accesses(memories: Memories, recalled: Recalled) -> None:
    """Count that these memories were used; they stay longer for it."""
    from t2s.memory.memories import touched

    now = time.time()
    store.rescore(memories.ledger, [touched(hit.memory, now) for hit in recalled.hits])
