"""A question on its way to an answer, as it is measured: its steps, its calls, what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from t2s.types.event import Stage
from t2s.types.usage import Usage

Origin = Literal["ask", "chat", "batch", "eval"]
"""Which front end asked."""

RUNNING = "running"
BROKEN_OFF = "broken_off"
"""What a run is whose process has ended without a word."""
HARMLESS = frozenset({"ok", "clarify", "abstained", "cancelled", RUNNING})
"""Statuses that are no failure: an honest "I do not know" is an answer, too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One stage of a run; times are milliseconds, `start_ms` since the run began."""

    stage: Stage
    start_ms: float
    ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One attempt at a call to a model; `outcome` is `ok` or the error's code."""

    purpose: str
    start_ms: float
    ms: float
    usage: Usage
    outcome: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One question; `at` is when it began, in seconds since the epoch.

    `status` is the answer's, or the code of the error that it ended with, `running`, or `broken_off`. `target` is
    what names the database for opening it again. `usage` counts all attempts, also those that failed. `rss_mb` is
    the memory of the process afterwards, None where the system does not tell. `calls` are not kept in the ledger.
    """

    run_id: str
    at: float
    user: str
    session_id: str
    datasource: str
    target: str
    origin: Origin
    question: str
    host: str
    pid: int
    process_started: str
    status: str = RUNNING
    error: str = ""
    usage: Usage = Usage(model="")
    total_ms: float = 0.0
    steps: tuple[Step, ...] = ()
    calls: tuple[Call, ...] = ()
    memories_used: int = 0
    memories_made: int = 0
    rss_mb: float | None = None

    @property
    def failed(self) -> bool:
        """Whether the user was left without what could be expected."""
        return self.status not in HARMLESS

    def ms(self, *stages: Stage) -> float:
        """Milliseconds in these stages together."""
        return sum(step.ms for step in self.steps if step.stage in stages)
