"""Stretches of a question that stand in the data as values: as they are written, in another form, or with a slip."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from t2s.linking.words import common_words, is_operator, parts
from t2s.local.words import stem
from t2s.memory.words import STOP, fold, has_cjk, terms
from t2s.sql import plain, slipped
from t2s.types.query import ValueMatch
from t2s.types.schema import Schema

MAX_WORDS = 8
"""The longest value that is found, in words."""
LEAST_LETTERS = 4
"""Shorter words are not looked for in another form."""
LEAST_LOWER = 6
"""A word in lower case must have so many letters to be a slip of the pen: it is hardly a name."""
MAX_SLIPS = 50_000
"""With more values no slip is looked for."""
LONGEST = 60
"""Longer values are only found as they are written."""
INEXACT = 0.8
"""What a value in another form counts beside one that is written as in the data."""

_PIECES = re.compile(r"[^\s,.;:!?\"“”‘’()\[\]]+")

Place = tuple[str, str]
"""Table and column."""


@dataclass(frozen=True, slots=True)
class Values:
    """The values of columns by their folded text (`exact`) and, made when first wanted, by their letters (`alike`).

    `chinese` has the Chinese ones by their first character, `near` the letters of all by the first of them. `named` are
    the words of the schema's names: they are no slips of values.
    """

    columns: Mapping[Place, tuple[str, ...]]
    exact: Mapping[str, list[tuple[Place, str]]]
    chinese: Mapping[str, list[str]]
    named: frozenset[str]
    alike: dict[str, list[tuple[Place, str]]] = field(default_factory=dict)
    near: dict[str, list[str]] = field(default_factory=dict)


def index_values(columns: Mapping[Place, tuple[str, ...]], schema: Schema | None = None) -> Values:
    """The index of the values of each (table, column)."""
    exact: defaultdict[str, list[tuple[Place, str]]] = defaultdict(list)
    chinese: defaultdict[str, list[str]] = defaultdict(list)
    for place, values in columns.items():
        for value in values:
            folded = fold(value)
            if folded not in exact and len(folded) > 1 and has_cjk(folded):
                chinese[folded[0]].append(folded)
            exact[folded].append((place, value))
    names = [name for table, column in columns for name in (table.rpartition(".")[2], column)]
    for table in schema.tables if schema else ():
        names += [table.name, *(column.name for column in table.columns)]
    named = frozenset(word for name in set(names) for word in parts(name))
    return Values(columns, dict(exact), dict(chinese), named)


def match_values(question: str, values: Values) -> tuple[ValueMatch, ...]:
    """Every value that stands in the question, the longest first; a part of a longer match is left out.

    Latin words must stand whole, in any case; Chinese values may stand anywhere. Words that no value has as they are
    written may be one but for plural, accents and signs, or but for a slip of the pen if they are no other known words.
    """
    if not values.exact:
        return ()
    runs = list(_runs(question))
    found: list[tuple[str, Place, str]] = []
    taken: set[int] = set()
    for stretch, text in runs:
        if hits := values.exact.get(fold(text)):
            found += [(text, place, value) for place, value in hits]
            taken.update(stretch)
    if values.chinese and has_cjk(question):
        folded = fold(question)
        for value in {value for char in set(folded) for value in values.chinese.get(char, ()) if value in folded}:
            found += [(value, place, written) for place, written in values.exact[value]]
    for look in (_in_another_form, _with_a_slip):
        for stretch, text in runs:
            if taken.isdisjoint(stretch) and not has_cjk(text) and (hits := look(text, question, values)):
                found += [(text, place, value) for place, value in hits]
                taken.update(stretch)
    return _longest(question, found)


def exactly(match: ValueMatch) -> bool:
    """Whether a value stands in the question as it is written in the data, but for case."""
    return fold(match.text) == fold(match.value)


def _longest(question: str, found: list[tuple[str, Place, str]]) -> tuple[ValueMatch, ...]:
    matches = []
    for text, (table, column), value in dict.fromkeys(found):
        score = len(text) / len(question) * (1.0 if fold(text) == fold(value) else INEXACT)
        matches.append(ValueMatch(table=table, column=column, value=value, text=text, score=score))
    matches.sort(key=lambda m: (-len(m.text), -m.score, m.table, m.column, m.value))
    longest: list[ValueMatch] = []
    for match in matches:
        if not any(len(kept.text) > len(match.text) and match.text in kept.text for kept in longest):
            longest.append(match)
    return tuple(longest)


def _runs(question: str) -> Iterator[tuple[range, str]]:
    """Every run of up to `MAX_WORDS` words as it is written, the longest first, with the places of its words."""
    spans = [m.span() for m in _PIECES.finditer(question)]
    says = [any(True for _ in terms(question[start:end])) for start, end in spans]
    for length in range(min(MAX_WORDS, len(spans)), 0, -1):
        for first in range(len(spans) - length + 1):
            stretch = range(first, first + length)
            text = question[spans[first][0] : spans[first + length - 1][1]]
            text = text.strip("'") or text
            if any(says[at] for at in stretch) and not text.isdigit():  # a bare number is a number
                yield stretch, text
                if text.endswith(("'s", "’s")):
                    yield stretch, text[:-2]


def _in_another_form(text: str, question: str, values: Values) -> list[tuple[Place, str]]:
    if len(text) < LEAST_LETTERS or all(stem(word) in values.named or word.casefold() in STOP for word in text.split()):
        return []
    return _by_letters(values).get(plain(text), [])


def _with_a_slip(text: str, question: str, values: Values) -> list[tuple[Place, str]]:
    letters = plain(text)
    if not letters or not _may_be_meant(text, question, values):
        return []
    by_letters = _by_letters(values)
    close = [other for other in values.near.get(letters[0], ()) if slipped(letters, other)]
    return by_letters[close[0]] if len(close) == 1 else []


def _may_be_meant(text: str, question: str, values: Values) -> bool:
    """Whether words that no value has may be a slip: quoted, or a name, and no words that mean something else."""
    if any(f"{mark}{text}" in question for mark in "\"'“‘"):
        return True
    words = [stem(word) for word in text.split()]
    if any(word in values.named or word in common_words() for word in words) or set(text.casefold().split()) & STOP:
        return False
    as_name = all(word[:1].isupper() for word in text.split()) and not question.startswith(text)
    return as_name or (len(words) == 1 and len(text) >= LEAST_LOWER and not is_operator(text.casefold()))


def _by_letters(values: Values) -> Mapping[str, list[tuple[Place, str]]]:
    """The values by their letters; made once, and put in place whole, for other threads look there too."""
    if not values.alike and len(values.exact) <= MAX_SLIPS:
        alike: dict[str, list[tuple[Place, str]]] = {}
        near: dict[str, list[str]] = {}
        for places in values.exact.values():
            for place, value in places:
                letters = plain(value)
                if letters and not has_cjk(letters) and len(letters) <= LONGEST:
                    if letters not in alike:
                        near.setdefault(letters[0], []).append(letters)
                    alike.setdefault(letters, []).append((place, value))
        values.near.update(near)
        values.alike.update(alike)
    return values.alike
