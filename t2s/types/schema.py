"""What a database looks like: tables, columns and how they hang together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Dialect = Literal["sqlite", "duckdb", "postgres", "mysql"]
"""The engine family, by the name sqlglot has for its SQL."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What a bounded scan of a table saw of a column: how many `rows`, `nulls` and `distinct` values.

    `range` has both ends of numbers or dates. `common` are frequent values where there are too many for samples, the
    most frequent first (text columns only).
    """

    rows: int
    nulls: int
    distinct: int
    range: tuple[str, str] | None = None
    common: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column; `samples` are its distinct values where there are few (text columns only)."""

    name: str
    type: str
    nullable: bool = True
    comment: str | None = None
    samples: tuple[str, ...] = ()
    profile: Profile | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignKey:
    """`columns` of the table that has the key point at `target_columns` of `target_table`, pairwise.

    `target_table` is the target's `Table.full_name`.
    """

    columns: tuple[str, ...]
    target_table: str
    target_columns: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table or view; `namespace` is its SQL schema where that is not the default one."""

    name: str
    columns: tuple[Column, ...]
    namespace: str | None = None
    kind: Literal["table", "view"] = "table"
    primary_key: tuple[str, ...] = ()
    unique_keys: tuple[tuple[str, ...], ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()
    comment: str | None = None
    row_estimate: int | None = None

    @property
    def full_name(self) -> str:
        """`namespace.name`, or just the name in the default namespace; unique in a schema."""
        return f"{self.namespace}.{self.name}" if self.namespace else self.name

    def column(self, name: str) -> Column | None:
        """The column of that name, in any case; None where there is none."""
        folded = name.casefold()
        return next((c for c in self.columns if c.name.casefold() == folded), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """All that t2s knows of a database's structure; `fingerprint` changes when the structure does.

    The fingerprint covers names, types, keys and comments, not row estimates, samples or profiles. `functions` are
    the database's own that its catalogue says do not write, in lower case.
    """

    dialect: Dialect
    tables: tuple[Table, ...]
    fingerprint: str
    functions: tuple[str, ...] = ()

    def table(self, name: str) -> Table | None:
        """The table with that full name (or, failing that, bare name), in any case."""
        folded = name.casefold()
        return next(
            (t for t in self.tables if t.full_name.casefold() == folded),
            next((t for t in self.tables if t.name.casefold() == folded), None),
        )
