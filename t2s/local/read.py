"""Items to a reading: patterns of neighbouring items, each tried once, the most telling first."""

from __future__ import annotations

import re
from collections.abc import Callable

from t2s.local import compare, compute, rank
from t2s.local.draft import Draft
from t2s.local.link import Item, Linked
from t2s.local.names import FULL
from t2s.local.reading import Reading

_VERB = re.compile(r"[a-z]{3,}(?:ed|ing)|wrote|won|taught|held|took|gave|flew|sang|ran|led|written|taken|given|sung")
_NAMES = ("table", "column", "value", "quoted")
_ASKS = {"where": "place", "哪里": "place", "when": "date", "什么时候": "date", "何时": "date"}
_LIGHT = frozenset({"when", "whole", "of", "list", "which", "and", "or", "by"})

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
    compare.keys,
    compute.distincts,
)


def read(linked: Linked) -> Reading:
    """The reading of a question's items."""
    ties = tuple(item for at, item in enumerate(linked.items) if _is_tie(linked.items, at))
    draft = Draft(tuple(item for item in linked.items if item not in ties), linked.chinese)
    for rule in _RULES:
        for at in range(len(draft.items)):
            if at not in draft.used:
                rule(draft, at)
    return _finish(draft, ties)


def _finish(draft: Draft, ties: tuple[Item, ...]) -> Reading:
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
    if subject is not None and draft.kind(subject + 1) == "and" and subject + 2 in columns and not draft.chinese:
        shown.insert(0, subject)  # customers and their cities
    uncounted = [n for n in (*shown, *tables) if _counted_too(draft, n)]
    shown, tables = [n for n in shown if n not in uncounted], [n for n in tables if n not in uncounted]
    stray = [n for n in shown if (subject is not None and _stray(draft, n, subject)) or _adjective(draft, n)]
    shown = [n for n in shown if n not in stray]
    unread = [n for n in left if n in stray or n in uncounted or (n not in names and not _light(draft, n))]
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
        averaged=draft.averaged,
        asks=next((_ASKS[i.text.casefold()] for i in draft.items if i.text.casefold() in _ASKS), ""),
        asks_which=not any(item.kind == "whole" for item in draft.items) and any(_asks(draft, n) for n in which),
        alternatives=alternatives,
        ties=ties,
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


def _counted_too(draft: Draft, at: int) -> bool:
    """`how many employees and customers`: two counts, which no query here makes."""
    counted = [amount.item for amount in draft.amounts if amount.function == "count"]
    joined = at > 1 and draft.items[at].kind == "table" and draft.items[at - 1].kind == "and"
    return joined and draft.items[at - 2] in counted


def _stray(draft: Draft, at: int, subject: int) -> bool:
    """Part of a column's name, somewhere behind the table that is asked about: it is not asked for."""
    asked = any(draft.items[n].kind in ("list", "which", "and") for n in range(subject + 1, at))
    return not draft.chinese and at > subject and draft.items[at].score < FULL and not asked


def _adjective(draft: Draft, at: int) -> bool:
    """Part of a column's name before a table, as in `music artists`: not a column that is asked for."""
    item, after = draft.items[at], draft.items[at + 1 : at + 2]
    beside = bool(after) and after[0].kind == "table" and after[0].first == item.last + 1
    return not draft.chinese and item.kind == "column" and item.score < FULL and beside


def _is_tie(items: tuple[Item, ...], at: int) -> bool:
    """An unknown verb between two names: how they belong together, which the keys tell."""
    if items[at].kind != "unknown" or not _VERB.fullmatch(items[at].text) or not 0 < at < len(items) - 1:
        return False
    before, after = items[at - 1].kind, items[at + 1].kind
    return before in (*_NAMES, "which", "neg") and after in _NAMES


def _light(draft: Draft, at: int) -> bool:
    """Whether a word may be left over; `both Berlin and Paris` asks for more than can be said here."""
    kind = draft.items[at].kind
    if kind == "both":
        return not any(item.kind in ("value", "quoted") for item in draft.items[at:])
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
