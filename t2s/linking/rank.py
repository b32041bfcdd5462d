"""How likely each table and column is needed: a logistic regression over what speaks for it."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from operator import mul
from pathlib import Path

from t2s.linking.features import (
    COLUMN_FEATURES,
    TABLE_FEATURES,
    Sight,
    column_features,
    column_leads,
    look,
    table_features,
)
from t2s.linking.index import Index
from t2s.linking.memories import PINNED, Memories
from t2s.types.query import ValueMatch

CERTAIN = 0.9999


@dataclass(frozen=True, slots=True)
class Ranked:
    """For each table, by number, how likely (0..1) it is needed; its columns' likelihoods where they are asked for."""

    sight: Sight
    tables: tuple[float, ...]
    _leads: Mapping[int, float]
    _columns: dict[int, list[float]] = field(default_factory=dict)

    def columns(self, table: int) -> list[float]:
        """How likely each column of a table is needed, in order."""
        if table not in self._columns:
            weights = fitted()["columns"]
            rows = column_features(self.sight, table, logit(self.tables[table]), self._leads)
            self._columns[table] = [_sigmoid(sum(map(mul, weights, row))) for row in rows]
        return self._columns[table]


def rank(index: Index, question: str, matches: Iterable[ValueMatch], memories: Memories | None) -> Ranked:
    """Rank the tables of a schema by a question, by the values it names, and by what is known beside the schema."""
    sight = look(index, question, matches, memories or Memories())
    weights = fitted()["tables"]
    pinned = {at for at, score in sight.related.items() if score >= PINNED}
    tables = tuple(
        CERTAIN if at in pinned else _sigmoid(sum(map(mul, weights, row)))
        for at, row in enumerate(table_features(sight))
    )
    return Ranked(sight, tables, column_leads(sight))


@cache
def fitted() -> Mapping[str, Sequence[float]]:
    """The weights that `scripts/fit_linking.py` found, in the order of the features."""
    kept = json.loads(Path(__file__).with_name("weights.json").read_text(encoding="utf-8"))
    return {
        "tables": [kept["tables"][name] for name in TABLE_FEATURES],
        "columns": [kept["columns"][name] for name in COLUMN_FEATURES],
    }


def _sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, x))))


def logit(p: float) -> float:
    """The log-odds of a likelihood."""
    return math.log(p / (1 - p)) if 0 < p < 1 else math.copysign(30.0, p - 0.5)
