"""SQL that a person wrote: under the same guard and limits as an answer's, and part of the conversation."""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING

from t2s.errors import GuardRefused, LedgerError, QueryError
from t2s.types.event import Finished, Notice, Started
from t2s.types.query import Answer, Rejected
from t2s.types.usage import Usage

if TYPE_CHECKING:
    from t2s.types.database import Database
    from t2s.workspace import Workspace

BY_HAND = "sql"
"""What stands in the place of a model's name for SQL that nobody generated."""


def checked(sql: str, database: Database) -> str:
    """The SQL as it may run; raises `GuardRefused` or `QueryError` with all that is wrong with it."""
    from t2s.pipeline.check import check
    from t2s.render.answer import describe

    verdict = check(sql, database.schema(), database)
    if isinstance(verdict, Rejected):
        kind = GuardRefused if verdict.by_guard else QueryError
        raise kind("; ".join(map(describe, verdict.problems)))
    return verdict.sql


def run_sql(ws: Workspace, sql: str) -> Answer:
    """Check SQL, run it, and record it as a turn whose question it is itself.

    What is wrong with it is in the answer; raises `DatabaseUnavailable` or `Cancelled`.
    """
    from t2s.pipeline.check import check, rejected_by_engine

    start = time.perf_counter()
    settings = ws.config.settings
    ws.on_event(Started(stage="check"))
    outcome = check(sql, ws.database.schema(), ws.database)
    result = None
    if not isinstance(outcome, Rejected):
        ws.on_event(Started(stage="execute"))
        began = time.perf_counter()
        try:
            result = ws.database.run(outcome.sql, limit=settings.limit or None, timeout=settings.timeout)
        except QueryError as e:
            outcome = rejected_by_engine(outcome.sql, e)
        ws.on_event(Finished(stage="execute", ms=(time.perf_counter() - began) * 1000))
    rejected = isinstance(outcome, Rejected)
    late = isinstance(outcome, Rejected) and any(problem.code == "timeout" for problem in outcome.problems)
    answer = Answer(
        question=sql,
        status="failed" if late else "rejected" if rejected else "ok",
        sql=outcome.sql,
        tables=() if isinstance(outcome, Rejected) else outcome.tables,
        problems=outcome.problems if isinstance(outcome, Rejected) else (),
        result=result,
        usage=Usage(model=BY_HAND),
        timings_ms={"total": (time.perf_counter() - start) * 1000},
        session_id=ws.session_id,
        run_id=str(uuid.uuid4()),
    )
    try:
        ws.ledger.record_turn(answer, privacy=ws.database.privacy)
    except LedgerError as e:
        ws.on_event(Notice(message=f"{e.message}; this query is not recorded"))
    return answer
