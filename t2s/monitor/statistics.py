"""Runs added up: by hour, user, model, database or front end, with the percentiles of their time."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Literal

from t2s.types.event import Stage
from t2s.types.run import BROKEN_OFF, RUNNING, Run

By = Literal["hour", "day", "user", "model", "database", "origin"]

PARTS: Mapping[str, tuple[Stage, ...]] = {
    "recall": ("recall",),
    "link": ("link",),
    "model": ("model", "repair"),
    "check": ("check",),
    "execute": ("execute",),
    "remember": ("remember",),
}
"""What a question's time is told by: stages, of which some belong together."""

_KEYS: Mapping[By, Callable[[Run], str]] = {
    "hour": lambda run: time.strftime("%Y-%m-%d %H:00", time.localtime(run.at)),
    "day": lambda run: time.strftime("%Y-%m-%d", time.localtime(run.at)),
    "user": lambda run: run.user,
    "model": lambda run: run.usage.model,
    "database": lambda run: run.datasource,
    "origin": lambda run: run.origin,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """Percentiles in milliseconds, by nearest rank: so many questions in a hundred took no longer."""

    p50: float
    p95: float
    p99: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """What the runs under one key took; `unpriced` are runs whose cost is not known and not in `cost_usd`."""

    key: str
    questions: int
    failed: int
    total: Latency
    parts: Mapping[str, Latency]
    mean_tokens: float
    tokens: int
    cost_usd: float
    unpriced: int
    memories_used: int
    memories_made: int
    last: float

    @property
    def error_share(self) -> float:
        """Which share of the questions failed."""
        return self.failed / self.questions


def counted(runs: Iterable[Run]) -> list[Run]:
    """The runs that say how it goes: those that ended, without what an evaluation asked."""
    return [run for run in runs if run.status != RUNNING and run.origin != "eval"]


def statistics(runs: Iterable[Run], by: By) -> tuple[Statistics, ...]:
    """Ended runs by a key: times in order, all else by how often."""
    groups: dict[str, list[Run]] = {}
    for run in runs:
        groups.setdefault(_KEYS[by](run), []).append(run)
    found = [sum_up(key, own) for key, own in groups.items()]
    if by in ("hour", "day"):
        return tuple(sorted(found, key=lambda group: group.key))
    return tuple(sorted(found, key=lambda group: (-group.questions, group.key)))


def sum_up(key: str, runs: Sequence[Run]) -> Statistics:
    """One or more runs as one line; how long one took that was broken off is not known."""
    timed = [run for run in runs if run.status != BROKEN_OFF]
    return Statistics(
        key=key,
        questions=len(runs),
        failed=sum(run.failed for run in runs),
        total=latency([run.total_ms for run in timed]),
        parts={name: latency([run.ms(*stages) for run in timed]) for name, stages in PARTS.items()},
        mean_tokens=fmean(run.usage.total_tokens for run in runs),
        tokens=sum(run.usage.total_tokens for run in runs),
        cost_usd=sum(run.usage.cost_usd or 0.0 for run in runs),
        unpriced=sum(run.usage.cost_usd is None for run in runs),
        memories_used=sum(run.memories_used for run in runs),
        memories_made=sum(run.memories_made for run in runs),
        last=max(run.at for run in runs),
    )


def latency(times_ms: Sequence[float]) -> Latency:
    """The percentiles of some times; 0 of none."""
    ordered = sorted(times_ms)
    return Latency(p50=_rank(ordered, 0.50), p95=_rank(ordered, 0.95), p99=_rank(ordered, 0.99))


def _rank(ordered: Sequence[float], share: float) -> float:
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else 0.0
