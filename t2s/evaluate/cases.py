"""Questions with known answers, whatever file they came from."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A question and the queries that answer it: any of `gold` is right, and without one nothing answers it.

    `evidence` is what one has to know beside the database. `ordered` says whether the order of rows matters; None
    where that is as the gold query orders. The turns of a conversation follow each other and share its name.
    """

    place: str
    db: str
    question: str
    gold: tuple[str, ...]
    evidence: str = ""
    ordered: bool | None = None
    conversation: str = ""

    @property
    def asked(self) -> str:
        """The question as it is put to a model."""
        return f"{self.question}\n({self.evidence})" if self.evidence else self.question

    @property
    def id(self) -> str:
        """Changes with whatever is asked or judged by, and with the place of a turn in its conversation."""
        parts = [self.db, self.question, *self.gold, self.evidence, str(self.ordered), self.conversation]
        if self.conversation:
            parts.append(self.place)
        return hashlib.sha256(json.dumps(parts).encode("utf-8", "surrogatepass")).hexdigest()[:24]


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSet:
    """A file of cases; `kind` names its format."""

    path: Path
    kind: str
    cases: tuple[Case, ...]


def together(cases: Iterable[Case]) -> list[tuple[Case, ...]]:
    """What has to be asked in a row: the turns of each conversation; every other question stands alone."""
    groups: list[list[Case]] = []
    for case in cases:
        if case.conversation and groups and groups[-1][0].conversation == case.conversation:
            groups[-1].append(case)
        else:
            groups.append([case])
    return [tuple(group) for group in groups]


def sample(cases: tuple[Case, ...], limit: int | None, seed: int) -> tuple[Case, ...]:
    """About `limit` questions, the same ones for the same seed, in their order; conversations stay whole."""
    groups = together(cases)
    if limit is None or limit >= len(cases):
        return cases
    order = list(range(len(groups)))
    random.Random(seed).shuffle(order)  # noqa: S311  a sample, not a secret
    kept: set[int] = set()
    count = 0
    for position in order:
        if count >= limit:
            break
        kept.add(position)
        count += len(groups[position])
    return tuple(case for position, group in enumerate(groups) if position in kept for case in group)
