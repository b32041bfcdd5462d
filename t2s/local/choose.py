"""A reading to a plan: which table the rows come from, what is computed, grouped, ranked and shown."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import cast

from t2s.local.amounts import Measured, measured
from t2s.local.columns import dates, is_boolean, is_date, is_text, keys_of, labels
from t2s.local.filters import where
from t2s.local.link import Item
from t2s.local.names import FULL, Hit
from t2s.local.order import order_of
from t2s.local.plan import Bucket, ColumnRef, Expression, Having, Output, Plan, Test, Unit
from t2s.local.reading import Amount, Reading
from t2s.local.route import joins_of, row_table
from t2s.local.scene import Scene, Unclear, columns_of, table_of
from t2s.local.words import concepts_of, name_words

MANY_ROWS = 100
"""From so many rows on, a column of few values is shown with each value once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Key:
    """What a group is: its columns, and which of them are shown."""

    columns: tuple[ColumnRef | Bucket, ...]
    shown: tuple[Output, ...]


def choose(scene: Scene, reading: Reading) -> Plan:
    """The plan of a reading; raises `Unclear` where something cannot be placed."""
    reading, verbs = _verbs(scene, reading)
    computes = bool(reading.amounts) or any(c.amount for c in reading.conditions)
    ranking = reading.ranking
    if ranking and (ranking.amount or ranking.hint in ("popular", "sold")):
        computes = True
    return _computed(scene, reading, verbs) if computes else _listed(scene, reading, verbs)


def _verbs(scene: Scene, reading: Reading) -> tuple[Reading, dict[int, ColumnRef]]:
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
    shown = tuple(item for item in reading.shown if item.first not in taken)
    return replace(reading, shown=shown, ranking=ranking), verbs


def _dates_of(scene: Scene, item: Item) -> list[Hit]:
    """The dates that a word may name, if it names anything well."""
    return [
        hit
        for hit in item.columns
        if hit.score >= 0.7 and is_date(scene.column(ColumnRef(table=hit.table, column=hit.column or "")))
    ]


def _anchors(scene: Scene, reading: Reading) -> tuple[str, ...]:
    """The tables that the question speaks of, the asked one first."""
    items = [reading.subject, *reading.groups, *(amount.item for amount in _amounts(reading)), *reading.related]
    tables = [table_of(scene, item) for item in items if item is not None and item.kind == "table" and item.tables]
    return tuple(dict.fromkeys(tables))


def _amounts(reading: Reading) -> list[Amount]:
    found = [*reading.amounts, *(c.amount for c in reading.conditions if c.amount)]
    if reading.ranking and reading.ranking.amount:
        found.append(reading.ranking.amount)
    return found


def _listed(scene: Scene, reading: Reading, verbs: dict[int, ColumnRef]) -> Plan:
    """Rows as they are: columns of the subject or of what belongs to it, filtered and ordered."""
    anchors = _anchors(scene, reading)
    flags = [item for item in reading.shown if _flag(scene, item, anchors)]
    plain = [item for item in reading.shown if item not in flags]
    subject = table_of(scene, reading.subject) if reading.subject else None
    shown = [ref for item in plain for ref in _shown(scene, item, anchors)]
    if len(set(shown)) < len(shown):
        raise Unclear(f"I cannot tell apart {' and '.join(f'“{item.text}”' for item in plain)}")
    if subject is None and not shown:
        subject = _implied(scene, reading)
    base = row_table(scene, [*([subject] if subject else []), *(ref.table for ref in shown)])
    order, key = order_of(scene, reading.ranking, subject or base, (*anchors, base), shown)
    limited = reading.ranking is not None and reading.ranking.limit is not None
    if not shown and (reading.asks_which or limited):
        shown = [*labels(scene.table(subject or base))]
        if key and limited and key not in shown and not _one_only(reading):
            shown.append(key)
    kept = where(scene, reading, base, anchors, verbs)
    flagged = tuple(_flag_test(scene, item, anchors) for item in flags)
    tables = [*(ref.table for ref in shown), *kept.tables, *(t.column.table for t in flagged)]
    tables += [expression.table for expression, _ in order if isinstance(expression, ColumnRef)]
    filters = (*kept.filters, *flagged)
    return Plan(
        base=base,
        joins=joins_of(scene, base, tables),
        outputs=tuple(Output(expression=ref) for ref in shown),
        filters=filters,
        any_of=_any_of(reading, len(filters)),
        order=order,
        limit=reading.ranking.limit if reading.ranking else None,
        distinct=_distinct(scene, reading, shown, base),
    )


def _shown(scene: Scene, item: Item, anchors: tuple[str, ...]) -> tuple[ColumnRef, ...]:
    """The columns that an item shows: itself, or what a table's rows are called by."""
    return labels(scene.table(table_of(scene, item))) if item.kind == "table" else columns_of(scene, item, anchors)


def _implied(scene: Scene, reading: Reading) -> str:
    """`who has no manager`: the table of the first column that is spoken of."""
    items = [condition.item for condition in reading.conditions if condition.item is not None]
    if reading.ranking and reading.ranking.item:
        items.append(reading.ranking.item)
    for item in items:
        if item.columns:
            return columns_of(scene, item, ())[0].table
    raise Unclear("I do not see what is asked for")


def _distinct(scene: Scene, reading: Reading, shown: list[ColumnRef], base: str) -> bool:
    """Asked for by name, or `which countries …`: each answer once."""
    if reading.distinct:
        return True
    if reading.ranking or len(shown) != 1:
        return False
    column = scene.column(shown[0])
    table = scene.table(shown[0].table)
    if not is_text(column) or shown[0] in labels(table) or column.name in keys_of(table):
        return False
    if reading.subject is None or reading.asks_each:
        return True
    few = bool(column.samples) and (table.row_estimate or 0) >= MANY_ROWS
    if few:
        scene.assume(f"each {column.name} is shown once")
    return few


def _computed(scene: Scene, reading: Reading, verbs: dict[int, ColumnRef]) -> Plan:
    """Counts, sums and the like, in all or per group; with a ranking or a minimum only the groups that pass."""
    anchors = _anchors(scene, reading)
    flags = [item for item in reading.shown if _flag(scene, item, anchors)]
    reading = replace(reading, shown=tuple(item for item in reading.shown if item not in flags))
    subject = table_of(scene, reading.subject) if reading.subject else None
    ranked = _ranked_amount(reading)
    keys = _keys(scene, reading, anchors, subject, ranked)
    amounts = [*reading.amounts]
    conditions = [c for c in reading.conditions if c.amount is not None]
    needed = [c.table for key in keys for c in map(_ref, key.columns)]
    wanted = [*amounts, *([ranked] if ranked else []), *(c.amount for c in conditions if c.amount)]
    base, values = measured(scene, wanted, needed, subject, anchors)
    buckets = [item for item in reading.groups if item.kind == "unit"]
    keys = [*keys, *(_bucket(scene, item, base, anchors) for item in buckets)]
    by_amount = dict(zip(map(id, wanted), values, strict=True))
    outputs = [output for key in keys for output in key.shown]
    outputs += [_named(by_amount[id(amount)]) for amount in amounts]
    order: tuple[tuple[Expression, bool], ...] = ()
    ranking = reading.ranking
    if ranking and ranked:
        value = by_amount[id(ranked)]
        order = ((value.aggregate, ranking.descending),)
        if not amounts and not reading.shown and not _one_only(reading):
            outputs.append(_named(value))
    elif ranking and ranking.limit is not None:
        raise Unclear("I cannot compute something of only the first row of a ranking")
    elif ranking:
        order, _ = order_of(scene, ranking, subject or base, anchors, list(map(_ref, _columns(keys))))
    elif buckets:
        order = tuple((c, False) for c in _columns(keys) if isinstance(c, Bucket))
    kept = where(scene, reading, base, anchors, verbs)
    flagged = tuple(_flag_test(scene, item, anchors) for item in flags)
    tables = [*kept.tables, *(ref.table for ref in map(_ref, _columns(keys))), *(t.column.table for t in flagged)]
    tables += [table for value in values for table in value.tables]
    filters = (*kept.filters, *flagged)
    if not keys and (ranked or conditions):
        raise Unclear("I do not see of what the groups are")
    return Plan(
        base=base,
        joins=joins_of(scene, base, tables),
        outputs=tuple(dict.fromkeys(outputs)),
        filters=filters,
        any_of=_any_of(reading, len(filters)),
        groups=tuple(dict.fromkeys(_columns(keys))),
        having=tuple(
            Having(aggregate=by_amount[id(c.amount)].aggregate, operator=c.operator, values=c.numbers)
            for c in conditions
        ),
        order=order,
        limit=ranking.limit if ranking else None,
    )


def _one_only(reading: Reading) -> bool:
    """`which artist has the most albums` asks for the artist, `top 5 artists by albums` for the figures too."""
    return reading.asks_which and reading.ranking is not None and reading.ranking.limit == 1


def _ranked_amount(reading: Reading) -> Amount | None:
    ranking = reading.ranking
    if ranking is None:
        return None
    if ranking.amount:
        return ranking.amount
    if ranking.hint == "sold":
        return Amount(function="sold")
    if ranking.hint == "popular":
        of_rows = not reading.shown or any("name" in concepts_of(name_words(i.text)) for i in reading.shown)
        return Amount(function="popular" if of_rows and reading.subject else "count")
    return None


def _keys(
    scene: Scene, reading: Reading, anchors: tuple[str, ...], subject: str | None, ranked: Amount | None
) -> list[_Key]:
    """What the rows are grouped by: what the question says, else the shown columns, else the subject."""
    said = [_key(scene, item, anchors) for item in reading.groups if item.kind != "unit"]
    shown = [ref for item in reading.shown if item.kind != "unit" for ref in _shown(scene, item, anchors)]
    units = [item for item in reading.shown if item.kind == "unit"]
    if units:
        raise Unclear(f"I do not see what “{units[0].text}” has to do with it")
    if reading.groups:
        if shown:
            said.append(_Key(columns=tuple(shown), shown=tuple(Output(expression=ref) for ref in shown)))
        return said
    entity = subject is not None and (not reading.amounts or bool(shown) or bool(reading.ranking))
    own = tuple(Output(expression=ref) for ref in shown)
    by_value = ranked is not None and ranked.function == "count" and ranked.item is None
    if shown and by_value:  # the most common status of orders
        return [_Key(columns=tuple(shown), shown=own)]
    if subject and entity and all(ref.table == subject for ref in shown):
        key = _entity(scene, subject)
        return [_Key(columns=(*key.columns, *shown), shown=own or key.shown)]
    return [_Key(columns=tuple(shown), shown=own)] if shown else []


def _key(scene: Scene, item: Item, anchors: tuple[str, ...]) -> _Key:
    if item.kind == "table":
        return _entity(scene, table_of(scene, item))
    refs = columns_of(scene, item, anchors)
    if len(refs) == 1 and (target := _target(scene, refs[0], item)):
        return _entity(scene, target)
    return _Key(columns=refs, shown=tuple(Output(expression=ref) for ref in refs))


def _target(scene: Scene, ref: ColumnRef, item: Item) -> str | None:
    """The table that a key points at, where the question names the key without saying `id`."""
    if "id" in name_words(item.text) or item.columns[0].score == 1.0:
        return None
    for key in scene.table(ref.table).foreign_keys:
        if key.columns == (ref.column,) and key.target_table != ref.table:
            return key.target_table
    return None


def _entity(scene: Scene, name: str) -> _Key:
    """A group for each row of a table: told apart by its key, shown by its label."""
    table = scene.table(name)
    shown = labels(table)
    key = tuple(ColumnRef(table=name, column=column) for column in table.primary_key)
    columns = tuple(dict.fromkeys((*key, *shown)))
    return _Key(columns=columns, shown=tuple(Output(expression=ref) for ref in shown))


def _bucket(scene: Scene, item: Item, base: str, anchors: tuple[str, ...]) -> _Key:
    near = scene.graph.ways(base, to_one=True)
    for table in dict.fromkeys((base, *(a for a in anchors if a in near), *sorted(near, key=lambda t: len(near[t])))):
        found = list(dates(scene.table(table)))
        if found and is_date(scene.column(found[0])):
            scene.assume(f"“{item.text}” is that of {table}.{found[0].column}", 0.97 if len(found) == 1 else 0.9)
            bucket = Bucket(column=found[0], unit=cast(Unit, item.argument))
            return _Key(columns=(bucket,), shown=(Output(expression=bucket, name=item.argument),))
    raise Unclear(f"I find no date for “{item.text}”")


def _columns(keys: list[_Key]) -> list[ColumnRef | Bucket]:
    return [column for key in keys for column in key.columns]


def _ref(expression: ColumnRef | Bucket) -> ColumnRef:
    return expression.column if isinstance(expression, Bucket) else expression


def _named(value: Measured) -> Output:
    return Output(expression=value.aggregate, name=value.name)


def _flag(scene: Scene, item: Item, anchors: tuple[str, ...]) -> bool:
    """`discontinued products`: a word that is a yes-or-no column is a condition, not something to show."""
    return any(
        hit.score >= FULL and is_boolean(scene.column(ColumnRef(table=hit.table, column=hit.column or "")))
        for hit in item.columns[:1]
    )


def _flag_test(scene: Scene, item: Item, anchors: tuple[str, ...]) -> Test:
    (column, *_) = columns_of(scene, item, anchors)
    return Test(column=column, operator="true")


def _any_of(reading: Reading, filters: int) -> bool:
    """`or` between two conditions; between values of one column it has already become a list."""
    if reading.alternatives and filters > 2:
        raise Unclear("I cannot tell which conditions “or” joins")
    return reading.alternatives and filters == 2
