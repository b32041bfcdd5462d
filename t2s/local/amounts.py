"""What is counted or added up, and the table whose rows make that right: none twice, none missing."""

from __future__ import annotations

from dataclasses import dataclass

from t2s.local.columns import is_number, is_year, keys_of, measures, total_of
from t2s.local.names import FULL
from t2s.local.plan import Aggregate, ColumnRef, Product
from t2s.local.reading import Amount
from t2s.local.scene import Scene, Unclear, columns_of, table_of
from t2s.local.words import concepts_of, name_words


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """An amount made exact: the aggregate, what to call it, and the tables it reads besides the base."""

    aggregate: Aggregate
    name: str
    tables: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Grain:
    """What an amount is over: `table` has one row for each thing counted; no operand counts rows."""

    function: str
    table: str
    operand: ColumnRef | Product | None
    name: str
    distinct: bool = False


def measured(
    scene: Scene, amounts: list[Amount], needed: list[str], subject: str | None, anchors: tuple[str, ...]
) -> tuple[str, list[Measured]]:
    """The base table and the amounts over it; `needed` are the tables of the groups."""
    grains = [_grain(scene, amount, needed, subject, anchors) for amount in amounts]
    wanted = [*needed, *(grain.table for grain in grains)]
    base = _base(scene, [grain.table for grain in grains], wanted)
    return base, [_over(scene, grain, base, needed) for grain in grains]


def _grain(scene: Scene, amount: Amount, needed: list[str], subject: str | None, anchors: tuple[str, ...]) -> _Grain:
    item = amount.item
    if amount.function in ("sold", "revenue"):
        return _measure(scene, amount.function, "sum", needed, subject)
    if amount.function == "popular":
        return _popular(scene, needed, subject)
    if item is None:
        table = subject or (needed[0] if needed else None)
        if table is None:
            raise Unclear("I do not see what is to be counted")
        return _Grain(function="count", table=table, operand=None, name="count")
    if amount.function == "count" and item.kind == "table":
        return _Grain(function="count", table=table_of(scene, item), operand=None, name="count")
    is_column = bool(item.columns) and item.columns[0].score >= FULL
    if item.measure and not is_column:
        return _measure(scene, item.measure, amount.function, needed, subject)
    if amount.function == "count":
        (column, *_) = columns_of(scene, item, anchors)
        if is_number(scene.column(column)) and "quantity" in concepts_of(name_words(column.column)):
            return _Grain(function="sum", table=column.table, operand=column, name="quantity")
        if _is_amount(scene, column) and not amount.distinct:
            raise Unclear(f"{column.table}.{column.column} is a number itself: its sum, or its values?")
        return _Grain(function="count", table=column.table, operand=column, name="count", distinct=True)
    if item.kind == "table":
        table = table_of(scene, item)
        total = total_of(scene.table(table))
        if total is None:
            raise Unclear(f"I cannot compute with “{item.text}”")
        return _Grain(
            function=amount.function, table=table, operand=total, name=f"{amount.function}_{total.column}".lower()
        )
    (column, *_) = columns_of(scene, item, anchors, is_number)
    return _Grain(
        function=amount.function, table=column.table, operand=column, name=f"{amount.function}_{column.column}".lower()
    )


def _is_amount(scene: Scene, column: ColumnRef) -> bool:
    found = scene.column(column)
    return is_number(found) and not is_year(found) and column.column not in keys_of(scene.table(column.table))


def _measure(scene: Scene, measure: str, function: str, needed: list[str], subject: str | None) -> _Grain:
    """Revenue or units sold, from the first place in the schema that fits what the question groups by."""
    wanted = [*needed, *([subject] if subject else [])]
    for operand, saying in measures(scene.schema, measure):
        table = operand.factors[0].table if isinstance(operand, Product) else operand.table
        near = scene.graph.ways(table, to_one=True)
        if all(other in near for other in wanted):
            scene.assume(saying, 0.95)
            name = measure if function == "sum" else f"{function}_{measure}"
            return _Grain(function=function, table=table, operand=operand, name=name)
    raise Unclear(f"I find nothing here that is {'revenue' if measure == 'revenue' else 'units sold'}")


def _popular(scene: Scene, needed: list[str], subject: str | None) -> _Grain:
    """What is sold most, else what most rows point at."""
    if subject is None:
        raise Unclear("I do not see what is popular")
    try:
        return _measure(scene, "sold", "sum", needed, subject)
    except Unclear:
        pointing = [step.end for step in scene.graph.steps.get(subject, ()) if not step.to_one]
    if not pointing:
        raise Unclear(f"I find nothing that tells how popular {subject} are")
    largest = max(pointing, key=lambda name: scene.table(name).row_estimate or 0)
    scene.assume(f"popular means having the most {largest}", 0.8)
    return _Grain(function="count", table=largest, operand=None, name="count")


def _base(scene: Scene, grains: list[str], wanted: list[str]) -> str:
    """The smallest table from which each row leads to one row of every table wanted."""
    candidates = [*dict.fromkeys(grains), *(table.full_name for table in scene.schema.tables)]
    best: tuple[int, str] | None = None
    for name in dict.fromkeys(candidates):
        near = scene.graph.ways(name, to_one=True)
        if all(table in near for table in wanted):
            cost = sum(len(near[table]) for table in set(wanted))
            if name in grains:
                return name
            if best is None or cost < best[0]:
                best = (cost, name)
    if best is None:
        raise Unclear(f"I see no way to bring {' and '.join(sorted(set(wanted)))} together without counting twice")
    return best[1]


def _over(scene: Scene, grain: _Grain, base: str, needed: list[str]) -> Measured:
    """The grain's aggregate over the base's rows."""
    tables = () if grain.operand is None else (grain.table,)
    if grain.table == base or _is_link(scene, base, grain.table):
        operand = grain.operand
        if grain.table == base and isinstance(operand, ColumnRef) and grain.distinct:
            table = scene.table(base)
            if table.primary_key == (operand.column,):
                return Measured(aggregate=Aggregate(function="count"), name=grain.name, tables=())
        aggregate = Aggregate(function=grain.function, operand=operand, distinct=grain.distinct)
        return Measured(aggregate=aggregate, name=grain.name, tables=tables)
    if grain.function in ("min", "max") or grain.distinct:
        aggregate = Aggregate(function=grain.function, operand=grain.operand, distinct=grain.distinct)
        return Measured(aggregate=aggregate, name=grain.name, tables=tables)
    if grain.function == "count" and grain.operand is None:
        return _count_rows(scene, grain, base)
    raise Unclear(f"adding up {grain.name} here would count some rows twice")


def _count_rows(scene: Scene, grain: _Grain, base: str) -> Measured:
    """Count rows of a table that each may stand behind several rows of the base: by its key, once each."""
    key = scene.table(grain.table).primary_key
    if len(key) != 1:
        raise Unclear(f"{grain.table} has no single key to count it by")
    last = scene.graph.ways(base, to_one=True)[grain.table][-1]
    # the pointing column is as good as the key and saves a join
    direct = last.start == base and len(last.edge.columns) == 1
    column = (
        ColumnRef(table=base, column=last.edge.columns[0]) if direct else ColumnRef(table=grain.table, column=key[0])
    )
    aggregate = Aggregate(function="count", operand=column, distinct=True)
    return Measured(aggregate=aggregate, name=grain.name, tables=(column.table,))


def _is_link(scene: Scene, base: str, table: str) -> bool:
    """Whether each pair of rows that the base links stands in it only once."""
    found = scene.table(base)
    foreign = {column for key in found.foreign_keys for column in key.columns}
    points_at = {key.target_table for key in found.foreign_keys}
    return len(found.primary_key) > 1 and set(found.primary_key) <= foreign and table in points_at
