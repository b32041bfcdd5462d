"""What a question says, word by word: stems, cues, numbers, and where names and values of the schema stand."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache

from t2s.local.parser.query import Column
from t2s.local.words import Token, concepts_of, is_chinese, lexicon, name_words, stem, tokens
from t2s.types.query import Context, ValueMatch
from t2s.types.schema import Schema, Table

_TAILS = ("name", "number", "code", "date", "type", "time", "year", "count", "title", "id", "num", "no")
_LONGEST_CUE = 5
NOWHERE = 99
"""The place of what the question does not name."""

_NUMERIC = re.compile(r"int|num|dec|real|doub|float|money|serial", re.IGNORECASE)
_DATED = re.compile(r"date|time|year", re.IGNORECASE)
_HUMPS = re.compile(r"[_\W]+|(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z]{2})")
_INITIALS = {"f": "first", "l": "last"}
_FULL_NAME = re.compile(r"\bfull names?\b", re.IGNORECASE)
DAY = re.compile(r"\d{4}-\d{2}-\d{2}(?: \d{2}:\d{2}(?::\d{2})?)?")
_BARE_DAY = re.compile(rf"(?<![A-Za-z0-9_'\"“‘-]){DAY.pattern}(?![A-Za-z0-9_'\"”’-])")
_MINOR = 0.3
"""What a word of a column's name counts that only repeats its table."""

_SHORT = {
    "female": ("f", "女"),
    "male": ("m", "男"),
    "females": ("f",),
    "males": ("m",),
    "women": ("f",),
    "men": ("m",),
}


@dataclass(frozen=True, slots=True)
class Mention:
    """Words `first` to `last` (inclusive) name a table or column; `score` (0..1) says how well."""

    first: int
    last: int
    score: float


@dataclass(frozen=True, slots=True)
class Constant:
    """Words `first` to `last` stand in `column` as `value`; `exact` when it is written just so."""

    first: int
    last: int
    column: Column
    value: str
    exact: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """What is known of a column, apart from the question."""

    column: Column
    words: tuple[str, ...]
    weights: tuple[float, ...]
    kind: str
    primary: bool
    refers: str
    place: int
    samples: tuple[str, ...]

    @property
    def foreign(self) -> bool:
        """Whether it refers to another table (`refers`)."""
        return bool(self.refers)


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A question against a schema. `cues` holds a word's cue, such as `super desc`, or an empty text."""

    words: tuple[Token, ...]
    cues: tuple[str, ...]
    fields: Mapping[Column, Field]
    columns: Mapping[Column, tuple[Mention, ...]]
    tables: Mapping[str, tuple[Mention, ...]]
    constants: tuple[Constant, ...]
    schema: Schema

    def best(self, column: Column) -> float:
        """How well the question names a column."""
        mentions = self.columns.get(column)
        return mentions[0].score if mentions else 0.0

    def anchor(self, column: Column) -> int:
        """Where a column is named, nearest to its table where it is named more than once; 99 where it is not."""
        mentions = self.columns.get(column, ())
        good = [m.first for m in mentions if m.score >= mentions[0].score - 0.05]
        tables = [m.first for m in self.tables.get(column[0], ())]
        return min(good, key=lambda at: (min((abs(at - t) for t in tables), default=0), at), default=NOWHERE)

    def table(self, name: str) -> float:
        """How well the question names a table."""
        mentions = self.tables.get(name)
        return mentions[0].score if mentions else 0.0


def hear(context: Context) -> Said:
    """The question of a context, in English, against its schema."""
    fields = {field.column: field for table in context.schema.tables for field in fields_of(table)}
    question = _in_full(_BARE_DAY.sub(r'"\g<0>"', context.question), fields)  # a day is one word, not three numbers
    words = tuple(token for token in tokens(question) if token.kind != "mark" or token.text in "><=,%?")
    stems = tuple(word.stem for word in words)
    tables = {}
    for table in context.schema.tables:
        names = split_name(table.name)
        if found := _mentions(stems, names, tuple(1.0 for _ in names)):
            tables[table.full_name] = found
    columns = {c: found for c, f in fields.items() if (found := _mentions(stems, f.words, f.weights))}
    return Said(
        words=words,
        cues=_cues(words),
        fields=fields,
        columns=columns,
        tables=tables,
        constants=tuple(_constants(words, context.values, fields)),
        schema=context.schema,
    )


@lru_cache(maxsize=4_096)
def fields_of(table: Table) -> tuple[Field, ...]:
    """The columns of a table as fields."""
    own = split_name(table.name)
    targets = {name.casefold(): key.target_table for key in table.foreign_keys for name in key.columns}
    found = []
    for place, column in enumerate(table.columns):
        words = _apart(split_name(column.name), column.name, own)
        minor = [len(words) > 1 and any(word == one or _shortens(word, one) for one in own) for word in words]
        weights = tuple(_MINOR if less else 1.0 for less in minor)
        kind = "number" if _NUMERIC.search(column.type) else "text"
        kind = "date" if _DATED.search(column.type) or (_DATED.search(column.name) and kind == "text") else kind
        found.append(
            Field(
                column=(table.full_name, column.name),
                words=words,
                weights=weights,
                kind=kind,
                primary=table.primary_key == (column.name,),
                refers=targets.get(column.name.casefold(), ""),
                place=place,
                samples=column.samples,
            )
        )
    return tuple(found)


@lru_cache(maxsize=65_536)
def split_name(name: str) -> tuple[str, ...]:
    """The stems of a name; `fname` and `countrycode` are cut before their last word."""
    found: list[str] = []
    for word in _HUMPS.split(name):
        low = word.casefold()
        tail = next((t for t in _TAILS if low.endswith(t) and len(low) > len(t) + (len(t) < 3)), "")
        if tail and low not in ("paid", "grid", "video"):
            head = low[: -len(tail)]
            found += [stem(_INITIALS.get(head, head)), stem(tail)]
        elif word:
            found.append(stem(low))
    return tuple(found) or name_words(name) or (name.casefold(),)


def _apart(words: tuple[str, ...], name: str, own: tuple[str, ...]) -> tuple[str, ...]:
    """The words of a column's name, with a table's initial cut off: `eid` of employees is an id."""
    low = name.casefold()
    if len(words) > 1 or low[1:] not in ("id", "no", "num") or words[0] in own:
        return words
    return (low[0], stem(low[1:])) if any(one[0] == low[0] for one in own) else words


def _shortens(word: str, whole: str) -> bool:
    """Whether a few letters stand for a word: `c` or `crs` for course, `stu` for student."""
    if len(word) > 4 or len(word) >= len(whole) or word[0] != whole[0] or word in ("id", "no", "nam"):
        return False
    letters = iter(whole)
    return all(letter in letters for letter in word)


def _in_full(question: str, fields: Mapping[Column, Field]) -> str:
    """The question with `full name` as the two columns that hold it, where there are two."""
    names = [(table, field.words) for (table, _), field in fields.items()]
    if any("full" in words for _, words in names):
        return question
    first = {table for table, words in names if {"first", "nam"} <= {*words} or {"fore", "forenam"} & {*words}}
    last = {table for table, words in names if {"last", "nam"} <= {*words} or {"sur", "surnam"} & {*words}}
    return _FULL_NAME.sub("first name and last name", question) if first & last else question


@lru_cache(maxsize=262_144)
def likeness(said: str, word: str) -> float:
    """How likely two stems mean the same: 1 for the same word, less for a synonym, a stump or a compound."""
    if said == word:
        return 1.0
    if not (said.isalpha() and word.isalpha()):
        return 0.0
    if concepts_of((said,)) & concepts_of((word,)):
        return 0.8
    if word in lexicon().senses.get(said, ()):
        return 0.6
    short, long = sorted((said, word), key=len)
    if len(short) >= 4 and long.startswith(short):
        return 0.85 if len(long) - len(short) < 4 else 0.7
    if len(short) >= 3 and len(long) >= 5 and long.startswith(short) and short == word:
        return 0.7
    if len(short) >= 5 and long.endswith(short):
        return 0.6
    if len(short) >= 6 and short[:5] == long[:5]:
        return 0.6
    return 0.0


def _mentions(stems: tuple[str, ...], names: tuple[str, ...], weights: tuple[float, ...]) -> tuple[Mention, ...]:
    """The places that name something by its words, the best first; overlapping ones only once."""
    like = [{n: s for n, word in enumerate(names) if (s := likeness(said, word))} for said in stems]
    total = sum(weights)
    found: list[Mention] = []
    for first, start in enumerate(like):
        if not start:
            continue
        left = dict(enumerate(weights))
        score, last = 0.0, first
        for at in range(first, min(len(stems), first + len(names) + 2)):
            options = [(s * left[n], n) for n, s in like[at].items() if n in left]
            if options:
                gain, best = max(options)
                score += gain
                del left[best]
                last = at
        found.append(Mention(first, last, round(score / total - 0.01 * (last - first + 1 > len(names)), 4)))
    found.sort(key=lambda m: (-m.score, m.first))
    kept: list[Mention] = []
    for mention in found:
        if mention.score >= 0.25 and not any(m.first <= mention.last and mention.first <= m.last for m in kept):
            kept.append(mention)
    return tuple(kept[:4])


@cache
def _phrases() -> dict[tuple[str, ...], str]:
    return {phrase: meaning for phrase, meaning in lexicon().operators.items() if not is_chinese(phrase[0])}


def _cues(words: tuple[Token, ...]) -> tuple[str, ...]:
    """The cue of each word; the words of a phrase all bear it."""
    texts = [word.text.casefold() for word in words]
    cues = [""] * len(words)
    at = 0
    while at < len(words):
        lengths = range(min(_LONGEST_CUE, len(words) - at), 0, -1)
        length = next((n for n in lengths if tuple(texts[at : at + n]) in _phrases()), 0)
        if length:
            cue = _phrases()[tuple(texts[at : at + length])]
            cues[at : at + length] = [cue] * length
        at += max(length, 1)
    return tuple(cues)


def _constants(
    words: tuple[Token, ...], matches: tuple[ValueMatch, ...], fields: Mapping[Column, Field]
) -> Iterator[Constant]:
    """The values of the data that the question names: those found already, and samples in another form."""
    seen = set()
    for match in matches:
        for first, last in _places(words, match.text):
            if (key := (first, last, match.table, match.column, match.value)) not in seen:
                seen.add(key)
                exact = any(match.value in word.text for word in words[first : last + 1]) or match.value == match.text
                yield Constant(first, last, (match.table, match.column), match.value, exact)
    for column, field in fields.items():
        for value in field.samples:
            low = value.casefold()
            for at, word in enumerate(words):
                if word.kind != "word" or (at, at, *column, value) in seen:
                    continue
                if low in _SHORT.get(word.text.casefold(), ()) or (len(low) > 2 and stem(low) == word.stem):
                    seen.add((at, at, *column, value))
                    yield Constant(at, at, column, value, False)


def _places(words: tuple[Token, ...], text: str) -> Iterator[tuple[int, int]]:
    """Where a text stands among the words."""
    wanted = [token.text.casefold() for token in tokens(text) if token.kind != "mark"] or [text.casefold()]
    texts = [word.text.casefold() for word in words]
    for first in range(len(words) - len(wanted) + 1):
        if texts[first : first + len(wanted)] == wanted:
            yield first, first + len(wanted) - 1
    for at, word in enumerate(words):
        if word.kind == "quoted" and text.casefold() in word.text.casefold() and len(text) * 2 > len(word.text):
            yield at, at
