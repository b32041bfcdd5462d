"""The words of names, comments and questions, cut and stemmed so that they can meet."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import pairwise

from t2s.local.parser.gloss import meanings
from t2s.local.parser.said import likeness, split_name
from t2s.local.words import concepts_of, is_chinese, lexicon, name_words, stem, tokens
from t2s.memory.words import STOP

LEAST_PIECE = 3
"""The shortest word that a compound is cut into."""

_HUMP = re.compile(r"(?<=[A-Z])(?=[A-Z][a-z])")
_PIECES = re.compile(r"[_\W]+|(?<=[a-z0-9])(?=[A-Z])")
_DIGITS = re.compile(r"(?<=[^\W\d])(?=\d)|(?<=\d)(?=[^\W\d])")
_YEAR = re.compile(r"(?:19|20)\d\d")
_COMPUTED = {
    "revenue": "price amount total quantity discount",
    "sold": "quantity amount",
    "profit": "price cost amount quantity",
}
"""What is often no column but computed, and from what."""
_COUNTING = ("agg", "super", "cmp", "top", "after_ge", "after_le", "between")
_DATING = ("unit", "when")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A question's words, each as the stems that it may stand for, and whether it counts or dates anything.

    `#concept` stands for a phrase of several words, `~stem` for what the word is computed from.
    """

    words: tuple[frozenset[str], ...]
    texts: tuple[str, ...]
    counts: bool
    dates: bool


@lru_cache(maxsize=65_536)
def parts(name: str, known: frozenset[str] = frozenset()) -> tuple[str, ...]:
    """The stems of a name; compounds such as `custid` are cut where all their pieces are `known`."""
    found: list[str] = []
    for piece in _PIECES.split(_DIGITS.sub("_", _HUMP.sub("_", name))):
        if is_chinese(piece):
            found += pairs(piece)
        elif piece:
            words = _cut(piece.casefold(), known) or split_name(piece)
            found += [part for word in words for part in _cut(word, known) or [word]]
    return tuple(found)


def text_words(text: str) -> tuple[str, ...]:
    """The stems of a comment or value that carry meaning; Chinese as pairs of characters."""
    found: list[str] = []
    for word in name_words(text):
        found += pairs(word) if is_chinese(word) else [word] * (word not in _stop())
    return tuple(found)


def pairs(run: str) -> list[str]:
    """The pairs of neighbouring characters; a single one is itself."""
    return [run[at : at + 2] for at in range(max(1, len(run) - 1))]


def asked(question: str, vocabulary: frozenset[str]) -> Asked:
    """The words of a question; neighbours that make one word of the `vocabulary` (`zip code`) stand for it too."""
    found: list[tuple[str, set[str]]] = []
    for token in tokens(question):
        if is_chinese(token.text):
            found += [(word, _senses_in_english(english)) for word, english in meanings(token.text)]
            found += [(pair, {pair}) for pair in pairs(token.text) if pair in vocabulary]
        elif token.kind == "quoted":
            found += [(word, {word}) for word in text_words(token.text)]
        elif token.kind in ("word", "number") and token.stem not in _stop():
            found.append((token.text.casefold(), {token.stem}))
    for (first, one), (second, other) in pairwise(found):
        joined = stem(first + second)
        phrase = {f"#{concept}" for concept in concepts_of((stem(first), stem(second)))}
        for form in phrase | ({joined} & vocabulary):
            one.add(form)
            other.add(form)
    for _, forms in found:
        concepts = {concept for form in forms for concept in concepts_of((form,))}
        forms |= {f"~{stem(word)}" for concept in concepts & _COMPUTED.keys() for word in _COMPUTED[concept].split()}
    said = {meaning.split()[0] for word in _words_of(question) if (meaning := _operators().get(word))}
    return Asked(
        words=tuple(frozenset(forms) for _, forms in found),
        texts=tuple(text for text, _ in found),
        counts=bool(said & set(_COUNTING)) or any(text.isdigit() for text, _ in found),
        dates=bool(said & set(_DATING)) or _YEAR.search(question) is not None,
    )


@cache
def common_words() -> frozenset[str]:
    """The stems of the words that the lexicon knows."""
    return frozenset(word for key in lexicon().concepts for word in key.split() if word.isascii() and len(word) > 2)


def is_operator(word: str) -> bool:
    """Whether a word in lower case is part of an operator: `highest`, `ascending`."""
    return word in _said_by_operators()


@cache
def _said_by_operators() -> frozenset[str]:
    return frozenset(word for phrase in lexicon().operators for word in phrase)


@lru_cache(maxsize=262_144)
def closeness(said: str, word: str) -> float:
    """How likely (0..1) a word of a question means a word of a name, abbreviations included."""
    return max(likeness(said, word), _abbreviates(word, said))


def _abbreviates(short: str, long: str) -> float:
    """`qty` for quantity, `mgr` for manager: the letters in their order, hardly a vowel among them."""
    if not 2 <= len(short) <= 5 or len(long) < len(short) + 2 or short[0] != long[0] or not short.isalpha():
        return 0.0
    if long.startswith(short):
        return 0.65 if len(short) >= 3 else 0.3
    letters = iter(long)
    if sum(letter in "aeiou" for letter in short[1:]) > 1 or not all(letter in letters for letter in short):
        return 0.0
    return 0.5 if len(short) >= 3 else 0.2


def _cut(word: str, known: frozenset[str]) -> list[str]:
    """The stems of the fewest known words that make up an unknown one; empty where none do."""
    common = common_words()
    if len(word) < 2 * LEAST_PIECE or not word.isalpha() or stem(word) in known or stem(word) in common:
        return []
    best: list[list[str] | None] = [[], *[None] * len(word)]
    for end in range(LEAST_PIECE, len(word) + 1):
        for start in range(end - LEAST_PIECE + 1):
            before, piece = best[start], stem(word[start:end])
            if before is not None and (piece in known or piece in common):
                current = best[end]
                if current is None or len(before) + 1 < len(current):
                    best[end] = [*before, piece]
    return best[-1] or []


def _senses_in_english(english: tuple[str, ...]) -> set[str]:
    return {stem(part) for meaning in english for part in meaning.split()}


def _words_of(question: str) -> list[str]:
    return [token.text.casefold() for token in tokens(question)]


@cache
def _operators() -> dict[str, str]:
    """The words that are an operator by themselves."""
    return {phrase[0]: meaning for phrase, meaning in lexicon().operators.items() if len(phrase) == 1}


@cache
def _stop() -> frozenset[str]:
    return frozenset(stem(word) for word in STOP) | STOP
