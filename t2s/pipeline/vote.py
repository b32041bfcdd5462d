"""Choose among several queries by what they return."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from t2s.types.query import Candidate, ResultSet, Valid


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """A candidate that passed the checks, and its rows where it was run."""

    candidate: Candidate
    valid: Valid
    result: ResultSet | None


def vote(tried: tuple[Tried, ...]) -> tuple[Tried, float]:
    """The first of the candidates whose result most agree on, and the share that agrees (0..1).

    Results agree when their rows do as a multiset, whatever the columns are called. Of equal groups the
    one that was proposed first wins.
    """
    groups: dict[object, list[Tried]] = {}
    for one in tried:
        groups.setdefault(_essence(one.result), []).append(one)
    best = max(groups.values(), key=len)
    return best[0], len(best) / len(tried)


def _essence(result: ResultSet | None) -> object:
    if result is None:
        return None
    return len(result.columns), frozenset(Counter(map(repr, result.rows)).items())
