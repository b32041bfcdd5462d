"""Words of a question and of a name, in a form in which they can meet."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

_WORD = re.compile(r"[A-Za-zÀ-ɏ]+|\d+|[一-鿿]+")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z](?!s\b)[a-z])|_+|[\s\-.]+")
_CJK = re.compile(r"[一-鿿]")
STOP = frozenset(
    """
    a an and any are as at be between by did do does each every find for from get give had has have how i in
    is it its list many me more most much no not of on or our over per please show some than that the their
    there this to total up us was we were what when where which who whose why with without you your all
    """.split()
)
"""Words of a question that no name or text is found by."""
STANDING = re.compile(
    r"^(?:please )?(?:always )?(exclude|ignore|leave out|only|排除|忽略|不算|只看|只算)\s*(.+)$", re.IGNORECASE
)
"""A wish that holds for every question, with the condition that it speaks of; no term of the glossary begins so."""


def fold(text: str) -> str:
    """Lower case, full-width as half-width, every run of white space as one space."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def has_cjk(text: str) -> bool:
    """Whether any Chinese character is in it."""
    return _CJK.search(text) is not None


@lru_cache(maxsize=65_536)
def stem(word: str) -> str:
    """An English word without the endings that plural, past and -ing give it; others unchanged."""
    for ending, rest in (("ies", "y"), ("sses", "ss"), ("ches", "ch"), ("shes", "sh"), ("xes", "x")):
        if word.endswith(ending) and len(word) > len(ending) + 1:
            return word[: -len(ending)] + rest
    if word.endswith("s") and not word.endswith(("ss", "us", "is")) and len(word) > 3:
        return word[:-1]
    return word


def terms(text: str) -> Iterator[str]:
    """The stems of a text or a name that carry meaning; Chinese as pairs of characters."""
    for part in _HUMP.split(text):
        for match in _WORD.finditer(part):
            word = match.group()
            if has_cjk(word):
                yield from (word[i : i + 2] for i in range(max(1, len(word) - 1)))
            elif (folded := word.casefold()) not in STOP:
                yield stem(folded)
