"""A small shop's schema, people who ask about it, and their memory."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

from t2s.ledger import open_ledger
from t2s.memory.embed import Lexical
from t2s.memory.index import Index
from t2s.memory.memories import Memories, save
from t2s.memory.search import Searcher
from t2s.types.event import ignore
from t2s.types.memory import Memory, Owner
from t2s.types.schema import Column, Schema, Table

NOW = time.time()
ALICE = Owner(user="alice", session_id="s1", datasource="shop")
BOB = Owner(user="bob", session_id="s2", datasource="shop")


def columns(*names: str) -> tuple[Column, ...]:
    return tuple(Column(name=name, type="INTEGER" if name.endswith("id") else "TEXT") for name in names)


SCHEMA = Schema(
    dialect="duckdb",
    fingerprint="one",
    tables=(
        Table(name="customers", columns=columns("id", "name", "country", "status"), primary_key=("id",)),
        Table(name="orders", columns=columns("id", "customer_id", "status", "ordered_on"), primary_key=("id",)),
    ),
)
"""Customers and their orders; `status` is in both."""

WITHOUT_STATUS = replace(
    SCHEMA,
    fingerprint="two",
    tables=(replace(SCHEMA.tables[0], columns=columns("id", "name", "country")), SCHEMA.tables[1]),
)
"""The same after somebody dropped `customers.status`."""


def memories_at(place: str, folder: Path) -> Memories:
    ledger = open_ledger(place)
    searcher = Searcher(ledger=ledger, embedder=Lexical(), index=Index(str(folder / "index"), folder))
    return Memories(ledger=ledger, searcher=searcher, owner=ALICE, on_event=ignore)


def of(memories: Memories, owner: Owner) -> Memories:
    """The same memory for somebody else."""
    return replace(memories, owner=owner)


def saved(memories: Memories, *new: Memory) -> tuple[Memory, ...]:
    """Each of the memories, kept."""
    return tuple(save(memories, memory, NOW) for memory in new)
