"""How far an answer can be trusted, from what was seen of it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from t2s.pipeline.sanity import says_something
from t2s.pipeline.unlinked import ignored_values, unlinked
from t2s.pipeline.vote import Tried
from t2s.types.query import Context

MODEL_PRIOR = 0.9
"""For a generator that gives no figure of its own and whose first query passed every check."""

CERTAIN = 0.9999
"""What counts of an estimate of 1, such as that of SQL a person has verified: its log-odds would have no end."""

WEIGHTS: Mapping[str, float] = {
    "doubts": -0.8,
    "warnings": -0.7,
    "assumptions": -0.3,
    "ignored": -0.6,
    "unlinked": -1.4,
    "empty": -0.3,
    "mended": -0.3,
    "repairs": -0.8,
    "unseen": -0.5,
    "dissent": -4.4,
}
"""By how much one of each moves the log-odds that the answer is right.

The first five are fitted (rounded) by `scripts/fit_confidence.py` on answers of the local generator to questions with
SQL. The others are judgement, for that generator gives nothing to fit them on: half the candidates against it make an
answer of a model as likely wrong as right. Empty results were right as often as others where questions are made up;
people rarely ask for nothing.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What was seen of an answer.

    `own` is the generator's own estimate (0..1) or None. Counts: `repairs` by the model, corrections of spelling
    (`mended`), `doubts` and `warnings` that stand, `assumptions`. 0 or 1: the result is `empty` (no rows, nothing but
    NULL, a lone 0), it is `unseen` (not run). Shares in 0..1: words of the question that no part of the query accounts
    for (`unlinked`; a generator that has an estimate has counted them already), values found in the question that the
    query does not use (`ignored`), candidates that say something else (`dissent`).
    """

    own: float | None = None
    repairs: float = 0
    mended: float = 0
    doubts: float = 0
    warnings: float = 0
    assumptions: float = 0
    empty: float = 0
    unseen: float = 0
    unlinked: float = 0
    ignored: float = 0
    dissent: float = 0


def evidence(context: Context, tried: Tried, *, repairs: int, agreement: float) -> Evidence:
    """What speaks for and against an answer."""
    kinds = [problem.severity for problem in tried.doubts]
    return Evidence(
        own=tried.candidate.confidence,
        repairs=repairs,
        mended=len(tried.mended),
        doubts=kinds.count("doubt"),
        warnings=kinds.count("warning"),
        assumptions=len(tried.candidate.assumptions),
        empty=tried.result is not None and not says_something(tried.result),
        unseen=tried.result is None,
        unlinked=unlinked(context, tried.valid) if tried.candidate.confidence is None else 0.0,
        ignored=ignored_values(context, tried.valid),
        dissent=1 - agreement,
    )


def confidence(seen: Evidence) -> float:
    """The probability that the answer is right: the generator's own log-odds, moved by each thing that was seen.

    logit(confidence) = logit(own) + Σ weight · evidence, a logistic regression with the generator's estimate as offset.
    """
    own = MODEL_PRIOR if seen.own is None else min(max(seen.own, 0.01), CERTAIN)
    score = math.log(own / (1 - own)) + sum(weight * getattr(seen, name) for name, weight in WEIGHTS.items())
    return round(1 / (1 + math.exp(-score)), 3)
