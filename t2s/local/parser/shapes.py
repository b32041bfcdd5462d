"""Sketches: the shapes that queries had in training, and how likely a question asks for each."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from heapq import nlargest

from t2s.local.parser.query import Query
from t2s.local.parser.roles import cue_number
from t2s.local.parser.said import Said

PARTS = 4
"""A sketch has so many parts (`Query.parts`), each with a classifier of its own."""

RARE = -12.0
"""The log-probability of a part that no classifier knows."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A query with placeholders for its names and constants; `weight` is the log of how common it was."""

    query: Query
    parts: tuple[str, ...]
    weight: float


@dataclass(frozen=True, slots=True)
class Linear:
    """One classifier: `weights` has for each feature pairs, flat: a class's number, and the weight in hundredths."""

    classes: tuple[str, ...]
    bias: tuple[float, ...]
    weights: Mapping[str, Sequence[int]]

    def log_probabilities(self, features: Mapping[str, float]) -> dict[str, float]:
        """The logarithm of each class's probability."""
        scores = list(self.bias)
        for name, value in features.items():
            flat = self.weights.get(name, ())
            for at in range(0, len(flat), 2):
                scores[flat[at]] += value * flat[at + 1] / 100
        top = max(scores)
        total = top + math.log(sum(math.exp(score - top) for score in scores))
        return {name: score - total for name, score in zip(self.classes, scores, strict=True)}


def word_features(said: Said) -> dict[str, float]:
    """What the wording says of the shape: runs of up to three words, with names and values made anonymous."""
    words = list(_anonymous(said))
    features: dict[str, float] = {}
    padded = ["^", *words, "$"]
    for size in (1, 2, 3):
        for start in range(len(padded) - size + 1):
            features[" ".join(padded[start : start + size])] = 1.0
    for first in range(len(words)):  # pairs at a distance, for what lies between differs
        for second in range(first + 2, min(first + 6, len(words))):
            features[f"{words[first]} .. {words[second]}"] = 1.0
    for name, count in _counts(said).items():
        features[f"{name}={min(count, 4)}"] = 1.0
    cues = sorted({cue for cue in said.cues if cue_number(cue) or " " in cue})
    for n, cue in enumerate(cues):
        features[f"#{cue}"] = 1.0
        for other in cues[n + 1 :]:
            features[f"#{cue}+{other}"] = 1.0
    norm = 1 / math.sqrt(len(features))
    return {name: 3 * norm * value for name, value in features.items()}


def _anonymous(said: Said) -> Iterator[str]:
    """The words, with `<value>`, `<table>`, `<column>` and `<number>` for what is particular to the database."""
    marks: dict[int, tuple[str, int]] = {}
    for constant in said.constants:
        for n in range(constant.first, constant.last + 1):
            marks[n] = ("<value>", constant.first)
    for mark, groups, least in (("<table>", said.tables, 0.7), ("<column>", said.columns, 0.7)):
        for m in (m for mentions in groups.values() for m in mentions if m.score >= least):
            for n in range(m.first, m.last + 1):
                marks.setdefault(n, (mark, m.first))
    previous: tuple[str, int] | None = None
    for n, word in enumerate(said.words):
        here = marks.get(n)
        if here is not None and (not said.cues[n] or here[0] == "<value>"):
            if here != previous:
                yield here[0]
        elif word.kind == "quoted":
            yield "<value>"
        else:
            yield "<number>" if word.number is not None else word.stem
        previous = here


def _counts(said: Said) -> dict[str, int]:
    strong = {(ms[0].first, ms[0].last) for ms in said.columns.values() if ms[0].score >= 0.7}
    cued = {n for n, cue in enumerate(said.cues) if cue}
    return {
        "values": len({(c.first, c.last) for c in said.constants}),
        "quoted": sum(word.kind == "quoted" for word in said.words),
        "numbers": sum(word.number is not None for word in said.words),
        "columns": len({first for first, _ in strong if first not in cued}),
        "tables": len({ms[0].first for ms in said.tables.values() if ms[0].score >= 0.7}),
        "length": len(said.words) // 5,
    }


def likely(
    shapes: Sequence[Shape], models: Sequence[Linear], said: Said, most: int
) -> tuple[list[tuple[Shape, list[float]]], Callable[[tuple[str, ...]], list[float]]]:
    """The `most` likely shapes of a question, the best first, and the log-probabilities of any shape's parts.

    Beside the shapes seen in training, known conditions are put under known combinations of the other parts.
    """
    features = word_features(said)
    parts = [model.log_probabilities(features) for model in models]

    def log_of(names: tuple[str, ...]) -> list[float]:
        return [found.get(name, RARE) for found, name in zip(parts, names, strict=True)]

    scored = [(shape, log_of(shape.parts)) for shape in (*shapes, *_composed(shapes, parts))]
    scored.sort(key=lambda pair: -(sum(pair[1]) + 0.3 * pair[0].weight))
    return scored[:most], log_of


def _composed(shapes: Sequence[Shape], parts: Sequence[Mapping[str, float]]) -> Iterator[Shape]:
    """Combinations that were not seen: what is likely selected, under which conditions, how grouped and ordered."""
    seen = {shape.parts for shape in shapes}
    selected: dict[tuple[str, int], Query] = {}
    frames: dict[str, Query] = {}
    conditions: dict[str, Query] = {}
    for shape in shapes:
        if not shape.query.other:
            selected.setdefault((shape.parts[0], len(shape.query.group)), shape.query)
            conditions.setdefault(shape.parts[1], shape.query)
            frames.setdefault(shape.parts[2], shape.query)
    pairs = [(s, f) for s, chosen in selected.items() for f, frame in frames.items() if _fit(chosen, frame)]
    best = nlargest(12, pairs, key=lambda pair: parts[0].get(pair[0][0], RARE) + parts[2].get(pair[1], RARE))
    under = nlargest(4, conditions, key=lambda c: parts[1].get(c, RARE))
    for one, way in best:
        for condition in under:
            key = (one[0], condition, way, "")
            if key not in seen:
                frame, source = frames[way], conditions[condition]
                yield Shape(
                    replace(
                        frame,
                        select=selected[one].select,
                        distinct=selected[one].distinct,
                        where=source.where,
                        any_of=source.any_of,
                    ),
                    key,
                    0.0,
                )


def _fit(chosen: Query, frame: Query) -> bool:
    """Whether what is selected can be grouped and ordered so; a lone figure has no order."""
    lone = not chosen.group and any(e.function for e in chosen.select)
    return len(chosen.group) == len(frame.group) and not (lone and frame.order)
