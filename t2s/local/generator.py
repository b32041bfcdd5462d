"""The generator that needs no service: rules where they are sure, else the trained parser, else an abstention."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from t2s.local.rules import HINT, answer_by_rules, writes
from t2s.types.event import Event
from t2s.types.query import Abstained, Candidate, Clarification, Context, Draft, Rejected
from t2s.types.usage import Usage

MIN_CONFIDENCE = 0.5
"""What is less sure than this is not proposed; below it more answers were wrong than right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalGenerator:
    """English and Chinese without a service; see `t2s.types.generator.Generator`.

    Below `min_confidence` it abstains; an evaluation that wants every question answered sets 0.
    """

    model: str = "local"
    min_confidence: float = MIN_CONFIDENCE

    def generate(
        self, context: Context, *, rejected: tuple[Rejected, ...], n: int, on_event: Callable[[Event], None]
    ) -> tuple[tuple[Draft, ...], Usage]:
        """At most `n` candidates, the best first, or an abstention that says what was not understood."""
        refused = {attempt.sql for attempt in rejected}
        return _answer(context, refused, self.min_confidence)[:n], Usage(model=self.model)


def _answer(context: Context, refused: set[str], least: float) -> tuple[Draft, ...]:
    """The drafts for a question; never empty."""
    if writing := writes(context.question):
        return (Abstained(reason=f"“{writing}” would change data; t2s only reads", hint="ask for what to look up"),)
    ruled = answer_by_rules(context)
    candidates = [ruled] if isinstance(ruled, Candidate) else []
    if not candidates or (candidates[0].confidence or 0.0) < 1.0 and False:
        candidates += _parsed(context)
    sure = [c for c in candidates if (c.confidence or 0.0) >= least and c.sql not in refused]
    if sure:
        return tuple(sure)
    if any(c.sql in refused for c in candidates):
        return (Abstained(reason="the one query that I see for this question was refused", hint=HINT),)
    if isinstance(ruled, Candidate):
        return (Abstained(reason=f"I would only be guessing: {'; '.join(ruled.assumptions)}", hint=HINT),)
    return (ruled,)


def _parsed(context: Context) -> list[Candidate]:
    from t2s.local.parser.explain import explain
    from t2s.local.parser.model import confidence, propose
    from t2s.local.parser.weights import load

    model = load()
    proposals = propose(context, model)
    if not proposals:
        return []
    best = proposals[0]
    return [
        Candidate(sql=best.sql, explanation=explain(best.part.query), confidence=round(confidence(proposals, model), 3))
    ]


__all__ = ["Clarification", "LocalGenerator"]
