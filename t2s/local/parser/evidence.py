"""What is known when slots are filled, and the parts that come of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from heapq import nlargest
from typing import Any, NamedTuple

from t2s.local.joins import Graph
from t2s.local.parser.query import Column, Query
from t2s.local.parser.said import Said
from t2s.local.parser.units import Amount, Unit

WIDTH = 5
"""Columns that are tried for a slot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What the role models say, as log-odds: of columns in roles, of computed columns, units and tables."""

    said: Said
    graph: Graph
    roles: dict[str, dict[Column, float]]
    computed: dict[tuple[str, Column], float]
    units: tuple[tuple[Unit, float], ...]
    tables: dict[str, float]
    amounts: tuple[Amount, ...]
    limit: int

    def best(self, role: str, count: int = WIDTH, where: Callable[[Column], bool] | None = None) -> list[Column]:
        """The likeliest columns for a role."""
        scores = self.roles[role]
        return nlargest(count, (c for c in scores if where is None or where(c)), key=lambda c: scores[c])

    def computed_by(self, function: str) -> list[tuple[Column, float]]:
        """The columns that are likeliest under a function; keys are counted, not added up."""
        fields = self.said.fields
        found = [
            (column, score)
            for (name, column), score in self.computed.items()
            if name == function and not (name in ("sum", "avg") and (fields[column].primary or fields[column].foreign))
        ]
        return nlargest(WIDTH, found, key=lambda pair: pair[1])

    def other_tables(self, without: set[str], count: int) -> list[str]:
        """The likeliest tables beside some."""
        scores = self.tables
        return nlargest(count, (t for t in scores if t not in without), key=lambda t: scores[t])


@dataclass(frozen=True, slots=True)
class Part:
    """Some slots filled: what they are worth, and the words and comparisons that they account for."""

    score: float
    query: Query
    used: frozenset[int] = frozenset()
    chosen: tuple[Unit, ...] = ()


class Option(NamedTuple):
    """One way to fill the next slots of a part: what it adds to the score, and what it changes."""

    gain: float
    changes: dict[str, Any]
    used: frozenset[int] = frozenset()
    chosen: tuple[Unit, ...] = ()


def words_of(chosen: tuple[Unit, ...]) -> frozenset[int]:
    """The words that comparisons account for."""
    return frozenset(n for unit in chosen for n in range(unit.first, unit.last + 1))
