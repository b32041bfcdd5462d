"""How far an answer can be trusted, from what was seen of it."""

from __future__ import annotations

from t2s.types.query import Candidate, ResultSet

MODEL_PRIOR = 0.9
"""For a generator that gives no figure of its own and whose first query passed every check."""


def confidence(candidate: Candidate, *, repairs: int, result: ResultSet | None, agreement: float) -> float:
    """Confidence in 0..1: the generator's own (or a prior), lowered by each thing that speaks against it.

    A repair costs a fifth, an assumption 3 % (at most 15 %), an empty result or one of nothing but NULL a
    quarter, a query that was not run (no result) a tenth; a split vote counts by the share that agrees.
    """
    figure = candidate.confidence if candidate.confidence is not None else MODEL_PRIOR
    figure *= 0.8**repairs
    figure *= 1 - min(0.03 * len(candidate.assumptions), 0.15)
    if result is None:
        figure *= 0.9
    elif not _says_something(result):
        figure *= 0.75
    return round(max(0.0, min(1.0, figure * agreement)), 3)


def _says_something(result: ResultSet) -> bool:
    return any(value is not None for row in result.rows for value in row)
