"""What is learned without being told: queries that ran, what was talked about, what the tables look like."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from t2s.errors import MemoryRefused
from t2s.ledger import memories as store
from t2s.memory import remember
from t2s.memory.memories import save, searchable
from t2s.memory.score import scored
from t2s.types.schema import Schema, Table

if TYPE_CHECKING:
    from t2s.memory.memories import Memories
    from t2s.types.memory import Memory
    from t2s.types.query import Answer


def learn_turn(memories: Memories, answer: Answer, schema: Schema, *, in_conversation: bool) -> int:
    """Keep what an answer teaches: the query where it ran and is sure enough; in a conversation, what was said.

    Result rows are never kept, only how many there were. Returns how many memories were made.
    """
    now, made = time.time(), 0
    sure = answer.status == "ok" and (answer.confidence or 0) >= remember.MIN_CONFIDENCE
    try:
        if sure and answer.sql and answer.result and not in_conversation:
            query = remember.query(
                memories.owner, answer.question, answer.sql, schema, state="executed", now=now, source="auto"
            )
            made += remember.keep(memories, query, now).id == query.id
        if in_conversation and answer.sql:
            said = f"{answer.question}\n{answer.sql}"
            save(memories, remember.of_session(memories.owner, "conversation", said, now=now), now)
            made += 1
        if in_conversation and answer.result:
            columns = ", ".join(column.name for column in answer.result.columns)
            told = f"{answer.question}: {len(answer.result.rows)} rows of {columns}"
            save(memories, remember.of_session(memories.owner, "result", told, now=now), now)
            made += 1
    except MemoryRefused:  # a secret in a question, a query that does not resolve: not for keeping
        pass
    return made


def learn_schema(memories: Memories, schema: Schema, text: Callable[[Table], str]) -> int:
    """Make each table findable by its `text`; returns how many tables were new or have changed."""
    now, owner = time.time(), memories.owner
    known = {m.key: m for m in store.find(memories.ledger, scopes=[owner.scope("schema")]) if m.source == "auto"}
    new = []
    for table in schema.tables:
        memory = remember.of_session(owner, "schema", text(table), now=now, key=f"table {table.full_name}")
        before = known.get(memory.key)
        if before is None or before.content != memory.content:
            new.append(replace(memory, session_id="", tables=(table.full_name,), fingerprint=schema.fingerprint))
    store.add_all(memories.ledger, [(scored(m, now), searchable(memories.searcher, m)) for m in new])
    return len(new)


def annotated(schema: Schema, notes: tuple[Memory, ...]) -> Schema:
    """The schema with what people have noted of its tables and columns as their comments."""
    told = {memory.data["target"]: memory.data["note"] for memory in notes if "note" in memory.data}
    if not told:
        return schema
    return replace(schema, tables=tuple(_annotated(table, told) for table in schema.tables))


def _annotated(table: Table, told: dict[str, str]) -> Table:
    columns = tuple(
        replace(column, comment=_joined(column.comment, told.get(f"{table.full_name}.{column.name}")))
        for column in table.columns
    )
    return replace(table, comment=_joined(table.comment, told.get(table.full_name)), columns=columns)


def _joined(comment: str | None, note: str | None) -> str | None:
    return "; ".join(filter(None, (note, comment))) or None
