"""Two caches: values of this process for some minutes, and values on disk for some hours that all processes share.

What is on disk is never half-written and never believed without its checksum: a file is written beside its place and
moved there, and one that is damaged counts as none.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar

Value = TypeVar("Value")
State = Literal["good", "expired", "damaged", "leftover"]

LEFTOVER_S = 3_600.0
"""A file that was not moved to its place for so long is what a killed process has left."""


class Recent(Generic[Value]):
    """At most so many values for at most so many seconds; the one that was not asked for longest goes first."""

    def __init__(self, max_entries: int, max_age_s: float) -> None:
        self._max_entries = max_entries
        self._max_age_s = max_age_s
        self._values: OrderedDict[str, tuple[float, Value]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: str) -> Value | None:
        """The value, if it is there and not too old."""
        with self._lock:
            at, value = self._values.get(key, (float("-inf"), None))
            if time.monotonic() - at > self._max_age_s:
                self._values.pop(key, None)
                return None
            self._values.move_to_end(key)
            return value

    def put(self, key: str, value: Value) -> None:
        """Keep a value."""
        with self._lock:
            self._values[key] = time.monotonic(), value
            self._values.move_to_end(key)
            while len(self._values) > self._max_entries:
                self._values.popitem(last=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A file of a cache on disk; `at` is when it was written, in seconds since the epoch."""

    path: Path
    size: int
    at: float
    state: State


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskCache:
    """JSON values in a folder, by any JSON key; what is older than `max_age_s` or above `max_bytes` in all goes.

    That is looked after with every sixteenth value that is put there.
    """

    folder: Path
    max_age_s: float
    max_bytes: int

    def get(self, key: Any) -> Any | None:
        """The value, if it is whole and not too old."""
        at, value = self.kept(key)
        return value if time.time() - at <= self.max_age_s else None

    def kept(self, key: Any) -> tuple[float, Any | None]:
        """When the value was written, and the value however old, if it is whole."""
        return _read(self._path(key)) or (0.0, None)

    def put(self, key: Any, value: Any) -> None:
        """Keep a value, whole or not at all; a folder that cannot be written costs time or money, nothing else."""
        at = time.time()
        text = json.dumps({"at": at, "checksum": _checksum(at, value), "value": value}, ensure_ascii=False)
        data = text.encode("utf-8", "surrogatepass")
        if len(data) > self.max_bytes:
            return
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle, temporary = tempfile.mkstemp(dir=self.folder, suffix=".tmp")
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            path = self._path(key)
            Path(temporary).replace(path)
            if path.name.startswith("0"):  # looking at all files each time would take longer than it is worth
                self.evict()
        except OSError:
            return

    def remove(self, key: Any) -> None:
        """Keep the value no longer."""
        _remove(self._path(key))

    def evict(self) -> int:
        """Take away what is too old, what killed processes left, and the oldest above the size; how many files."""
        now, kept, removed = time.time(), 0, 0
        for path, size, at in sorted(_files(self.folder), key=lambda file: -file[2]):
            age = now - at
            kept += size
            stale = age > (LEFTOVER_S if path.suffix == ".tmp" else self.max_age_s)
            if stale or kept > self.max_bytes:
                removed += _remove(path)
                kept -= size
        return removed

    def size(self) -> tuple[int, int]:
        """How many files there are, and their bytes."""
        files = _files(self.folder)
        return len(files), sum(size for _, size, _ in files)

    def entries(self) -> Iterator[Entry]:
        """Every file, each read and compared with its checksum."""
        now = time.time()
        for path, size, at in _files(self.folder):
            state: State = "good"
            if path.suffix == ".tmp":
                if now - at < LEFTOVER_S:  # somebody is writing it
                    continue
                state = "leftover"
            elif (read := _read(path)) is None:
                if not path.exists():  # evicted meanwhile
                    continue
                state = "damaged"
            elif now - read[0] > self.max_age_s:
                state = "expired"
            yield Entry(path=path, size=size, at=at, state=state)

    def clear(self) -> int:
        """Take everything away; how many files."""
        return sum(_remove(path) for path, _, _ in _files(self.folder))

    def _path(self, key: Any) -> Path:
        return self.folder / f"{_digest(key)}.json"


def _files(folder: Path) -> list[tuple[Path, int, float]]:
    """Path, size and time of writing of each file; what vanishes meanwhile is left out."""
    found = []
    try:
        with os.scandir(folder) as listed:
            for entry in listed:
                try:
                    if entry.is_file(follow_symlinks=False) and entry.name.endswith((".json", ".tmp")):
                        stat = entry.stat(follow_symlinks=False)
                        found.append((Path(entry.path), stat.st_size, stat.st_mtime))
                except OSError:
                    continue
    except OSError:  # there is no such folder yet
        return []
    return found


def _read(path: Path) -> tuple[float, Any] | None:
    try:
        kept = json.loads(path.read_bytes().decode("utf-8", "surrogatepass"))
        at, value = kept["at"], kept["value"]
        return (float(at), value) if kept["checksum"] == _checksum(at, value) else None
    except (OSError, ValueError, KeyError, TypeError, RecursionError):  # not there, or not whole
        return None


def _remove(path: Path) -> int:
    try:
        path.unlink()
    except OSError:  # another process was first
        return 0
    return 1


def _checksum(at: float, value: Any) -> str:
    return _digest([at, value])


def _digest(value: Any) -> str:
    """A hash of JSON that does not depend on the order of its keys."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
