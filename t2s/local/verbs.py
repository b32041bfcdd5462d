"""Words that are verbs to people and columns to a database: `hired`, `signed up`, `discontinued`."""

from __future__ import annotations

import re
from dataclasses import replace

from t2s.local.columns import is_boolean, is_date
from t2s.local.link import Item
from t2s.local.names import FULL, Hit
from t2s.local.plan import ColumnRef, Test
from t2s.local.reading import Reading
from t2s.local.scene import Scene, columns_of

_VERB = re.compile(r"\w{3,}ed")


def settle_verbs(scene: Scene, reading: Reading) -> tuple[Reading, dict[int, ColumnRef]]:
    """`hired after 2020`: the word beside a period that is a date says which date; it is then not shown."""
    verbs: dict[int, ColumnRef] = {}
    taken: set[int] = set()
    for condition in reading.conditions:
        period = condition.period
        if period is None:
            continue
        for item in (
            *reading.shown,
            *reading.related,
            *reading.absent,
            *([reading.subject] if reading.subject else []),
        ):
            beside = 0 < period.first - item.last <= 2 or 0 < item.first - period.last <= 1
            found = _dates_of(scene, item)
            if beside and found:
                verbs[period.first] = ColumnRef(table=found[0].table, column=found[0].column or "")
                taken.add(item.first)
                break
    ranking = reading.ranking
    if ranking and ranking.hint == "date":  # hired last
        said = next((item for item in reading.shown if item.first not in taken and _dates_of(scene, item)), None)
        if said is not None:
            taken.add(said.first)
            ranking = replace(ranking, hint="", item=said)
    shown = [item for item in reading.shown if item.first not in taken]
    for item in [item for item in shown if _VERB.fullmatch(item.text) and not is_flag(scene, item)]:
        scene.assume(f"“{item.text}” says no more than how the tables belong together", 0.85)
        shown.remove(item)
    return replace(reading, shown=tuple(shown), ranking=ranking), verbs


def _dates_of(scene: Scene, item: Item) -> list[Hit]:
    """The dates that a word may name, if it names anything well."""
    return [
        hit
        for hit in item.columns
        if hit.score >= 0.7 and is_date(scene.column(ColumnRef(table=hit.table, column=hit.column or "")))
    ]


def is_flag(scene: Scene, item: Item) -> bool:
    """`discontinued products`: a word that is a yes-or-no column is a condition, not something to show."""
    return any(
        hit.score >= FULL and is_boolean(scene.column(ColumnRef(table=hit.table, column=hit.column or "")))
        for hit in item.columns[:1]
    )


def flag_test(scene: Scene, item: Item, anchors: tuple[str, ...]) -> Test:
    """The condition that a yes-or-no column makes."""
    (column, *_) = columns_of(scene, item, anchors)
    return Test(column=column, operator="true")
