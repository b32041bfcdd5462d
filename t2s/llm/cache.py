"""Replies kept for a day: a repeated question on an unchanged schema costs nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

from t2s.caches import DiskCache, Recent
from t2s.llm.replay import request_key
from t2s.types.event import Event, Streamed
from t2s.types.llm import LLM, Reply, Request
from t2s.types.usage import Usage


class Cached:
    """An `LLM` that asks another one only what was not answered lately."""

    def __init__(
        self, llm: LLM, disk: DiskCache, recent: Recent[Reply], on_hit: Callable[[Usage], None] = lambda _: None
    ) -> None:
        """`on_hit` is told what a kept answer had cost."""
        self._llm = llm
        self._disk = disk
        self._recent = recent
        self._on_hit = on_hit

    def complete(self, request: Request, on_event: Callable[[Event], None]) -> Reply:
        """The kept reply, with no calls and no cost; else the other's, which is kept."""
        key = [request.model, request.effort, request_key(request)]
        name = " ".join(map(str, key))
        kept = self._recent.get(name) or _reply(self._disk.get(key))
        if kept is not None:
            on_event(Streamed(text=kept.text))
            self._recent.put(name, kept)
            self._on_hit(kept.usage)
            return replace(kept, usage=Usage(model=request.model), latency_ms=0.0)
        reply = self._llm.complete(request, on_event)
        if reply.usage.model == request.model:  # what another one answered is not what was asked for
            self._recent.put(name, reply)
            self._disk.put(key, {"text": reply.text, "stop_reason": reply.stop_reason, "usage": asdict(reply.usage)})
        return reply


def _reply(kept: Any) -> Reply | None:
    try:
        return Reply(text=kept["text"], stop_reason=kept["stop_reason"], usage=Usage(**kept["usage"]), latency_ms=0.0)
    except (KeyError, TypeError):  # nothing, or of another version
        return None
