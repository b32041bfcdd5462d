"""What a generator is shown for a question: schema, values, memories and the conversation so far."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from t2s.types.memory import Recalled
from t2s.types.query import Context, Exchange
from t2s.types.schema import Schema
from t2s.workspace.parts import LOCAL, LOCAL_TABLES

if TYPE_CHECKING:
    from t2s.workspace import Workspace

MAX_HISTORY = 100
"""Turns of a session that are looked at; the oldest of them are summed up."""


def context_of(ws: Workspace, question: str, schema: Schema, recalled: Recalled) -> Context:
    """The context of a question to the workspace's database."""
    from t2s.linking.values import index_values, match_values
    from t2s.llm import estimate_tokens
    from t2s.pipeline.link import Part, link, memories_of

    values = ws.values.get(schema.fingerprint)
    if values is None:
        values = index_values(ws.database.texts(), schema)
        ws.values.put(schema.fingerprint, values)
    matches = match_values(question, values)
    limits = ws.config.settings.context
    noted = ws.recollection.annotated(schema) if ws.recollection is not None else schema
    if ws.model == LOCAL and len(schema.tables) <= LOCAL_TABLES:
        part = Part(schema=noted)
    else:
        part = link(
            question,
            noted,
            matches,
            memories=memories_of(recalled),
            tokens=estimate_tokens,
            model=ws.model,
            privacy=ws.database.privacy,
            max_tokens=limits.schema_tokens,
            max_tables=limits.max_tables,
        )
    kept = {table.full_name for table in part.schema.tables}
    history, earlier = _conversation(ws)
    known = None
    if ws.recollection is not None and not history:
        known = ws.recollection.known(question, schema)
    return Context(
        question=question,
        schema=part.schema,
        whole=len(part.schema.tables) == len(schema.tables),
        today=date.today(),
        privacy=ws.database.privacy,
        values=tuple(match for match in matches if match.table in kept),
        history=history,
        earlier=earlier,
        recalled=recalled,
        known=known,
        likely=part.likely,
    )


def _conversation(ws: Workspace) -> tuple[tuple[Exchange, ...], str]:
    """The latest turns of a named session, and what was before them; an unnamed one starts afresh."""
    from t2s.llm import estimate_tokens
    from t2s.memory.conversation import conversation

    if ws.session_name is None:
        return (), ""
    limits = ws.config.settings.context
    return conversation(
        ws.ledger.history(ws.session_id, MAX_HISTORY),
        limits.strategy,
        turns=limits.history_turns,
        budget=limits.history_tokens,
        estimate=lambda text: estimate_tokens(text, ws.model),
    )
