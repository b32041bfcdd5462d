"""The memory of processes, and whether one of them leaks."""

from __future__ import annotations

import resource
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from t2s.types.event import Event, Notice
from t2s.types.run import Run

SNAPSHOTS = 100
"""So many of a process are looked at; there is one after each question."""
RISING = 10
"""A leak rises so many times in a row …"""
GROWTH = 0.2
"""… and by more than this share."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessMemory:
    """A process's memory in MB after its questions; `rising` is how many snapshots rose in a row at the end."""

    host: str
    pid: int
    last_seen: float
    snapshots: int
    first_mb: float
    last_mb: float
    most_mb: float
    rising: int
    growth: float
    leaks: bool


def rss_mb() -> float | None:
    """What this process holds in memory, in MB; None where the system has no /proc."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except (OSError, IndexError, ValueError):
        return None
    return pages * resource.getpagesize() / 1e6


def processes(runs: Iterable[Run], *, above_mb: float) -> tuple[ProcessMemory, ...]:
    """The processes that made these runs, the largest first."""
    by_process: dict[tuple[str, int, str], list[Run]] = {}
    for run in sorted(runs, key=lambda run: run.at):
        if run.rss_mb is not None:
            by_process.setdefault((run.host, run.pid, run.process_started), []).append(run)
    found = [_process(own[-SNAPSHOTS:], above_mb) for own in by_process.values()]
    return tuple(sorted(found, key=lambda process: -process.last_mb))


def _process(runs: Sequence[Run], above_mb: float) -> ProcessMemory:
    sizes = [run.rss_mb or 0.0 for run in runs]
    rising = rises(sizes)
    before = sizes[-1 - rising]
    growth = sizes[-1] / before - 1 if before else 0.0
    return ProcessMemory(
        host=runs[-1].host,
        pid=runs[-1].pid,
        last_seen=runs[-1].at,
        snapshots=len(sizes),
        first_mb=sizes[0],
        last_mb=sizes[-1],
        most_mb=max(sizes),
        rising=rising,
        growth=growth,
        leaks=rising >= RISING and growth > GROWTH and sizes[-1] > above_mb,
    )


def leak_alarm(above_mb: float, on_event: Callable[[Event], None]) -> Callable[[Sequence[Run]], None]:
    """What looks at this process after each question, and says once where it seems to leak."""
    latest: deque[Run] = deque(maxlen=SNAPSHOTS)
    told: list[ProcessMemory] = []

    def look(runs: Sequence[Run]) -> None:
        latest.extend(runs)
        leaking = [process for process in processes(latest, above_mb=above_mb) if process.leaks]
        if leaking and not told:
            told.extend(leaking)
            size, growth = leaking[0].last_mb, leaking[0].growth
            message = f"this process holds {size:,.0f} MB, {growth:.0%} more than {leaking[0].rising} questions ago"
            on_event(Notice(message=f"{message}: it seems to leak; begin it anew"))

    return look


def rises(sizes: Sequence[float]) -> int:
    """How many times in a row, up to the last, a value was above the one before."""
    count = 0
    for before, after in reversed(list(pairwise(sizes))):
        if after <= before:
            break
        count += 1
    return count
