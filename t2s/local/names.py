"""How well a stretch of words fits the name of a table or column."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from t2s.local.words import concepts_of, is_chinese, name_words, stem
from t2s.types.schema import Column, Schema, Table

FULL = 0.85
"""From this score on, the whole name is meant and not a part of it."""

_DATES = re.compile(r"date|time", re.IGNORECASE)
_TRAILING = frozenset({"on", "at", "dat", "datetim"})
_PREFIXES = frozenset({"tbl", "tb", "dim", "fact", "t"})
_TEXT_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A table, or one of its columns, that a stretch may mean; the score is 0..1."""

    table: str
    column: str | None = None
    score: float


@dataclass(frozen=True, slots=True)
class _Variant:
    """One way to say a name, and what it costs to say it like that."""

    words: tuple[str, ...]
    table: str
    column: str | None
    factor: float


@dataclass(frozen=True, slots=True)
class NameIndex:
    """The names of a schema by the words and concepts in them, and comments by their words."""

    by_word: Mapping[str, list[_Variant]] = field(default_factory=dict)
    by_concept: Mapping[str, list[_Variant]] = field(default_factory=dict)
    comments: tuple[tuple[frozenset[str], str, str, str], ...] = ()

    def hits(self, words: tuple[str, ...]) -> tuple[Hit, ...]:
        """What the words may mean, the best first, with what is not much worse than the best."""
        best: dict[tuple[str, str | None], float] = {}
        for variant in self._near(words):
            score = _fit(words, variant.words) * variant.factor
            key = (variant.table, variant.column)
            if score > best.get(key, 0.35):
                best[key] = score
        if not best and len(words) == 1:
            best = self._by_comment(words[0])
        top = max(best.values(), default=0.0)
        kept = [(key, score) for key, score in best.items() if score >= top - (0.45 if key[1] else 0.25)]
        kept.sort(key=lambda pair: (-pair[1], "." in pair[0][0]))  # of two tables the one in the default namespace
        return tuple(Hit(table=table, column=column, score=score) for (table, column), score in kept)

    def _near(self, words: tuple[str, ...]) -> Iterator[_Variant]:
        yield from self.by_word.get(words[0], ())
        for concept in concepts_of(words) | concepts_of(words[:1]):
            yield from self.by_concept.get(concept, ())

    def _by_comment(self, word: str) -> dict[tuple[str, str | None], float]:
        found: dict[tuple[str, str | None], float] = {}
        for comment_words, comment, table, column in self.comments:
            if is_chinese(word):
                if word in comment:
                    found[table, column] = 0.95 if word == comment else 0.6
            elif word in comment_words and len(word) > 3:
                found[table, column] = 0.45
        return found


def index_names(schema: Schema) -> NameIndex:
    """The index of a schema's names."""
    by_word: dict[str, list[_Variant]] = {}
    by_concept: dict[str, list[_Variant]] = {}
    comments = []
    for table in schema.tables:
        for variant in _table_variants(table):
            _file(variant, by_word, by_concept)
        for column in table.columns:
            for variant in _column_variants(table, column):
                _file(variant, by_word, by_concept)
            if column.comment:
                words = frozenset(stem(word) for word in _TEXT_WORD.findall(column.comment))
                comments.append((words, column.comment, table.full_name, column.name))
    return NameIndex(by_word, by_concept, tuple(comments))


def _file(variant: _Variant, by_word: dict[str, list[_Variant]], by_concept: dict[str, list[_Variant]]) -> None:
    for word in set(variant.words):
        by_word.setdefault(word, []).append(variant)
    concepts = set(concepts_of(variant.words))
    for word in variant.words:
        concepts |= concepts_of((word,))
    for concept in concepts:
        by_concept.setdefault(concept, []).append(variant)


def _table_variants(table: Table) -> Iterator[_Variant]:
    words = name_words(table.name)
    yield _Variant(words, table.full_name, None, 1.0)
    if len(words) > 1 and words[0] in _PREFIXES:
        yield _Variant(words[1:], table.full_name, None, 1.0)
    if table.comment and is_chinese(table.comment):
        yield _Variant((re.sub(r"[表信息]+$", "", table.comment),), table.full_name, None, 0.95)


def _column_variants(table: Table, column: Column) -> Iterator[_Variant]:
    words = name_words(column.name)
    key = (table.full_name, column.name)
    yield _Variant(words, *key, 1.0)
    if len(words) == 2:
        yield _Variant(("".join(words),), *key, 0.95)  # zipcode for zip_code
    own = name_words(table.name)
    if len(words) > 1 and words[0] in (own[-1], own[0]):
        yield _Variant(words[1:], *key, 0.97)
    if len(words) > 1 and words[-1] in _TRAILING and _DATES.search(column.type + column.name):
        yield _Variant(words[:-1], *key, 0.9)
        if "date" not in column.name.casefold():  # ordered_on: the order date
            yield _Variant((*words[:-1], "dat"), *key, 0.95)
    if len(words) > 1 and words[-1] == "id":
        yield _Variant(words[:-1], *key, 0.6)
        if table.primary_key == (column.name,):
            yield _Variant(words[-1:], *key, 0.97)
    if len(words) == 1 and words[0].endswith("name") and len(words[0]) > 4:  # resname
        yield _Variant(("nam",), *key, 0.9)


def _fit(said: tuple[str, ...], name: tuple[str, ...]) -> float:
    """1 for the name itself, less for a synonym, less still for a part of it, 0 for anything else."""
    if said == name:
        return 1.0
    if concepts_of(said) & concepts_of(name):
        return 0.88
    if len(said) > 1 and any(concepts_of(said) & concepts_of((word,)) for word in name):
        return 0.8
    if len(said) > len(name):
        return 0.0
    left = list(name)
    quality = 0.0
    for word in said:
        found = word if word in left else next((w for w in left if concepts_of((word,)) & concepts_of((w,))), None)
        if found is None:
            return 0.0
        left.remove(found)
        quality += 1.0 if found == word else 0.85
    share = len(said) / len(name)
    return quality / len(said) * (1.0 if share == 1 else 0.5 + 0.4 * share)
