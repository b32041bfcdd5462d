"""Memories after a change of the schema: what still fits is used on, what does not is kept but marked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from t2s.ledger import memories as store
from t2s.sql import check
from t2s.sql.expression import read_expression
from t2s.types.memory import DATASOURCE_KINDS, Memory
from t2s.types.query import Problem, Rejected

if TYPE_CHECKING:
    from t2s.memory.memories import Memories
    from t2s.types.schema import Schema


def review(memories: Memories, schema: Schema) -> tuple[Memory, ...]:
    """Look again at what was learned on another state of the schema; returns what has become stale by it.

    What was stale and fits again is used again.
    """
    scopes = [memories.owner.scope(kind) for kind in sorted(DATASOURCE_KINDS)]
    newly = []
    for memory in store.of_other_schema(memories.ledger, scopes, schema.fingerprint):
        reason = why_stale(memory, schema)
        store.change(memories.ledger, [memory.id], fingerprint=schema.fingerprint, stale=reason)
        if reason and not memory.stale:
            newly.append(memory)
    return tuple(newly)


def why_stale(memory: Memory, schema: Schema) -> str | None:
    """What of a memory is no longer there; None where all of it is."""
    sql = memory.data.get("right") or memory.data.get("sql")
    if sql:
        verdict = check(sql, schema)
        return verdict.problems[0].message if isinstance(verdict, Rejected) else None
    if memory.kind == "glossary":
        meaning = read_expression(memory.data["definition"], schema)
        return meaning.message if isinstance(meaning, Problem) else None
    for name in memory.tables:
        if schema.table(name) is None:
            return f"there is no table {name}"
    for name in memory.columns:
        table, _, column = name.rpartition(".")
        owner = schema.table(table)
        if owner is None or owner.column(column) is None:
            return f"there is no column {name}"
    return None
