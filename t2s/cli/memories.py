"""What the memory's commands share: whose memory it is, and how memories are printed."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from t2s.cli.terminal import Terminal
    from t2s.memory.memories import Memories
    from t2s.types.memory import Memory
    from t2s.types.schema import Schema


CONTENT = 100
"""Characters of a memory that a list shows; `memory show` and --json have all."""


@contextmanager
def with_schema(db: str | None) -> Iterator[tuple[Memories, Schema]]:
    """The memory of a database, and the schema that what it learns must fit."""
    from contextlib import closing

    from t2s.config import load_config
    from t2s.workspace import connect, memories_of

    with memories_of(db, notice) as memories, closing(connect(load_config(), db)) as database:
        yield memories, database.schema()


def notice(event: Any) -> None:
    """Say on standard error what the memory has to say."""
    from t2s.render.clean import clean
    from t2s.types.event import Notice

    if isinstance(event, Notice):
        sys.stderr.write(f"t2s: {clean(event.message)}\n")


def index_now(memories: Memories) -> None:
    """Bring the index up to date; where it cannot be, it is said, for the ledger has everything."""
    from t2s.errors import IndexUnavailable

    try:
        memories.searcher.index.update(memories.ledger, memories.searcher.embedder.name)
    except IndexUnavailable as e:
        sys.stderr.write(f"t2s: {e.message}; `t2s memory reindex` makes it anew\n")


def did(memories: Memories, action: str, **details: str | float | None) -> None:
    """Keep in the audit history that the user did something."""
    from t2s.ledger.sessions import record_action

    record_action(memories.ledger, user=memories.owner.user, action=action, **details)


def find_memory(memories: Memories, prefix: str) -> Memory:
    """The memory that the user means; raises `MemoryRefused`."""
    from t2s.ledger import memories as store

    owner = memories.owner
    return store.get(memories.ledger, prefix, seen_by=store.visible(user=owner.user, datasource=owner.datasource))


def memory_data(memory: Memory) -> dict[str, Any]:
    """A memory as JSON has it."""
    return {**asdict(memory), "tables": list(memory.tables), "columns": list(memory.columns)}


def print_memories(known: Sequence[Memory], terminal: Terminal, extra: Sequence[str] = ()) -> None:
    """A line for each memory; `extra` is a last column."""
    from t2s.render.table import print_facts

    headers = ("id", "kind", "state", "layer", "importance", "made", "content", *(("relevance",) if extra else ()))
    rows = [
        (
            memory.id[:8],
            memory.kind,
            _state(memory),
            memory.layer,
            f"{memory.importance:.2f}",
            time.strftime("%Y-%m-%d", time.localtime(memory.created)),
            _short(memory.content),
            *((extra[position],) if extra else ()),
        )
        for position, memory in enumerate(known)
    ]
    print_facts(sys.stdout, headers, rows, color=terminal.color)


def _short(content: str) -> str:
    line = " ".join(content.split())
    return line if len(line) <= CONTENT else line[: CONTENT - 1] + "…"


def _state(memory: Memory) -> str:
    if memory.stale:
        return "stale"
    if memory.valid_to is not None:
        return "superseded"
    if memory.merged_into is not None:
        return "merged"
    return memory.state or memory.source
