"""The index in Chroma: derived from the ledger, behind it at times, thrown away and made anew when broken.

Chroma's local store tells nobody what it lost: two processes that write it at once overwrite each other's vectors, and
a kill in the middle of a write can make every later opening crash the process. So a local store is written under an
exclusive lock between opening and closing, read under a shared one, and marked while it is being written; a store
found marked is tried in a child process first.
"""

from __future__ import annotations

import fcntl
import shutil
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from t2s.errors import IndexUnavailable
from t2s.ledger import memory_search

if TYPE_CHECKING:
    from t2s.ledger.store import Ledger
    from t2s.types.memory import Memory

COLLECTION = "memories"
BATCH = 2_000
LOCK_TIMEOUT_S = 30.0
PROBE_TIMEOUT_S = 30.0
Client = Any  # what PersistentClient gives has a close() that chromadb's own types do not know
_CONFIGURATION: Any = {
    "hnsw": {"space": "cosine", "max_neighbors": 16, "ef_construction": 256, "ef_search": 100, "sync_threshold": 100}
}


class Index:
    """One index: a folder of this machine, or a Chroma server's `http://host:port`.

    `notes` is a folder where it keeps how far a server's index has come.
    """

    def __init__(self, place: str, notes: Path) -> None:
        self.place = place
        self._url = place if place.startswith(("http://", "https://")) else None
        self._folder = Path(place) if self._url is None else notes / f"server-{zlib.crc32(place.encode()):08x}"
        self._reader: tuple[str, Client] | None = None

    def update(self, ledger: Ledger, embedder: str) -> int:
        """Take over what has changed in the ledger; returns how many memories that were.

        Raises `IndexUnavailable`; then nothing is lost, for the next update does it all again.
        """
        with self._writable() as client:
            taken = _update(client, ledger, embedder)
            state = _state(client)
        if state is not None:
            self._folder.mkdir(parents=True, exist_ok=True)
            (self._folder / "change").write_text(str(state[1]))
        return taken

    def rebuild(self, ledger: Ledger, embedder: str) -> int:
        """Throw the index away, with all the text in its files, and make it anew; returns its size."""
        if self._url is None:
            with self._lock(exclusive=True):
                self._clear()
        else:
            with self._writable() as client:
                _drop(client)
        return self.update(ledger, embedder)

    def behind(self, ledger: Ledger, embedder: str) -> int | None:
        """How many changes are not in the index yet; None where it must be made anew, or is not there."""
        with self._readable() as client:
            state = _state(client)
        if state is None or state[0] != embedder:
            return None
        behind = memory_search.newest_change(ledger) - state[1]
        return behind if behind >= 0 else None

    def last_change(self) -> int:
        """The last change that is known to be taken over, told without opening the index; 0 where none is."""
        try:
            return int((self._folder / "change").read_text())
        except (OSError, ValueError):
            return 0

    def nearest(self, vector: Sequence[float], scopes: Sequence[str], embedder: str, k: int) -> dict[str, float]:
        """The `k` memories (by id) within the scopes whose vectors are nearest, with their cosines."""
        with self._readable() as client:
            state = _state(client)
            if state is None or state[0] != embedder:
                raise IndexUnavailable("the index is not made for this embedder", hint="t2s memory reindex")
            try:
                found = _collection(client).query(
                    query_embeddings=[list(vector)],
                    n_results=k,
                    where={"scope": {"$in": list(scopes)}},
                    include=["distances"],
                )
            except Exception as e:
                raise _unavailable(self.place, e) from e
        distances = found["distances"] or [[]]
        return {id_: 1.0 - distance for id_, distance in zip(found["ids"][0], distances[0], strict=True)}

    def ids(self) -> list[str]:
        """All that the index holds."""
        with self._readable() as client:
            if _state(client) is None:
                return []
            collection = _collection(client)
            return [
                id_
                for start in range(0, collection.count(), BATCH)
                for id_ in collection.get(limit=BATCH, offset=start, include=[])["ids"]
            ]

    def close(self) -> None:
        """Give back what `nearest` holds open."""
        if self._reader is not None:
            self._reader[1].close()
            self._reader = None

    @contextmanager
    def _writable(self) -> Iterator[Client]:
        if self._url is not None:
            with _translated(self.place):
                yield self._connected()
            return
        with self._lock(exclusive=True):
            self._mend()
            dirty = self._folder / "writing"
            dirty.touch()
            with _translated(self.place):
                client = _open(self._store)
                try:
                    yield client
                finally:
                    client.close()
            (self._folder / "generation").write_text(str(time.time_ns()))
            dirty.unlink()

    @contextmanager
    def _readable(self) -> Iterator[Client]:
        if self._url is not None:
            with _translated(self.place):
                yield self._connected()
            return
        with self._lock(exclusive=False):
            if (self._folder / "writing").exists() or not self._store.exists():
                raise IndexUnavailable("the index is not complete", hint="t2s memory reindex")
            generation = (self._folder / "generation").read_text()
            if self._reader is None or self._reader[0] != generation:
                self.close()
                with _translated(self.place):
                    self._reader = (generation, _open(self._store))
            with _translated(self.place):
                yield self._reader[1]

    @property
    def _store(self) -> Path:
        return self._folder / "store"

    @contextmanager
    def _lock(self, *, exclusive: bool) -> Iterator[None]:
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            file = (self._folder / "lock").open("a")
        except OSError as e:
            raise IndexUnavailable(f"the index {self._folder} cannot be used: {e.strerror}") from e
        with file:
            _wait_for(file.fileno(), fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH, self._folder)
            yield

    def _mend(self) -> None:
        """Clear the store away where it was left in the middle of a write and does not open any more."""
        if (self._folder / "writing").exists() and not _opens(self._store):
            self._clear()

    def _clear(self) -> None:
        self.close()
        shutil.rmtree(self._store, ignore_errors=True)

    def _connected(self) -> Client:
        if self._reader is None:
            import_chroma()
            import chromadb

            parts = urlsplit(self.place)
            port = parts.port or (443 if parts.scheme == "https" else 8000)
            client = chromadb.HttpClient(
                host=parts.hostname or "localhost", port=port, ssl=parts.scheme == "https", settings=_settings(None)
            )
            self._reader = (self.place, client)
        return self._reader[1]


def import_chroma() -> None:
    """Import chromadb in a way that it reads no `.env` and no variables of the shell, on some of which it breaks."""
    if "chromadb" in sys.modules:
        return
    from pydantic_settings import BaseSettings

    theirs = BaseSettings.__dict__["settings_customise_sources"]
    ours = classmethod(lambda cls, settings_cls, init_settings, **_: (init_settings,))
    BaseSettings.settings_customise_sources = ours  # type: ignore[method-assign, assignment]
    try:
        import chromadb.config

        chromadb.config.Settings.settings_customise_sources = ours  # type: ignore[method-assign, assignment]
    finally:
        BaseSettings.settings_customise_sources = theirs  # type: ignore[method-assign]


def _settings(store: Path | None) -> Any:
    from chromadb.config import Settings

    if store is None:
        return Settings(anonymized_telemetry=False)
    return Settings(anonymized_telemetry=False, is_persistent=True, persist_directory=str(store))


def _open(store: Path) -> Client:
    import_chroma()
    import chromadb

    return chromadb.PersistentClient(path=str(store), settings=_settings(store))


def _collection(client: Client) -> Any:
    return client.get_collection(COLLECTION, embedding_function=None)


def _state(client: Client) -> tuple[str, int] | None:
    """The embedder that the collection is made for, and the last change of the ledger that is in it."""
    if COLLECTION not in {collection.name for collection in client.list_collections()}:
        return None
    metadata = _collection(client).metadata or {}
    return str(metadata.get("embedder")), int(metadata.get("change", 0))


def _drop(client: Client) -> None:
    if _state(client) is not None:
        client.delete_collection(COLLECTION)


def _update(client: Client, ledger: Ledger, embedder: str) -> int:
    newest = memory_search.newest_change(ledger)
    state = _state(client)
    if state is None or state[0] != embedder or state[1] > newest:
        _drop(client)
        return _fill(client, ledger, embedder, newest)
    collection, change, taken = _collection(client), state[1], 0
    while change < newest:
        change, ids = memory_search.changed(ledger, change, BATCH)
        live = memory_search.for_index(ledger, embedder, ids)
        _upsert(collection, [(memory, vector) for _, memory, vector in live])
        gone = set(ids) - {memory.id for _, memory, _ in live}
        if gone:
            collection.delete(ids=sorted(gone))
        collection.modify(metadata={"embedder": embedder, "change": change})
        taken += len(ids)
    return taken


def _fill(client: Client, ledger: Ledger, embedder: str, newest: int) -> int:
    """A new collection with all that is alive; changes that come meanwhile are taken over by the next update."""
    collection = client.create_collection(
        COLLECTION,
        embedding_function=None,
        configuration=_CONFIGURATION,
        metadata={"embedder": "none yet", "change": 0},
    )
    last = filled = 0
    while rows := memory_search.for_index(ledger, embedder, None, after=last, limit=BATCH):
        _upsert(collection, [(memory, vector) for _, memory, vector in rows])
        last = rows[-1][0]
        filled += len(rows)
    collection.modify(metadata={"embedder": embedder, "change": newest})
    return filled


def _upsert(collection: Any, rows: Sequence[tuple[Memory, bytes]]) -> None:
    import numpy as np

    if not rows:
        return
    collection.upsert(
        ids=[memory.id for memory, _ in rows],
        embeddings=np.stack([np.frombuffer(vector, dtype="<f2").astype(np.float32) for _, vector in rows]),
        documents=[memory.content for memory, _ in rows],
        metadatas=[
            {
                "scope": memory.scope,
                "kind": memory.kind,
                "user": memory.user,
                "session_id": memory.session_id,
                "datasource": memory.datasource,
                "layer": memory.layer,
                "importance": memory.importance,
                "created": memory.created,
            }
            for memory, _ in rows
        ],
    )


def _opens(store: Path) -> bool:
    """Whether a store can be opened and searched, tried in a process that may crash."""
    code = (
        "import sys; from pathlib import Path; from t2s.memory import chroma\n"
        "client = chroma._open(Path(sys.argv[1]))\n"
        "if chroma._state(client) is not None:\n"
        "    collection = chroma._collection(client)\n"
        "    found = collection.get(limit=1, include=['embeddings'])\n"
        "    if found['ids']: collection.query(query_embeddings=found['embeddings'], n_results=1)\n"
    )
    try:
        done = subprocess.run(
            [sys.executable, "-c", code, str(store)], capture_output=True, timeout=PROBE_TIMEOUT_S, check=False
        )
    except (subprocess.TimeoutExpired, OSError):
        return False
    return done.returncode == 0


def _wait_for(file: int, how: int, folder: Path) -> None:
    deadline = time.monotonic() + LOCK_TIMEOUT_S
    while True:
        try:
            fcntl.flock(file, how | fcntl.LOCK_NB)
            return
        except BlockingIOError as e:
            if time.monotonic() > deadline:
                raise IndexUnavailable(f"the index {folder} is busy for {LOCK_TIMEOUT_S:.0f} s") from e
            time.sleep(0.01)


@contextmanager
def _translated(place: str) -> Iterator[None]:
    """What Chroma raises, and it raises all sorts of things, becomes `IndexUnavailable`."""
    try:
        yield
    except (IndexUnavailable, KeyboardInterrupt):
        raise
    except Exception as e:
        from t2s.errors import T2SError

        if isinstance(e, T2SError):
            raise
        raise _unavailable(place, e) from e


def _unavailable(place: str, error: Exception) -> IndexUnavailable:
    reason = " ".join(str(error).split())[:200] or type(error).__name__
    return IndexUnavailable(f"the index {place} cannot be used: {reason}")
