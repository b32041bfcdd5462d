"""Comparisons with constants that a question may ask for: `column operator value`, each with its features."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from t2s.local.parser.query import Column, Condition, Expression
from t2s.local.parser.said import DAY, Constant, Field, Said
from t2s.local.words import stems

MAX_COLUMNS = 8
"""Columns that a number or a quotation without a match in the data is compared with."""

_BEFORE = {
    word: sign
    for sign, words in (
        (">", "after older longer heavier bigger taller later faster"),
        ("<", "before younger shorter lighter earlier slower"),
        (">=", "since"),
        ("<=", "until"),
    )
    for word in words.split()
}
_SIGNS = {"gt": ">", "ge": ">=", "lt": "<", "le": "<=", "eq": "=", "ne": "!="}
_BEHIND = {
    ("or", word): sign
    for sign, words in (
        (">=", "more above higher later older greater"),
        ("<=", "less fewer below lower earlier younger"),
    )
    for word in words.split()
}
_PATTERNS = {"like": "%{}%", "like_start": "{}%", "like_end": "%{}"}
_BE = frozenset({"is", "are"})
_END_LETTERS = {"first": "{}%", "last": "%{}"}
_PATTERN_WORDS = frozenset(stems("substring letter word phrase prefix suffix string".split()))
_OPERATORS = ("=", "!=", ">", ">=", "<", "<=", "between", "like", "not like", "not between")


@dataclass(frozen=True, slots=True)
class Amount:
    """A number in the question with the comparison that its neighbours make of it."""

    first: int
    last: int
    operator: str
    values: tuple[float, ...]
    cued: bool


@dataclass(frozen=True, slots=True)
class Unit:
    """A comparison, the words it stands for, and features beyond those of its column."""

    first: int
    last: int
    condition: Condition
    features: tuple[float, ...]

    @property
    def column(self) -> Column:
        """The column that is compared."""
        assert self.condition.left.column is not None
        return self.condition.left.column


def amounts(said: Said) -> tuple[Amount, ...]:
    """The numbers of a question, `between a and b` as one."""
    found: list[Amount] = []
    used: set[int] = set()
    constant = {n for c in said.constants if c.last > c.first for n in range(c.first, c.last + 1)}
    for at, word in enumerate(said.words):
        if at in used or at in constant or word.number is None:
            continue
        second = next(
            (n for n in range(at + 1, min(at + 4, len(said.words))) if said.words[n].number is not None), None
        )
        opening = [n for n in range(max(0, at - 5), at) if _opens(said, n)]
        if second is not None and opening and said.words[second - 1].text.casefold() in ("and", "to", "-"):
            numbers = (word.number, said.words[second].number or 0.0)
            used.add(second)
            found.append(Amount(opening[-1], second, "between", numbers, True))
            continue
        operator, first = _operator(said, at)
        found.append(Amount(first, at, operator or "=", (word.number,), bool(operator)))
    return tuple(found)


def _operator(said: Said, at: int) -> tuple[str, int]:
    """The comparison that stands before (or just behind) a number, and where it begins."""
    texts = [word.text.casefold() for word in said.words]
    if sign := _BEHIND.get(tuple(texts[at + 1 : at + 3])):  # type: ignore[arg-type]
        return sign, at
    if any(said.cues[n] == "cmp ge" for n in range(at + 1, min(at + 3, len(texts)))) and "or" in texts[at + 1 : at + 3]:
        return ">=", at
    for n in range(at - 1, max(-1, at - 5), -1):
        if said.words[n].number is not None or said.words[n].text in ",?":
            break
        group, _, rest = said.cues[n].partition(" ")
        if group == "cmp":
            sign = _SIGNS[rest.partition(" ")[0]]
            if rest.endswith("birth"):  # older than 56: it is the age that is said
                sign = {">": "<", "<": ">"}[sign]
            if n > 0 and texts[n - 1] in ("not", "no"):
                sign = {">": "<=", "<": ">="}.get(sign, sign)
            return sign, n
        if texts[n] in _BEFORE:
            return _BEFORE[texts[n]], n
    return "", at


def units(said: Said, numbers: tuple[Amount, ...], compared: Sequence[Column]) -> tuple[Unit, ...]:
    """All comparisons that come into question; `compared` are columns by how likely they are compared, best first."""
    texts = (*_of_quotations(said, compared), *_of_days(said, compared))
    return tuple(dict.fromkeys((*_of_constants(said), *texts, *_of_numbers(said, numbers, compared))))


def _of_constants(said: Said) -> Iterator[Unit]:
    for constant in said.constants:
        negated = _negated(said, constant.first)
        for operator in ("!=", "=") if negated else ("=",):
            yield _unit(said, constant.first, constant.last, constant.column, operator, (constant.value,), constant)
        if pattern := _pattern(said, constant.first):
            yield _unit(said, constant.first, constant.last, constant.column, "like", (pattern.format(constant.value),))


def _of_quotations(said: Said, compared: Sequence[Column]) -> Iterator[Unit]:
    known = {n for c in said.constants for n in range(c.first, c.last + 1)}
    texts = [column for column in compared if said.fields[column].kind != "number"]
    for at, word in enumerate(said.words):
        pattern = _pattern(said, at)
        before = at - 2 if at > 1 and said.words[at - 1].text in _BE else at - 1
        bare = pattern and at and (said.words[before].stem in _PATTERN_WORDS or said.cues[before] in _PATTERNS)
        bare = bare and word.kind == "word" and not said.cues[at] and word.stem not in _PATTERN_WORDS
        bare = bare and word.text not in _BE
        if (word.kind != "quoted" and not bare) or DAY.fullmatch(word.text):
            continue
        for column in texts[:MAX_COLUMNS]:
            if pattern:
                operator = "not like" if _negated(said, at) else "like"
                yield _unit(said, at, at, column, operator, (pattern.format(word.text.strip("%")),))
            elif at not in known:
                yield _unit(said, at, at, column, "=", (word.text,))


def _of_days(said: Said, compared: Sequence[Column]) -> Iterator[Unit]:
    """A day alone, or the days from one to another."""
    days = [n for n, word in enumerate(said.words) if word.kind == "quoted" and DAY.fullmatch(word.text)]
    dates = [column for column in compared if _of_dates(said.fields[column])][:MAX_COLUMNS]
    if len(days) == 2 and any(_opens(said, n) for n in range(max(0, days[0] - 4), days[0])):
        for column in dates:
            operator = "not between" if _negated(said, days[0]) else "between"
            yield _unit(said, days[0], days[1], column, operator, tuple(said.words[n].text for n in days))
        return
    for at in days:
        operator, first = _operator(said, at)
        operator = operator or ("!=" if _negated(said, at) else "=")
        for column in dates:
            yield _unit(said, first, at, column, operator, (said.words[at].text,))


def _opens(said: Said, at: int) -> bool:
    """Whether a word begins a range."""
    return said.cues[at].startswith("between") or said.words[at].stem == "from"


def _of_numbers(said: Said, numbers: tuple[Amount, ...], compared: Sequence[Column]) -> Iterator[Unit]:
    years = [column for column in compared if _of_years(said.fields[column])]
    for amount in numbers:
        likely = years[:MAX_COLUMNS] if all(map(_like_year, amount.values)) else []
        for column in dict.fromkeys((*likely, *compared[:MAX_COLUMNS])):
            number = said.fields[column].kind == "number"
            values = amount.values if number else tuple(f"{value:g}" for value in amount.values)
            yield _unit(said, amount.first, amount.last, column, amount.operator, values)
            if _negated(said, amount.first) and amount.operator == "=":
                yield _unit(said, amount.first, amount.last, column, "!=", values)


def _pattern(said: Said, at: int) -> str:
    """The LIKE pattern that the words before a text ask for."""
    words = range(max(0, at - 5), at)
    for n in reversed(words):
        if said.cues[n] in _PATTERNS:
            return _PATTERNS[said.cues[n]]
        if n and said.words[n].stem == "letter" and said.words[n - 1].stem in _END_LETTERS:
            return _END_LETTERS[said.words[n - 1].stem]
        if said.words[n].stem in ("prefix", "start", "begin"):
            return "{}%"
        if said.words[n].stem in ("suffix", "end"):
            return "%{}"
    return "%{}%" if any(said.words[n].stem in _PATTERN_WORDS for n in words) else ""


def _of_dates(field: Field) -> bool:
    return field.kind == "date" or (bool(field.samples) and all(DAY.match(sample) for sample in field.samples))


def _of_years(field: Field) -> bool:
    return "year" in field.words or field.kind == "date"


def _like_year(number: float | None) -> bool:
    return number is not None and 1800 <= number <= 2100 and number == int(number)


def _negated(said: Said, at: int) -> bool:
    return any(said.cues[n] in ("neg", "cmp ne") for n in range(max(0, at - 6), at))


def _unit(
    said: Said, first: int, last: int, column: Column, operator: str, values: tuple[str | float, ...],
    constant: Constant | None = None,
) -> Unit:  # fmt: skip
    mentions = said.columns.get(column, ())
    gaps = [
        first - m.last if m.last < first else m.first - last + 20 for m in mentions if not m.first <= first <= m.last
    ]
    same = [c for c in said.constants if c.first == first and c.last == last]
    field = said.fields[column]
    number = said.words[last].number
    table = [first - m.last for m in said.tables.get(column[0], ())]
    features = (
        float(_OPERATORS.index(operator)),
        float(constant is not None) + float(bool(constant and constant.exact)),
        float(last - first + 1),
        float(min(gaps, default=60)),
        float(len(same)),
        float({"text": 0, "number": 1, "date": 2}[field.kind]),
        -1.0 if number is None else number,
        float(said.words[first].kind == "quoted"),
        float(_like_year(number) and _of_years(field)),
        float(_negated(said, first)),
        float(min(table, key=abs, default=60)),
        float(any(c.first <= first and last <= c.last and (c.last - c.first) > (last - first) for c in said.constants)),
        max((said.best(c.column) for c in same), default=0.0) - said.best(column),
        max((m.score for ms in said.columns.values() for m in ms if m.first <= first <= m.last), default=0.0),
        max((m.score for ms in said.tables.values() for m in ms if m.first <= first <= m.last), default=0.0),
    )
    return Unit(first, last, Condition(Expression("", column), operator, values), features)
