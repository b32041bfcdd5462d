"""The seam to whatever turns a context into SQL."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from t2s.types.event import Event
from t2s.types.query import Context, Draft, Rejected
from t2s.types.usage import Usage


class Generator(Protocol):
    """Proposes SQL; by a model service or by rules on this machine."""

    @property
    def model(self) -> str:
        """The model's id, or `local`."""
        ...

    def generate(
        self, context: Context, *, rejected: tuple[Rejected, ...], n: int, on_event: Callable[[Event], None]
    ) -> tuple[tuple[Draft, ...], Usage]:
        """At most `n` drafts, the best first (at least one), and what they cost; equal ones agree with each other.

        `rejected` holds the earlier attempts at this question, so that this one can do better.
        """
        ...
