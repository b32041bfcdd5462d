"""What stays and what goes: promotion, consolidation, capacity, the end of retention; nothing goes unarchived."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from t2s.ledger import memories as store
from t2s.ledger import memory_search
from t2s.memory.score import RETENTION_S, scored
from t2s.types.memory import Layer, Memory

if TYPE_CHECKING:
    from t2s.ledger.store import Ledger

CAPACITY = 1_000
"""Memories of one user in one scope; the least important go to the archive first."""
ALIKE = 0.95
"""The cosine from which on two memories say the same."""

Archive = Callable[[Sequence[Memory]], object]
"""Writes memories away for good; raises where it cannot, and then they stay."""


def promote(ledger: Ledger, known: Iterable[Memory]) -> tuple[Memory, ...]:
    """Score memories anew; returns those that have moved up a layer."""
    now = time.time()
    pairs = [(memory, scored(memory, now)) for memory in known]
    store.rescore(ledger, [after for _, after in pairs])
    return tuple(after for before, after in pairs if after.layer != before.layer)


def mark(ledger: Ledger, memory: Memory) -> Memory:
    """Put a memory into the long layer because somebody says so."""
    marked = replace(memory, marked=True, layer="long")
    marked = replace(marked, expires=time.time() + RETENTION_S["long"])
    store.rescore(ledger, [marked])
    return marked


def prune(ledger: Ledger, archive: Archive) -> tuple[int, int]:
    """Archive and remove what is past its retention, and what is too much; returns how many of each."""
    old = store.expired(ledger, time.time())
    surplus = _surplus(ledger)
    for group in (old, surplus):
        if group:
            archive(group)
            store.remove(ledger, [memory.id for memory in group])
    return len(old), len(surplus)


def _surplus(ledger: Ledger) -> tuple[Memory, ...]:
    totals: defaultdict[tuple[str, str], int] = defaultdict(int)
    for user, scope, _, count in store.counts(ledger):
        totals[user, scope] += count
    surplus: list[Memory] = []
    for (user, scope), count in totals.items():
        if count > CAPACITY:
            known = store.find(ledger, scopes=[scope], user=user)
            order = sorted(known, key=lambda memory: (memory.marked, memory.importance, memory.last_access))
            surplus += order[: count - CAPACITY]
    return tuple(surplus)


def consolidate(ledger: Ledger, embedder: str) -> tuple[tuple[Memory, Memory], ...]:
    """Merge memories of one scope and kind that say the same; returns (merged, into) pairs.

    The most important one stays and takes over the accesses. Where there is SQL its tree must be equal too. The
    merged one is kept with `merged_into`, which `restore` takes back.
    """
    groups: defaultdict[str, list[tuple[Memory, bytes]]] = defaultdict(list)
    last = 0
    while rows := memory_search.for_index(ledger, embedder, None, after=last):
        for _, memory, vector in rows:
            groups[memory.scope].append((memory, vector))
        last = rows[-1][0]
    merged: list[tuple[Memory, Memory]] = []
    for members in groups.values():
        merged += _merged(members)
    for memory, into in merged:
        store.change(ledger, [memory.id], merged_into=into.id)
    added: defaultdict[str, int] = defaultdict(int)
    for memory, into in merged:
        added[into.id] += memory.accesses
    survivors = {into.id: into for _, into in merged}
    store.rescore(ledger, [replace(m, accesses=m.accesses + added[m.id]) for m in survivors.values()])
    return tuple(merged)


def _merged(members: Sequence[tuple[Memory, bytes]]) -> list[tuple[Memory, Memory]]:
    import numpy as np

    order = sorted(members, key=lambda item: (-item[0].importance, item[0].created))
    matrix = np.stack([np.frombuffer(vector, dtype="<f2").astype(np.float32) for _, vector in order])
    gone: set[int] = set()
    pairs = []
    for i, (keeper, _) in enumerate(order):
        if i in gone:
            continue
        for j in np.flatnonzero(matrix[i + 1 :] @ matrix[i] >= ALIKE) + i + 1:
            other = order[int(j)][0]
            if int(j) not in gone and _same_meaning(keeper, other):
                gone.add(int(j))
                pairs.append((other, keeper))
    return pairs


def _same_meaning(one: Memory, other: Memory) -> bool:
    if one.kind in ("glossary", "schema"):  # two terms may be one letter apart and mean different things
        return False
    return one.sql_hash == other.sql_hash and one.veto == other.veto


def part(ledger: Ledger, memory: Memory) -> None:
    """Take back what `consolidate` did to a memory."""
    store.change(ledger, [memory.id], merged_into=None)


def growth(known: Iterable[Memory]) -> tuple[tuple[str, dict[Layer, int]], ...]:
    """How many memories were made on each day (ISO date), by the layer they are in now."""
    days: defaultdict[str, dict[Layer, int]] = defaultdict(lambda: {"long": 0, "medium": 0, "short": 0})
    for memory in known:
        days[time.strftime("%Y-%m-%d", time.localtime(memory.created))][memory.layer] += 1
    return tuple(sorted(days.items()))
