"""`Top 3`, `the lowest?`, `under 200`, `the average of those`: of what, the last query tells."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from t2s.local.columns import is_number, is_text, keys_of, place_of
from t2s.local.follow.pieces import columns_of, is_computed, is_figure
from t2s.local.link import Linked
from t2s.local.plan import (
    AgainstAverage,
    Aggregate,
    ColumnRef,
    Exists,
    Expression,
    Filter,
    Having,
    Output,
    Plan,
    Test,
    Verbatim,
    Within,
)
from t2s.local.reading import Amount, Condition, Ranking, Reading
from t2s.local.scene import Scene, Unclear

_BARE = frozenset({"super", "top", "dir", "agg", "cmp", "number", "which", "of", "and", "order", "list"})

_YEAR = re.compile(r"(?<!\d)(?:1[5-9]|20)\d\d(?!\d)")

_SIDES = {"gt": 1, "ge": 1, "lt": -1, "le": -1}


def bare(linked: Linked) -> Reading | None:
    """`and the lowest?`, `top 3`, `in descending order`, `the average of those`: no word for what of; else None."""
    kinds = {item.kind: item for item in linked.items}
    if set(kinds) - _BARE or not linked.items:
        return None
    number = kinds.get("number")
    limit = int(number.number) if number else None
    if limit == 0 and "cmp" not in kinds:
        return None
    for kind in ("super", "top", "dir"):
        item = kinds.get(kind)
        if item is not None and "agg" not in kinds:
            direction, _, hint = item.argument.partition(" ")
            if hint:
                return None
            limit = limit or (None if kind == "dir" else 1)
            return Reading(ranking=Ranking(descending=direction == "desc", limit=limit))
    if "agg" in kinds and number is None:
        return Reading(amounts=(Amount(function=kinds["agg"].argument),))
    if "cmp" in kinds and number is not None:
        operator, _, hint = kinds["cmp"].argument.partition(" ")
        return None if hint else Reading(conditions=(Condition(operator=operator, numbers=(number.number,)),))
    return None


def again(scene: Scene, past: Plan, reading: Reading) -> Plan | None:
    """The plan `past` where a reading is `bare`; None where it says more; raises `Unclear` where nothing fits."""
    match reading:
        case Reading(ranking=Ranking(item=None, amount=None, hint="") as same) if reading == Reading(ranking=same):
            return _ranked(scene, past, same)
        case Reading(amounts=(Amount(function=function, item=None),)) if reading == Reading(amounts=reading.amounts):
            return _computed(past, function) if function != "count" else None
        case Reading(conditions=(Condition(operator=operator, numbers=(number,)) as same,)):
            if reading == Reading(conditions=(Condition(operator=operator, numbers=same.numbers),)):
                return _compared(scene, past, operator, number)
    return None


def _compared(scene: Scene, past: Plan, operator: str, number: float) -> Plan:
    """The same rows, or groups, with a condition more on what was computed, compared, ordered by, or shown alone."""
    figures = [output.expression for output in past.outputs if is_figure(output.expression)]
    if past.groups and len(figures) == 1 and isinstance(figures[0], Aggregate):
        return replace(past, having=(*past.having, Having(aggregate=figures[0], operator=operator, values=(number,))))
    compared = [f.column for f in past.filters if isinstance(f, Test) and f.operator in _SIDES]
    ordered = [expression for expression, _ in past.order]
    shown = [output.expression for output in past.outputs]
    found = next(filter(None, (_one_number(scene, refs) for refs in (compared, ordered, shown))), None)
    if found is None or is_computed(past):
        raise Unclear(f"I do not see what is to be compared with {number:g}")
    test = Test(column=found, operator=operator, values=(number,))
    kept = tuple(f for f in past.filters if not replaces(test, f, swaps=False))
    return replace(past, filters=(*kept, test))


def _one_number(scene: Scene, expressions: Sequence[Expression]) -> ColumnRef | None:
    """The one column of numbers among some expressions, keys aside: an id is neither low nor high."""
    refs = {e for e in expressions if isinstance(e, ColumnRef) and is_number(scene.column(e))}
    found = [ref for ref in refs if ref.column not in keys_of(scene.table(ref.table))]
    return found[0] if len(found) == 1 else None


def _ranked(scene: Scene, past: Plan, ranking: Ranking) -> Plan:
    """The same rows in another order: by what they were ordered by, what was computed, or what is shown."""
    shown = [output.expression for output in past.outputs]
    figures = [expression for expression in shown if is_figure(expression)]
    keys = [expression for expression, _ in past.order if is_figure(expression) or not past.groups]
    keys = keys or figures[:1] or (shown if len(shown) == 1 else [])
    if not keys:
        raise Unclear("I do not see what to order by")
    if figures and not past.groups:
        raise Unclear("there is but one row")
    turned = any(down != ranking.descending for _, down in past.order)
    if turned and 1 < (ranking.limit or 2) <= (past.limit or 0):  # top 3 of the 5 cheapest
        raise Unclear("I cannot put only the first rows into another order")
    if ranking.limit is not None and not past.order and any(_is_text(scene, key) for key in keys):
        raise Unclear("I do not see what to order by")  # no name is higher than another
    limit = ranking.limit if ranking.limit is not None else past.limit
    return replace(past, order=tuple((key, ranking.descending) for key in keys), limit=limit)


def _is_text(scene: Scene, key: Expression) -> bool:
    return isinstance(key, ColumnRef) and is_text(scene.column(key))


def _computed(past: Plan, function: str) -> Plan:
    """The average, the sum, … of the one column that was shown."""
    shown = [output.expression for output in past.outputs]
    if len(shown) != 1 or not isinstance(shown[0], ColumnRef) or past.groups or past.limit is not None:
        raise Unclear("I do not see of what")
    figure = Aggregate(function=function, operand=shown[0])
    return replace(
        past, outputs=(Output(expression=figure, name=f"{function}_{shown[0].column}"),), order=(), distinct=False
    )


def replaces(new: Filter, old: Filter, *, swaps: bool) -> bool:
    """Whether no row could pass both, or a like condition is to take the place of the old one."""
    columns = set(columns_of((old,)))
    if swaps and _other_place(new, old):
        return True
    if isinstance(new, Within) and columns == {new.column} and not swaps:
        return _other_time(new, old)
    if not isinstance(new, Test | Within | AgainstAverage) or columns != {new.column} or isinstance(old, Exists):
        return False
    if isinstance(new, Within) or (isinstance(new, Test) and new.operator in ("eq", "in")):
        return True
    if not isinstance(new, Test) or not isinstance(old, Test):
        return swaps
    return swaps or _SIDES.get(new.operator, 0) == _SIDES.get(old.operator, 9)


def _other_place(new: Filter, old: Filter) -> bool:
    """Whether both say where the same thing is, one by its city, say, the other by its country."""
    if not (isinstance(new, Test) and isinstance(old, Test) and {new.operator, old.operator} <= {"eq", "in"}):
        return False
    here, there = place_of(new.column.column), place_of(old.column.column)
    return new.column.table == old.column.table and here is not None and here == there


def _other_time(new: Within, old: Filter) -> bool:
    """Whether a period is another one: `only before June` stays within the year that was asked about."""
    closed = new.first is not None and new.after is not None
    if isinstance(old, Verbatim):  # a year, or only a day of the week?
        return closed and is_period(old)
    same_side = isinstance(old, Within) and (new.first is None, new.after is None) == (
        old.first is None,
        old.after is None,
    )
    if closed or same_side or not isinstance(old, Within):
        return closed or same_side
    first, after = new.first or old.first, new.after or old.after
    return first is not None and after is not None and first >= after


def is_period(filter_: Filter) -> bool:
    """Whether a condition is of a stretch of time: one of ours, or what others write with a year in it."""
    return isinstance(filter_, Within) or (isinstance(filter_, Verbatim) and bool(_YEAR.search(filter_.sql)))
