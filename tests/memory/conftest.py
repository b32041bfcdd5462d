"""A memory over a small shop's schema, on each kind of ledger."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from memory_shop import memories_at

from t2s.memory.memories import Memories


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Where a ledger is kept; every behaviour holds on both engines."""
    if request.param == "sqlite":
        yield str(tmp_path / "ledger.db")
        return
    import psycopg

    url = request.getfixturevalue("postgres_url")
    yield url
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")


@pytest.fixture
def memories(tmp_path: Path) -> Iterator[Memories]:
    """Alice's memory of the shop, in a file."""
    with_place = memories_at(str(tmp_path / "ledger.db"), tmp_path)
    yield with_place
    with_place.searcher.index.close()
    with_place.ledger.close()


@pytest.fixture
def on(tmp_path: Path) -> Iterator[Callable[[str], Memories]]:
    """Alice's memory on a ledger at a place."""
    opened: list[Memories] = []

    def make(place: str) -> Memories:
        opened.append(memories_at(place, tmp_path))
        return opened[-1]

    yield make
    for each in opened:
        each.searcher.index.close()
        each.ledger.close()
