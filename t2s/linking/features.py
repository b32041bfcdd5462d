"""What speaks for each table and column, as numbers."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from t2s.linking.index import Index
from t2s.linking.memories import Memories
from t2s.linking.values import exactly
from t2s.linking.words import Asked, asked
from t2s.local.words import stem
from t2s.types.query import ValueMatch

IN_COMMENT, IN_SAMPLE = 0.6, 0.5
"""What a word that stands in a comment or a sample counts beside one in a name."""

WHOLE = 0.8
"""From so much of its words on, a name is said."""

NOT_SAID = (0.0, 0.0, 0.0)

_NUMERIC = re.compile(r"int|num|dec|real|doub|float|money|serial", re.IGNORECASE)
_DATED = re.compile(r"date|time|year", re.IGNORECASE)
_NAMES = frozenset(map(stem, ("name", "title", "label")))

TABLE_FEATURES = (
    "one", "exact", "soft", "whole", "comment", "column", "columns", "value", "alike", "explains", "explains_most",
    "around", "around_most", "near", "bridge", "leads", "related", "used", "size", "degree", "narrow",
)  # fmt: skip
COLUMN_FEATURES = (
    "one", "exact", "soft", "whole", "inherited", "comment", "commented", "sample", "value", "alike", "leads", "key",
    "foreign", "name", "name_in_named", "number", "date", "table", "width", "namesakes", "only", "used",
)  # fmt: skip


@dataclass(slots=True)
class Sight:
    """What a question says of the units of an index.

    `said` has for each touched unit how well each word of its name is said; `explained` how well the unit explains each
    word of the question; `weights` is what these words count, `total` all of them together.
    """

    index: Index
    words: Asked
    said: dict[int, dict[str, float]]
    aliased: dict[int, float]
    explained: dict[int, dict[int, float]]
    comments: dict[int, set[int]]
    samples: dict[int, set[int]]
    values: set[int]
    alike: set[int]
    related: Mapping[int, float]
    used: Mapping[int, float]
    weights: list[float]
    total: float


def look(index: Index, question: str, matches: Iterable[ValueMatch], memories: Memories) -> Sight:
    """Hold a question, its values, and what is known beside the schema, against an index."""
    words = asked(question, index.vocabulary)
    sight = Sight(
        index=index,
        words=words,
        said=defaultdict(dict),
        aliased={},
        explained=defaultdict(dict),
        comments=defaultdict(set),
        samples=defaultdict(set),
        values=set(),
        alike=set(),
        related={unit: score for n, score in memories.related.items() if (unit := index.spelled.get(n)) is not None},
        used={unit: score for n, score in memories.used.items() if (unit := index.spelled.get(n)) is not None},
        weights=[],
        total=0.0,
    )
    for at, forms in enumerate(words.words):
        for form in forms:
            _hear(sight, at, form)
    for match in matches:
        unit = index.units.get((match.table, match.column))
        if unit is not None:
            (sight.values if exactly(match) else sight.alike).add(unit)
            for at, text in enumerate(words.texts):
                if text in match.text.casefold():
                    sight.explained[unit][at] = 1.0
    sight.weights = _weights(sight)
    sight.total = sum(sight.weights)
    return sight


def _hear(sight: Sight, at: int, form: str) -> None:
    """Note what one form of word `at` may mean."""
    index, said, explained = sight.index, sight.said, sight.explained
    for word, score in index.alike(form).items():
        for unit in index.by_name[word]:
            known = said[unit]
            if score > known.get(word, 0.0):
                known[word] = score
            if score > explained[unit].get(at, 0.0):
                explained[unit][at] = score
    for unit in index.aliases.get(form, ()):
        sight.aliased[unit] = 0.95
        explained[unit][at] = max(0.95, explained[unit].get(at, 0.0))
    for postings, hits, score in (
        (index.by_comment, sight.comments, IN_COMMENT),
        (index.by_sample, sight.samples, IN_SAMPLE),
    ):
        for unit in postings.get(form, ()):
            hits[unit].add(at)
            if score > explained[unit].get(at, 0.0):
                explained[unit][at] = score


def _weights(sight: Sight) -> list[float]:
    """Words that few tables explain count most; those that none explains count nothing."""
    tables: list[set[int]] = [set() for _ in sight.words.words]
    for unit, found in sight.explained.items():
        for at, score in found.items():
            if score >= IN_SAMPLE:
                tables[at].add(sight.index.owner[unit])
    count = len(sight.index.columns)
    return [math.log(1 + count / len(found)) / math.log(1 + count) if found else 0.0 for found in tables]


def coverage(sight: Sight, unit: int) -> tuple[float, float, float]:
    """How much of a name the question says: exactly, in any way, and without the words that its table has too."""
    said = sight.said.get(unit, {})
    words, rarity, shared = sight.index.names[unit], sight.index.rarity, sight.index.shared[unit]
    exact = soft = total = rest = rest_soft = 0.0
    for word in words:
        weight, score = rarity.get(word, 1.0), said.get(word, 0.0)
        total += weight
        exact += weight * (score >= 0.99)
        soft += weight * score
        if word not in shared:
            rest += weight
            rest_soft += weight * score
    alias = sight.aliased.get(unit, 0.0)
    if not total:
        return alias, alias, alias
    return max(exact / total, alias), max(soft / total, alias), max(rest_soft / rest if rest else 0.0, alias)


def share(sight: Sight, found: Mapping[int, float]) -> float:
    """The share of the question's words (by weight) that are explained."""
    if not found or not sight.total:
        return 0.0
    return sum(sight.weights[at] * score for at, score in found.items()) / sight.total


def table_features(sight: Sight) -> list[list[float]]:
    """For each table the values of `TABLE_FEATURES`."""
    index = sight.index
    touched = {index.owner[unit] for unit in sight.explained}
    explained = {at: _together(sight, (at, *index.columns[at])) for at in touched}
    near = touched | {other for at in touched for other in index.joins[at]}
    around = {
        at: share(sight, _merged(explained[other] for other in (at, *index.joins[at]) if other in touched))
        for at in near
    }
    shares = {at: share(sight, found) for at, found in explained.items()}
    names = {at: _said(sight, at) for at in touched}
    leads = _leads(sight, touched, lambda at: names[at][1])
    most, most_around = max(shares.values(), default=0.0) or 1.0, max(around.values(), default=0.0) or 1.0
    most_related = min(max(sight.related.values(), default=1.0), 1.0) or 1.0
    size = math.log(1 + len(index.columns))
    valued, nearly = ({index.owner[unit] for unit in units} for units in (sight.values, sight.alike))
    found = []
    for at, columns in enumerate(index.columns):
        own = shares.get(at, 0.0)
        exact, soft, _ = names.get(at, NOT_SAID)
        joined = [other for other in index.joins[at] if other in touched] if at in near else []
        strong = sorted((max(names[other][1], shares[other]) for other in joined), reverse=True)
        said = sorted((coverage(sight, unit)[2] for unit in columns if unit in sight.said), reverse=True) if own else []
        found.append([
            1.0,
            exact,
            soft,
            float(soft >= WHOLE),
            share(sight, dict.fromkeys(sight.comments.get(at, ()), 1.0)),
            said[0] if said else 0.0,
            sum(said[1:4]),
            float(at in valued),
            float(at in nearly),
            own,
            own / most,
            around.get(at, 0.0),
            around.get(at, 0.0) / most_around,
            max((names[other][1] for other in joined), default=0.0),
            min(strong[1], 1.0) if len(strong) > 1 else 0.0,
            leads.get(at, 0.0),
            min(sight.related.get(at, 0.0), 1.0) / most_related,
            sight.used.get(at, 0.0),
            size,
            math.log(1 + len(index.joins[at])),
            size * (own / most - 1.0),
        ])  # fmt: skip
    return found


def column_features(sight: Sight, at: int, logit: float, leads: Mapping[int, float]) -> list[list[float]]:
    """For each column of table `at`, whose own log-odds are `logit`, the values of `COLUMN_FEATURES`."""
    index, table = sight.index, sight.index.schema.tables[at]
    foreign = {name for key in table.foreign_keys for name in key.columns}
    named = float(coverage(sight, at)[1] >= WHOLE)
    width, table_said = math.log(1 + len(table.columns)), max(-3.0, min(3.0, logit))
    first_name = next((n for n, unit in enumerate(index.columns[at]) if _NAMES & set(index.names[unit])), None)
    found = []
    for place, unit in enumerate(index.columns[at]):
        column = table.columns[place]
        exact, soft, rest = _said(sight, unit)
        comment = sight.comments.get(unit, set())
        found.append([
            1.0,
            exact,
            rest,
            float(rest >= WHOLE),
            soft - rest,
            share(sight, dict.fromkeys(comment, 1.0)),
            len(comment) / max(3, index.comment_sizes[unit]),
            float(unit in sight.samples),
            float(unit in sight.values),
            float(unit in sight.alike),
            leads.get(unit, 0.0),
            float(column.name in table.primary_key),
            float(column.name in foreign),
            float(place == first_name),
            float(place == first_name) * named,
            float(sight.words.counts and _NUMERIC.search(column.type) is not None),
            float(sight.words.dates and _DATED.search(column.type + column.name) is not None),
            table_said,
            width,
            math.log(index.namesakes[unit]),
            float(len(table.columns) <= 2),
            sight.used.get(unit, 0.0),
        ])  # fmt: skip
    return found


def column_leads(sight: Sight) -> dict[int, float]:
    """For each touched column the best, over the words of the question, of its claim against the best claim."""
    units = [unit for unit in sight.explained if unit >= len(sight.index.columns)]
    return _leads(sight, units, lambda unit: coverage(sight, unit)[2] if unit in sight.said else 0.2)


def _said(sight: Sight, unit: int) -> tuple[float, float, float]:
    return coverage(sight, unit) if unit in sight.said or unit in sight.aliased else NOT_SAID


def _leads(sight: Sight, units: Iterable[int], fit: Callable[[int], float]) -> dict[int, float]:
    best: dict[int, float] = {}
    claims: dict[int, dict[int, float]] = {}
    for unit in units:
        if unit in sight.explained:
            own = 0.2 + 0.8 * fit(unit)
            claims[unit] = {at: score * own for at, score in sight.explained[unit].items()}
            for at, claim in claims[unit].items():
                best[at] = max(best.get(at, 0.0), claim)
    return {unit: max(claim / best[at] for at, claim in found.items()) for unit, found in claims.items() if found}


def _together(sight: Sight, units: Iterable[int]) -> dict[int, float]:
    return _merged(sight.explained[unit] for unit in units if unit in sight.explained)


def _merged(parts: Iterable[Mapping[int, float]]) -> dict[int, float]:
    """The best explanation of each word."""
    found: dict[int, float] = {}
    for part in parts:
        for at, score in part.items():
            if score > found.get(at, 0.0):
                found[at] = score
    return found
