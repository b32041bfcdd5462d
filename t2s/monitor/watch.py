"""Watch one question by its events; nothing of it takes part in answering."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from t2s.monitor.process import rss_mb
from t2s.types.event import Called, Event, Finished, Stage, Started
from t2s.types.run import Call, Run, Step
from t2s.types.usage import Usage


class Watch:
    """A listener that passes every event on and notes how long stages and calls took.

    Events may come from several threads.
    """

    def __init__(self, run: Run, on_event: Callable[[Event], None]) -> None:
        self._run = run
        self._on_event = on_event
        self._began = time.perf_counter()
        self._steps: list[Step] = []
        self._calls: list[Call] = []

    def __call__(self, event: Event) -> None:
        """Take note of an event and pass it on."""
        match event:
            case Finished(stage=stage, ms=ms):
                self._steps.append(Step(stage=stage, start_ms=max(0.0, self._ms() - ms), ms=ms))
            case Called(purpose=purpose, usage=usage, latency_ms=ms, outcome=outcome):
                start = max(0.0, self._ms() - ms)
                self._calls.append(Call(purpose=purpose, start_ms=start, ms=ms, usage=usage, outcome=outcome))
        self._on_event(event)

    @contextmanager
    def stage(self, name: Stage) -> Iterator[None]:
        """Say that a stage begins and ends."""
        self(Started(stage=name))
        start = time.perf_counter()
        try:
            yield
        finally:
            self(Finished(stage=name, ms=(time.perf_counter() - start) * 1000))

    def ended(self, status: str, *, model: str, error: str = "", memories_used: int = 0, memories_made: int = 0) -> Run:
        """What became of the run; `model` is the one that answered."""
        return replace(
            self._run,
            status=status,
            error=error,
            usage=replace(sum((call.usage for call in self._calls), Usage(model=model)), model=model),
            total_ms=self._ms(),
            steps=_joined(self._steps),
            calls=tuple(self._calls),
            memories_used=memories_used,
            memories_made=memories_made,
            rss_mb=rss_mb(),
        )

    def _ms(self) -> float:
        return (time.perf_counter() - self._began) * 1000


def _joined(steps: list[Step]) -> tuple[Step, ...]:
    """The steps in order, neighbours of the same stage as one."""
    joined: list[Step] = []
    for step in steps:
        if joined and joined[-1].stage == step.stage:
            joined[-1] = replace(joined[-1], ms=joined[-1].ms + step.ms)
        else:
            joined.append(step)
    return tuple(joined)
