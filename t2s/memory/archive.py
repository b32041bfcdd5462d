"""Sessions and memories written away: one gzipped JSON file a session, in any place that fsspec reaches.

A file is `{"format": 1, "sha256": …, "payload": {"session", "turns", "memories"}}`; the hash is of the payload as
canonical JSON (sorted keys, no spaces, UTF-8).
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from t2s.errors import ArchiveError, UsageError
from t2s.ledger import archives, sessions
from t2s.ledger import memories as store
from t2s.memory.memories import searchable
from t2s.memory.score import RETENTION_S
from t2s.types.memory import Memory

if TYPE_CHECKING:
    from t2s.ledger.store import Ledger
    from t2s.memory.search import Searcher

FORMAT = 1


def archive(ledger: Ledger, base: str, known: Sequence[Memory]) -> tuple[str, ...]:
    """Write memories away, each into the file of its session, beside what is there; returns the files' paths.

    Raises `ArchiveError`; the files are then as they were.
    """
    groups: defaultdict[tuple[str, str, str], list[Memory]] = defaultdict(list)
    for memory in known:
        groups[memory.user, memory.datasource, memory.session_id].append(memory)
    return tuple(_archive_session(ledger, base, *key, members) for key, members in groups.items())


def archive_session(ledger: Ledger, base: str, session: sessions.Session) -> str:
    """Write a whole session away, with its turns and memories; returns the file's path."""
    known = store.find(ledger, session_id=session.id, user=session.user)
    return _archive_session(ledger, base, session.user, session.datasource, session.id, known)


def read(base: str, path: str) -> dict[str, Any]:
    """The payload of an archive; raises `ArchiveError` where it is missing or not what was written."""
    import fsspec

    try:
        with fsspec.open(_join(base, path), "rb") as file:
            document = json.loads(gzip.decompress(file.read()))
        version, sha256, payload = document["format"], document["sha256"], document["payload"]
    except (OSError, ValueError, KeyError, TypeError, EOFError) as e:
        raise ArchiveError(f"the archive {path} cannot be read: {e}") from e
    if version != FORMAT:
        raise ArchiveError(f"the archive {path} has format {version}; this t2s reads {FORMAT}", hint="update t2s")
    if _checksum(payload) != sha256:
        raise ArchiveError(f"the archive {path} is damaged: its checksum is not that of its content")
    return dict(payload)


def restore(ledger: Ledger, searcher: Searcher, base: str, path: str) -> tuple[int, int]:
    """Put back what an archive holds; returns how many memories, and how many were there already."""
    payload = read(base, path)
    now, restored, known = time.time(), 0, 0
    for document in payload["memories"]:
        memory = _memory(document, path)
        memory = replace(memory, last_access=now, expires=now + RETENTION_S[memory.layer])
        if store.put_back(ledger, memory, searchable(searcher, memory)):
            restored += 1
        else:
            known += 1
    if payload.get("session"):
        archives.put_back_session(ledger, payload["session"], payload["turns"])
    return restored, known


def remove(base: str, path: str) -> None:
    """Take a file out of the archive for good; raises `ArchiveError`."""
    import fsspec

    try:
        system, place = fsspec.core.url_to_fs(_join(base, path))
        if system.exists(place):
            system.rm(place)
    except (OSError, ValueError, ImportError) as e:
        raise ArchiveError(f"the archive {path} cannot be removed: {e}") from e


def path_of(user: str, datasource: str, session_id: str, created: float) -> str:
    """Where a session's archive is: `user/datasource/yyyy/mm/dd/session.json.gz`, of harmless letters only."""
    day = time.strftime("%Y/%m/%d", time.localtime(created))
    return f"{_slug(user)}/{_slug(datasource)}/{day}/{_slug(session_id or 'shared')}.json.gz"


def _archive_session(
    ledger: Ledger, base: str, user: str, datasource: str, session_id: str, known: Sequence[Memory]
) -> str:
    try:
        session: sessions.Session | None = sessions.get_session(ledger, session_id, user=user)
    except UsageError:  # it was deleted, or the memories came from a file
        session = None
    created = session.created if session else min((m.created for m in known), default=time.time())
    path = path_of(user, datasource, session_id, created)
    turns = sessions.list_turns(ledger, user=user, session_id=session_id) if session_id else ()
    with archives.writing(ledger, path) as record:
        payload = {
            "session": asdict(session) if session else None,
            "turns": [asdict(turn) for turn in turns],
            "memories": [asdict(memory) for memory in known],
        }
        if record.known:
            payload["memories"] = _united(read(base, path)["memories"], payload["memories"])
        payload = json.loads(json.dumps(payload))  # as it will be read: tuples as lists
        sha256 = _checksum(payload)
        _write(base, path, {"format": FORMAT, "sha256": sha256, "payload": payload})
        record.written(user, session_id, datasource, len(payload["memories"]), sha256)
    return path


def _united(before: Any, after: Any) -> list[Any]:
    return list({document["id"]: document for document in [*before, *after]}.values())


def _write(base: str, path: str, document: Any) -> None:
    """Whole or not at all: written beside its place, then moved there."""
    import fsspec

    content = gzip.compress(json.dumps(document, ensure_ascii=False).encode("utf-8", "surrogatepass"), mtime=0)
    try:
        system, place = fsspec.core.url_to_fs(_join(base, path))
        system.makedirs(place.rpartition("/")[0], exist_ok=True)
        temporary = f"{place}.{time.time_ns()}.part"
        with system.open(temporary, "wb") as file:
            file.write(content)
        system.mv(temporary, place)
    except (OSError, ValueError, ImportError, NotImplementedError) as e:
        raise ArchiveError(f"the archive {base} cannot be written: {e}", hint="see memory.archive") from e


def _checksum(payload: Any) -> str:
    text = json.dumps(payload, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _memory(document: Any, path: str) -> Memory:
    try:
        return Memory(**{**document, "tables": tuple(document["tables"]), "columns": tuple(document["columns"])})
    except (TypeError, KeyError) as e:
        raise ArchiveError(f"the archive {path} holds a memory of another shape: {e}") from e


def _join(base: str, path: str) -> str:
    return f"{base.rstrip('/')}/{path}"


def _slug(text: str) -> str:
    """A name for a file: what is not a plain letter becomes a hyphen, and a hash keeps it apart from others."""
    plain = re.sub(r"[^A-Za-z0-9_-]+", "-", text).strip("-")[:60]
    if plain and plain == text:
        return plain
    told_apart = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{plain or 'x'}-{told_apart}"
