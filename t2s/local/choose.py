"""A reading to a plan: which table the rows come from, what is computed, grouped, ranked and shown."""

from __future__ import annotations

from dataclasses import replace

from t2s.local.amounts import Measured, measured
from t2s.local.columns import hinted, is_text, keys_of, labels
from t2s.local.filters import where
from t2s.local.groups import amounts_of, bucket, columns_in, keys_of_groups, ref_of, shown_columns
from t2s.local.order import order_of
from t2s.local.plan import Bucket, ColumnRef, Expression, Having, Output, Plan
from t2s.local.reading import Amount, Reading
from t2s.local.route import joins_of, row_table
from t2s.local.scene import Scene, Unclear, columns_of, table_of
from t2s.local.verbs import flag_test, is_flag, settle_verbs
from t2s.local.words import concepts_of, name_words

MANY_ROWS = 100
"""From so many rows on, a column of few values is shown with each value once."""


def choose(scene: Scene, reading: Reading) -> Plan:
    """The plan of a reading; raises `Unclear` where something cannot be placed."""
    reading, verbs = settle_verbs(scene, reading)
    computes = bool(reading.amounts) or any(c.amount for c in reading.conditions)
    ranking = reading.ranking
    if ranking and (ranking.amount or ranking.hint in ("popular", "sold", "revenue")):
        computes = True
    return _computed(scene, reading, verbs) if computes else _listed(scene, reading, verbs)


def _anchors(scene: Scene, reading: Reading) -> tuple[str, ...]:
    """The tables that the question speaks of, the asked one first."""
    items = [reading.subject, *reading.groups, *(amount.item for amount in amounts_of(reading)), *reading.related]
    tables = [table_of(scene, item) for item in items if item is not None and item.kind == "table" and item.tables]
    return tuple(dict.fromkeys(tables))


def _listed(scene: Scene, reading: Reading, verbs: dict[int, ColumnRef]) -> Plan:
    """Rows as they are: columns of the subject or of what belongs to it, filtered and ordered."""
    if reading.groups and reading.ranking and reading.ranking.limit is not None:
        raise Unclear("I cannot take the first of each group")
    anchors = _anchors(scene, reading)
    flags = [item for item in reading.shown if is_flag(scene, item)]
    plain = [item for item in reading.shown if item not in flags]
    subject = table_of(scene, reading.subject) if reading.subject else None
    shown = [ref for item in plain for ref in shown_columns(scene, item, anchors)]
    if len(set(shown)) < len(shown):
        raise Unclear(f"I cannot tell apart {' and '.join(f'“{item.text}”' for item in plain)}")
    if reading.asks and subject and not shown and not (reading.asks == "date" and verbs):
        shown = [_asked(scene, reading.asks, subject)]
    if subject is None and not shown:
        if reading.ranking and reading.ranking.item and not reading.asks_which:  # the top 3 support rates
            shown = [*columns_of(scene, reading.ranking.item, anchors)]
        else:
            subject = _implied(scene, reading)
    base = row_table(scene, [*([subject] if subject else []), *(ref.table for ref in shown)])
    order, key = order_of(scene, reading.ranking, subject or base, (*anchors, base), shown)
    limited = reading.ranking is not None and reading.ranking.limit is not None
    labelled = labels(scene.table(subject or base))
    by_key = {ref.column for ref in labelled} <= set(scene.table(subject or base).primary_key)
    if not shown and (reading.asks_which or (limited and not by_key)):
        shown = [*labels(scene.table(subject or base))]
        if key and limited and key not in shown and not _one_only(reading):
            shown.append(key)
    kept = where(scene, reading, base, anchors, verbs)
    flagged = tuple(flag_test(scene, item, anchors) for item in flags)
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


def _asked(scene: Scene, asks: str, subject: str) -> ColumnRef:
    """The column that answers where or when."""
    found = hinted(scene.table(subject), asks)
    if found is None:
        raise Unclear(f"I find no {asks} in {subject}")
    scene.assume(f"asked for is {found[0].table}.{found[0].column}", 0.9)
    return found[0]


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
    if reading.asks_each or (reading.subject is None and (column.samples or not reading.conditions)):
        return True
    few = bool(column.samples) and (table.row_estimate or 0) >= MANY_ROWS
    if few:
        scene.assume(f"each {column.name} is shown once")
    return few


def _computed(scene: Scene, reading: Reading, verbs: dict[int, ColumnRef]) -> Plan:
    """Counts, sums and the like, in all or per group; with a ranking or a minimum only the groups that pass."""
    anchors = _anchors(scene, reading)
    flags = [item for item in reading.shown if is_flag(scene, item)]
    reading = replace(reading, shown=tuple(item for item in reading.shown if item not in flags))
    subject = table_of(scene, reading.subject) if reading.subject else None
    ranked = _ranked_amount(reading)
    if ranked:  # which month has the most orders
        units = tuple(item for item in reading.shown if item.kind == "unit")
        shown = tuple(item for item in reading.shown if item.kind != "unit")
        reading = replace(reading, groups=(*reading.groups, *units), shown=shown)
    keys = keys_of_groups(scene, reading, anchors, subject, ranked)
    amounts = [*reading.amounts]
    conditions = [c for c in reading.conditions if c.amount is not None]
    needed = [c.table for key in keys for c in map(ref_of, key.columns)]
    wanted = [*amounts, *([ranked] if ranked else []), *(c.amount for c in conditions if c.amount)]
    base, values = measured(scene, wanted, needed, subject, anchors)
    buckets = [item for item in reading.groups if item.kind == "unit"]
    keys = [*keys, *(bucket(scene, item, base, anchors) for item in buckets)]
    by_amount = dict(zip(map(id, wanted), values, strict=True))
    outputs = [output for key in keys for output in key.shown]
    outputs += [_named(by_amount[id(amount)]) for amount in amounts]
    order: tuple[tuple[Expression, bool], ...] = ()
    ranking = reading.ranking
    if ranking and ranked:
        value = by_amount[id(ranked)]
        order = ((value.aggregate, ranking.descending),)
        if not amounts and not reading.shown and ranking.limit and not _one_only(reading):
            outputs.append(_named(value))
    elif ranking and ranking.limit is not None:
        raise Unclear("I cannot compute something of only the first row of a ranking")
    elif ranking:
        order, key = order_of(scene, ranking, subject or base, anchors, list(map(ref_of, columns_in(keys))))
        if key is not None and key not in columns_in(keys):
            raise Unclear(f"I cannot order groups by {key.table}.{key.column}")
    elif buckets:
        order = tuple((c, False) for c in columns_in(keys) if isinstance(c, Bucket))
    kept = where(scene, reading, base, anchors, verbs)
    flagged = tuple(flag_test(scene, item, anchors) for item in flags)
    tables = [*kept.tables, *(ref.table for ref in map(ref_of, columns_in(keys))), *(t.column.table for t in flagged)]
    tables += [table for value in values for table in value.tables]
    filters = (*kept.filters, *flagged)
    if not keys and (ranked or conditions or reading.averaged):
        raise Unclear("I do not see of what the groups are")
    if reading.averaged:
        if len(amounts) != 1 or ranked or reading.shown:
            raise Unclear("I cannot average this over groups")
        scene.assume("what has none of them does not count for the average", 0.9)
        outputs, order = [_named(by_amount[id(amounts[0])])], ()
    return Plan(
        base=base,
        joins=joins_of(scene, base, tables),
        outputs=tuple(dict.fromkeys(outputs)),
        filters=filters,
        any_of=_any_of(reading, len(filters)),
        groups=tuple(dict.fromkeys(columns_in(keys))),
        having=tuple(
            Having(aggregate=by_amount[id(c.amount)].aggregate, operator=c.operator, values=c.numbers)
            for c in conditions
        ),
        order=order,
        limit=ranking.limit if ranking else None,
        averaged=reading.averaged,
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
    if ranking.hint in ("sold", "revenue"):
        return Amount(function=ranking.hint)
    if ranking.hint == "popular":
        of_rows = not reading.shown or any("name" in concepts_of(name_words(i.text)) for i in reading.shown)
        return Amount(function="popular" if of_rows and reading.subject else "count")
    return None


def _named(value: Measured) -> Output:
    return Output(expression=value.aggregate, name=value.name)


def _any_of(reading: Reading, filters: int) -> bool:
    """`or` between two conditions; between values of one column it has already become a list."""
    if reading.alternatives and filters > 2:
        raise Unclear("I cannot tell which conditions “or” joins")
    return reading.alternatives and filters == 2
