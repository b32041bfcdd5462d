"""Boosted trees, as plain lists: what they say of a row of features."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

Tree = tuple[list[int], list[float], list[int], list[int], list[float]]
"""Of each inner node: the feature, the greatest value that goes left, the children (leaf n as ~n); and the leaves."""


@dataclass(frozen=True, slots=True)
class Trees:
    """A sum of trees on the scale of log-odds."""

    trees: tuple[Tree, ...]

    def score(self, row: Sequence[float]) -> float:
        """The log-odds that the row is right."""
        total = 0.0
        for features, limits, left, right, leaves in self.trees:
            node = 0
            while node >= 0:
                node = left[node] if row[features[node]] <= limits[node] else right[node]
            total += leaves[~node]
        return total


def probability(log_odds: float) -> float:
    """Log-odds as a probability."""
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, log_odds))))


def log_probability(log_odds: float) -> float:
    """The logarithm of the probability that log-odds stand for."""
    return -math.log1p(math.exp(-max(-30.0, min(30.0, log_odds))))
