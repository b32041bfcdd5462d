"""One question, all the way to its answer."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from t2s.errors import ProviderError, ProviderUnavailable, QueryError
from t2s.memory.feedback import vetoed
from t2s.pipeline.check import check, rejected_by_engine
from t2s.pipeline.confidence import confidence
from t2s.pipeline.vote import Tried, vote
from t2s.types.database import Database
from t2s.types.event import Event, Finished, Notice, Stage, Started
from t2s.types.generator import Generator
from t2s.types.memory import Recalled
from t2s.types.query import (
    Abstained,
    Answer,
    Candidate,
    Clarification,
    Context,
    Draft,
    Problem,
    Rejected,
)
from t2s.types.schema import Schema
from t2s.types.usage import Usage

Listener = Callable[[Event], None]

MEMORY = "memory"
"""What stands in the place of a model's name where none was asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How to answer: whether to run the SQL, at most how many rows and seconds, how often to try."""

    run: bool = True
    limit: int | None = 1_000
    timeout: float = 30.0
    repairs: int = 2
    candidates: int = 1


@dataclass(slots=True, kw_only=True)
class _Course:
    """What has been spent on the question so far; the only thing here that changes."""

    on_event: Listener
    usage: Usage
    timings: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: Stage) -> Iterator[None]:
        self.on_event(Started(stage=name))
        start = time.perf_counter()
        try:
            yield
        finally:
            ms = (time.perf_counter() - start) * 1000
            self.timings[name] = self.timings.get(name, 0.0) + ms
            self.on_event(Finished(stage=name, ms=ms))


def ask(
    question: str,
    *,
    database: Database,
    generators: tuple[Generator, ...],
    recalled: Callable[[str, Schema], Recalled],
    linked: Callable[[str, Schema, Recalled], Context],
    options: Options,
    session_id: str,
    run_id: str,
    on_event: Listener,
) -> Answer:
    """Answer a question: recall, link, generate, check, at most `options.repairs` repairs, run.

    `recalled` gives the memories and `linked` makes the context of the question. An answer that is known already is
    tried before any of `generators`, of which the first that can be reached is asked.
    Raises `ProviderError`, `BudgetRefused`, `DatabaseUnavailable` or `Cancelled`; all else is in the answer.
    """
    start = time.perf_counter()
    course = _Course(on_event=on_event, usage=Usage(model=generators[0].model))
    with course.stage("link"):
        schema = database.schema()
    with course.stage("recall"):
        memories = recalled(question, schema)
    with course.stage("link"):
        context = linked(question, schema, memories)
    answer = _known(context, schema, database, options, course) or _answer(
        context, schema, database, generators, options, course
    )
    return replace(
        answer,
        usage=course.usage,
        timings_ms={**course.timings, "total": (time.perf_counter() - start) * 1000},
        session_id=session_id,
        run_id=run_id,
    )


def _known(context: Context, schema: Schema, database: Database, options: Options, course: _Course) -> Answer | None:
    """The answer of a verified query for this very question, where it still works."""
    if context.known is None:
        return None
    outcome = _try(context.known, context, schema, database, options, course)
    if isinstance(outcome, Rejected):
        return None
    course.usage = Usage(model=MEMORY)
    return _chosen(context.question, (outcome,), ())


def _answer(
    context: Context,
    schema: Schema,
    database: Database,
    generators: tuple[Generator, ...],
    options: Options,
    course: _Course,
) -> Answer:
    """Generate and check until something works or the repairs are used up."""
    rejected: tuple[Rejected, ...] = ()
    while True:
        drafts = _generate(context, rejected, generators, options, course)
        candidates = [draft for draft in drafts if isinstance(draft, Candidate)]
        if not candidates:
            return _without_sql(context.question, drafts[0], rejected)
        outcomes = [_try(candidate, context, schema, database, options, course) for candidate in candidates]
        tried = tuple(outcome for outcome in outcomes if isinstance(outcome, Tried))
        if tried:
            return _chosen(context.question, tried, rejected)
        failures = tuple(outcome for outcome in outcomes if isinstance(outcome, Rejected))
        known = {attempt.sql for attempt in rejected}
        rejected += failures[:1]
        stuck = failures[0].sql in known or _timed_out(failures[0])
        if stuck or len(rejected) > options.repairs:
            return _rejected(context.question, candidates[0], failures[0])


def _generate(
    context: Context,
    rejected: tuple[Rejected, ...],
    generators: tuple[Generator, ...],
    options: Options,
    course: _Course,
) -> tuple[Draft, ...]:
    """Drafts of the first generator that can be reached; what is skipped is said."""
    for generator, following in zip(generators, (*generators[1:], None), strict=True):
        with course.stage("repair" if rejected else "model"):
            try:
                drafts, usage = generator.generate(
                    context, rejected=rejected, n=options.candidates, on_event=course.on_event
                )
            except ProviderUnavailable as e:
                if following is None:
                    raise
                course.on_event(Notice(message=f"{e.message}; answering with {following.model}"))
                continue
        course.usage += usage
        return drafts
    raise ProviderError("there is no model to ask")


def _try(
    candidate: Candidate, context: Context, schema: Schema, database: Database, options: Options, course: _Course
) -> Tried | Rejected:
    with course.stage("check"):
        verdict = vetoed(context.recalled, candidate.sql, context.question, schema) or check(
            candidate.sql, schema, database
        )
    if isinstance(verdict, Rejected):
        return verdict
    result = None
    if options.run:
        with course.stage("execute"):
            try:
                result = database.run(verdict.sql, limit=options.limit, timeout=options.timeout)
            except QueryError as e:
                return rejected_by_engine(verdict.sql, e)
    return Tried(candidate=candidate, valid=verdict, result=result)


def _chosen(question: str, tried: tuple[Tried, ...], rejected: tuple[Rejected, ...]) -> Answer:
    best, agreement = vote(tried)
    return Answer(
        question=question,
        status="ok",
        sql=best.valid.sql,
        explanation=best.candidate.explanation,
        assumptions=best.candidate.assumptions,
        tables=best.valid.tables,
        confidence=confidence(best.candidate, repairs=len(rejected), result=best.result, agreement=agreement),
        problems=_problems(rejected),
        result=best.result,
    )


def _without_sql(question: str, draft: Draft, rejected: tuple[Rejected, ...]) -> Answer:
    problems = _problems(rejected)
    match draft:
        case Clarification():
            return Answer(question=question, status="clarify", clarification=draft, problems=problems)
        case Abstained(reason=reason, hint=hint):
            return Answer(question=question, status="abstained", explanation=reason, hint=hint, problems=problems)
        case Candidate():
            raise AssertionError("a candidate has SQL")


def _rejected(question: str, candidate: Candidate, attempt: Rejected) -> Answer:
    return Answer(
        question=question,
        status="failed" if _timed_out(attempt) else "rejected",
        sql=attempt.sql,
        explanation=candidate.explanation,
        assumptions=candidate.assumptions,
        problems=attempt.problems,
    )


def _problems(rejected: tuple[Rejected, ...]) -> tuple[Problem, ...]:
    return tuple(problem for attempt in rejected for problem in attempt.problems)


def _timed_out(attempt: Rejected) -> bool:
    return any(problem.code == "timeout" for problem in attempt.problems)
