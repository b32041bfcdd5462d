"""The names of a schema, to be found by their first letters or by a part, at once even where there are very many."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Literal

from t2s.types.schema import Column, Dialect, Schema, Table

MOST = 40
"""Names that are offered at once."""
LOOKED_AT = 300
"""Names holding a text in their middle that are ranked: in a huge schema a short text is in very many."""

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")

What = Literal["table", "column", "value"]


@dataclass(frozen=True, slots=True)
class Name:
    """A table, a column or a value as it is written, and where it belongs (columns: their table and type)."""

    text: str
    what: What
    where: str


@dataclass(frozen=True)
class Index:
    """Names sorted by their folded text."""

    keys: tuple[str, ...]
    names: tuple[Name, ...]

    @classmethod
    def of(cls, names: Iterator[Name]) -> Index:
        """An index over names; of equal ones the first counts."""
        known: dict[str, Name] = {}
        for name in names:
            known.setdefault(name.text.casefold(), name)
        keys = tuple(sorted(known))
        return cls(keys=keys, names=tuple(known[key] for key in keys))

    @cached_property
    def _joined(self) -> str:
        return "\n".join(("", *self.keys, ""))

    @cached_property
    def _starts(self) -> tuple[int, ...]:
        """Where each key begins in the joined text."""
        starts, at = [], 1
        for key in self.keys:
            starts.append(at)
            at += len(key) + 1
        return tuple(starts)

    def begin(self, part: str, most: int = MOST) -> list[Name]:
        """Names that begin with `part`."""
        wanted = part.casefold()
        first = bisect_left(self.keys, wanted)
        last = bisect_left(self.keys, wanted + "\U0010ffff", first)
        return list(self.names[first : min(last, first + most)])

    def find(self, part: str, most: int = MOST) -> list[Name]:
        """Names that begin with `part`, then those with a word that does, then those that hold it anywhere."""
        found = self.begin(part, most)
        if len(part) < 2 or "\n" in part or len(found) == most:
            return found
        held = list(islice(self._holding(part.casefold()), LOOKED_AT))
        held.sort(key=lambda hit: not hit[0])
        return list(dict.fromkeys((*found, *(name for _, name in held))))[:most]

    def _holding(self, wanted: str) -> Iterator[tuple[bool, Name]]:
        """Names that hold the text, each with whether a word of it begins so."""
        at = self._joined.find(wanted)
        while at >= 0:
            position = bisect_right(self._starts, at) - 1
            yield not self._joined[at - 1].isalnum(), self.names[position]
            at = self._joined.find(wanted, at + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What of a schema can be completed."""

    dialect: Dialect
    schema: Schema
    tables: Index
    columns: Index
    values: Index
    by_table: dict[str, Table]

    @classmethod
    def of(cls, schema: Schema) -> Names:
        """The names of a schema."""
        by_table = {table.name.casefold(): table for table in reversed(schema.tables)}
        by_table |= {table.full_name.casefold(): table for table in schema.tables}
        return cls(
            dialect=schema.dialect,
            schema=schema,
            tables=Index.of(Name(t.full_name, "table", t.comment or t.kind) for t in schema.tables),
            columns=Index.of(_column(t, c) for t in schema.tables for c in t.columns),
            values=Index.of(
                Name(value, "value", f"{t.full_name}.{c.name}")
                for t in schema.tables
                for c in t.columns
                for value in c.samples
            ),
            by_table=by_table,
        )

    def table(self, name: str) -> Table | None:
        """The table of that name, full or bare, in any case."""
        return self.by_table.get(name.casefold())

    def columns_of(self, table: Table, part: str) -> list[Name]:
        """The columns of a table that begin with `part`, then those that hold it."""
        wanted = part.casefold()
        held = [c for c in table.columns if wanted in c.name.casefold()]
        return [_column(table, c) for c in sorted(held, key=lambda c: not c.name.casefold().startswith(wanted))]

    def quoted(self, name: str) -> str:
        """A name as SQL wants it: as it is, or in the engine's quotes."""
        if _PLAIN.match(name) and (self.dialect != "postgres" or name == name.lower()):
            return name
        return f"`{name}`" if self.dialect == "mysql" else f'"{name}"'


def _column(table: Table, column: Column) -> Name:
    return Name(column.name, "column", f"{table.full_name} {column.type}")
