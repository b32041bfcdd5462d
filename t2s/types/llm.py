"""What goes to a model and what comes back; the same for every provider."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from t2s.types.event import Event
from t2s.types.usage import Usage

Effort = Literal["low", "medium", "high"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A named part of the system prompt; with `cached` the prompt cache gets a breakpoint behind it."""

    name: str
    text: str
    cached: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message of the conversation."""

    role: Literal["user", "assistant"]
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One call: the stable `system`, then `messages`; the answer follows `output_schema` (JSON Schema)."""

    model: str
    system: tuple[Segment, ...]
    messages: tuple[Message, ...]
    max_tokens: int
    output_schema: Mapping[str, Any] | None = None
    effort: Effort | None = None
    purpose: str = "generate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """The text of a complete answer and its usage; `stop_reason` is the provider's own word.

    `latency_ms` counts from the start of the attempt that succeeded to its last byte.
    """

    text: str
    stop_reason: str
    usage: Usage
    latency_ms: float


class LLM(Protocol):
    """A model service: one call in, one complete reply out; raises `ProviderError` and its kin."""

    def complete(self, request: Request, on_event: Callable[[Event], None]) -> Reply:
        """Answer the request, streaming `Streamed` events on the way."""
        ...


class Meter(Protocol):
    """Who allows and records each attempt at a call."""

    def span(self, model: str, estimate: int) -> tuple[int, int]:
        """Between how many and how many tokens a prompt of that estimate has, as the model's earlier calls tell."""
        ...

    def fits(self, *, tokens: int, cost_usd: float | None) -> bool:
        """Whether no budget would be passed by an attempt that takes so much."""
        ...

    def reserve(self, *, model: str, tokens: int, cost_usd: float | None, estimate: int | None = None) -> str:
        """Hold what an attempt may take at most, and name the hold; raises `BudgetRefused`."""
        ...

    def settle(self, hold: str, used: Usage, *, purpose: str, latency_ms: float, outcome: str) -> None:
        """Replace the hold by what the attempt really used; `outcome` is `ok` or an error's code."""
        ...
