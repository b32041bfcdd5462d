"""Choose among several queries by what they return and what speaks against them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from t2s.types.query import Candidate, Problem, ResultSet, Valid

DOUBTED = 0.5
"""What the voice of a query counts against which something speaks."""

DIGITS = 9
"""Significant digits to which two numbers must be equal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """A candidate that passed the checks, and its rows where it was run.

    `doubts` are what speaks against it all the same; `mended` is what was wrong with its spelling.
    """

    candidate: Candidate
    valid: Valid
    result: ResultSet | None
    doubts: tuple[Problem, ...] = ()
    mended: tuple[Problem, ...] = ()

    @property
    def sql(self) -> str:
        """The query as it was run."""
        return self.valid.sql

    @property
    def doubted(self) -> bool:
        """Whether something speaks against it that is more than a warning."""
        return any(problem.severity == "doubt" for problem in self.doubts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    """The candidate that was chosen, the share of voices that agrees with it (0..1), and others with as many voices."""

    best: Tried
    agreement: float
    rivals: tuple[Tried, ...] = ()


def vote(tried: tuple[Tried, ...]) -> Vote:
    """The best of the candidates whose result most agree on.

    Results agree when their rows do as a multiset, in any order of the columns and whatever these are called. A doubted
    candidate has half a voice. Of equal groups the one that was proposed first wins; within a group one without doubts.
    """
    groups: dict[object, list[Tried]] = {}
    for one in tried:
        groups.setdefault(one.sql if one.result is None else essence(one.result), []).append(one)
    first, *others = sorted(groups.values(), key=_voices, reverse=True)
    best, *rivals = (
        min(group, key=_doubted) for group in (first, *(g for g in others if _voices(g) == _voices(first)))
    )
    return Vote(best=best, agreement=_voices(first) / _voices(list(tried)), rivals=tuple(rivals))


def _doubted(one: Tried) -> bool:
    return one.doubted


def _voices(group: list[Tried]) -> float:
    return sum(DOUBTED if one.doubted else 1.0 for one in group)


def essence(result: ResultSet) -> object:
    """What results that say the same have in common: their rows as a multiset, the columns in any order."""
    columns = [tuple(map(canonical, column)) for column in zip(*result.rows, strict=True)]
    columns.sort(key=lambda column: sorted(map(repr, column)))
    return len(result.columns), frozenset(Counter(zip(*columns, strict=True)).items())


def canonical(value: Any) -> Any:
    """A value in the form in which equal ones are equal, whatever type the engine gave them."""
    match value:
        case bool():
            return int(value)
        case int() | float() | Decimal():
            return float(f"{value:.{DIGITS}g}")
        case datetime():
            midnight = value.time() == time.min and value.tzinfo is None
            return (value.date() if midnight else value).isoformat()
        case date():
            return value.isoformat()
        case str():
            return value
        case _:
            return repr(value)
