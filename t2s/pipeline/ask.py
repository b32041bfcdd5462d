"""One question, all the way to its answer."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from t2s.errors import BudgetRefused, BudgetSpent, ProviderError, ProviderUnavailable
from t2s.memory.words import has_cjk
from t2s.pipeline.confidence import confidence, evidence
from t2s.pipeline.repair import sayable
from t2s.pipeline.trial import Bench, attempt, examine
from t2s.pipeline.vote import Tried, Vote, vote
from t2s.types.database import Database
from t2s.types.event import Event, Finished, Notice, Stage, Started, Switched
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

MAX_CHOICES = 4

MEMORY = "memory"
"""What stands in the place of a model's name where none was asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How to answer: whether to run the SQL, at most how many rows and seconds, how often to try.

    With `economise`, the next generator answers where a budget is spent.
    """

    run: bool = True
    limit: int | None = 1_000
    timeout: float = 30.0
    repairs: int = 2
    candidates: int = 1
    economise: bool = False


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
    bench = Bench(
        database=database,
        schema=schema,
        run=options.run,
        limit=options.limit,
        timeout=options.timeout,
        stage=course.stage,
    )
    answer = _known(context, bench, course) or _answer(context, bench, generators, options, course)
    return replace(
        answer,
        usage=course.usage,
        timings_ms={**course.timings, "total": (time.perf_counter() - start) * 1000},
        session_id=session_id,
        run_id=run_id,
    )


def _known(context: Context, bench: Bench, course: _Course) -> Answer | None:
    """The answer of a verified query for this very question, where it still works; a person has looked at it."""
    if context.known is None:
        return None
    outcome = attempt(context.known, context, bench)
    if isinstance(outcome, Rejected):
        return None
    course.usage = Usage(model=MEMORY)
    return _chosen(context, Vote(best=outcome, agreement=1.0), ())


def _answer(
    context: Context, bench: Bench, generators: tuple[Generator, ...], options: Options, course: _Course
) -> Answer:
    """Generate and check until something works or the repairs are used up.

    What works but is doubted goes back once; it stands where nothing better comes of that.
    """
    rejected: tuple[Rejected, ...] = ()
    standing: Vote | None = None
    while True:
        try:
            drafts = _generate(context, rejected, generators, options, course)
        except (ProviderError, BudgetRefused) as e:
            if standing is None:
                raise
            course.on_event(Notice(message=f"{e.message}; the answer is not looked at again"))
            drafts = ()
        others = [draft for draft in drafts if not isinstance(draft, Candidate)]
        candidates = [draft for draft in drafts if isinstance(draft, Candidate)]
        outcomes = _examined(candidates, context, bench)
        tried = tuple(outcome for outcome in outcomes if isinstance(outcome, Tried))
        if standing is not None:
            return _better(context, standing, tried, rejected)
        if len(others) * 2 > len(drafts):
            return _without_sql(context.question, others[0], rejected)
        if tried:
            chosen = vote(tried)
            if (readings := _readings(context, chosen)) is not None:
                return _without_sql(context.question, readings, rejected)
            if not chosen.best.doubted or len(rejected) >= options.repairs:
                return _chosen(context, chosen, rejected)
            standing = chosen
            rejected += (Rejected(sql=chosen.best.sql, problems=_grave(chosen.best)),)
            continue
        failures = tuple(outcome for outcome in outcomes if isinstance(outcome, Rejected))
        known = {attempt.sql for attempt in rejected}
        rejected += failures[:1]
        stuck = failures[0].sql in known or _timed_out(failures[0])
        if stuck or len(rejected) > options.repairs:
            return _rejected(context.question, candidates[0], failures[0])


def _examined(candidates: list[Candidate], context: Context, bench: Bench) -> list[Tried | Rejected]:
    """What comes of each candidate, one after the other; the same SQL is run once.

    Once they have taken as long as one query may, no further one is begun.
    """
    end = time.monotonic() + bench.timeout
    outcomes: dict[str, Tried | Rejected] = {}
    for candidate in candidates:
        if candidate.sql not in outcomes and (not outcomes or time.monotonic() < end):
            outcomes[candidate.sql] = examine(candidate, context, bench)
    return [outcomes[candidate.sql] for candidate in candidates if candidate.sql in outcomes]


def _readings(context: Context, chosen: Vote) -> Clarification | None:
    """The question back, where as many candidates understand it in one way as in another and say how."""
    if not chosen.rivals or chosen.best.doubted:
        return None
    choices = tuple(dict.fromkeys(one.candidate.explanation for one in (chosen.best, *chosen.rivals)))
    if len(choices) < 2 or not all(choices):
        return None
    asked = "您指的是哪一种？" if has_cjk(context.question) else "Which of these is meant?"
    return Clarification(question=asked, choices=choices[:MAX_CHOICES])


def _better(context: Context, standing: Vote, tried: tuple[Tried, ...], rejected: tuple[Rejected, ...]) -> Answer:
    """What came of sending a doubted query back, or that query where nothing better did."""
    if tried:
        second = vote(tried)
        if len(_grave(second.best)) < len(_grave(standing.best)):
            return _chosen(context, second, rejected)
    return _chosen(context, standing, rejected[:-1])


def _generate(
    context: Context,
    rejected: tuple[Rejected, ...],
    generators: tuple[Generator, ...],
    options: Options,
    course: _Course,
) -> tuple[Draft, ...]:
    """Drafts of the first generator that can be reached and paid for; what is skipped is said."""
    for generator, following in zip(generators, (*generators[1:], None), strict=True):
        with course.stage("repair" if rejected else "model"):
            try:
                drafts, usage = generator.generate(
                    context,
                    rejected=sayable(rejected, context.privacy),
                    n=options.candidates,
                    on_event=course.on_event,
                )
            except (ProviderUnavailable, BudgetSpent) as e:
                spent = isinstance(e, BudgetSpent)
                if following is None or (spent and not options.economise):
                    raise
                message = f"{e.message}; answering with {following.model}"
                switched = Switched(message=message, model=following.model, because="budget" if spent else "down")
                course.on_event(switched)
                continue
        course.usage += usage
        return drafts
    raise ProviderError("there is no model to ask")


def _chosen(context: Context, chosen: Vote, rejected: tuple[Rejected, ...]) -> Answer:
    best = chosen.best
    standing = tuple(replace(problem, severity="warning") for problem in best.doubts)
    return Answer(
        question=context.question,
        status="ok",
        sql=best.valid.sql,
        explanation=best.candidate.explanation,
        assumptions=best.candidate.assumptions,
        tables=best.valid.tables,
        confidence=confidence(evidence(context, best, repairs=len(rejected), agreement=chosen.agreement)),
        problems=(*_problems(rejected), *best.mended, *standing),
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


def _grave(tried: Tried) -> tuple[Problem, ...]:
    return tuple(problem for problem in tried.doubts if problem.severity == "doubt")


def _timed_out(attempt: Rejected) -> bool:
    return any(problem.code == "timeout" for problem in attempt.problems)
