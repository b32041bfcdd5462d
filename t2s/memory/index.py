"""The index in Chroma: derived from the ledger, behind it at times, thrown away and made anew when broken.

Chroma's local store tells nobody what it lost: two processes that write it at once overwrite each other's vectors, and
a kill in the middle of a write can make every later opening crash the process. So a local store is written under an
exclusive lock between opening and closing, read under a shared one, and marked while it is being written; a store
found marked is tried in a child process first.
"""

from __future__ import annotations

import fcntl
import shutil
import time
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from t2s.errors import IndexUnavailable
from t2s.ledger import memory_search
from t2s.memory import chroma

if TYPE_CHECKING:
    from t2s.ledger.store import Ledger

LOCK_TIMEOUT_S = 30.0


class Index:
    """One index: a folder of this machine, or a Chroma server's `http://host:port`.

    `notes` is a folder where it keeps how far a server's index has come.
    """

    def __init__(self, place: str, notes: Path) -> None:
        self.place = place
        self._url = place if place.startswith(("http://", "https://")) else None
        self._folder = Path(place) if self._url is None else notes / f"server-{zlib.crc32(place.encode()):08x}"
        self._reader: tuple[str, chroma.Client] | None = None

    def update(self, ledger: Ledger, embedder: str) -> int:
        """Take over what has changed in the ledger; returns how many memories that were.

        Raises `IndexUnavailable`; then nothing is lost, for the next update does it all again.
        """
        try:
            return self._update(ledger, embedder)
        except IndexUnavailable:
            if self._url is not None or not (self._folder / "writing").exists():
                raise
            return self._update(ledger, embedder)  # what broke in the middle is looked at, and mended, on opening

    def _update(self, ledger: Ledger, embedder: str) -> int:
        with self._writable() as client:
            taken = chroma.take_over(client, ledger, embedder)
            state = chroma.state_of(client)
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
                chroma.drop(client)
        return self.update(ledger, embedder)

    def behind(self, ledger: Ledger, embedder: str) -> int | None:
        """How many changes are not in the index yet; None where it must be made anew, or is not there."""
        with self._readable() as client:
            state = chroma.state_of(client)
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
            state = chroma.state_of(client)
            if state is None or state[0] != embedder:
                raise IndexUnavailable("the index is not made for this embedder", hint="t2s memory reindex")
            try:
                found = chroma.collection_of(client).query(
                    query_embeddings=[list(vector)],
                    n_results=k,
                    where={"scope": {"$in": list(scopes)}},
                    include=["distances"],
                )
            except Exception as e:
                raise chroma.unavailable(self.place, e) from e
        distances = found["distances"] or [[]]
        return {id_: 1.0 - distance for id_, distance in zip(found["ids"][0], distances[0], strict=True)}

    def ids(self) -> list[str]:
        """All that the index holds."""
        with self._readable() as client:
            if chroma.state_of(client) is None:
                return []
            collection = chroma.collection_of(client)
            return [
                id_
                for start in range(0, collection.count(), chroma.BATCH)
                for id_ in collection.get(limit=chroma.BATCH, offset=start, include=[])["ids"]
            ]

    def close(self) -> None:
        """Give back what `nearest` holds open."""
        if self._reader is not None:
            self._reader[1].close()
            self._reader = None

    @contextmanager
    def _writable(self) -> Iterator[chroma.Client]:
        if self._url is not None:
            with chroma.translated(self.place):
                yield self._connected()
            return
        with self._lock(exclusive=True):
            self.close()  # a client of this process on the same folder would share what is closed below
            self._mend()
            dirty = self._folder / "writing"
            dirty.touch()
            with chroma.translated(self.place):
                client = chroma.open_store(self._store)
                try:
                    yield client
                finally:
                    client.close()
            (self._folder / "generation").write_text(str(time.time_ns()))
            dirty.unlink()

    @contextmanager
    def _readable(self) -> Iterator[chroma.Client]:
        if self._url is not None:
            with chroma.translated(self.place):
                yield self._connected()
            return
        with self._lock(exclusive=False):
            if (self._folder / "writing").exists() or not self._store.exists():
                raise IndexUnavailable("the index is not complete", hint="t2s memory reindex")
            generation = (self._folder / "generation").read_text()
            if self._reader is None or self._reader[0] != generation:
                self.close()
                with chroma.translated(self.place):
                    self._reader = (generation, chroma.open_store(self._store))
            with chroma.translated(self.place):
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
        if (self._folder / "writing").exists() and not chroma.opens(self._store):
            self._clear()

    def _clear(self) -> None:
        self.close()
        shutil.rmtree(self._store, ignore_errors=True)

    def _connected(self) -> chroma.Client:
        if self._reader is None:
            self._reader = (self.place, chroma.connect(self.place))
        return self._reader[1]


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
