"""Facts about tables and columns that names and types tell: numbers, dates, labels, measures."""

from __future__ import annotations

import re
from collections.abc import Iterator

from t2s.local.plan import ColumnRef, Product
from t2s.local.words import concepts_of, name_words, stems
from t2s.types.schema import Column, Schema, Table

_NUMBER = re.compile(r"int|num|dec|real|float|double|money|serial|hugeint", re.IGNORECASE)
_DATE = re.compile(r"date|time", re.IGNORECASE)
_TEXT = re.compile(r"char|text|string|enum|clob|^$", re.IGNORECASE)
_PLACES = frozenset(stems("city country town region province nation continent".split()))
_WHERE = _PLACES | frozenset(stems(("place", "state")))
_LABELS = (("nam",), ("名称",), ("姓名",), ("名字",))
_HINTS = {
    "price": ("price", "cost", "amount", "total"),
    "length": ("length", "millisecond", "duration"),
    "weight": ("weight",),
    "height": ("height", "elevation", "altitude"),
    "speed": ("speed",),
    "salary": ("salary",),
    "size": ("size", "area", "population", "capacity", "amount", "total"),
    "place": ("location", "city", "country", "address"),
}


def is_number(column: Column) -> bool:
    """Whether the column holds numbers that are more than names of rows."""
    return bool(_NUMBER.search(column.type)) and not _DATE.search(column.type)


def is_text(column: Column) -> bool:
    """Whether the column holds text."""
    return bool(_TEXT.search(column.type))


def is_date(column: Column) -> bool:
    """Whether the column holds days or moments, by its type or, for text, by its name."""
    return bool(_DATE.search(column.type)) or (is_text(column) and bool(set(name_words(column.name)) & {"dat"}))


def is_year(column: Column) -> bool:
    """Whether the column holds a year as a number."""
    return is_number(column) and "year" in name_words(column.name)


def is_boolean(column: Column) -> bool:
    """Whether the column holds true and false."""
    return column.type.upper() in ("BOOLEAN", "BOOL", "TINYINT(1)", "BIT")


def place_of(name: str) -> frozenset[str] | None:
    """Of what a column says the place, going by its name: of `billing` for `billing_city`; None for other columns.

    A state may be any condition, so it is not taken for a place.
    """
    words = frozenset(name_words(name))
    return words - _PLACES if words & _PLACES else None


def keys_of(table: Table) -> frozenset[str]:
    """The columns that point elsewhere or name the row."""
    foreign = {column for key in table.foreign_keys for column in key.columns}
    return frozenset(foreign | set(table.primary_key))


def labels(table: Table) -> tuple[ColumnRef, ...]:
    """The column or columns by which people call a row of the table: its name, its title, first and last name."""
    words = {column.name: name_words(column.name) for column in table.columns}
    own = name_words(table.name)
    for label in _LABELS:
        for name, parts in words.items():
            if parts == label or (parts[: len(own)] == own and parts[len(own) :] == label):
                return (ColumnRef(table=table.full_name, column=name),)
    person = [name for part in ("first", "last") for name, parts in words.items() if {part, "nam"} <= set(parts)]
    if len(person) == 2:
        return tuple(ColumnRef(table=table.full_name, column=name) for name in person)
    keys = keys_of(table)
    named = [n for n, parts in words.items() if parts[-1] in ("nam", "titl", "label") and n not in keys]
    named += [c.name for c in table.columns if is_text(c) and words[c.name] == own]
    named += [c.name for c in table.columns if is_text(c) and c.name.casefold().endswith("name")]
    text = named or [c.name for c in table.columns if is_text(c) and (c.name,) in table.unique_keys]
    chosen = text[:1] or list(table.primary_key) or [table.columns[0].name]
    return tuple(ColumnRef(table=table.full_name, column=name) for name in chosen)


def dates(table: Table) -> Iterator[ColumnRef]:
    """The table's dates: those that are always there first, real dates before years."""
    found = [column for column in table.columns if is_date(column)]
    found.sort(key=lambda column: column.nullable and column.name not in table.primary_key)
    found += [column for column in table.columns if is_year(column)]
    for column in found:
        yield ColumnRef(table=table.full_name, column=column.name)


def hinted(table: Table, hint: str) -> tuple[ColumnRef, bool] | None:
    """The column that `expensive`, `old`, `long` speaks of, and whether it runs the other way round."""
    if hint == "birth":
        for column in table.columns:
            words = set(name_words(column.name))
            if words & {"birth", "dob"} and not words & _WHERE:
                return ColumnRef(table=table.full_name, column=column.name), False
        for column in table.columns:
            if "age" in name_words(column.name):
                return ColumnRef(table=table.full_name, column=column.name), True
    if hint in ("date", "birth"):
        first = next(dates(table), None)
        return (first, False) if first else None
    if hint == "price" and (age := hinted(table, "birth")) and age[1]:
        return age[0], False  # people under 40
    for concept in _HINTS.get(hint, ()):
        for column in table.columns:
            if (hint == "place" or is_number(column)) and any(
                concept in concepts_of((word,)) for word in name_words(column.name)
            ):
                return ColumnRef(table=table.full_name, column=column.name), False
    return None


def measures(schema: Schema, measure: str) -> Iterator[tuple[ColumnRef | Product, str]]:
    """What may stand for `revenue` or `sold`, the plainest first, and how to say it."""
    for table in schema.tables:
        keys = keys_of(table)
        price = _first(table, "price", keys)
        quantity = _first(table, "quantity", keys | {price.column if price else ""})
        if measure == "revenue":
            if total := total_of(table):
                yield total, f"revenue is {table.name}.{total.column}"
            if quantity and price:
                discount = _share(table)
                name = f"{quantity.column} × {price.column}"
                yield (
                    Product(factors=(quantity, price), discount=discount),
                    f"revenue is {name}" + (f" × (1 - {discount.column})" if discount else "") + f" of {table.name}",
                )
        elif measure == "sold" and quantity and price:
            yield quantity, f"units sold are {table.name}.{quantity.column}"


def total_of(table: Table) -> ColumnRef | None:
    """The column that says what a row comes to: its total or amount."""
    keys = keys_of(table)
    for column in table.columns:
        words = name_words(column.name)
        if is_number(column) and column.name not in keys and words[-1] in ("total", "amount", "revenu", "sales"):
            return ColumnRef(table=table.full_name, column=column.name)
    return None


def _first(table: Table, concept: str, keys: frozenset[str]) -> ColumnRef | None:
    for column in table.columns:
        words = name_words(column.name)
        known = {found for word in words for found in concepts_of((word,))}
        if is_number(column) and column.name not in keys and concept in known:
            return ColumnRef(table=table.full_name, column=column.name)
    return None


def _share(table: Table) -> ColumnRef | None:
    """A discount that its comment calls a share; one that may be an amount of money is left alone."""
    for column in table.columns:
        said = (column.comment or "").casefold()
        if "discount" in name_words(column.name) and re.search(r"share|fraction|0 to 1|0-1|比例", said):
            return ColumnRef(table=table.full_name, column=column.name)
    return None
