"""A Chinese question word for word in English, in about the order that English has."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from t2s.local.parser.said import likeness, split_name
from t2s.local.words import is_chinese, lexicon, stem
from t2s.types.query import Context, ValueMatch
from t2s.types.schema import Schema

_PIECE = re.compile(
    r"“[^”]+”|\"[^\"]+\"|‘[^’]+’|'[^']+'|《[^》]+》|「[^」]+」|[一-鿿]+|[A-Za-z][\w'’&.-]*|\d[\d,.:/-]*\d|\d|[，。；？！,;?!、]"
)
_ENDS = frozenset("，。；？！,;?!")
_LONGEST = 8
_DIGITS = {"一": 1, "二": 2, "两": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9, "十": 10}
_COUNTERS = frozenset(
    "个名位种家部条张本场首次人岁年月日天只支所间项辆类门件座层集期匹台架艘份对等些者了吗呢吧啊们中里上时"
)
_RANKED = frozenset(
    "most fewest highest lowest largest smallest oldest youngest longest shortest cheapest earliest heaviest lightest "
    "fastest slowest tallest maximum minimum".split()
) | {"most expensive", "most recent", "most popular", "most common", "least common"}
_CLAUSES = (
    frozenset("not from in with named after before containing between".split())
    | {"more than", "at least", "less than", "at most", "starting with", "ending with", "equal to", "older than"}
    | _RANKED
)
_ASKING = frozenset({"show", "find", "what is", "which", "who", "when"})
_SORTED = frozenset({"in descending order", "in ascending order", "in alphabetical order"})


@dataclass(frozen=True, slots=True)
class Piece:
    """English for some Chinese; `kind` is cue, word, value, number, of, by or end."""

    text: str
    kind: str


def in_english(context: Context) -> Context:
    """The context with its question in English; unchanged where that has no Chinese."""
    if not is_chinese(context.question):
        return context
    values = tuple(match for match in context.values if len(match.text) > 1 or not is_chinese(match.text))
    known = _vocabulary(context.schema)
    pieces = list(_pieces(context.question, values, known))
    clauses: list[list[Piece]] = [[]]
    for piece in pieces:
        if piece.kind == "end":
            clauses.append([])
        else:
            clauses[-1].append(piece)
    said = " , ".join(" ".join(p.text for p in _ordered(clause)) for clause in clauses if clause)
    return replace(context, question=said, values=context.values)


def _vocabulary(schema: Schema) -> frozenset[str]:
    """The stems of all names."""
    names = [name for table in schema.tables for name in (table.name, *(column.name for column in table.columns))]
    return frozenset(word for name in names for word in split_name(name))


def _pieces(question: str, values: tuple[ValueMatch, ...], known: frozenset[str]) -> Iterator[Piece]:
    folded = {value.text.casefold() for value in values if is_chinese(value.text)}
    for match in _PIECE.finditer(question):
        text = match.group()
        if text in _ENDS:
            yield Piece(text, "end")
        elif text[0] in "“\"‘'《「":
            yield Piece(f'"{text[1:-1]}"', "value")
        elif is_chinese(text):
            yield from _cut(text, folded, known)
        elif text[0].isdigit():
            yield Piece(text, "number")
        else:
            yield Piece(text, "value" if any(text.casefold() in v.text.casefold() for v in values) else "word")


def meanings(run: str) -> list[tuple[str, tuple[str, ...]]]:
    """The words of a run of Chinese, each with its meanings in English; without those that only ask or count."""
    return [(word, _words()[word]) for word in _cuts(run, set()) if word in _words()]


def _cut(run: str, values: set[str], known: frozenset[str]) -> Iterator[Piece]:
    for word in _cuts(run, values):
        if piece := _piece(word, values, known):
            yield piece


def _cuts(run: str, values: set[str]) -> list[str]:
    """The fewest words that make up a run; a sign that no word has costs most."""
    best: list[tuple[float, int]] = [(0.0, 0)]
    for end in range(1, len(run) + 1):
        options = []
        for start in range(max(0, end - 12), end):
            word = run[start:end]
            price = _price(word, values)
            if price is not None:
                options.append((best[start][0] + price, start))
        best.append(min(options))
    cuts = []
    end = len(run)
    while end:
        start = best[end][1]
        cuts.append(run[start:end])
        end = start
    return cuts[::-1]


def _price(word: str, values: set[str]) -> float | None:
    if word in values:
        return 0.8
    if word in _cues() or word in _words():
        return 1.0 - 0.02 * len(word) + 0.2 * (word[-1] == "是")  # 名称是什么 asks for a name
    if len(word) == 1:
        return 1.1 if word in _DIGITS or word in "的按以" else 1.4 if word in _COUNTERS else 3.0
    return None


def _piece(word: str, values: set[str], known: frozenset[str]) -> Piece | None:
    if word in values:
        return Piece(f'"{word}"', "value")
    if word == "的":
        return Piece("of", "of")
    if word in ("按", "按照", "根据", "依据", "以"):
        return Piece("by", "by")
    if word in _cues():
        return Piece(_cues()[word], "cue")
    if word in _words():
        return Piece(_chosen(_words()[word], known), "word")
    if word in _DIGITS:
        return Piece(str(_DIGITS[word]), "number")
    return None


def _chosen(meanings: tuple[str, ...], known: frozenset[str]) -> str:
    """The meaning whose words the schema has most of; the first of equals."""

    def fit(meaning: str) -> float:
        words = [stem(word) for word in meaning.split()]
        return sum(max((likeness(word, name) for name in known), default=0.0) for word in words) / len(
            words
        ) + 0.01 * len(words)

    return max(meanings, key=fit) if len(meanings) > 1 else meanings[0]


def _ordered(clause: list[Piece]) -> list[Piece]:
    """A clause in English order: what is asked first, the head before what modifies it."""
    asking = [p for p in clause if p.kind == "cue" and p.text in _ASKING]
    rest = [p for p in clause if p not in asking]
    ordering: list[Piece] = []
    by = next((n for n, p in enumerate(rest) if p.kind == "by"), None)
    if by is not None:
        end = next((n for n in range(len(rest) - 1, by, -1) if rest[n].text in _SORTED), None)
        if end is not None:
            ordering = [Piece("ordered by", "cue"), *(p for p in rest[by + 1 : end] if p.text != "of"), rest[end]]
            rest = rest[:by] + rest[end + 1 :]
        else:
            rest[by] = Piece("for each", "cue")
    segments: list[list[Piece]] = [[]]
    for piece in rest:
        if piece.kind == "of":
            segments.append([])
        else:
            segments[-1].append(piece)
    segments = [_segment(segment) for segment in segments if segment]
    found = list(asking[:1])
    for n, segment in enumerate(reversed(segments)):
        if n:
            loose = any(p.text in _CLAUSES or p.kind in ("value", "number") for p in segment)
            found.append(Piece("with" if loose else "of", "word"))
        found += segment
    return found + ordering


def _segment(segment: list[Piece]) -> list[Piece]:
    """Superlatives before their noun, counts in front, `30 以上` as `at least 30`."""
    pieces = list(segment)
    for n, piece in enumerate(pieces):
        before = pieces[n - 1] if n else None
        if (
            piece.text in _RANKED
            and before
            and before.kind == "word"
            and (n + 1 == len(pieces) or pieces[n + 1].kind != "word")
        ):
            start = n
            while start and pieces[start - 1].kind == "word":
                start -= 1
            pieces.insert(start, pieces.pop(n))
    for n, piece in enumerate(pieces):
        if piece.text in ("after", "before") and piece.kind == "cue":
            number = next((m for m in range(n - 1, max(-1, n - 3), -1) if pieces[m].kind == "number"), None)
            if number is not None:
                pieces.insert(number, pieces.pop(n))
    counts = [p for p in pieces if p.text in ("how many", "number of")]
    if counts:
        place = next(n for n, p in enumerate(pieces) if p is counts[0])
        if counts[0].text == "number of":
            pieces.insert(0, pieces.pop(place))
        elif place and pieces[0].text == "each":
            pieces = [*pieces[place:], Piece("for", "word"), *pieces[:place]]
        else:
            pieces = [*pieces[place:], *pieces[:place]]
    return pieces


@cache
def _tables() -> tuple[Mapping[str, str], Mapping[str, tuple[str, ...]]]:
    data = tomllib.loads(Path(__file__).with_name("chinese.toml").read_text(encoding="utf-8"))
    cues = {word: english for english, words in data["cues"].items() for word in words.split()}
    found: dict[str, list[str]] = {}
    for english, words in data["words"].items():
        for word in words.split():
            found.setdefault(word, []).append(english)
    for concept, forms in lexicon().concepts.items():
        if is_chinese(concept) and " " not in concept:
            found.setdefault(concept, []).extend(form.replace("_", " ") for form in sorted(forms))
    return cues, {word: tuple(dict.fromkeys(english)) for word, english in found.items()}


def _cues() -> Mapping[str, str]:
    return _tables()[0]


def _words() -> Mapping[str, tuple[str, ...]]:
    return _tables()[1]
