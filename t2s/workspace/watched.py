"""A question of the workspace under the eyes of the monitor."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from t2s.errors import T2SError
from t2s.monitor.watch import Watch
from t2s.types.run import Run
from t2s.types.usage import Usage

if TYPE_CHECKING:
    from t2s.monitor.recorder import Recorder
    from t2s.types.event import Event
    from t2s.types.query import Answer
    from t2s.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """An answer, and how many memories it came from and left behind."""

    answer: Answer
    memories_used: int
    memories_made: int


def watched(ws: Workspace, question: str, run_id: str, do: Callable[[Watch], Outcome]) -> Answer:
    """Do a question and have recorded what it took, also where it fails."""
    begun = _begun(ws, question, run_id)
    watch = Watch(begun, ws.on_event)
    ws.recorder.put(begun)
    try:
        outcome = do(watch)
    except T2SError as e:
        ws.recorder.put(watch.ended(e.code, model=ws.model, error=e.message))
        raise
    except KeyboardInterrupt:
        ws.recorder.put(watch.ended("cancelled", model=ws.model))
        raise
    except Exception as e:
        ws.recorder.put(watch.ended("internal", model=ws.model, error=type(e).__name__))
        raise
    answer = outcome.answer
    problems = (
        "; ".join(problem.message for problem in answer.problems) if answer.status in ("rejected", "failed") else ""
    )
    ws.recorder.put(
        watch.ended(
            answer.status,
            model=answer.usage.model,
            error=problems,
            memories_used=outcome.memories_used,
            memories_made=outcome.memories_made,
        )
    )
    return answer


def recorder_of(ws: Workspace) -> Recorder:
    """Who writes down what questions took, and who else is told of it: a collector, a chat, the user."""
    from t2s.monitor.process import leak_alarm
    from t2s.monitor.recorder import Recorder
    from t2s.monitor.telemetry import telemetry
    from t2s.monitor.webhook import budget_alerts
    from t2s.workspace.parts import limits_of

    def tell(event: Event) -> None:  # whoever listens then, not now
        ws.on_event(event)

    settings = ws.config.settings
    sinks = (
        telemetry(tell),
        budget_alerts(ws.ledger, limits_of(settings), settings.alerts.webhook, tell),
        leak_alarm(settings.alerts.process_mb, tell),
    )
    return Recorder(ws.ledger, [sink for sink in sinks if sink is not None], tell)


def _begun(ws: Workspace, question: str, run_id: str) -> Run:
    from t2s.ledger.runs import here

    return Run(
        run_id=run_id,
        at=time.time(),
        user=ws.config.settings.user,
        session_id=ws.session_id,
        datasource=ws.database.identity,
        target=_target(ws),
        origin=ws.origin,
        question=question,
        usage=Usage(model=ws.model),
        **here(),
    )


def _target(ws: Workspace) -> str:
    """What opens the database again, also from another folder."""
    from t2s.workspace.parts import SAMPLE, connections

    wanted = ws.db or ws.config.settings.db or SAMPLE
    if wanted in connections(ws.config) or "://" in wanted or not Path(wanted).exists():
        return wanted
    return str(Path(wanted).resolve())
