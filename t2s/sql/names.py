"""The nearest right name for a wrong one."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from difflib import get_close_matches

_BETWEEN = re.compile(r"[\W_]+")
_ONE_SLIP, _TWO_SLIPS = 4, 9
"""From so many letters on, one or two slips of the pen still leave no doubt what is meant."""


def nearest(name: str, names: Iterable[str]) -> str | None:
    """The name most like `name`, in any case; None where nothing is near."""
    by_folded = {candidate.casefold(): candidate for candidate in names}
    found = get_close_matches(name.casefold(), by_folded, n=1, cutoff=0.6)
    return by_folded[found[0]] if found else None


def surely(name: str, names: Iterable[str]) -> str | None:
    """The one name that `name` can only be a misspelling of; None where none or several are so near."""
    distinct = tuple(dict.fromkeys(names))
    for near in (_same, slipped):
        found = [candidate for candidate in distinct if near(_bare(name), _bare(candidate))]
        if found:
            return found[0] if len(found) == 1 else None
    return None


def _bare(name: str) -> str:
    """Without case, accents, and what stands between words."""
    letters = unicodedata.normalize("NFKD", name.casefold())
    return _BETWEEN.sub("", "".join(c for c in letters if not unicodedata.combining(c)))


def plain(name: str) -> str:
    """A name without case, accents, signs between words, and an English plural; names that share it are one."""
    return _singular(_bare(name))


def _same(one: str, other: str) -> bool:
    return bool(one) and (one == other or _singular(one) == _singular(other))


def _singular(word: str) -> str:
    for ending, instead in (("ies", "y"), ("sses", "ss"), ("s", "")):
        if word.endswith(ending) and len(word) > len(ending) + 2:
            return word if word.endswith("ss") and ending == "s" else word.removesuffix(ending) + instead
    return word


def slipped(one: str, other: str) -> bool:
    """Few letters apart for their length, with the same digits."""
    length = min(len(one), len(other))
    allowed = (length >= _ONE_SLIP) + (length >= _TWO_SLIPS)
    digits = [c for c in one if c.isdigit()] == [c for c in other if c.isdigit()]
    return allowed > 0 and digits and abs(len(one) - len(other)) <= allowed and _distance(one, other) <= allowed


def _distance(one: str, other: str) -> int:
    """Insertions, deletions, changes and swaps of neighbours (Damerau's, restricted) that make one of the other."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        current = [i]
        for j, b in enumerate(other, 1):
            current.append(min(row[j] + 1, current[-1] + 1, row[j - 1] + (a != b)))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                current[-1] = min(current[-1], before[j - 2] + 1)
        before, row = row, current
    return row[-1]
