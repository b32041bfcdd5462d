"""What goes into the memory: each kind is checked before it is kept, so that nothing wrong is learned."""

from __future__ import annotations

import hashlib
import re
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING

from t2s.errors import MemoryRefused, UsageError
from t2s.ledger import memories as store
from t2s.memory.memories import Memories, require_no_secret, save, searchable
from t2s.memory.score import scored
from t2s.memory.words import STANDING, fold
from t2s.sql import check, fingerprint
from t2s.sql.expression import Expression, read_expression
from t2s.types.memory import Kind, Memory, Owner, Source, State
from t2s.types.query import Problem, Rejected, Valid

if TYPE_CHECKING:
    from t2s.types.schema import Schema

MIN_CONFIDENCE = 0.8
"""What is less sure is not learned by itself."""

MAX_TERM_WORDS = 6
"""What stands before `=` is a term of the glossary where it has no more words than this."""

TRUST: dict[State | None, int] = {None: 0, "executed": 1, "accepted": 2, "golden": 3}

_ENDS = re.compile(r"^[\s\"'“”‘’¿¡]+|[\s\"'“”‘’?!.。？！…]+$")


def question_key(question: str) -> str:
    """The same for the same question, whatever its case, spaces and final marks."""
    return _key(_ENDS.sub("", fold(question)))


def glossary(
    owner: Owner, term: str, definition: str, schema: Schema, *, now: float, source: Source = "user"
) -> Memory:
    """A word of the company and what it means: SQL over the schema, or words."""
    term, definition = term.strip(), definition.strip()
    if not term or not definition:
        raise MemoryRefused("a glossary entry is TERM = DEFINITION", hint="active customer = customers.active")
    meaning = read_expression(definition, schema)
    if isinstance(meaning, Problem):
        raise MemoryRefused(f"the definition of {term!r} does not fit the schema: {_told(meaning)}")
    memory = _memory(owner, "glossary", _key(fold(term)), f"{term} = {definition}", now, source)
    memory = replace(memory, data={"term": term, "definition": definition})
    if isinstance(meaning, Expression):
        memory = replace(memory, tables=meaning.tables, columns=meaning.columns, fingerprint=schema.fingerprint)
    return memory


def query(
    owner: Owner, question: str, sql: str, schema: Schema, *, state: State, now: float, source: Source = "user"
) -> Memory:
    """A question and the SQL that answers it."""
    valid = _valid(sql, schema)
    memory = _memory(owner, "query", question_key(question), f"{question}\n{sql}", now, source)
    memory = replace(
        memory,
        state=state,
        marked=state != "executed",
        feedback=0.5 if state == "executed" else 1.0,
        data={"question": question, "sql": sql},
    )
    return _touching(memory, valid, schema)


def correction(
    owner: Owner,
    question: str,
    wrong: str,
    right: str | None,
    why: str,
    schema: Schema,
    *,
    now: float,
    source: Source = "user",
) -> Memory:
    """A wrong answer, why it is wrong and, where known, the right one; the wrong one's tree is a veto."""
    if not (right or why):
        raise MemoryRefused("a correction needs the right SQL or a reason", hint="give --sql or --why")
    valid = _valid(right, schema) if right else None
    veto = _tree_hash(wrong, schema)
    if valid is not None and fingerprint(valid.sql, schema.dialect) == veto:
        raise MemoryRefused("the right SQL is the same query as the wrong one")
    content = "\n".join(part for part in (question, f"wrong: {wrong}", f"right: {right}" if right else "", why) if part)
    memory = _memory(owner, "correction", question_key(question), content, now, source)
    data = {"question": question, "wrong": wrong, "why": why, **({"right": right} if right else {})}
    memory = replace(memory, feedback=1.0, data=data, veto=veto, fingerprint=schema.fingerprint)
    return _touching(memory, valid, schema) if valid is not None else memory


def preference(owner: Owner, text: str, *, now: float, confidence: float = 1.0, source: Source = "user") -> Memory:
    """How a user likes answers."""
    text = text.strip()
    if not text:
        raise MemoryRefused("there is nothing to remember")
    memory = _memory(owner, "preference", _key(fold(text)), text, now, source)
    return replace(memory, data={"text": text}, confidence=confidence)


def told(owner: Owner, text: str, schema: Schema, *, now: float) -> Memory:
    """What a user says shall be remembered: `TERM = DEFINITION` is for the glossary, all else a preference."""
    term, equals, definition = text.replace("＝", "=").partition("=")
    if equals and definition.strip() and len(term.split()) <= MAX_TERM_WORDS and not STANDING.match(text):
        return glossary(owner, term, definition, schema, now=now)
    return preference(owner, text, now=now)


def note(owner: Owner, target: str, text: str, schema: Schema, *, now: float, source: Source = "user") -> Memory:
    """What a table or column means, as its comment in the database should say."""
    table, column = _target(target, schema)
    name = f"{table}.{column}" if column else table
    memory = _memory(owner, "schema", _key(name), f"{name}: {text}", now, source)
    return replace(
        memory,
        data={"target": name, "note": text},
        tables=(table,),
        columns=(f"{table}.{column}",) if column else (),
        fingerprint=schema.fingerprint,
    )


def of_session(owner: Owner, kind: Kind, content: str, *, now: float, key: str | None = None) -> Memory:
    """A summary, event, result or piece of conversation of the owner's session, or a setting of the user."""
    return _memory(owner, kind, _key(key or content), content, now, "auto")


def keep(memories: Memories, memory: Memory, now: float) -> Memory:
    """Save a memory, or give back the known one that says the same or is trusted more.

    What contradicts a newer and more important one is kept as superseded by it.
    """
    known = next(iter(store.find(memories.ledger, scopes=[memory.scope], keys=[memory.key], limit=1)), None)
    if known is not None and not known.stale:
        more, same = TRUST[known.state] - TRUST[memory.state], dict(known.data) == dict(memory.data) != {}
        if more > 0 or (more == 0 and same):
            return known
        if known.valid_from > memory.valid_from and known.importance > memory.importance:
            memory = scored(replace(memory, valid_to=memory.valid_from, superseded_by=known.id), now)
            require_no_secret(memory)
            store.put_back(memories.ledger, memory, searchable(memories.searcher, memory))
            return memory
    return save(memories, memory, now)


def _memory(owner: Owner, kind: Kind, key: str, content: str, now: float, source: Source) -> Memory:
    return Memory(
        id=str(uuid.uuid4()),
        kind=kind,
        scope=owner.scope(kind),
        key=key,
        content=content,
        user=owner.user,
        session_id=owner.session_id,
        datasource=owner.datasource,
        created=now,
        last_access=now,
        valid_from=now,
        source=source,
    )


def _key(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _valid(sql: str, schema: Schema) -> Valid:
    verdict = check(sql, schema)
    if isinstance(verdict, Rejected):
        raise MemoryRefused(f"this SQL cannot be learned: {_told(verdict.problems[0])}")
    return verdict


def _touching(memory: Memory, valid: Valid, schema: Schema) -> Memory:
    """The memory with what its SQL reads, so that a change of the schema can be held against it."""
    return replace(
        memory,
        tables=valid.tables,
        columns=valid.columns,
        fingerprint=schema.fingerprint,
        sql_hash=fingerprint(valid.sql, schema.dialect),
    )


def _tree_hash(sql: str, schema: Schema) -> str:
    try:
        return fingerprint(sql, schema.dialect)
    except UsageError as e:
        raise MemoryRefused(f"the wrong SQL cannot be read: {e.message}") from e


def _target(target: str, schema: Schema) -> tuple[str, str | None]:
    table = schema.table(target)
    if table is not None:
        return table.full_name, None
    head, _, tail = target.rpartition(".")
    table = schema.table(head) if head else None
    column = table.column(tail) if table else None
    if table is None or column is None:
        from t2s.sql import nearest

        names = [t.full_name for t in schema.tables]
        names += [f"{t.full_name}.{c.name}" for t in schema.tables for c in t.columns]
        near = nearest(target, names)
        raise MemoryRefused(f"there is no table or column {target}", hint=f"did you mean {near}?" if near else None)
    return table.full_name, column.name


def _told(problem: Problem) -> str:
    return problem.message + (f"; did you mean {problem.suggestion}?" if problem.suggestion else "")
