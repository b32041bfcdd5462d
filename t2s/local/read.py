"""Items to a reading: patterns of neighbouring items, each tried once, the most telling first."""

from __future__ import annotations

from collections.abc import Callable

from t2s.local import compare, compute, rank
from t2s.local.draft import Draft
from t2s.local.link import Linked
from t2s.local.names import FULL
from t2s.local.reading import Reading

_LIGHT = frozenset({"of", "list", "which", "and", "or", "by"})

_RULES: tuple[Callable[[Draft, int], None], ...] = (
    compare.values,
    compare.periods,
    compare.between,
    compare.comparisons,
    compare.absences,
    rank.rankings,
    compare.blanks,
    compute.grouping,
    compute.counts,
    compute.aggregates,
    compute.measures,
    rank.ordering,
    compute.distincts,
)


def read(linked: Linked) -> Reading:
    """The reading of a question's items."""
    draft = Draft(linked.items, linked.chinese)
    for rule in _RULES:
        for at in range(len(draft.items)):
            if at not in draft.used:
                rule(draft, at)
    return _finish(draft)


def _finish(draft: Draft) -> Reading:
    """What is left: tables and columns to show; light words have done their work."""
    left = [n for n in range(len(draft.items)) if n not in draft.used]
    names = [n for n in left if draft.items[n].named or draft.items[n].kind == "unit"]
    tables = [n for n in names if draft.items[n].kind == "table"]
    columns = [n for n in names if n not in tables]
    columns = [n for n in columns if not _kind_word(draft, n)] or columns
    alternatives = any(draft.items[n].kind == "or" for n in left)
    which = [n for n in left if draft.items[n].kind == "which"]
    subject = _subject(draft, tables, which)
    shown = [n for n in names if n in columns or (n != subject and _listed_too(draft, n))]
    tables = [n for n in tables if n not in shown]
    unread = [n for n in left if n not in names and not _light(draft, n)]
    return Reading(
        subject=draft.items[subject] if subject is not None else None,
        shown=tuple(draft.items[n] for n in shown),
        amounts=tuple(draft.amounts),
        groups=tuple(draft.groups),
        conditions=tuple(draft.conditions),
        absent=tuple(draft.absent),
        related=tuple(draft.items[n] for n in tables if n != subject),
        ranking=draft.ranking,
        distinct=draft.distinct,
        asks_each=any(n + 1 in columns and draft.adjoins(n + 1) for n in which),
        asks_which=any(_asks(draft, n) for n in which),
        alternatives=alternatives,
        unread=tuple(draft.items[n] for n in unread),
    )


def _kind_word(draft: Draft, at: int) -> bool:
    """`what kind of decor`: the word adds nothing to the column that follows."""
    item = draft.items[at]
    is_word = item.text.casefold() in ("kind", "kinds", "type", "types", "sort", "sorts")
    return is_word and at + 1 < len(draft.items) and draft.items[at + 1].kind == "of" and item.score < FULL


def _listed_too(draft: Draft, at: int) -> bool:
    """`names of actors and the musicals`: a table after `and` is to be shown as well."""
    return not draft.chinese and at > 1 and draft.items[at - 1].kind == "and" and draft.items[at - 2].named


def _light(draft: Draft, at: int) -> bool:
    """Whether a word may be left over; `both Berlin and Paris` asks for more than can be said here."""
    kind = draft.items[at].kind
    if kind == "both":
        return at + 1 < len(draft.items) and draft.items[at + 1].kind not in ("value", "quoted")
    return kind in _LIGHT


def _asks(draft: Draft, at: int) -> bool:
    """Whether `who`, `which` or the like asks; after a name it only ties a clause to it (`customers who bought`)."""
    return draft.chinese or not any(item.named for item in draft.items[:at])


def _subject(draft: Draft, tables: list[int], which: list[int]) -> int | None:
    """The table that is asked about: after `which`, else the first; in Chinese the last, before its columns."""
    if not tables:
        return None
    for asked in which:
        if asked + 1 in tables and draft.items[asked].text.casefold() not in ("who", "where"):
            return asked + 1
    return tables[-1] if draft.chinese else tables[0]
