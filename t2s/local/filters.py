"""Conditions of a reading to filters of a plan: on joined tables, or as EXISTS where a row may have many."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date

from t2s.local.columns import dates, hinted, is_boolean, is_date, is_number, is_year, labels
from t2s.local.joins import Path, tree
from t2s.local.link import Item
from t2s.local.plan import AgainstAverage, ColumnRef, Exists, Filter, Test, Verbatim, Within
from t2s.local.reading import Condition, Reading
from t2s.local.scene import Scene, Unclear, columns_of, table_of, value_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """The filters of a plan and the tables that must be joined for them."""

    filters: tuple[Filter, ...]
    tables: tuple[str, ...]


def where(scene: Scene, reading: Reading, base: str, anchors: tuple[str, ...], verbs: dict[int, ColumnRef]) -> Where:
    """All filters of a reading over `base`; `verbs` gives the date column that a word beside a period means."""
    plain = [_filter(scene, c, base, anchors, reading, verbs) for c in reading.conditions if c.amount is None]
    absent = [table_of(scene, item) for item in reading.absent]
    related = [table_of(scene, item) for item in reading.related]
    near = scene.graph.ways(base, to_one=True)
    # never placed an order, where the order is only known by its date: a table's rows that are not there
    missing = [f for f in plain if isinstance(f, Test) and f.operator == "null" and f.column.table not in near]
    plain = [f for f in plain if f not in missing]
    absent += [f.column.table for f in missing if f.column.table not in absent]
    related = [table for table in related if table not in absent]
    here: list[Filter] = []
    far: list[tuple[str, Filter | None, bool]] = []
    for filter_ in _merged(plain):
        table = _column(filter_).table
        negated = isinstance(filter_, Test) and filter_.operator in ("ne", "not_in") and table not in near
        if table in absent or _passes(scene, base, table, absent):
            far.append((table, filter_, True))
        elif table in near:
            here.append(filter_)
        else:
            far.append((table, _positive(filter_) if negated else filter_, negated))
    covered = [table for table, _, negated in far if negated]
    far += [
        (table, None, True)
        for table in absent
        if not any(table == t or _passes(scene, base, t, [table]) for t in covered)
    ]
    far += [(table, None, False) for table in related if table not in near]
    tables = [_column(f).table for f in here]
    tables += [table for table in related if table in near]
    return Where(filters=(*here, *_exists(scene, base, far)), tables=tuple(dict.fromkeys(tables)))


def _passes(scene: Scene, base: str, table: str, absent: list[str]) -> bool:
    """Whether the way to a table leads through one whose rows are not to be there."""
    return any(step.end in absent for step in scene.ways(base).get(table, ()))


def _exists(scene: Scene, base: str, far: list[tuple[str, Filter | None, bool]]) -> Iterable[Exists]:
    """One EXISTS for all that lies behind the same first step, and one for what must not be there."""
    ways = scene.ways(base)
    grouped: dict[tuple[str, bool], list[tuple[Path, Filter | None]]] = {}
    for table, filter_, negated in far:
        if table not in ways:
            raise Unclear(f"I see no way to join {base} with {table}")
        if table == base:
            raise Unclear(f"I cannot compare {base} with itself")
        path = ways[table]
        grouped.setdefault((path[0].end, negated), []).append((path, filter_))
    for (_, negated), members in grouped.items():
        first = members[0][0][0]
        yield Exists(
            table=first.end,
            pairs=first.pairs,
            joins=tree(path[1:] for path, _ in members),
            tests=tuple(filter_ for _, filter_ in members if filter_ is not None),
            negated=negated,
        )


def _column(filter_: Filter) -> ColumnRef:
    if isinstance(filter_, Exists | Verbatim):
        raise TypeError("neither EXISTS nor what others wrote has one column")
    return filter_.column


def _positive(filter_: Filter) -> Filter:
    """Never bought coffee: there is no purchase that is coffee, rather than one that is not."""
    if isinstance(filter_, Test):
        return replace(filter_, operator={"ne": "eq", "not_in": "in"}[filter_.operator])
    return filter_


def _merged(filters: list[Filter]) -> list[Filter]:
    """Berlin and Paris of one column are alternatives: no city is both."""
    merged: list[Filter] = []
    for filter_ in filters:
        at = next((n for n, other in enumerate(merged) if _mergeable(filter_, other)), None)
        if at is None:
            merged.append(filter_)
        else:
            known = merged[at]
            assert isinstance(known, Test) and isinstance(filter_, Test)  # by _mergeable
            operator = {"eq": "in", "in": "in", "ne": "not_in", "not_in": "not_in"}[known.operator]
            merged[at] = replace(known, operator=operator, values=(*known.values, *filter_.values))
    return merged


def _mergeable(one: Filter, other: Filter) -> bool:
    if not (isinstance(one, Test) and isinstance(other, Test)) or one.column != other.column:
        return False
    return {one.operator, other.operator} <= {"eq", "in"} or {one.operator, other.operator} <= {"ne", "not_in"}


def _filter(
    scene: Scene,
    condition: Condition,
    base: str,
    anchors: tuple[str, ...],
    reading: Reading,
    verbs: dict[int, ColumnRef],
) -> Filter:
    places = (*anchors, base)
    if condition.period is not None:
        return _within(scene, condition.period, places, reading, verbs)
    if condition.value is not None:
        return _value(scene, condition, places)
    if condition.hint:
        return _hinted(scene, condition, base)
    assert condition.item is not None  # a condition without any of these is not made
    if condition.item.kind == "table" and condition.operator == "eq":
        return _key(scene, condition)
    match condition.operator:
        case "false":
            return _false(scene, condition.item, places)
        case "null" | "not_null":
            (column, *_) = columns_of(scene, condition.item, places)
            return Test(column=column, operator=condition.operator)
    (column, *_) = columns_of(scene, condition.item, places, is_number)
    if condition.average:
        return AgainstAverage(column=column, operator=condition.operator)
    return Test(column=column, operator=condition.operator, values=condition.numbers)


def _key(scene: Scene, condition: Condition) -> Filter:
    assert condition.item is not None  # the caller looked
    table = scene.table(table_of(scene, condition.item))
    if len(table.primary_key) != 1:
        raise Unclear(f"{table.full_name} has no single key that could be {condition.numbers[0]:g}")
    column = ColumnRef(table=table.full_name, column=table.primary_key[0])
    return Test(column=column, operator="eq", values=condition.numbers)


def _false(scene: Scene, item: Item, places: tuple[str, ...]) -> Filter:
    """Not discontinued: a flag that is off; no e-mail: a column that is empty."""
    (column, *_) = columns_of(scene, item, places)
    if is_boolean(scene.column(column)):
        return Test(column=column, operator="false")
    return Test(column=column, operator="null")


def _value(scene: Scene, condition: Condition, places: tuple[str, ...]) -> Filter:
    item = condition.value
    assert item is not None  # the caller looked
    if item.values and condition.operator in ("eq", "ne"):
        match = value_of(scene, item, places, condition.item)
        column = ColumnRef(table=match.table, column=match.column)
        return Test(column=column, operator=condition.operator, values=(match.value,))
    if condition.item is not None:
        (column, *_) = columns_of(scene, condition.item, places)
    else:
        column = labels(scene.table(places[0]))[0]
        scene.assume(f"“{item.text}” is looked for in {column.table}.{column.column}", 0.8)
    patterns = {"like": f"%{item.text}%", "not_like": f"%{item.text}%", "like_start": f"{item.text}%"}
    patterns |= {"like_end": f"%{item.text}"}
    operator = "not_like" if condition.operator == "not_like" else "like"
    if condition.operator in patterns:
        return Test(column=column, operator=operator, values=(patterns[condition.operator],))
    scene.assume(f"“{item.text}” is not among the values I know of {column.table}.{column.column}", 0.75)
    return Test(column=column, operator=condition.operator, values=(item.text,))


def _hinted(scene: Scene, condition: Condition, base: str) -> Filter:
    found = hinted(scene.table(base), condition.hint)
    if found is None or (is_date(scene.column(found[0])) and not condition.average):
        raise Unclear(f"I find nothing in {base} to compare by {condition.hint}")
    column, reverse = found
    operator = condition.operator
    if condition.average:
        return AgainstAverage(column=column, operator=operator)
    if reverse:
        operator = {"gt": "lt", "lt": "gt", "ge": "le", "le": "ge"}[operator]
    return Test(column=column, operator=operator, values=condition.numbers)


def _within(scene: Scene, item: Item, places: tuple[str, ...], reading: Reading, verbs: dict[int, ColumnRef]) -> Filter:
    period = item.period
    assert period is not None  # the item's kind is period
    column = verbs.get(item.first) or _date_column(scene, item, places, reading)
    if is_year(scene.column(column)) and not is_date(scene.column(column)):
        return _years(column, period.first, period.after)
    return Within(column=column, first=period.first, after=period.after)


def _years(column: ColumnRef, first: date | None, after: date | None) -> Filter:
    if any(day is not None and (day.month, day.day) != (1, 1) for day in (first, after)):
        raise Unclear(f"{column.table}.{column.column} holds years, not days")
    if first and after:
        if after.year - first.year == 1:
            return Test(column=column, operator="eq", values=(first.year,))
        return Test(column=column, operator="between", values=(first.year, after.year - 1))
    if first:
        return Test(column=column, operator="ge", values=(first.year,))
    assert after is not None  # a period is closed on one side at least
    return Test(column=column, operator="lt", values=(after.year,))


def _date_column(scene: Scene, item: Item, places: tuple[str, ...], reading: Reading) -> ColumnRef:
    """The date that a period without a verb is about: of the main table, else of one spoken of, else the nearest."""
    before = [table for at, table in scene.mentions if 0 < item.first - at <= 2]
    related = [hit.table for other in (*reading.absent, *reading.related) for hit in other.tables[:1]]
    beside = [table for table in before if table in related]
    near = scene.graph.ways(places[-1], to_one=True)
    # the main table's own date says when; failing that, the way to one row at a time is the surest
    order = [*beside, places[-1], *related, *places, *sorted(near, key=lambda t: len(near[t]))]
    for table in dict.fromkeys(order):
        found = list(dates(scene.table(table)))
        if found:
            doubt = 0.97 if len(found) == 1 else 0.9
            scene.assume(f"“{item.text}” is about {table}.{found[0].column}", doubt)
            return found[0]
    raise Unclear(f"I find no date for “{item.text}”")
