"""What a team knows, as a file that people read and keep in git: glossary, verified queries, corrections, notes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from t2s.documents import read_yaml, write_yaml
from t2s.errors import MemoryRefused
from t2s.ledger import memories as store
from t2s.memory import remember
from t2s.memory.memories import Memories, save
from t2s.types.memory import Memory, Owner

if TYPE_CHECKING:
    from t2s.types.schema import Schema

VERSION = 1
Text = Annotated[str, Field(min_length=1)]


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Query(_Entry):
    question: Text
    sql: Text
    golden: bool = False


class _Correction(_Entry):
    question: Text
    wrong: Text
    right: str | None = None
    why: str = ""


class _Knowledge(_Entry):
    version: Literal[1]
    glossary: dict[Text, Text] = {}
    notes: dict[Text, Text] = {}
    queries: tuple[_Query, ...] = ()
    corrections: tuple[_Correction, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What came of an import; `conflicts` are entries that say otherwise than what is known, and were left out."""

    added: int
    known: int
    conflicts: tuple[str, ...]
    refused: tuple[str, ...]


def export(memories: Memories) -> str:
    """The datasource's knowledge as YAML, in an order that makes for small differences."""
    owner = memories.owner
    kinds = ("glossary", "schema", "query", "correction")
    known = [m for m in store.find(memories.ledger, scopes=[owner.scope(k) for k in kinds]) if not m.stale]  # type: ignore[arg-type]
    document: dict[str, Any] = {"version": VERSION}
    glossary = {m.data["term"]: m.data["definition"] for m in known if m.kind == "glossary"}
    notes = {m.data["target"]: m.data["note"] for m in known if m.kind == "schema" and "note" in m.data}
    trusted = [m for m in known if m.kind == "query" and m.verified_sql]
    queries = [
        {"question": m.data["question"], "sql": m.data["sql"], **({"golden": True} if m.state == "golden" else {})}
        for m in sorted(trusted, key=lambda m: m.data["question"])
    ]
    corrections = [
        {name: m.data[name] for name in ("question", "wrong", "right", "why") if m.data.get(name)}
        for m in sorted((m for m in known if m.kind == "correction"), key=lambda m: m.data["question"])
    ]
    for name, part in (("glossary", glossary), ("notes", notes)):
        if part:
            document[name] = dict(sorted(part.items()))
    document |= {name: part for name, part in (("queries", queries), ("corrections", corrections)) if part}
    return write_yaml(document)


def load(text: str, name: str) -> _Knowledge:
    """The knowledge that a file holds; raises `UsageError` with file, line and what is wrong."""
    return read_yaml(text, name, _Knowledge, hint="t2s memory export shows the form")


def learn(memories: Memories, knowledge: _Knowledge, schema: Schema, *, replacing: bool) -> Imported:
    """Keep what a file knows; what is known already stays, what contradicts it only gives way where `replacing`."""
    now = time.time()
    added = known = 0
    conflicts, refused = [], []
    for what, make in _entries(memories.owner, knowledge, schema, now):
        try:
            memory = make()
        except MemoryRefused as e:
            refused.append(f"{what}: {e.message}")
            continue
        before = next(iter(store.find(memories.ledger, scopes=[memory.scope], keys=[memory.key], limit=1)), None)
        if before is not None and _says_the_same(before, memory):
            known += 1
        elif before is not None and remember.TRUST[before.state] >= remember.TRUST[memory.state] and not replacing:
            conflicts.append(f"{what}: known as {_told(before)}, the file says {_told(memory)}")
        else:
            save(memories, memory, now)
            added += 1
    return Imported(added=added, known=known, conflicts=tuple(conflicts), refused=tuple(refused))


def _entries(
    owner: Owner, knowledge: _Knowledge, schema: Schema, now: float
) -> Iterator[tuple[str, Callable[[], Memory]]]:
    """Each entry's name, and what makes a memory of it or raises `MemoryRefused`."""
    for term, definition in knowledge.glossary.items():
        yield (
            f"glossary {term!r}",
            lambda t=term, d=definition: remember.glossary(owner, t, d, schema, now=now, source="import"),  # type: ignore[misc]
        )
    for target, text in knowledge.notes.items():
        yield (
            f"note {target!r}",
            lambda t=target, n=text: remember.note(owner, t, n, schema, now=now, source="import"),  # type: ignore[misc]
        )
    for entry in knowledge.queries:
        yield (
            f"query {entry.question!r}",
            lambda e=entry: remember.query(  # type: ignore[misc]
                owner, e.question, e.sql, schema, state="golden" if e.golden else "accepted", now=now, source="import"
            ),
        )
    for item in knowledge.corrections:
        yield (
            f"correction {item.question!r}",
            lambda c=item: remember.correction(  # type: ignore[misc]
                owner, c.question, c.wrong, c.right, c.why, schema, now=now, source="import"
            ),
        )


def _says_the_same(known: Memory, new: Memory) -> bool:
    if known.kind == "query":
        return known.sql_hash == new.sql_hash and remember.TRUST[known.state] >= remember.TRUST[new.state]
    return _stripped(known.data) == _stripped(new.data)


def _stripped(data: Mapping[str, str]) -> dict[str, str]:
    return {name: value.strip() for name, value in data.items()}


def _told(memory: Memory) -> str:
    data = memory.data
    text = data.get("definition") or data.get("note") or data.get("right") or data.get("sql") or data.get("why") or ""
    line = " ".join(text.split())
    return line if len(line) <= 80 else line[:79] + "…"
