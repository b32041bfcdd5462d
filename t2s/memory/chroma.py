"""Chroma itself: how it is opened, filled from the ledger and asked; see `t2s.memory.index` for when that is safe."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from t2s.errors import IndexUnavailable, T2SError
from t2s.ledger import memory_search

if TYPE_CHECKING:
    from t2s.ledger.store import Ledger
    from t2s.types.memory import Memory

COLLECTION = "memories"
BATCH = 2_000
PROBE_TIMEOUT_S = 30.0
Client = Any  # what PersistentClient gives has a close() that chromadb's own types do not know
_CONFIGURATION: Any = {
    "hnsw": {"space": "cosine", "max_neighbors": 16, "ef_construction": 256, "ef_search": 100, "sync_threshold": 100}
}


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


def settings(store: Path | None) -> Any:
    """Settings for a local store, or for a server where there is none; nothing is reported to anybody."""
    from chromadb.config import Settings

    if store is None:
        return Settings(anonymized_telemetry=False)
    return Settings(anonymized_telemetry=False, is_persistent=True, persist_directory=str(store))


def open_store(store: Path) -> Client:
    """A client of the local store in a folder, made where there is none."""
    import_chroma()
    import chromadb

    try:
        return chromadb.PersistentClient(path=str(store), settings=settings(store))
    except Exception:
        from chromadb.api.shared_system_client import SharedSystemClient

        SharedSystemClient.clear_system_cache()  # else the half-open store is given out again
        raise


def connect(url: str) -> Client:
    """A client of the Chroma server at a URL."""
    import_chroma()
    import chromadb

    parts = urlsplit(url)
    secure = parts.scheme == "https"
    port = parts.port or (443 if secure else 8000)
    return chromadb.HttpClient(host=parts.hostname or "localhost", port=port, ssl=secure, settings=settings(None))


def collection_of(client: Client) -> Any:
    """The one collection; raises what Chroma raises where there is none."""
    return client.get_collection(COLLECTION, embedding_function=None)


def state_of(client: Client) -> tuple[str, int] | None:
    """The embedder that the collection is made for, and the last change of the ledger that is in it."""
    if COLLECTION not in {collection.name for collection in client.list_collections()}:
        return None
    metadata = collection_of(client).metadata or {}
    return str(metadata.get("embedder")), int(metadata.get("change", 0))


def drop(client: Client) -> None:
    """Take the collection away."""
    if state_of(client) is not None:
        client.delete_collection(COLLECTION)


def take_over(client: Client, ledger: Ledger, embedder: str) -> int:
    """Bring the collection to the ledger's state, or make it anew for another embedder; returns how many memories."""
    newest = memory_search.newest_change(ledger)
    state = state_of(client)
    if state is None or state[0] != embedder or state[1] > newest:
        drop(client)
        return _fill(client, ledger, embedder, newest)
    collection, change, taken = collection_of(client), state[1], 0
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


def opens(store: Path) -> bool:
    """Whether a store can be opened and searched, tried in a process that may crash."""
    code = (
        "import sys; from pathlib import Path; from t2s.memory import chroma\n"
        "client = chroma.open_store(Path(sys.argv[1]))\n"
        "if chroma.state_of(client) is not None:\n"
        "    collection = chroma.collection_of(client)\n"
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


@contextmanager
def translated(place: str) -> Iterator[None]:
    """What Chroma raises, and it raises all sorts of things, becomes `IndexUnavailable`."""
    try:
        yield
    except T2SError:
        raise
    except Exception as e:
        raise unavailable(place, e) from e


def unavailable(place: str, error: Exception) -> IndexUnavailable:
    """An error of Chroma's as one of ours."""
    reason = " ".join(str(error).split())[:200] or type(error).__name__
    return IndexUnavailable(f"the index {place} cannot be used: {reason}")
