"""A schema as tables of facts."""

from __future__ import annotations

from typing import TextIO

from t2s.render.clean import clean
from t2s.render.table import print_facts
from t2s.types.schema import Column, Schema, Table

SEARCH_HEADERS = ("table", "column", "type", "comment", "samples")
"""What is shown of each column that a search finds."""


def print_tables(schema: Schema, stream: TextIO, *, color: bool) -> None:
    """Every table with its size and what it refers to."""
    rows = [
        (t.full_name, t.kind, len(t.columns), t.row_estimate, ", ".join(_targets(t)), t.comment) for t in schema.tables
    ]
    print_facts(stream, ("table", "kind", "columns", "rows", "refers to", "comment"), rows, color=color)


def print_table(table: Table, stream: TextIO, *, color: bool) -> None:
    """A table's columns with their types, keys, comments and samples."""
    keys = {
        name: f"{key.target_table}.{target}"
        for key in table.foreign_keys
        for name, target in zip(key.columns, key.target_columns, strict=True)
    }
    if table.comment:
        stream.write(clean(table.comment) + "\n")
    rows = [
        (
            c.name,
            c.type,
            "primary" if c.name in table.primary_key else "" if c.nullable else "not null",
            keys.get(c.name, ""),
            c.comment,
            ", ".join(c.samples[:8]) or _profile(c),
        )
        for c in table.columns
    ]
    print_facts(stream, ("column", "type", "key", "refers to", "comment", "values"), rows, color=color)


def _profile(column: Column) -> str:
    """What was seen of a column in a few words."""
    profile = column.profile
    if profile is None:
        return ""
    told = [f"{profile.distinct:,} distinct"]
    told += [f"{profile.range[0]} to {profile.range[1]}"] if profile.range else []
    told += [f"{profile.nulls / profile.rows:.0%} null"] if profile.nulls else []
    told += [f"often {', '.join(profile.common)}"] if profile.common else []
    return ", ".join(told)


def print_search(schema: Schema, text: str, stream: TextIO, *, color: bool) -> bool:
    """The columns that `search_rows` finds; returns whether there are any."""
    found = search_rows(schema, text)
    if found:
        print_facts(stream, SEARCH_HEADERS, found, color=color)
    return bool(found)


def search_rows(schema: Schema, text: str) -> list[tuple[str, str, str, str | None, str]]:
    """The columns that have each of the words in their or their table's name, comment or samples."""
    words = text.casefold().split()
    return [
        (t.full_name, c.name, c.type, c.comment, ", ".join(c.samples[:5]))
        for t in schema.tables
        for c in t.columns
        if all(_holds(t, c.name, c.comment, c.samples, word) for word in words)
    ]


def _holds(table: Table, name: str, comment: str | None, samples: tuple[str, ...], word: str) -> bool:
    return any(word in (part or "").casefold() for part in (table.full_name, table.comment, name, comment, *samples))


def _targets(table: Table) -> list[str]:
    return list(dict.fromkeys(key.target_table for key in table.foreign_keys))
