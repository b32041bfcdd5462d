"""Slots and rates that hold across processes: counted from what is held and what was used, in the same transaction."""

from __future__ import annotations

import random
import time

from sqlalchemy import Connection, func, select

from t2s.ledger.limits import Pace
from t2s.ledger.tables import holds, usage

HOLD_S = 900
"""A hold whose process cannot be looked at (another machine's) is released after so many seconds."""
PACE_LOCK = 7_283_303
MINUTE_S = 61.0
"""A second more than a minute, for a call arrives a little after it was allowed."""
POLL_S = 0.1


def seconds_to_wait(connection: Connection, pace: Pace, user: str, tokens: int) -> float:
    """How long a call of so many tokens should wait before it asks again; 0 where it may begin now."""
    busy = _busy(connection, pace, user)
    if busy > 0:
        return busy
    if pace.requests_per_minute is None and pace.tokens_per_minute is None:
        return 0.0
    now = time.time()
    began = _begun_since(connection, now - MINUTE_S)
    if pace.requests_per_minute is not None and len(began) >= pace.requests_per_minute:
        return max(0.01, began[-pace.requests_per_minute][0] + MINUTE_S - now)
    if pace.tokens_per_minute is not None:
        over = sum(used for _, used in began) + tokens - pace.tokens_per_minute
        for at, used in began:  # the oldest leave the minute first; a call larger than the limit goes alone
            if over <= 0:
                break
            over -= used
            free = max(0.01, at + MINUTE_S - now)
            if over <= 0 or at == began[-1][0]:
                return free
    return 0.0


def _busy(connection: Connection, pace: Pace, user: str) -> float:
    for most, condition in ((pace.at_once, True), (pace.at_once_user, holds.c.user == user)):
        if most is not None:
            count = connection.scalar(select(func.count()).select_from(holds).where(condition))  # type: ignore[arg-type]
            if (count or 0) >= most:
                return POLL_S * random.uniform(0.5, 1.5)  # noqa: S311  not a secret, only not all at once
    return 0.0


def _begun_since(connection: Connection, since: float) -> list[tuple[float, int]]:
    """When each call began, and its tokens: those under way as they are held, the others as they were used."""
    held = connection.execute(select(holds.c.expires, holds.c.tokens).where(holds.c.expires > since + HOLD_S))
    spent = usage.c.input_tokens + usage.c.cache_write_tokens + usage.c.output_tokens
    used = connection.execute(select(usage.c.at, usage.c.latency_ms, spent).where(usage.c.at > since))
    began = [(row[0] - HOLD_S, row[1]) for row in held]
    began += [(row[0] - row[1] / 1000, row[2]) for row in used if row[0] - row[1] / 1000 > since]
    return sorted(began)
