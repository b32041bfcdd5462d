"""One attempt at a call: it ends in a reply, or in a failure that says whether to try again."""

from __future__ import annotations

from collections.abc import Callable

from t2s.errors import ProviderError
from t2s.types.event import Event
from t2s.types.llm import Reply, Request
from t2s.types.usage import Usage

Attempt = Callable[[Request, Callable[[Event], None]], Reply]
"""What a provider has to offer; raises `AttemptFailed`."""

RETRIED_STATUS = frozenset({408, 409, 429})


class AttemptFailed(Exception):
    """`error` is what the user would be told; `used` is what was paid for all the same, where known.

    With `maybe_paid` nobody knows: the service took the request and was not waited for any longer.
    """

    def __init__(
        self,
        error: ProviderError,
        *,
        retry: bool,
        retry_after_s: float | None = None,
        used: Usage | None = None,
        maybe_paid: bool = False,
    ) -> None:
        super().__init__(error.message)
        self.error = error
        self.retry = retry
        self.retry_after_s = retry_after_s
        self.used = used
        self.maybe_paid = maybe_paid


def retried_status(status: int) -> bool:
    """Whether an HTTP status may pass by itself."""
    return status in RETRIED_STATUS or status >= 500


def retry_after(headers: object) -> float | None:
    """The seconds of a Retry-After header; None where there is none that can be read."""
    value = headers.get("retry-after") if hasattr(headers, "get") else None
    try:
        return max(0.0, float(value)) if value is not None else None
    except ValueError:
        return None
