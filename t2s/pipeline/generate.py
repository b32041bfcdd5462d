"""The generator that asks a model service."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial, reduce
from operator import add
from typing import Any

from t2s.errors import BudgetRefused, ProviderError, T2SError
from t2s.llm import parse_json
from t2s.pipeline.parallel import in_parallel
from t2s.pipeline.prompt import ANSWER_SCHEMA, build_request
from t2s.sql import extract_sql
from t2s.types.event import Event, Notice
from t2s.types.generator import Generator
from t2s.types.llm import LLM, Effort, Reply, Request
from t2s.types.query import Abstained, Candidate, Clarification, Context, Draft, Rejected
from t2s.types.usage import Usage

MAX_PARALLEL = 4

APPROACHES = (
    "",
    "First decide which tables are needed and along which keys they are joined, and whether a join repeats rows.",
    "Split the question into parts, write each as a common table expression, and put them together at the end.",
    "First decide what one row of the result stands for, then what it is grouped by, then what is filtered.",
    "Write it in the simplest way you can think of, with as few tables as will do.",
)
"""What is added behind the question for each further candidate: the prompt before it stays the same, and cached."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelGenerator:
    """SQL by a model: `effort` at first, `repair_effort` once an attempt has failed a check."""

    llm: LLM
    model: str
    max_tokens: int
    effort: Effort = "low"
    repair_effort: Effort = "high"

    def generate(
        self, context: Context, *, rejected: tuple[Rejected, ...], n: int, on_event: Callable[[Event], None]
    ) -> tuple[tuple[Draft, ...], Usage]:
        """One call for each of `n` drafts, the first alone: only after it does the prompt cache help.

        The further ones are asked in other ways; where one of them fails, the others do.
        """
        effort = self.repair_effort if rejected else self.effort

        def request(number: int) -> Request:
            shown = _without_examples(context) if number % 2 else context
            asked = build_request(shown, rejected, model=self.model, max_tokens=self.max_tokens, effort=effort)
            return _approached(asked, APPROACHES[number % len(APPROACHES)])

        replies: list[Reply | T2SError] = [self.llm.complete(request(0), on_event)]
        calls = [partial(self.llm.complete, request(number), on_event) for number in range(1, n)]
        replies += in_parallel(calls, MAX_PARALLEL)
        drafts = list(_drafts(replies, on_event))
        return tuple(drafts), reduce(add, (reply.usage for reply in replies if isinstance(reply, Reply)))


def _drafts(replies: list[Reply | T2SError], on_event: Callable[[Event], None]) -> Iterator[Draft]:
    """What the replies propose; that a further one is of no use is said, the first one's failure is raised."""
    for number, reply in enumerate(replies):
        try:
            if isinstance(reply, T2SError):
                raise reply
            yield draft_of(reply)
        except (ProviderError, BudgetRefused) as e:
            if number == 0:
                raise
            on_event(Notice(message=f"{e.message}; one candidate less"))


def _without_examples(context: Context) -> Context:
    """Another way to see the question: without the queries that answered others like it."""
    hits = tuple(hit for hit in context.recalled.hits if hit.memory.kind != "query")
    return replace(context, recalled=replace(context.recalled, hits=hits))


def _approached(request: Request, approach: str) -> Request:
    if not approach:
        return request
    *before, last = request.messages
    return replace(request, messages=(*before, replace(last, text=f"{last.text}\n\n{approach}")))


@dataclass(frozen=True, slots=True, kw_only=True)
class NoGenerator:
    """For who wants nothing but verified SQL."""

    model: str = "memory"

    def generate(
        self, context: Context, *, rejected: tuple[Rejected, ...], n: int, on_event: Callable[[Event], None]
    ) -> tuple[tuple[Draft, ...], Usage]:
        """An abstention."""
        hint = "ask it without --locked, then `t2s memory good`"
        return (Abstained(reason="no verified query answers this question", hint=hint),), Usage(model=self.model)


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenGenerator:
    """For SQL that is there already: it is the first draft, and `following` repairs it, if anything does."""

    sql: str
    following: Generator | None
    hint: str

    @property
    def model(self) -> str:
        """The model that repairs."""
        return self.following.model if self.following else "spelling"

    def generate(
        self, context: Context, *, rejected: tuple[Rejected, ...], n: int, on_event: Callable[[Event], None]
    ) -> tuple[tuple[Draft, ...], Usage]:
        """The SQL as it was given, at no cost; once that was rejected, what the model makes of it."""
        if not rejected:
            return (Candidate(sql=self.sql),), Usage(model=self.model)
        if self.following is None:
            return (Abstained(reason="this is no mere misspelling", hint=self.hint),), Usage(model=self.model)
        return self.following.generate(context, rejected=rejected, n=n, on_event=on_event)


def draft_of(reply: Reply) -> Draft:
    """What a model's reply proposes; raises `ProviderError` where it is of no use."""
    said = parse_json(reply, ANSWER_SCHEMA)
    match said["outcome"]:
        case "clarify" if said["clarifying_question"]:
            return Clarification(question=said["clarifying_question"], choices=_strings(said["choices"]))
        case "sql" if said["sql"].strip():
            return Candidate(
                sql=extract_sql(said["sql"]),
                explanation=said["explanation"].strip(),
                assumptions=_strings(said["assumptions"]),
            )
        case "unanswerable":
            return Abstained(reason=said["explanation"] or "the model finds no answer in this database")
    raise ProviderError(
        f"the model's answer has no SQL (outcome {said['outcome']!r})", hint="ask again, or try another model"
    )


def _strings(items: list[Any]) -> tuple[str, ...]:
    return tuple(str(item).strip() for item in items if str(item).strip())
