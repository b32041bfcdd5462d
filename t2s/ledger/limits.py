"""What may be spent."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How many calls may be under way at once, of one user and in all, and begin in a minute; None is no limit.

    A call that finds no place waits, at most `queue_s` seconds.
    """

    at_once: int | None = None
    at_once_user: int | None = None
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    queue_s: float = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Tokens and USD per request, session and day of one user; None is no limit.

    From `warn_share` of a limit on, it is said once per process. A day is the machine's local day.
    """

    request_tokens: int | None = 16_000
    session_tokens: int | None = None
    day_tokens: int | None = 1_000_000
    request_usd: float | None = None
    session_usd: float | None = None
    day_usd: float | None = None
    warn_share: float = 0.8
    pace: Pace = Pace()

    @property
    def in_usd(self) -> bool:
        """Whether any limit is in USD, so that a model without a price cannot be judged."""
        return any(limit is not None for limit in (self.request_usd, self.session_usd, self.day_usd))
