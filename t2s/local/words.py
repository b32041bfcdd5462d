"""A question as tokens, a name as words, both in forms in which they can meet."""

from __future__ import annotations

import math
import re
import tomllib
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

_PIECE = re.compile(
    r"(?P<quoted>\"[^\"]+\"|“[^”]+”|‘[^’]+’|「[^」]+」|《[^》]+》|(?<!\w)'[^']+'(?!\w))"
    r"|(?P<number>(?:(?<![\w.)])-)?(?:\d+(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?))"
    r"|(?P<chinese>[一-鿿]+)"
    r"|(?P<word>[^\W\d_一-鿿]+(?:['’][^\W\d_一-鿿]+)*)"
    r"|(?P<mark>[^\s\w])"
)
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[_\W]+")
LONGEST_OPERATOR = 5
"""In words; see the lexicon."""
_SHAPELESS = frozenset({"list", "which", "of", "and"})
_VOWEL = re.compile(r"[aeiouy]")
_NUMBER_WORDS = {
    word: value for value, word in enumerate("two three four five six seven eight nine ten".split(), start=2)
}
_CHINESE_DIGITS = {digit: value for value, digit in enumerate("零一二三四五六七八九十")} | {"两": 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A word, number, quotation or mark; `start` and `end` are where it stands in the question.

    `stem` is what is compared with names; `number` is the value of a number.
    """

    text: str
    start: int
    end: int
    stem: str
    kind: str
    number: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lexicon:
    """Phrases with a fixed meaning (`operators`), words to skip, groups of words for one thing, hints (`senses`)."""

    operators: Mapping[tuple[str, ...], str]
    skipped: frozenset[str]
    writes: frozenset[str]
    concepts: Mapping[str, frozenset[str]]
    senses: Mapping[str, frozenset[str]]
    chinese: frozenset[str]


@cache
def lexicon() -> Lexicon:
    """The lexicon that ships with t2s, from lexicon.toml beside this module."""
    data = tomllib.loads(Path(__file__).with_name("lexicon.toml").read_text(encoding="utf-8"))
    operators = {
        tuple(pieces(phrase.strip())): meaning
        for meaning, phrases in data["operators"].items()
        for phrase in phrases.split("|")
    }
    concepts: dict[str, set[str]] = {}
    for concept, members in data["concepts"].items():
        for member in [concept, *members.split()]:
            concepts.setdefault(_key(member), set()).add(concept)
    words = [word for phrase in operators for word in phrase] + data["skipped"].split() + data["writes"].split()
    words += [word for members in data["concepts"].values() for word in members.split()]
    return Lexicon(
        operators=operators,
        skipped=frozenset(data["skipped"].split()),
        writes=frozenset(data["writes"].split()),
        concepts={key: frozenset(found) for key, found in concepts.items()},
        senses=_senses(data["senses"]),
        chinese=frozenset(word for word in words if is_chinese(word)),
    )


def _senses(data: Mapping[str, str]) -> dict[str, frozenset[str]]:
    """For the stem of each word that hints at columns, the stems that these have in their names."""
    found: dict[str, set[str]] = {}
    for words, names in data.items():
        for word in words.split():
            found.setdefault(stem(word), set()).update(map(stem, names.split()))
    return {word: frozenset(names) for word, names in found.items()}


def pieces(phrase: str) -> list[str]:
    """The parts of an operator's phrase: English words, or one Chinese phrase as it is."""
    return [phrase] if is_chinese(phrase) else phrase.split()


def is_chinese(text: str) -> bool:
    """Whether the text has a Chinese character."""
    return any("一" <= char <= "鿿" for char in text)


def tokens(question: str, vocabulary: frozenset[str] = frozenset()) -> tuple[Token, ...]:
    """The question's tokens; Chinese is cut into the longest words of the lexicon and of `vocabulary`."""
    folded = _fold(question)
    known = lexicon().chinese | vocabulary
    found: list[Token] = []
    for match in _PIECE.finditer(folded):
        kind, text, start = match.lastgroup or "mark", match.group(), match.start()
        if kind == "chinese":
            found += _chinese(text, start, known)
        elif kind == "quoted":
            found.append(_token(question[start + 1 : match.end() - 1], start, match.end(), "quoted"))
        elif kind == "word":
            found += _english(question[start : match.end()], start)
        else:
            found.append(_token(text, start, match.end(), kind))
    return tuple(found)


def _fold(text: str) -> str:
    """Full-width signs as ASCII, character for character, so that positions stay."""
    narrow = (unicodedata.normalize("NFKC", char) for char in text)
    return "".join(new if len(new) == 1 else old for new, old in zip(narrow, text, strict=True))


def _token(text: str, start: int, end: int, kind: str) -> Token:
    number = float(text.replace(",", "")) if kind == "number" else None
    if number is not None and math.isinf(number):  # more digits than any column holds
        kind, number = "unknown", None
    return Token(text=text, start=start, end=end, stem=stem(text), kind=kind, number=number)


def _english(text: str, start: int) -> list[Token]:
    if (value := _NUMBER_WORDS.get(text.casefold())) is not None:
        return [Token(text=text, start=start, end=start + len(text), stem=text, kind="number", number=float(value))]
    base = re.sub(r"['’]s$|['’]$", "", text)
    return [_token(base, start, start + len(text), "word")]


def _chinese(run: str, start: int, known: frozenset[str]) -> list[Token]:
    found: list[Token] = []
    at = 0
    while at < len(run):
        length = next((n for n in range(min(12, len(run) - at), 0, -1) if run[at : at + n] in known), 0)
        word = run[at : at + max(length, 1)]
        if not length and (value := _chinese_number(word)) is not None:
            found.append(Token(text=word, start=start + at, end=start + at + 1, stem=word, kind="number", number=value))
        elif not length and found and found[-1].kind == "unknown" and found[-1].end == start + at:
            previous = found.pop()
            found.append(_token(previous.text + word, previous.start, start + at + 1, "unknown"))
        else:
            kind = "word" if length else "unknown"
            found.append(_token(word, start + at, start + at + len(word), kind))
        at += len(word)
    return found


def _chinese_number(word: str) -> float | None:
    value = _CHINESE_DIGITS.get(word)
    return None if value is None else float(value)


@lru_cache(maxsize=65_536)
def stem(word: str) -> str:
    """A word without case, accents' variants and English endings; two forms of a word get the same stem."""
    word = unicodedata.normalize("NFKC", word).casefold()
    if not word.isascii() or not word.isalpha():
        return word
    word = _IRREGULAR.get(word, word)
    if (word.endswith("ies") and len(word) > 4) or word.endswith(("sses", "xes", "ches", "shes")):
        word = word[:-2]
    elif word.endswith("s") and not word.endswith(("ss", "us", "is")) and len(word) > 3:
        word = word[:-1]
    for ending in ("ing", "ed"):
        root = word[: -len(ending)]
        if word.endswith(ending) and len(root) >= 3 and _VOWEL.search(root):
            word = root[:-1] if root[-1] == root[-2] and root[-1] not in "lsz" else root
            break
    if word.endswith("e") and len(word) > 3:
        word = word[:-1]
    if word.endswith("y") and len(word) > 3:
        word = word[:-1] + "i"
    return word


@lru_cache(maxsize=65_536)
def name_words(name: str) -> tuple[str, ...]:
    """The stems of a table's or column's name: split at `_`, spaces and humps."""
    return tuple(stem(part) for part in _HUMP.split(name) if part)


def spoken(name: str) -> str:
    """A name as people write it: `BillingCity` as `billing city`."""
    return " ".join(part.lower() for part in _HUMP.split(name) if part)


@lru_cache(maxsize=65_536)
def concepts_of(words: tuple[str, ...]) -> frozenset[str]:
    """What a word, or several as one phrase (`zip code`), stands for; empty where the lexicon has it not."""
    return lexicon().concepts.get(" ".join(words), frozenset())


def _key(member: str) -> str:
    return " ".join(stem(part) for part in member.split("_"))


def shape_of(question: str) -> frozenset[str]:
    """What a question asks for, whatever it asks about: the meanings of its operators, such as `count` and `cmp gt`."""
    words = [token.text.casefold() for token in tokens(question)]
    operators, found, at = lexicon().operators, set(), 0
    while at < len(words):
        lengths = range(min(LONGEST_OPERATOR, len(words) - at), 0, -1)
        length = next((n for n in lengths if tuple(words[at : at + n]) in operators), 0)
        if length:
            found.add(operators[tuple(words[at : at + length])])
        at += length or 1
    return frozenset(found - _SHAPELESS)


def stems(texts: Iterable[str]) -> tuple[str, ...]:
    """The stem of each."""
    return tuple(stem(text) for text in texts)


_IRREGULAR = {
    "people": "person", "persons": "person", "men": "man", "women": "woman", "children": "child",
    "bought": "buy", "sold": "sell", "spent": "spend", "paid": "pay", "made": "make", "written": "write",
    "wrote": "write", "sung": "sing", "sang": "sing", "held": "hold", "won": "win", "taught": "teach",
    "born": "birth", "died": "death", "feet": "foot", "data": "data", "media": "media", "species": "species",
    "series": "series", "ran": "run", "went": "go", "gone": "go", "flown": "fly", "flew": "fly",
    "languages": "language", "analyses": "analysis", "indices": "index", "canceled": "cancelled",
    "left": "leave", "met": "meet", "drove": "drive", "driven": "drive", "gave": "give", "took": "take",
    "taken": "take", "saw": "see", "seen": "see", "built": "build", "lost": "lose", "sent": "send", "chose": "choose",
    "chosen": "choose", "began": "begin", "begun": "begin", "wore": "wear", "worn": "wear", "kept": "keep",
    "spoke": "speak", "spoken": "speak", "stole": "steal", "stolen": "steal", "caught": "catch", "knew": "know",
    "known": "know", "lent": "lend", "rode": "ride", "swam": "swim",
    "grew": "grow", "sales": "sales", "address": "address", "addresses": "address", "media_types": "media type",
}  # fmt: skip
