"""The generator that asks a model service."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Any

from t2s.errors import ProviderError
from t2s.llm import parse_json
from t2s.pipeline.prompt import ANSWER_SCHEMA, build_request
from t2s.sql import extract_sql
from t2s.types.event import Event
from t2s.types.llm import LLM, Effort, Reply
from t2s.types.query import Abstained, Candidate, Clarification, Context, Draft, Rejected
from t2s.types.usage import Usage

MAX_PARALLEL = 4


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
        """One call for each of `n` drafts, the first alone: only after it does the prompt cache help."""
        effort = self.repair_effort if rejected else self.effort
        request = build_request(context, rejected, model=self.model, max_tokens=self.max_tokens, effort=effort)
        replies = [self.llm.complete(request, on_event)]
        if n > 1:
            with ThreadPoolExecutor(min(n - 1, MAX_PARALLEL)) as pool:
                replies += pool.map(lambda _: self.llm.complete(request, on_event), range(n - 1))
        drafts = dict.fromkeys(draft_of(reply) for reply in replies)
        return tuple(drafts), reduce(add, (reply.usage for reply in replies))


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
