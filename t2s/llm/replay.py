"""Recorded answers: the same request gets the same reply, with no service at all."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from t2s.errors import ProviderError, UsageError
from t2s.llm.attempt import Attempt, AttemptFailed
from t2s.types.event import Event, Streamed
from t2s.types.llm import LLM, Reply, Request
from t2s.types.usage import Usage

PREFIX = "replay:"


def request_key(request: Request) -> str:
    """A hash of all that decides a reply; not of the model's name, so that any model can be replayed."""
    parts = {
        "system": [segment.text for segment in request.system],
        "messages": [[message.role, message.text] for message in request.messages],
        "schema": request.output_schema,
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def replay(path: Path) -> Attempt:
    """Replies from a JSON Lines file that `recorded` wrote; a request that is not in it is an error."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        known = {entry["key"]: entry["text"] for entry in map(json.loads, filter(str.strip, lines))}
    except OSError as e:
        raise ProviderError(f"cannot read the recorded answers {path}: {e.strerror}") from e
    except (ValueError, KeyError, TypeError) as e:
        raise ProviderError(f"{path} does not hold recorded answers") from e

    def attempt(request: Request, on_event: Callable[[Event], None]) -> Reply:
        text = known.get(request_key(request))
        if text is None:
            missing = ProviderError(f"{path} has no answer to this request", hint="record it again")
            raise AttemptFailed(missing, retry=False)
        on_event(Streamed(text=text))
        return Reply(text=text, stop_reason="end_turn", usage=Usage(model=request.model), latency_ms=0.0)

    return attempt


class Recorded:
    """An `LLM` that writes down what another one answers."""

    def __init__(self, llm: LLM, path: Path) -> None:
        self._llm = llm
        self._path = path

    def complete(self, request: Request, on_event: Callable[[Event], None]) -> Reply:
        """The other's reply, added to the file."""
        reply = self._llm.complete(request, on_event)
        entry = {"key": request_key(request), "text": reply.text, "usage": asdict(reply.usage)}
        try:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(entry, ensure_ascii=False) + "\n")
        except OSError as e:
            raise UsageError(f"cannot write the recorded answers to {self._path}: {e.strerror}") from e
        return reply
