"""A query as a value: what is read, joined, kept, grouped and shown; no SQL yet."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

Unit = Literal["year", "quarter", "month", "week", "day"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnRef:
    """A column; `table` is the table's full name."""

    table: str
    column: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """A date cut down to its year, quarter, month, week or day."""

    column: ColumnRef
    unit: Unit


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """Quantity times price; with `discount` (a share, 0 to 1) taken off where it is given."""

    factors: tuple[ColumnRef, ...]
    discount: ColumnRef | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Aggregate:
    """A count (of rows where there is no operand), sum, avg, min or max."""

    function: str
    operand: ColumnRef | Product | None = None
    distinct: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Verbatim:
    """A piece of SQL as somebody wrote it, its columns under their tables' own names; `columns` are those it reads."""

    sql: str
    columns: tuple[ColumnRef, ...] = ()
    aggregates: bool = False


Expression = ColumnRef | Bucket | Aggregate | Verbatim


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """A column of the result; an empty name leaves it as the expression is called."""

    expression: Expression
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Join:
    """`table` is joined where each pair of columns, of the other side and of it, is equal."""

    table: str
    pairs: tuple[tuple[ColumnRef, ColumnRef], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Test:
    """A condition on a column.

    `operator` is eq, ne, in, not_in, gt, ge, lt, le, between, like, not_like, null, not_null, true or false.
    """

    column: ColumnRef
    operator: str
    values: tuple[str | float, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Within:
    """A date from `first` up to, not including, `after`; None is open."""

    column: ColumnRef
    first: date | None
    after: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AgainstAverage:
    """A column compared with the average of all its values."""

    column: ColumnRef
    operator: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Exists:
    """Whether (negated: that no) row of `table`, with its joins and tests, belongs to the outer row by `pairs`."""

    table: str
    pairs: tuple[tuple[ColumnRef, ColumnRef], ...]
    joins: tuple[Join, ...] = ()
    tests: tuple[Filter, ...] = ()
    negated: bool = False


Filter = Test | Within | AgainstAverage | Exists | Verbatim


@dataclass(frozen=True, slots=True, kw_only=True)
class Having:
    """A condition on an aggregate."""

    aggregate: Aggregate
    operator: str
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A whole query over `base`; no outputs mean all columns of `base`.

    `any_of` joins the filters by OR. `order` says by what and whether descending. `averaged` asks for the average
    of the one output over the groups.
    """

    base: str
    joins: tuple[Join, ...] = ()
    outputs: tuple[Output, ...] = ()
    filters: tuple[Filter, ...] = ()
    any_of: bool = False
    groups: tuple[ColumnRef | Bucket | Verbatim, ...] = ()
    having: tuple[Having | Verbatim, ...] = ()
    order: tuple[tuple[Expression, bool], ...] = ()
    limit: int | None = None
    distinct: bool = False
    averaged: bool = False
