"""What happens while a question is answered, for whoever watches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from t2s.types.usage import Usage

Stage = Literal["recall", "link", "model", "check", "repair", "execute", "remember"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """A stage begins."""

    stage: Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """A stage is done; `ms` is its duration in milliseconds."""

    stage: Stage
    ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Streamed:
    """A piece of the model's answer as it arrives."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something the user must be told although the answer goes on (a retry, a fallback, a warning)."""

    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Switched(Notice):
    """Another model answers than the one that was chosen, whose service is down or that would pass a budget."""

    model: str
    because: Literal["down", "budget"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Called:
    """One attempt at a model call ended; `outcome` is `ok` or the error's code."""

    purpose: str
    usage: Usage
    latency_ms: float
    outcome: str


Event = Started | Finished | Streamed | Notice | Called


def ignore(_: Event) -> None:
    """The default listener: nobody watches."""
