"""Replies on disk for a day: a repeated question on an unchanged schema costs nothing."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

from t2s.llm.replay import request_key
from t2s.types.event import Event, Streamed
from t2s.types.llm import LLM, Reply, Request
from t2s.types.usage import Usage

MAX_AGE_S = 24 * 3600


class Cached:
    """An `LLM` that asks another one only what it has not answered within a day."""

    def __init__(self, llm: LLM, folder: Path) -> None:
        self._llm = llm
        self._folder = folder

    def complete(self, request: Request, on_event: Callable[[Event], None]) -> Reply:
        """The kept reply, with no calls and no cost; else the other's, which is kept."""
        path = self._folder / f"{self._key(request)}.json"
        kept = _load(path)
        if kept is not None:
            on_event(Streamed(text=kept.text))
            return replace(kept, usage=Usage(model=request.model), latency_ms=0.0)
        reply = self._llm.complete(request, on_event)
        _save(path, reply)
        return reply

    def _key(self, request: Request) -> str:
        return hashlib.sha256(f"{request.model} {request.effort} {request_key(request)}".encode()).hexdigest()


def _load(path: Path) -> Reply | None:
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        if kept["checksum"] != _checksum(kept["text"]) or time.time() - kept["at"] > MAX_AGE_S:
            path.unlink()
            return None
        return Reply(text=kept["text"], stop_reason=kept["stop_reason"], usage=Usage(**kept["usage"]), latency_ms=0.0)
    except (OSError, ValueError, KeyError, TypeError):  # not there, or not whole: ask
        return None


def _save(path: Path, reply: Reply) -> None:
    kept = {
        "text": reply.text,
        "stop_reason": reply.stop_reason,
        "usage": asdict(reply.usage),
        "at": time.time(),
        "checksum": _checksum(reply.text),
    }
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, temporary = tempfile.mkstemp(dir=path.parent)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(kept, file, ensure_ascii=False)
        Path(temporary).replace(path)
    except OSError:  # a full disk costs money, but no answer
        return


def _checksum(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
