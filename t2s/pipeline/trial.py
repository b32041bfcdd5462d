"""A query tried out: vetoed or not, checked, run, doubted, and put right where it is only misspelt."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

from t2s.errors import QueryError
from t2s.memory.feedback import vetoed
from t2s.pipeline.check import check, rejected_by_engine
from t2s.pipeline.sanity import doubts
from t2s.pipeline.vote import Tried
from t2s.sql import mend
from t2s.types.database import Database
from t2s.types.event import Stage
from t2s.types.query import Candidate, Context, Problem, Rejected
from t2s.types.schema import Schema

MAX_MENDED = 3
"""So often the spelling of a query is corrected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """On what queries are tried: the database with its whole schema, and the limits they run under."""

    database: Database
    schema: Schema
    run: bool
    limit: int | None
    timeout: float
    stage: Callable[[Stage], AbstractContextManager[None]]


def attempt(candidate: Candidate, context: Context, bench: Bench) -> Tried | Rejected:
    """Check and run a query as it stands."""
    with bench.stage("check"):
        verdict = vetoed(context.recalled, candidate.sql, context.question, bench.schema) or check(
            candidate.sql, bench.schema, bench.database
        )
    if isinstance(verdict, Rejected):
        return verdict
    result = None
    if bench.run:
        with bench.stage("execute"):
            try:
                result = bench.database.run(verdict.sql, limit=bench.limit, timeout=bench.timeout)
            except QueryError as e:
                return rejected_by_engine(verdict.sql, e)
    return Tried(candidate=candidate, valid=verdict, result=result)


def examine(candidate: Candidate, context: Context, bench: Bench) -> Tried | Rejected:
    """Check, run and doubt a query; what is misspelt beyond doubt is corrected and tried again, at no cost."""
    first = outcome = _doubted(attempt(candidate, context, bench), context, bench)
    mended: tuple[Problem, ...] = ()
    for _ in range(MAX_MENDED):  # behind a wrong table its wrong columns come to light
        problems = tuple(_mendable(outcome, context))
        better = mend(outcome.sql, problems, bench.schema) if problems else None
        if better is None:
            break
        outcome = _doubted(attempt(replace(candidate, sql=better), context, bench), context, bench)
        mended += problems
    if not mended or isinstance(outcome, Rejected):
        return first
    worse = isinstance(first, Tried) and len(outcome.doubts) >= len(first.doubts)
    return first if worse else replace(outcome, mended=mended)


def _doubted(outcome: Tried | Rejected, context: Context, bench: Bench) -> Tried | Rejected:
    """The same with what is wrong although it ran; a query that was not run is not looked up in the data either."""
    if isinstance(outcome, Rejected) or outcome.result is None:
        return outcome
    with bench.stage("check"):
        found = doubts(outcome.valid.sql, context.question, outcome.result, bench.schema, bench.database)
    return replace(outcome, doubts=found)


def _mendable(outcome: Tried | Rejected, context: Context) -> Iterator[Problem]:
    """What a correction of the spelling could put right.

    A value that comes from the data would go to the model with the conversation: it must be allowed to.
    """
    if isinstance(outcome, Rejected):
        yield from outcome.problems
    elif context.privacy in ("values", "rows"):
        yield from (problem for problem in outcome.doubts if problem.code == "value" and problem.suggestion)
