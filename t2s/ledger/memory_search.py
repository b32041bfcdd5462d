"""The two searches over memories, each within given scopes only: by terms, and by vectors of one embedder."""

from __future__ import annotations

import math
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, func, select

from t2s.ledger.memories import alive, as_memory, term_key
from t2s.ledger.memory_tables import changes, memories, postings, vectors
from t2s.ledger.store import Ledger
from t2s.types.memory import Memory

MAX_POSTINGS = 2_000
"""Postings read for one search; the rarest terms come first, and what is in so many memories tells little."""

FLOOR = 0.6
"""What a word counts that is in every memory: with it more of the right ones are found (scripts/eval_recall.py)."""


def sizes(ledger: Ledger, scopes: Sequence[str]) -> dict[str, int]:
    """How many memories there are in each scope that has any."""
    counted = select(memories.c.scope, func.count()).where(memories.c.scope.in_(scopes)).group_by(memories.c.scope)
    with ledger.reading() as connection:
        return {row[0]: row[1] for row in connection.execute(counted)}


def by_terms(
    ledger: Ledger, scope_sizes: Mapping[str, int], terms: Mapping[str, float], k: int
) -> dict[str, dict[int, float]]:
    """For each scope the `k` best memories (by number) for weighted terms, with a score of 0 to 1.

    BM25 (Robertson and Zaragoza, 2009) whose saturated term weights are stored; divided by what a memory made of
    just these terms would get, so that scores of different questions compare.
    """
    if not terms:
        return {}
    with ledger.reading() as connection:
        return {scope: _best(connection, scope, size, terms, k) for scope, size in scope_sizes.items()}


def _best(connection: Connection, scope: str, size: int, terms: Mapping[str, float], k: int) -> dict[int, float]:
    weights = {term_key(scope, term): weight for term, weight in terms.items()}
    counted = select(postings.c.term, func.count()).where(postings.c.term.in_(weights)).group_by(postings.c.term)
    frequency: dict[int, int] = {row[0]: row[1] for row in connection.execute(counted)}
    scores: defaultdict[int, float] = defaultdict(float)
    read = 0
    for key, count in sorted(frequency.items(), key=lambda item: item[1]):
        if read and read + count > MAX_POSTINGS:
            break
        read += count
        worth = weights[key] * _rarity(size, count)
        for number, own in connection.execute(
            select(postings.c.memory, postings.c.weight).where(postings.c.term == key)
        ):
            scores[number] += own * worth
    top = sum(weight * _rarity(size, frequency.get(key, 0)) for key, weight in weights.items())
    best = sorted(scores.items(), key=lambda item: (-item[1], -item[0]))[:k]
    return {number: min(1.0, score / top) for number, score in best}


def _rarity(size: int, count: int) -> float:
    return math.log(1 + (size - count + 0.5) / (count + 0.5)) + FLOOR


def vector_count(ledger: Ledger, scopes: Sequence[str], embedder: str) -> int:
    """How many vectors an exact search would compare."""
    with ledger.reading() as connection:
        return int(
            connection.scalar(
                select(func.count())
                .select_from(vectors)
                .where(vectors.c.scope.in_(scopes), vectors.c.embedder == embedder)
            )
            or 0
        )


def load_vectors(
    ledger: Ledger, scopes: Sequence[str], embedder: str, *, above: int = 0
) -> tuple[tuple[int, ...], bytes]:
    """Numbers and concatenated vectors of the scopes' memories whose number is over `above`, in their order."""
    query = (
        select(vectors.c.memory, vectors.c.vector)
        .where(vectors.c.scope.in_(scopes), vectors.c.embedder == embedder, vectors.c.memory > above)
        .order_by(vectors.c.memory)
    )
    with ledger.reading() as connection:
        rows = connection.execute(query).all()
    return tuple(row.memory for row in rows), b"".join(row.vector for row in rows)


def by_numbers(ledger: Ledger, numbers: Sequence[int], scopes: Sequence[str]) -> dict[int, Memory]:
    """Those of the numbered memories that are alive, fresh and inside the scopes: the last word on every hit."""
    query = select(memories).where(memories.c.number.in_(numbers), memories.c.stale.is_(None), alive(time.time()))
    within = frozenset(scopes)  # not in the query, lest the engine looks through a whole scope for them
    with ledger.reading() as connection:
        return {row.number: as_memory(row) for row in connection.execute(query) if row.scope in within}


def numbers_of(ledger: Ledger, ids: Sequence[str]) -> dict[str, int]:
    """The numbers of memories by their ids."""
    query = select(memories.c.id, memories.c.number).where(memories.c.id.in_(ids))
    with ledger.reading() as connection:
        return {row.id: row.number for row in connection.execute(query)}


def newest_change(ledger: Ledger) -> int:
    """The number of the latest change to any memory; 0 where there never was one."""
    with ledger.reading() as connection:
        return int(connection.scalar(select(func.max(changes.c.number))) or 0)


def changed(ledger: Ledger, after: int, limit: int) -> tuple[int, tuple[str, ...]]:
    """Ids of what has changed `after` a change's number, the oldest first, and the number of the last one told."""
    query = select(changes.c.number, changes.c.memory_id).where(changes.c.number > after)
    with ledger.reading() as connection:
        rows = connection.execute(query.order_by(changes.c.number).limit(limit)).all()
    return (rows[-1].number if rows else after), tuple(dict.fromkeys(row.memory_id for row in rows))


def for_index(
    ledger: Ledger, embedder: str, ids: Sequence[str] | None, *, after: int = 0, limit: int = 5_000
) -> tuple[tuple[int, Memory, bytes], ...]:
    """Live memories with their vectors, in the order of their numbers: of these ids, or all `after` a number."""
    query = (
        select(memories, vectors.c.vector)
        .join(vectors, vectors.c.memory == memories.c.number)
        .where(vectors.c.embedder == embedder, alive(time.time()), memories.c.number > after)
        .order_by(memories.c.number)
        .limit(limit)
    )
    if ids is not None:
        query = query.where(memories.c.id.in_(ids))
    with ledger.reading() as connection:
        return tuple((row.number, as_memory(row), row.vector) for row in connection.execute(query))
