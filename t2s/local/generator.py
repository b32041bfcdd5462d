"""The generator that needs no service: rules and a trained parser read the question, and a model weighs them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from t2s.local.follow import follow
from t2s.local.glossary import amended, taught
from t2s.local.reslot import reslotted
from t2s.local.rules import HINT, answer_by_rules, writes
from t2s.types.event import Event
from t2s.types.query import Abstained, Candidate, Clarification, Context, Draft, Rejected
from t2s.types.usage import Usage

if TYPE_CHECKING:
    from pathlib import Path

    from t2s.local.parser.model import Proposal
    from t2s.local.parser.query import Query

MIN_CONFIDENCE = 0.5
"""What is less sure than this is not proposed; below it more answers were wrong than right."""

STRANGE_MARGIN = 0.2
"""So much surer the parser has to be where the rules did not understand every word."""

MARGIN = 3.0
"""What the rules read stands unless the ranker puts something else so far above it.

On Spider's databases less would be righter (0.5: by two questions of a hundred); on plainly named ones the rules are.
"""

EXISTS_MARGIN = 0.5
"""The same where they read that rows must have others: on databases made by others right only half the time."""

DISSENT_DOUBT = 0.7
"""How far the rules can be trusted, of what they think, where the ranker puts something else first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalGenerator:
    """English and Chinese without a service; see `t2s.types.generator.Generator`.

    Below `min_confidence` it abstains; an evaluation that wants every question answered sets 0. `weights` is a file
    of weights to use instead of those that ship.
    """

    model: str = "local"
    min_confidence: float = MIN_CONFIDENCE
    weights: Path | None = None

    def generate(
        self, context: Context, *, rejected: tuple[Rejected, ...], n: int, on_event: Callable[[Event], None]
    ) -> tuple[tuple[Draft, ...], Usage]:
        """One draft: a candidate that was not rejected, or an abstention that says what was not understood."""
        lesson = taught(context)
        refused = frozenset(attempt.sql for attempt in rejected)
        draft = answer(
            replace(context, question=lesson.question),
            refused=refused,
            min_confidence=self.min_confidence,
            weights=self.weights,
        )
        if isinstance(draft, Candidate):
            draft = amended(draft, lesson, context.schema) or Abstained(
                reason="the words of the glossary do not fit into the query that I see", hint=HINT
            )
        if isinstance(draft, Candidate) and draft.sql in refused:
            draft = Abstained(reason="every query that I see for this question was refused", hint=HINT)
        return (draft,), Usage(model=self.model)


def answer(
    context: Context,
    *,
    refused: frozenset[str] = frozenset(),
    min_confidence: float = MIN_CONFIDENCE,
    weights: Path | None = None,
) -> Draft:
    """The query for a question, or why there is none; where some were refused, the likeliest of the others."""
    if writing := writes(context.question):
        return Abstained(reason=f"“{writing}” would change data; t2s only reads", hint="ask for what to look up")
    if context.history and (draft := follow(context)) is not None:
        return _if_sure(draft, min_confidence)
    if (known := reslotted(context)) is not None and known.sql not in refused:
        return _if_sure(known, min_confidence)
    ruled = answer_by_rules(context)
    if isinstance(ruled, Clarification) and min_confidence:
        return ruled
    found = others(context, ruled, weights, refused) if refused else candidates(context, ruled, weights)
    strange = min_confidence and isinstance(ruled, Abstained)  # there are words that the rules do not understand
    least = min_confidence + STRANGE_MARGIN if strange else min_confidence
    sure = [candidate for candidate in found if (candidate.confidence or 0.0) >= least]
    if sure:
        return sure[0]
    return _unsure(found[0]) if found and not isinstance(ruled, Abstained) else ruled


def _if_sure(draft: Draft, min_confidence: float) -> Draft:
    return _unsure(draft) if isinstance(draft, Candidate) and (draft.confidence or 0.0) < min_confidence else draft


def _unsure(candidate: Candidate) -> Abstained:
    return Abstained(reason=f"I would only be guessing: {candidate.explanation}", hint=HINT)


def candidates(context: Context, ruled: Draft, weights: Path | None = None) -> list[Candidate]:
    """What the rules say where the parser has no words for it; else what the ranker puts first."""
    from t2s.local.parser.gold import tree_of

    if not isinstance(ruled, Candidate):
        return _parsed(context, weights)
    tree = tree_of(ruled.sql, context.schema)
    if tree is None:  # dates, products of columns
        found = [] if ruled.confidence and ruled.confidence >= MIN_CONFIDENCE else _parsed(context, weights)
        return sorted([ruled, *found], key=lambda candidate: -(candidate.confidence or 0.0))[:1]
    return _weighed(context, ruled, tree, weights)


def others(context: Context, ruled: Draft, weights: Path | None, refused: frozenset[str]) -> list[Candidate]:
    """What is left where some queries were refused: what the rules say, or else what the parser finds likeliest."""
    if isinstance(ruled, Candidate) and not _meanings((ruled.sql,), context) <= _meanings(refused, context):
        return [replace(ruled, confidence=round((ruled.confidence or 0.0) * DISSENT_DOUBT, 3))]
    return _parsed(context, weights, refused)


def _meanings(sqls: Iterable[str], context: Context) -> set[tuple[object, ...]]:
    """What some queries say, apart from how they show it; of one that the parser has no words for, its text."""
    from t2s.local.parser.gold import tree_of
    from t2s.local.parser.model import meaning

    return {(sql,) if (tree := tree_of(sql, context.schema)) is None else meaning(tree) for sql in sqls}


def _parsed(context: Context, weights: Path | None, refused: frozenset[str] = frozenset()) -> list[Candidate]:
    """The parser's likeliest query that says something else than those that were refused, if it has any."""
    from t2s.local.parser.model import confidence, meaning, propose
    from t2s.local.parser.weights import load

    model, known = load(weights), _meanings(refused, context)
    proposals = [p for p in propose(context, model) if not known or meaning(p.part.query) not in known]
    return [_candidate(proposals[0], confidence(proposals[0], proposals, model), context)] if proposals else []


def _weighed(context: Context, ruled: Candidate, tree: Query, weights: Path | None) -> list[Candidate]:
    """What the rules read, unless the ranker puts something else far above it."""
    from t2s.local.parser.model import confidence, propose
    from t2s.local.parser.weights import load

    model = load(weights)
    sure = ruled.confidence or 0.0
    proposals = propose(context, model, tree, sure)
    own = next((p for p in proposals if p.by_rules), None)
    if own is None:
        return [ruled]
    best = proposals[0]
    figure = confidence(own, proposals, model)
    alone = replace(ruled, confidence=round(sure * DISSENT_DOUBT, 3))
    if own is best:
        return [replace(ruled, confidence=round(max(figure, sure * DISSENT_DOUBT), 3))]
    if best.score - own.score <= (EXISTS_MARGIN if "EXISTS" in ruled.sql else MARGIN):
        return [alone]
    return [_candidate(best, confidence(best, proposals, model), context), alone]


def _candidate(proposal: Proposal, figure: float, context: Context) -> Candidate:
    from t2s.local.parser.explain import explain
    from t2s.sql import format_sql

    return Candidate(
        sql=format_sql(proposal.sql, context.schema.dialect),
        explanation=explain(proposal.part.query),
        confidence=round(figure, 3),
    )
