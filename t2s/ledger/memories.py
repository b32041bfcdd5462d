"""Memories in the ledger: each change is one transaction that also writes what the searches and the index need."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, desc, func, or_, select, text

from t2s.errors import MemoryRefused
from t2s.ledger.memory_tables import changes, memories, postings, vectors
from t2s.ledger.store import Ledger
from t2s.types.memory import Kind, Memory

ORDER_LOCK = 7_283_302
MANY = 500
"""Ids in one statement; engines bound the number of parameters."""

_FIELDS = [field.name for field in fields(Memory)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Searchable:
    """What the searches need of a memory: `terms` with their weights, and a vector of half-precision floats."""

    terms: Mapping[str, float]
    embedder: str | None = None
    vector: bytes | None = None


def alive(now: float) -> ColumnElement[bool]:
    """The condition that a memory holds at present."""
    return and_(
        memories.c.valid_to.is_(None),
        memories.c.merged_into.is_(None),
        or_(memories.c.expires.is_(None), memories.c.expires > now),
    )


def add(ledger: Ledger, memory: Memory, found_by: Searchable) -> Memory:
    """Keep a memory; the one of the same scope and key, if any, is superseded by it.

    Adding the same id again changes nothing, so that whoever was killed before the acknowledgement can repeat it.
    """
    return add_all(ledger, [(memory, found_by)])[0]


def add_all(ledger: Ledger, new: Iterable[tuple[Memory, Searchable]]) -> tuple[Memory, ...]:
    """Keep several memories, all or none; see `add`."""
    with _writing(ledger) as connection:
        return tuple(_add(connection, memory, found_by) for memory, found_by in new)


def _add(connection: Connection, memory: Memory, found_by: Searchable) -> Memory:
    known = connection.execute(select(memories).where(memories.c.id == memory.id)).first()
    if known is not None:
        return as_memory(known)
    same = and_(memories.c.scope == memory.scope, memories.c.key == memory.key, memories.c.valid_to.is_(None))
    for old in connection.scalars(select(memories.c.id).where(same)).all():
        ended = memories.update().where(memories.c.id == old)
        connection.execute(ended.values(valid_to=memory.valid_from, superseded_by=memory.id))
        connection.execute(changes.insert().values(memory_id=old))
    _insert(connection, memory, found_by)
    return memory


def put_back(ledger: Ledger, memory: Memory, found_by: Searchable) -> bool:
    """Keep a memory just as it was; false where it is there, or would stand beside a live one of its key."""
    taken = memories.c.id == memory.id
    if memory.valid_to is None:
        same = and_(memories.c.scope == memory.scope, memories.c.key == memory.key)
        taken = or_(taken, and_(same, alive(time.time())))
    with _writing(ledger) as connection:
        if connection.scalar(select(memories.c.id).where(taken)) is not None:
            return False
        _insert(connection, memory, found_by)
    return True


def change(ledger: Ledger, ids: Iterable[str], **values: Any) -> None:
    """Set columns of memories."""
    with _writing(ledger) as connection:
        for part in _parts(ids):
            connection.execute(memories.update().where(memories.c.id.in_(part)).values(**values))
            connection.execute(changes.insert(), [{"memory_id": memory_id} for memory_id in part])


def rescore(ledger: Ledger, scored: Iterable[Memory]) -> None:
    """Keep the accesses, feedback, importance, layer and end of memories; nothing that the index holds of them."""
    names = ("accesses", "last_access", "feedback", "importance", "layer", "expires", "marked")
    with ledger.transaction() as connection:
        for memory in scored:
            connection.execute(
                memories.update()
                .where(memories.c.id == memory.id)
                .values(**{name: getattr(memory, name) for name in names})
            )


def remove(ledger: Ledger, ids: Iterable[str]) -> int:
    """Take memories away with all that finds them; returns how many there were."""
    removed = 0
    with _writing(ledger) as connection:
        for part in _parts(ids):
            numbers = connection.scalars(select(memories.c.number).where(memories.c.id.in_(part))).all()
            connection.execute(vectors.delete().where(vectors.c.memory.in_(numbers)))
            connection.execute(postings.delete().where(postings.c.memory.in_(numbers)))
            connection.execute(memories.delete().where(memories.c.number.in_(numbers)))
            connection.execute(changes.insert(), [{"memory_id": memory_id} for memory_id in part])
            removed += len(numbers)
    return removed


def find(
    ledger: Ledger,
    *,
    scopes: Sequence[str] | None = None,
    user: str | None = None,
    session_id: str | None = None,
    datasource: str | None = None,
    kinds: Sequence[Kind] = (),
    keys: Sequence[str] = (),
    dead_too: bool = False,
    limit: int | None = None,
) -> tuple[Memory, ...]:
    """The memories that every given condition holds for, the newest first."""
    query = select(memories).order_by(desc(memories.c.created), desc(memories.c.number)).limit(limit)
    for column, value in (("user", user), ("session_id", session_id), ("datasource", datasource)):
        if value is not None:
            query = query.where(memories.c[column] == value)
    if scopes is not None:
        query = query.where(memories.c.scope.in_(scopes))
    if kinds:
        query = query.where(memories.c.kind.in_(kinds))
    if keys:
        query = query.where(memories.c.key.in_(keys))
    if not dead_too:
        query = query.where(alive(time.time()))
    with ledger.reading() as connection:
        return tuple(map(as_memory, connection.execute(query)))


def get(ledger: Ledger, prefix: str, *, seen_by: ColumnElement[bool]) -> Memory:
    """The memory whose id begins so, among those that the condition lets see; raises `MemoryRefused`."""
    query = select(memories).where(memories.c.id.startswith(prefix, autoescape=True), seen_by).limit(2)
    with ledger.reading() as connection:
        rows = connection.execute(query).all()
    if not rows or not prefix:
        raise MemoryRefused(f"there is no memory {prefix!r}", hint="`t2s memory list` shows them")
    if len(rows) > 1:
        raise MemoryRefused(f"several memories begin with {prefix!r}", hint="give more of the id")
    return as_memory(rows[0])


def visible(*, user: str, datasource: str) -> ColumnElement[bool]:
    """What a user may list: all of one's own, and what is shared on the datasource."""
    shared = [f"{kind}:{datasource}" for kind in ("schema", "glossary", "query", "correction")]
    return or_(memories.c.user == user, memories.c.scope.in_(shared))


def scopes(ledger: Ledger, seen_by: ColumnElement[bool], *, kinds: Sequence[Kind]) -> tuple[str, ...]:
    """The scopes of what the condition lets see."""
    query = select(memories.c.scope).where(seen_by).distinct()
    if kinds:
        query = query.where(memories.c.kind.in_(kinds))
    with ledger.reading() as connection:
        return tuple(connection.scalars(query))


def listed(
    ledger: Ledger, seen_by: ColumnElement[bool], *, kinds: Sequence[Kind], dead_too: bool, limit: int | None
) -> tuple[Memory, ...]:
    """What the condition lets see, the newest first."""
    query = select(memories).where(seen_by).order_by(desc(memories.c.created), desc(memories.c.number)).limit(limit)
    if kinds:
        query = query.where(memories.c.kind.in_(kinds))
    if not dead_too:
        query = query.where(alive(time.time()))
    with ledger.reading() as connection:
        return tuple(map(as_memory, connection.execute(query)))


def notes(ledger: Ledger, scope: str) -> tuple[Memory, ...]:
    """What people have said of tables and columns."""
    query = select(memories).where(memories.c.scope == scope, memories.c.source != "auto", memories.c.stale.is_(None))
    with ledger.reading() as connection:
        return tuple(map(as_memory, connection.execute(query.where(alive(time.time())))))


def table_count(ledger: Ledger, scope: str, fingerprint: str) -> int:
    """How many tables of this state of a schema are known."""
    query = select(func.count()).where(
        memories.c.scope == scope,
        memories.c.source == "auto",
        memories.c.fingerprint == fingerprint,
        memories.c.stale.is_(None),
    )
    with ledger.reading() as connection:
        return int(connection.scalar(query.where(alive(time.time()))) or 0)


def of_other_schema(ledger: Ledger, scopes: Sequence[str], fingerprint: str) -> tuple[Memory, ...]:
    """Live memories of the scopes that were last held against another state of the schema."""
    query = select(memories).where(memories.c.scope.in_(scopes), memories.c.fingerprint != fingerprint)
    with ledger.reading() as connection:
        return tuple(map(as_memory, connection.execute(query.where(alive(time.time())))))


def expired(ledger: Ledger, now: float) -> tuple[Memory, ...]:
    """What is past its retention."""
    with ledger.reading() as connection:
        return tuple(map(as_memory, connection.execute(select(memories).where(memories.c.expires <= now))))


def counts(ledger: Ledger) -> tuple[tuple[str, str, str, int], ...]:
    """How many live memories there are of each user, scope and layer."""
    key = (memories.c.user, memories.c.scope, memories.c.layer)
    query = select(*key, func.count()).where(alive(time.time())).group_by(*key)
    with ledger.reading() as connection:
        return tuple((row[0], row[1], row[2], int(row[3])) for row in connection.execute(query))


def made_since(ledger: Ledger, since: float) -> tuple[tuple[float, str], ...]:
    """When each memory was made since a time, also those that live no more, and the layer it is in."""
    query = select(memories.c.created, memories.c.layer).where(memories.c.created >= since)
    with ledger.reading() as connection:
        return tuple((row[0], row[1]) for row in connection.execute(query.order_by(memories.c.created)))


def set_vectors(ledger: Ledger, embedder: str, made: Mapping[str, bytes]) -> None:
    """Keep vectors of memories (by id) of one embedder in place of what was there."""
    with _writing(ledger) as connection:
        for part in _parts(made):
            rows = connection.execute(
                select(memories.c.number, memories.c.id, memories.c.scope).where(memories.c.id.in_(part))
            ).all()
            connection.execute(vectors.delete().where(vectors.c.memory.in_([row.number for row in rows])))
            new = [
                {"memory": row.number, "scope": row.scope, "embedder": embedder, "vector": made[row.id]} for row in rows
            ]
            if new:
                connection.execute(vectors.insert(), new)
                connection.execute(changes.insert(), [{"memory_id": row.id} for row in rows])


def without_vector(ledger: Ledger, embedder: str, limit: int) -> tuple[Memory, ...]:
    """Live memories that this embedder has not seen yet."""
    query = (
        select(memories)
        .outerjoin(vectors, and_(vectors.c.memory == memories.c.number, vectors.c.embedder == embedder))
        .where(vectors.c.memory.is_(None), alive(time.time()))
        .limit(limit)
    )
    with ledger.reading() as connection:
        return tuple(map(as_memory, connection.execute(query)))


def term_key(scope: str, term: str) -> int:
    """A term of a scope as a number of 64 bits: short in the index, and no plain text outside the memory itself."""
    digest = hashlib.blake2b(f"{scope}\0{term}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, signed=True)


def as_memory(row: Row[Any]) -> Memory:
    """A row of the table as the value."""
    values = {name: row._mapping[name] for name in _FIELDS}
    return Memory(**{**values, "tables": tuple(values["tables"]), "columns": tuple(values["columns"])})


@contextmanager
def _writing(ledger: Ledger) -> Iterator[Connection]:
    """A transaction whose changes are numbered in the order in which they are committed."""
    with ledger.transaction() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ORDER_LOCK})
        yield connection


def _values(memory: Memory) -> dict[str, Any]:
    return {**asdict(memory), "data": dict(memory.data), "tables": list(memory.tables), "columns": list(memory.columns)}


def _insert(connection: Connection, memory: Memory, found_by: Searchable) -> None:
    new = memories.insert().values(**_values(memory)).returning(memories.c.number)
    number = connection.execute(new).scalar_one()
    if found_by.vector is not None:
        row = {"memory": number, "scope": memory.scope, "embedder": found_by.embedder, "vector": found_by.vector}
        connection.execute(vectors.insert().values(row))
    weights = {term_key(memory.scope, term): weight for term, weight in found_by.terms.items()}
    if weights:
        rows = [{"term": key, "memory": number, "weight": weight} for key, weight in weights.items()]
        connection.execute(postings.insert(), rows)
    connection.execute(changes.insert().values(memory_id=memory.id))


def _parts(ids: Iterable[str]) -> Iterable[list[str]]:
    whole = list(dict.fromkeys(ids))
    return (whole[start : start + MANY] for start in range(0, len(whole), MANY))
