"""A plan and what the next question says, as one plan."""

from __future__ import annotations

from dataclasses import replace

from t2s.local.choose import choose
from t2s.local.columns import is_date
from t2s.local.follow.again import again, is_period, replaces
from t2s.local.follow.cues import Cues
from t2s.local.follow.pieces import columns_of, computes, is_computed, is_figure, unique
from t2s.local.follow.rows import joined, table_of_rows
from t2s.local.link import Item
from t2s.local.names import Hit
from t2s.local.plan import Aggregate, Bucket, ColumnRef, Expression, Filter, Output, Plan, Test, Verbatim, Within
from t2s.local.reading import Amount, Reading
from t2s.local.scene import Scene, Unclear

_FAR = -1_000
"""The place of a word that the question does not have: near to none of its words."""


def merge(scene: Scene, past: Plan, reading: Reading, said: Cues) -> Plan:
    """The plan `past`, changed by a reading; raises `Unclear` where the two cannot be one query."""
    if (plan := again(scene, past, reading)) is not None:
        return plan
    rest, periods = _of_same_time(scene, past, reading)
    new = choose(scene, _complete(scene, rest, past))
    new = replace(new, filters=(*new.filters, *periods))
    if said.narrows and reading.amounts and not reading.conditions:
        raise Unclear("I do not see what to keep")
    if new.any_of:
        raise Unclear("I cannot put “or” beside the conditions of that")
    filters = _filters(scene, past, new, said)
    plan = past
    if reading.amounts or (reading.ranking and computes(new)):
        plan = _figures(past, new, reading, said)
    elif reading.groups:
        plan = _regrouped(scene, past, new, said)
    elif _shows(reading, past):
        plan = _shown(scene, past, new, said)
    if reading.ranking and not computes(new):
        plan = _ranked(plan, new, past)
    plan = joined(scene, replace(plan, filters=filters), past)
    if plan == past and not reading.amounts:
        raise Unclear("I do not see what it changes")
    return plan


def _of_same_time(scene: Scene, past: Plan, reading: Reading) -> tuple[Reading, list[Within]]:
    """`And in 2025?`, which names no date, is about the one that was spoken of; beside it the rest of the reading."""
    named = reading.subject or reading.shown or reading.related or reading.absent
    spoken = {ref for old in past.filters if is_period(old) for ref in columns_of((old,))}
    if named or len(spoken) != 1 or not all(is_date(scene.column(ref)) for ref in spoken):
        return reading, []
    said = [c.period.period for c in reading.conditions if c.period and c.period.period]
    rest = tuple(c for c in reading.conditions if c.period is None)
    (column,) = spoken
    return replace(reading, conditions=rest), [Within(column=column, first=p.first, after=p.after) for p in said]


def _complete(scene: Scene, reading: Reading, past: Plan) -> Reading:
    """A reading that can be planned: of the last query's table where it names none, counting where it only groups."""
    if reading.subject is None:
        table = table_of_rows(scene, past) if reading == Reading(conditions=reading.conditions) else past.base
        hit = Hit(table=table, score=1.0)
        item = Item(kind="table", text=table, first=_FAR, last=_FAR, tables=(hit,))
        reading = replace(reading, subject=item)
    if reading.groups and not reading.amounts:
        reading = replace(reading, amounts=(Amount(function="count"),))
    return reading


def _shows(reading: Reading, past: Plan) -> bool:
    """Whether it asks for columns, or for the rows of a table that were not shown so far."""
    if reading.shown or reading.asks:
        return True
    tables = [hit.table for hit in reading.subject.tables[:1]] if reading.subject else []
    return bool(tables) and (is_computed(past) or tables[0] != past.base)


def _figures(past: Plan, new: Plan, reading: Reading, said: Cues) -> Plan:
    """Something is to be computed of the same rows, in the same groups where there were groups."""
    if past.limit is not None or past.averaged:
        raise Unclear("I cannot compute something of only the first rows")
    counts = reading.amounts == (Amount(function="count"),)
    if said.each and not past.groups and not new.groups:
        return _each(past, new)
    if past.groups and not new.groups:
        return (
            _counted_groups(past, new) if counts and not said.swaps and not said.adds else _in_groups(past, new, said)
        )
    if past.having and not set(past.groups) <= set(new.groups):
        raise Unclear("I cannot compute something of those groups only")
    if said.adds and not past.groups and not new.groups and is_computed(past):
        new = replace(new, outputs=unique((*past.outputs, *new.outputs)))
    elif counts and not new.groups and past.distinct and len(past.outputs) == 1:
        new = replace(new, outputs=_count_of(past.outputs[0].expression))
    return replace(new, having=(*past.having, *new.having))


def _each(past: Plan, new: Plan) -> Plan:
    """A figure for each of the values that were shown."""
    keys = [output.expression for output in past.outputs]
    if not keys or not all(isinstance(key, ColumnRef | Bucket) for key in keys):
        raise Unclear("I do not see for each of what")
    groups = tuple(key for key in keys if isinstance(key, ColumnRef | Bucket))
    return replace(new, outputs=unique((*past.outputs, *new.outputs)), groups=groups)


def _counted_groups(past: Plan, new: Plan) -> Plan:
    if past.having or len(past.groups) != 1:
        raise Unclear("I cannot count groups")
    return replace(new, outputs=_count_of(past.groups[0]))


def _count_of(expression: Expression) -> tuple[Output, ...]:
    """The number of different values of what was shown once each."""
    if not isinstance(expression, ColumnRef):
        raise Unclear("I cannot count those")
    return (Output(expression=Aggregate(function="count", operand=expression, distinct=True), name="count"),)


def _in_groups(past: Plan, new: Plan, said: Cues) -> Plan:
    """Other figures, or more of them, of the same groups."""
    if new.base != past.base:
        raise Unclear("I cannot compute that of those groups")
    keys = tuple(output for output in past.outputs if not is_figure(output.expression))
    kept = past.outputs if said.adds else keys
    order = past.order if said.adds else tuple((e, down) for e, down in past.order if not is_figure(e))
    return replace(past, outputs=unique((*kept, *new.outputs)), order=order)


def _regrouped(scene: Scene, past: Plan, new: Plan, said: Cues) -> Plan:
    """The same figures, or the number of the rows, in other groups."""
    if past.limit is not None or past.averaged:
        raise Unclear("I cannot group only the first rows")
    figures = tuple(o for o in past.outputs if is_figure(o.expression))
    keys = tuple(o for o in new.outputs if not is_figure(o.expression))
    groups = new.groups
    if said.adds and past.groups:
        keys = unique((*(o for o in past.outputs if not is_figure(o.expression)), *keys))
        groups = (*past.groups, *(g for g in groups if g not in past.groups))
    base = past.base if figures else new.base
    having = past.having if said.adds else ()
    if past.having and not having:
        scene.assume("the condition on the groups before is no more", 0.8)
    order = new.order or tuple((e, down) for e, down in past.order if is_figure(e) and figures)
    outputs = (*keys, *(figures or (o for o in new.outputs if is_figure(o.expression))))
    return replace(new, base=base, outputs=outputs, groups=groups, having=having, order=order, limit=None)


def _shown(scene: Scene, past: Plan, new: Plan, said: Cues) -> Plan:
    """Other columns, or more of them, of the same rows."""
    if past.averaged:
        raise Unclear("I cannot show something of an average")
    if past.groups and (said.adds or past.having or past.limit is not None):
        return _shown_of_groups(scene, past, new, said)
    if said.adds:
        return replace(past, outputs=unique((*past.outputs, *new.outputs)) if past.outputs else ())
    if not past.groups:
        if is_computed(past):
            return replace(new, order=(), limit=None)
        distinct = past.distinct or (new.distinct and past.limit is None)
        return replace(past, base=new.base, outputs=new.outputs, distinct=distinct)
    return new


def _shown_of_groups(scene: Scene, past: Plan, new: Plan, said: Cues) -> Plan:
    """Other columns of the same groups; only of those whose key is grouped by, for others would make smaller groups."""
    missing = [o.expression for o in new.outputs if o.expression not in past.groups]
    keys = {ref for ref in past.groups if isinstance(ref, ColumnRef)}
    for ref in missing:
        key = scene.table(ref.table).primary_key if isinstance(ref, ColumnRef) else ()
        if not isinstance(ref, ColumnRef) or not key or not {ColumnRef(table=ref.table, column=c) for c in key} <= keys:
            raise Unclear("I cannot show that of those groups")
    if not new.outputs:
        raise Unclear("I cannot show all of those groups")
    groups = (*past.groups, *(ref for ref in missing if isinstance(ref, ColumnRef)))
    outputs = unique((*past.outputs, *new.outputs)) if said.adds else new.outputs
    return replace(past, outputs=outputs, groups=groups)


def _ranked(plan: Plan, new: Plan, past: Plan) -> Plan:
    """The rows in the order that was asked for, as many as were asked for."""
    if past.limit is not None and past.limit > 1 and new.limit is None:
        raise Unclear("I cannot put only the first rows into another order")
    if plan.groups and not all(expression in plan.groups or is_figure(expression) for expression, _ in new.order):
        raise Unclear("I cannot order groups by a column of their rows")
    limit = new.limit if new.limit is not None else plan.limit
    outputs = plan.outputs
    if plan is past and not is_computed(past) and past.outputs and new.limit != 1:
        keys = tuple(Output(expression=e) for e, _ in new.order if isinstance(e, ColumnRef))
        outputs = unique((*outputs, *keys)) if new.limit else outputs
    return replace(plan, outputs=outputs, order=new.order, limit=limit)


def _filters(scene: Scene, past: Plan, new: Plan, said: Cues) -> tuple[Filter, ...]:
    """The conditions of both; a new one takes the place of those that it cannot stand beside."""
    kept = list(past.filters)
    if new.filters and past.limit is not None:
        scene.assume(f"the condition comes before the first {past.limit} are taken", 0.9)
    added: list[Filter] = []
    for filter_ in new.filters:
        union = _union(kept, filter_) if said.adds else None
        if union is not None:
            kept = union
            continue
        stays = [old for old in kept if not replaces(filter_, old, swaps=said.swaps)]
        if said.swaps and len(stays) == len(kept) and any(_is_bound_to(old, filter_) for old in kept):
            raise Unclear("I cannot take its conditions apart")
        kept = stays
        if filter_ not in kept:
            added.append(filter_)
    return (*kept, *added)


def _is_bound_to(old: Filter, new: Filter) -> bool:
    """Whether the new condition was to take the place of a part of what others wrote: a side of OR, a date inside."""
    if not isinstance(old, Verbatim):
        return False
    return (isinstance(new, Within) and is_period(old)) or not set(columns_of((new,))).isdisjoint(columns_of((old,)))


def _union(kept: list[Filter], new: Filter) -> list[Filter] | None:
    """Also France: one more value of a column."""
    for at, old in enumerate(kept):
        same = isinstance(old, Test) and isinstance(new, Test) and old.column == new.column
        if same and {old.operator, new.operator} <= {"eq", "in"}:  # type: ignore[union-attr]
            values = tuple(dict.fromkeys((*old.values, *new.values)))  # type: ignore[union-attr]
            return [*kept[:at], replace(old, operator="in", values=values), *kept[at + 1 :]]  # type: ignore[arg-type]
    return None
