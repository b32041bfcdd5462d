"""The archive: what is written can be read back, and damage is noticed."""

from __future__ import annotations

import gzip
import json
import uuid
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from memory_shop import ALICE, NOW, SCHEMA, saved

from t2s.errors import ArchiveError
from t2s.ledger import archives
from t2s.ledger import memories as store
from t2s.ledger.personal import erase_user, export_user
from t2s.memory import archive, remember
from t2s.memory.memories import Memories
from t2s.types.memory import Memory


def two(memories: Memories) -> tuple[Memory, ...]:
    return saved(
        memories,
        remember.preference(ALICE, "round to 2 decimals 两位小数", now=NOW),
        remember.query(ALICE, "how many?", "SELECT count(*) FROM orders", SCHEMA, state="golden", now=NOW),
    )


@pytest.fixture(params=["folder", "memory"])
def base(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A local folder, and another of the places that fsspec reaches."""
    return str(tmp_path / "archive") if request.param == "folder" else f"memory://{uuid.uuid4()}"


def test_what_is_archived_is_restored_as_it_was(memories: Memories, base: str) -> None:
    before = two(memories)
    (path,) = archive.archive(memories.ledger, base, before)
    store.remove(memories.ledger, [m.id for m in before])
    assert archive.restore(memories.ledger, memories.searcher, base, path) == (2, 0)
    after = {m.id: m for m in store.find(memories.ledger)}
    for memory in before:
        assert after[memory.id].content == memory.content
        assert after[memory.id].data == memory.data
        assert after[memory.id].state == memory.state
    found = memories.searcher.search("decimals", [ALICE.scope("preference")], k=1).memories
    assert found[0][0].id == before[0].id
    assert archive.restore(memories.ledger, memories.searcher, base, path) == (0, 2)


def test_a_file_of_a_session_grows_and_keeps_what_it_has(memories: Memories, base: str) -> None:
    first, second = two(memories)
    (path,) = archive.archive(memories.ledger, base, [first])
    assert archive.archive(memories.ledger, base, [second]) == (path,)
    assert {m["id"] for m in archive.read(base, path)["memories"]} == {first.id, second.id}
    (entry,) = archives.list_archives(memories.ledger, "alice")
    assert (entry.path, entry.memories) == (path, 2)


def test_damage_is_noticed(memories: Memories, tmp_path: Path) -> None:
    base = str(tmp_path / "archive")
    (path,) = archive.archive(memories.ledger, base, two(memories))
    file = tmp_path / "archive" / path
    document = json.loads(gzip.decompress(file.read_bytes()))
    document["payload"]["memories"][0]["content"] = "round to 3 decimals"
    file.write_bytes(gzip.compress(json.dumps(document).encode()))
    with pytest.raises(ArchiveError, match="checksum is not that of its content"):
        archive.read(base, path)
    file.write_bytes(file.read_bytes()[:50])
    with pytest.raises(ArchiveError, match="cannot be read"):
        archive.read(base, path)
    document["format"] = 99
    file.write_bytes(gzip.compress(json.dumps(document).encode()))
    with pytest.raises(ArchiveError, match="has format 99"):
        archive.read(base, path)
    file.unlink()
    with pytest.raises(ArchiveError, match="cannot be read"):
        archive.read(base, path)


def test_a_place_that_cannot_be_written_is_named_and_nothing_is_noted(memories: Memories, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ArchiveError, match="cannot be written"):
        archive.archive(memories.ledger, str(tmp_path / "file"), two(memories))
    with pytest.raises(ArchiveError, match="cannot be written"):
        archive.archive(memories.ledger, "nosuchprotocol://x", two(memories))
    assert archives.list_archives(memories.ledger, "alice") == ()


@given(st.text(), st.text(), st.text())
def test_no_name_leads_out_of_the_archive(user: str, datasource: str, session: str) -> None:
    path = archive.path_of(user, datasource, session, NOW)
    parts = path.split("/")
    assert len(parts) == 6
    assert all(part.strip(".") and part.isascii() and "\\" not in part and ".." not in part for part in parts)


@given(st.text(min_size=1), st.text(min_size=1))
def test_different_names_have_different_places(one: str, other: str) -> None:
    if one != other:
        assert archive.path_of(one, "d", "s", NOW) != archive.path_of(other, "d", "s", NOW)


def test_all_of_a_user_can_be_taken_out_and_away(memories: Memories, tmp_path: Path) -> None:
    two(memories)
    everything = export_user(memories.ledger, "alice")
    assert {row["content"].split("\n")[0] for row in everything["memories"]} == {
        "round to 2 decimals 两位小数",
        "how many?",
    }
    assert erase_user(memories.ledger, "alice")["memories"] == 2
    assert not any(export_user(memories.ledger, "alice").values())
    memories.ledger.close()
    for file in tmp_path.glob("ledger.db*"):
        assert b"round to 2" not in file.read_bytes()
