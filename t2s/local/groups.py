"""What the rows are grouped by."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import cast

from t2s.local.columns import dates, is_date, labels
from t2s.local.link import Item
from t2s.local.plan import Bucket, ColumnRef, Output, Unit
from t2s.local.reading import Amount, Reading
from t2s.local.scene import Scene, Unclear, columns_of, table_of
from t2s.local.words import name_words


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """What a group is: its columns, and which of them are shown."""

    columns: tuple[ColumnRef | Bucket, ...]
    shown: tuple[Output, ...]


def keys_of_groups(
    scene: Scene, reading: Reading, anchors: tuple[str, ...], subject: str | None, ranked: Amount | None
) -> list[Key]:
    """What the rows are grouped by: what the question says, else the shown columns, else the subject."""
    said = [key_of(scene, item, anchors) for item in reading.groups if item.kind != "unit"]
    shown = [ref for item in reading.shown if item.kind != "unit" for ref in shown_columns(scene, item, anchors)]
    units = [item for item in reading.shown if item.kind == "unit"]
    if units:
        raise Unclear(f"I do not see what “{units[0].text}” has to do with it")
    if reading.groups:
        if shown:
            own_tables = {ref.table for ref in shown}
            said = [replace(key, shown=()) if _tables(key) <= own_tables else key for key in said]
            said.append(Key(columns=tuple(shown), shown=tuple(Output(expression=ref) for ref in shown)))
        return said
    if shown and subject and _counts_itself(scene, reading, subject):
        return [Key(columns=tuple(shown), shown=tuple(Output(expression=ref) for ref in shown))]
    by_row = subject is not None and (not reading.amounts or bool(shown) or bool(reading.ranking))
    own = tuple(Output(expression=ref) for ref in shown)
    by_value = ranked is not None and ranked.function == "count" and ranked.item is None
    if shown and by_value:  # the most common status of orders
        return [Key(columns=tuple(shown), shown=own)]
    if subject and by_row and all(ref.table == subject for ref in shown):
        key = entity(scene, subject)
        return [Key(columns=(*key.columns, *shown), shown=own or key.shown)]
    return [Key(columns=tuple(shown), shown=own)] if shown else []


def shown_columns(scene: Scene, item: Item, anchors: tuple[str, ...]) -> tuple[ColumnRef, ...]:
    """The columns that an item shows: itself, or what a table's rows are called by."""
    return labels(scene.table(table_of(scene, item))) if item.kind == "table" else columns_of(scene, item, anchors)


def amounts_of(reading: Reading) -> list[Amount]:
    """Every amount that a reading speaks of: shown, compared, ranked by."""
    found = [*reading.amounts, *(c.amount for c in reading.conditions if c.amount)]
    if reading.ranking and reading.ranking.amount:
        found.append(reading.ranking.amount)
    return found


def _tables(key: Key) -> set[str]:
    return {ref_of(column).table for column in key.columns}


def _counts_itself(scene: Scene, reading: Reading, subject: str) -> bool:
    """The class with at least two races: the races are counted, so that they cannot be the groups."""
    items = [amount.item for amount in amounts_of(reading) if amount.function == "count" and amount.item]
    return any(item.kind == "table" and table_of(scene, item) == subject for item in items)


def key_of(scene: Scene, item: Item, anchors: tuple[str, ...]) -> Key:
    """The group that a table or column makes; a key stands for what it points at."""
    if item.kind == "table":
        return entity(scene, table_of(scene, item))
    refs = columns_of(scene, item, anchors)
    if len(refs) == 1 and (target := _target(scene, refs[0], item)):
        return entity(scene, target)
    return Key(columns=refs, shown=tuple(Output(expression=ref) for ref in refs))


def _target(scene: Scene, ref: ColumnRef, item: Item) -> str | None:
    """The table that a key points at, where the question names the key without saying `id`."""
    if "id" in name_words(item.text) or item.columns[0].score == 1.0:
        return None
    for key in scene.table(ref.table).foreign_keys:
        if key.columns == (ref.column,) and key.target_table != ref.table:
            return key.target_table
    return None


def entity(scene: Scene, name: str) -> Key:
    """A group for each row of a table: told apart by its key, shown by its label."""
    table = scene.table(name)
    shown = labels(table)
    key = tuple(ColumnRef(table=name, column=column) for column in table.primary_key)
    columns = tuple(dict.fromkeys((*key, *shown)))
    return Key(columns=columns, shown=tuple(Output(expression=ref) for ref in shown))


def bucket(scene: Scene, item: Item, base: str, anchors: tuple[str, ...]) -> Key:
    """The group that a month, a year or the like makes: of the base's date, else of the nearest."""
    near = scene.graph.ways(base, to_one=True)
    for table in dict.fromkeys((base, *(a for a in anchors if a in near), *sorted(near, key=lambda t: len(near[t])))):
        found = list(dates(scene.table(table)))
        if found and is_date(scene.column(found[0])):
            scene.assume(f"“{item.text}” is that of {table}.{found[0].column}", 0.97 if len(found) == 1 else 0.9)
            bucket = Bucket(column=found[0], unit=cast(Unit, item.argument))
            return Key(columns=(bucket,), shown=(Output(expression=bucket, name=item.argument),))
    raise Unclear(f"I find no date for “{item.text}”")


def columns_in(keys: list[Key]) -> list[ColumnRef | Bucket]:
    """All that the rows are grouped by."""
    return [column for key in keys for column in key.columns]


def ref_of(expression: ColumnRef | Bucket) -> ColumnRef:
    """The column that a group reads."""
    return expression.column if isinstance(expression, Bucket) else expression
