"""The index in Chroma: derived, behind at times, mended by itself."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from memory_shop import ALICE, NOW, memories_at, saved

from t2s.errors import IndexUnavailable
from t2s.ledger import memories as store
from t2s.memory import chroma, remember, search
from t2s.memory import index as index_module
from t2s.memory.index import Index
from t2s.memory.memories import Memories

LEXICAL = "lexical-1"


def wishes(memories: Memories, count: int, first: int = 0) -> list[str]:
    return [
        m.id
        for m in saved(
            memories, *(remember.preference(ALICE, f"wish number {n}", now=NOW) for n in range(first, first + count))
        )
    ]


def test_the_index_takes_over_what_has_changed_and_nothing_twice(memories: Memories) -> None:
    index, ledger = memories.searcher.index, memories.ledger
    ids = wishes(memories, 5)
    assert index.update(ledger, LEXICAL) == 5
    assert index.update(ledger, LEXICAL) == 0
    store.remove(ledger, ids[:2])
    more = wishes(memories, 1, first=5)
    assert index.behind(ledger, LEXICAL) == 3
    index.update(ledger, LEXICAL)
    assert sorted(index.ids()) == sorted([*ids[2:], *more])
    assert index.behind(ledger, LEXICAL) == 0


def test_documents_and_metadata_can_be_read_by_whoever_opens_the_store(memories: Memories, tmp_path: Path) -> None:
    saved(memories, remember.preference(ALICE, "round to 2 decimals", now=NOW))
    memories.searcher.index.update(memories.ledger, LEXICAL)
    client = chroma.open_store(tmp_path / "index" / "store")
    found = chroma.collection_of(client).get(where={"user": "alice"})
    client.close()
    assert found["documents"] == ["round to 2 decimals"]
    assert found["metadatas"][0]["scope"] == "alice:preference"


def test_superseded_memories_leave_the_index(memories: Memories) -> None:
    for now in (NOW, NOW + 1):
        saved(memories, remember.of_session(ALICE, "summary", f"at {now}", now=now, key="summary"))
    memories.searcher.index.update(memories.ledger, LEXICAL)
    assert len(memories.searcher.index.ids()) == 1


def test_another_embedder_makes_the_index_anew(memories: Memories) -> None:
    index = memories.searcher.index
    (id_,) = wishes(memories, 1)
    index.update(memories.ledger, LEXICAL)
    assert index.behind(memories.ledger, "other") is None
    store.set_vectors(memories.ledger, "other", {id_: b"\x00\x3c\x00\x00"})
    index.update(memories.ledger, "other")
    assert index.nearest([1.0, 0.0], [ALICE.scope("preference")], "other", 5) == {id_: pytest.approx(1.0)}
    with pytest.raises(IndexUnavailable, match="not made for this embedder"):
        index.nearest([1.0], ["x"], LEXICAL, 5)


def test_a_reader_sees_what_another_process_wrote(memories: Memories, tmp_path: Path) -> None:
    first = wishes(memories, 1)
    index = memories.searcher.index
    index.update(memories.ledger, LEXICAL)
    vector = memories.searcher.embedder.embed(["wish number 1"])[0]
    scopes = [ALICE.scope("preference")]
    assert list(index.nearest(vector, scopes, LEXICAL, 5)) == first
    code = (
        "import sys; from pathlib import Path; sys.path.insert(0, sys.argv[2])\n"
        "from memory_shop import *; from t2s.memory import remember\n"
        "m = memories_at(sys.argv[1] + '/ledger.db', Path(sys.argv[1]))\n"
        "saved(m, remember.preference(ALICE, 'wish number 1', now=NOW)); m.searcher.index.update(m.ledger, 'lexical-1')\n"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path), str(Path(__file__).parent)], check=True, timeout=60)
    assert len(index.nearest(vector, scopes, LEXICAL, 5)) == 2


def test_a_store_that_has_gone_bad_is_mended_by_the_next_write(memories: Memories, tmp_path: Path) -> None:
    index, ids = memories.searcher.index, wishes(memories, 3)
    index.update(memories.ledger, LEXICAL)
    (tmp_path / "index" / "store" / "chroma.sqlite3").write_bytes(b"garbage" * 1_000)
    more = wishes(memories, 1, first=3)
    index.update(memories.ledger, LEXICAL)
    assert sorted(index.ids()) == sorted([*ids, *more])


@pytest.mark.parametrize("damage", ["torn file", "no database", "garbage"])
def test_a_store_that_was_left_in_the_middle_of_a_write_is_mended(
    memories: Memories, tmp_path: Path, damage: str
) -> None:
    index, ids = memories.searcher.index, wishes(memories, 120)
    index.update(memories.ledger, LEXICAL)
    folder = tmp_path / "index"
    (folder / "writing").touch()  # as kill -9 leaves it
    if damage == "torn file":
        for file in (folder / "store").rglob("*.bin"):
            file.write_bytes(b"\xff" * 100)
    elif damage == "no database":
        (folder / "store" / "chroma.sqlite3").unlink()
    else:
        (folder / "store" / "chroma.sqlite3").write_bytes(b"garbage" * 1_000)
    with pytest.raises(IndexUnavailable, match="not complete"):
        index.nearest([1.0], ["x"], LEXICAL, 1)
    index.update(memories.ledger, LEXICAL)
    assert sorted(index.ids()) == sorted(ids)


def test_a_writer_killed_in_the_middle_loses_nothing(tmp_path: Path) -> None:
    memories = memories_at(str(tmp_path / "ledger.db"), tmp_path)
    ids = wishes(memories, 50)
    code = (
        "import os, signal, sys; from pathlib import Path; sys.path.insert(0, sys.argv[2])\n"
        "from memory_shop import *; from t2s.memory import chroma\n"
        "upsert = chroma._upsert\n"
        "def half(collection, rows): upsert(collection, rows[:25]); os.kill(os.getpid(), signal.SIGKILL)\n"
        "chroma._upsert = half\n"
        "m = memories_at(sys.argv[1] + '/ledger.db', Path(sys.argv[1])); m.searcher.index.update(m.ledger, 'lexical-1')\n"
    )
    killed = subprocess.run([sys.executable, "-c", code, str(tmp_path), str(Path(__file__).parent)], timeout=60)
    assert killed.returncode == -signal.SIGKILL
    assert (tmp_path / "index" / "writing").exists()
    memories.searcher.index.update(memories.ledger, LEXICAL)
    assert sorted(memories.searcher.index.ids()) == sorted(ids)
    memories.ledger.close()


def test_rebuilding_leaves_nothing_of_a_deleted_text_on_disk(memories: Memories, tmp_path: Path) -> None:
    saved(memories, remember.preference(ALICE, "unforgettable phrase", now=NOW))
    index = memories.searcher.index
    index.update(memories.ledger, LEXICAL)

    def holds() -> bool:
        return any(b"unforgettable" in f.read_bytes() for f in (tmp_path / "index").rglob("*") if f.is_file())

    assert holds()
    store.remove(memories.ledger, [m.id for m in store.find(memories.ledger)])
    index.rebuild(memories.ledger, LEXICAL)
    assert not holds()


def test_a_busy_index_is_not_waited_for_for_ever(
    memories: Memories, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fcntl

    monkeypatch.setattr(index_module, "LOCK_TIMEOUT_S", 0.1)
    wishes(memories, 1)
    (tmp_path / "index").mkdir()
    with (tmp_path / "index" / "lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(IndexUnavailable, match="is busy"):
            memories.searcher.index.update(memories.ledger, LEXICAL)


def test_a_folder_that_cannot_be_made_is_named(memories: Memories, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(IndexUnavailable, match="Not a directory"):
        Index(str(tmp_path / "file" / "index"), tmp_path).update(memories.ledger, LEXICAL)


def test_chroma_does_not_read_the_users_env(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("CHROMA_SERVER_HTTP_PORT=nonsense\nIS_PERSISTENT=nonsense\n")
    code = "from t2s.memory.chroma import *; from pathlib import Path; open_store(Path('s')).close()"
    env = {**os.environ, "CHROMA_SERVER_HTTP_PORT": "nonsense", "ALLOW_RESET": "nonsense"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def chroma_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real Chroma server on loopback."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(Path(sys.executable).parent / "chroma"), "run", "--host", "127.0.0.1", "--port", str(port)]
    folder = tmp_path_factory.mktemp("server")
    with subprocess.Popen(
        [*command, "--path", str(folder)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as server:
        for _ in range(300):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
        server.terminate()


def test_a_chroma_server_holds_the_index_as_well(
    chroma_server: str, memories: Memories, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = wishes(memories, 3)
    index = Index(chroma_server, tmp_path)
    assert index.update(memories.ledger, LEXICAL) == 3
    assert index.last_change() == 3
    monkeypatch.setattr(search, "EXACT", 0)
    searcher = replace(memories.searcher, index=index, vector_share=1.0)
    found = searcher.search("wish number 2", [ALICE.scope("preference")], k=1, timeout=30)
    assert [memory.id for memory, _ in found.memories] == [ids[2]]
    index.rebuild(memories.ledger, LEXICAL)
    assert sorted(index.ids()) == sorted(ids)


def test_a_chroma_server_that_is_not_there_is_unavailable(memories: Memories, tmp_path: Path) -> None:
    with pytest.raises(IndexUnavailable, match="cannot be used"):
        Index("http://127.0.0.1:9", tmp_path).update(memories.ledger, LEXICAL)
