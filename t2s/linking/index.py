"""A schema made ready for questions: which names, comments and samples have a word, and how tables hang together."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from t2s.linking.joins import Joins, joins_of
from t2s.linking.words import closeness, parts, text_words
from t2s.local.words import concepts_of, lexicon, stem
from t2s.types.schema import Schema

MAX_SAMPLES = 25
COMPUTED = 0.6
"""What a column counts from which something is computed that the question names."""
KEPT = 4
"""Indexes that stay in the process, the latest first."""

Postings = Mapping[str, list[int]]


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Index:
    """Tables and columns as numbered units: the tables first, then every column in order.

    `names` are the units' words, and `shared` those of a column's name that its table's name has too. The postings say
    by stem which units have it: in the name, as another way to say the whole name (`aliases`), in the comment, in
    samples. `spelled` are the units by `table` or `table.column`. `owner` is each unit's table, `columns` are each
    table's units, and `joins` says how it hangs together with others. `rarity` (0..1) is what a word says of a table,
    `namesakes` how many units have the same name.
    """

    schema: Schema
    units: Mapping[tuple[str, str | None], int]
    names: list[tuple[str, ...]]
    shared: list[frozenset[str]]
    owner: list[int]
    columns: list[range]
    joins: list[Joins]
    by_name: Postings
    aliases: Postings
    by_comment: Postings
    by_sample: Postings
    comment_sizes: list[int]
    rarity: Mapping[str, float]
    namesakes: list[int]
    spelled: Mapping[str, int]
    vocabulary: frozenset[str]
    _buckets: Mapping[str, list[str]]
    _alike: dict[str, dict[str, float]] = field(default_factory=dict)

    def alike(self, form: str) -> dict[str, float]:
        """The words of names that a word of a question may mean, with how likely each."""
        if form not in self._alike:
            if len(self._alike) > 50_000:
                self._alike.clear()
            if form.startswith("~"):
                return {word: COMPUTED * score for word, score in self.alike(form[1:]).items()}
            near = {word for key in _keys_of_asked(form) for word in self._buckets.get(key, ())}
            self._alike[form] = {word: score for word in near if (score := closeness(form, word))}
        return self._alike[form]


_kept: list[Index] = []


def index_schema(schema: Schema) -> Index:
    """The index of a schema; built once in a process."""
    for index in _kept:
        if index.schema is schema or (index.schema.fingerprint == schema.fingerprint and index.schema == schema):
            return index
    built = _build(schema)
    _kept[KEPT - 1 :] = []
    _kept.insert(0, built)
    return built


def _build(schema: Schema) -> Index:
    known = _known_words(schema)
    units: dict[tuple[str, str | None], int] = {(t.full_name, None): at for at, t in enumerate(schema.tables)}
    names = [parts(table.name, known) for table in schema.tables]
    shared: list[frozenset[str]] = [frozenset()] * len(names)
    owner, columns = list(range(len(names))), []
    by_comment: defaultdict[str, list[int]] = defaultdict(list)
    by_sample: defaultdict[str, list[int]] = defaultdict(list)
    sizes = [_post(by_comment, at, t.comment or "") for at, t in enumerate(schema.tables)]
    for at, table in enumerate(schema.tables):
        columns.append(range(len(names), len(names) + len(table.columns)))
        for column in table.columns:
            unit = len(names)
            units[table.full_name, column.name] = unit
            names.append(parts(column.name, known))
            own = frozenset(names[unit]) & frozenset(names[at])
            shared.append(own if len(own) < len(set(names[unit])) else frozenset())
            owner.append(at)
            sizes.append(_post(by_comment, unit, column.comment or ""))
            _post(by_sample, unit, " ".join(column.samples[:MAX_SAMPLES]))
    by_name, aliases = _by_name(names)
    frequency = Counter(word for at, found in enumerate(columns) for word in _words_of_table(at, found, names))
    most = math.log(1 + len(columns))
    rarity = {word: math.log(1 + len(columns) / count) / most for word, count in frequency.items()}
    same = Counter(names[len(columns) :])
    return Index(
        schema=schema,
        units=units,
        names=names,
        shared=shared,
        owner=owner,
        columns=columns,
        joins=joins_of(schema.tables, [[names[unit] for unit in found] for found in columns], names),
        by_name=by_name,
        aliases=aliases,
        by_comment=by_comment,
        by_sample=by_sample,
        comment_sizes=sizes,
        rarity=rarity,
        namesakes=[same[name] for name in names],
        spelled={f"{t}.{c}" if c else t: unit for (t, c), unit in units.items()},
        vocabulary=frozenset({*by_name, *aliases, *by_comment}),
        _buckets=_bucketed(by_name),
    )


def _known_words(schema: Schema) -> frozenset[str]:
    """The words by which compounds are cut: those that stand alone in a name of several words or in a comment."""
    found: set[str] = set()
    for table in schema.tables:
        for name, comment in ((table.name, table.comment), *((c.name, c.comment) for c in table.columns)):
            words = parts(name)
            found.update(words if len(words) > 1 else ())
            found.update(text_words(comment or ""))
        found.add(stem(table.name))
    return frozenset(word for word in found if len(word) > 2)


def _post(postings: dict[str, list[int]], unit: int, text: str) -> int:
    words = set(text_words(text))
    for word in words:
        postings[word].append(unit)
    return len(words)


def _by_name(names: list[tuple[str, ...]]) -> tuple[dict[str, list[int]], dict[str, list[int]]]:
    by_name: defaultdict[str, list[int]] = defaultdict(list)
    aliases: defaultdict[str, list[int]] = defaultdict(list)
    for unit, words in enumerate(names):
        for word in set(words):
            by_name[word].append(unit)
        if len(words) == 2:
            aliases["".join(words)].append(unit)
        for concept in concepts_of(words):  # a column `postcode` for zip code, said in two words
            aliases[f"#{concept}"].append(unit)
    return dict(by_name), dict(aliases)


def _words_of_table(at: int, columns: range, names: list[tuple[str, ...]]) -> set[str]:
    return {*names[at], *(word for unit in columns for word in names[unit])}


def _bucketed(by_name: Iterable[str]) -> dict[str, list[str]]:
    """Words under all keys by which a word of a question may find them; see `closeness`."""
    buckets: defaultdict[str, list[str]] = defaultdict(list)
    for word in by_name:
        keys = {word, f"^{word[:3]}", f"${word[-5:]}", *(f"#{concept}" for concept in concepts_of((word,)))}
        if len(word) <= 5:
            keys.add(f"~{word[0]}")
        for key in keys:
            buckets[key].append(word)
    return dict(buckets)


def _keys_of_asked(form: str) -> list[str]:
    keys = [form, f"^{form[:3]}", f"~{form[:1]}", f"${form[-5:]}", *lexicon().senses.get(form, ())]
    return keys + [f"#{concept}" for concept in concepts_of((form,))]
