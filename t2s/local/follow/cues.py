"""Words that tie a question to the one before it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

from t2s.local.link import Linked
from t2s.local.words import tokens

_LEAD = re.compile(
    r"(?:and|only|just|but|now|also|then|what about|how about|what if|instead|same|again|out of"
    r"|(?:of|for|among) (?:those|these|them|it|this|that))\b",
    re.IGNORECASE,
)
_LEAD_CHINESE = re.compile(
    r"那么|那|只看|只要|只|仅|其中|再|还有|还|也|另外|换成|改成|改为|然后|接着|按|这些|那些|它们|他们|她们"
)
_TRAIL = re.compile(r"\b(?:instead|too|as well|again|then)\s*[?!.]*$|呢\s*[?？!！。]*$", re.IGNORECASE)
_POINTS = frozenset("those these them they their it its his her ones one he she".split())
_POINTS_CHINESE = ("其中", "它们", "他们", "她们", "这些", "那些", "这个", "那个", "该")
_ACTS = frozenset("they it he she".split())
_AUXILIARIES = frozenset("do does did have has had are were is was can will".split())
_BEFORE_THAT = _AUXILIARIES | frozenset("of for in from to with by on at".split())
"""After these `that` points at something: `of that course`, but not `courses that students take`."""

_WEAK = re.compile(r"(?:now|just|then|然后|接着|再)", re.IGNORECASE)
"""`Now list all products` can begin something new."""

_NARROWS = re.compile(r"(?:and |but |now )?only\b|只|仅", re.IGNORECASE)

_ADDS = re.compile(r"\b(?:also|too|as well|in addition|add|include)\b|也|还|另外|加上", re.IGNORECASE)
_SWAPS = re.compile(r"\b(?:what|how) about\b|\binstead\b|^and\b|换成|改成|改为|呢\s*[?？]*$", re.IGNORECASE)
_WHOLE = re.compile(r"\b(?:all|every|overall|altogether)\b|所有|全部|一共|总共", re.IGNORECASE)
_EACH = re.compile(
    r"\b(?:for|of|in) each(?: one| of (?:those|these|them))?(?=[\s,]*(?:[?.,!]|$|what|how|show|give|list|find))",
    re.IGNORECASE,
)
_POLITE = r"^(?:please |can you |could you )*(?:also |only |just )*"
_EMPTY = re.compile(
    r"^(?:also|and|but|now|then|just|only|again)\b|^(?:what|how) about\b|^what if\b"
    r"|\b(?:instead|too|as well|again|in addition)\b"
    rf"|{_POLITE}(?:include|add)\b|{_POLITE}sort (?:them|those|these|it|the \w+)(?! by)\b"
    r"|只看|只要|^只|仅|那么|^那|另外|换成|改成|改为|呢|^然后|^接着|^再|^还有|加上",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cues:
    """What the words say of how a question goes on.

    `back` points at the last question, `weak` only by a word that may also begin a new one, `narrows` keeps less of
    it, `adds` wants more of the same, `swaps` puts something in the place of its like, `whole` asks of everything
    again, `each` asks of every row.
    """

    back: bool
    weak: bool
    narrows: bool
    adds: bool
    swaps: bool
    whole: bool
    each: bool


def cues(question: str, linked: Linked) -> Cues:
    """The cues of a question."""
    text = _begun(question)
    lead = _LEAD_CHINESE if linked.chinese else _LEAD
    points = bool(_TRAIL.search(text)) or _points_back(question, linked)
    return Cues(
        back=points or bool(lead.match(text)),
        weak=not points and bool(_WEAK.match(text)),
        narrows=bool(_NARROWS.match(text)),
        adds=bool(_ADDS.search(text)),
        swaps=bool(_SWAPS.search(text)),
        whole=bool(_WHOLE.search(text)),
        each=bool(_EACH.search(text)),
    )


def bared(question: str) -> str:
    """The question without the words that only say how it goes on."""
    text = _begun(question)
    while (shorter := _begun(_EMPTY.sub(" ", _EACH.sub(" ", text)))) != text:
        text = shorter
    return text


def _begun(question: str) -> str:
    return question.strip(" \t,，、。.…")


def _points_back(question: str, linked: Linked) -> bool:
    """Whether `they`, `those`, `that one` stand for something that this question has not named itself."""
    if linked.chinese:
        return any(word in question for word in _POINTS_CHINESE)
    tables = {item.first for item in linked.items if item.kind == "table"}
    first = min((item.first for item in linked.items if item.kind in ("table", "value")), default=len(question))
    words = ["", *(token.text.casefold() for token in tokens(question))]
    return any(_points(word, before, at, first, tables) for at, (before, word) in enumerate(pairwise(words)))


def _points(word: str, before: str, at: int, first: int, tables: set[int]) -> bool:
    """Whether one word at a place does, with what stands before it and the places of tables behind it."""
    if at + 1 in tables and word in ("those", "these", "this", "that"):
        return word != "that" or not before or before in _BEFORE_THAT
    return word in _POINTS and (at < first or (word in _ACTS and before in _AUXILIARIES))
