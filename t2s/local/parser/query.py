"""Queries as trees that can be counted, compared and filled; and their sketches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Column = tuple[str, str]
"""A table's full name and a column's name."""

SetOperation = Literal["", "union", "intersect", "except"]
Value = str | float


@dataclass(frozen=True, slots=True)
class Expression:
    """A column or an aggregate of it; `column` None is `*`."""

    function: str = ""
    column: Column | None = None
    distinct: bool = False

    @property
    def sketch(self) -> str:
        """`count*`, `avg c`, `count d` (of distinct values), `c`, `*`."""
        of = "*" if self.column is None else "d" if self.distinct else "c"
        return self.function + of


@dataclass(frozen=True, slots=True)
class Condition:
    """`left operator values`, or `left operator (query)`; operators are SQL's, in lower case."""

    left: Expression
    operator: str
    values: tuple[Value, ...] = ()
    query: Query | None = None

    @property
    def sketch(self) -> str:
        """The operator, with the shape of a query that it compares with."""
        return self.operator if self.query is None else f"{self.operator}({self.query.sketch})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """SELECT over the tables that its columns and `tables` need, joined by their keys.

    `any_of` joins the conditions of `where` by OR; `other` is the second branch of a set operation.
    """

    select: tuple[Expression, ...]
    tables: tuple[str, ...] = ()
    distinct: bool = False
    where: tuple[Condition, ...] = ()
    any_of: bool = False
    group: tuple[Column, ...] = ()
    having: tuple[Condition, ...] = ()
    order: tuple[Expression, ...] = ()
    descending: bool = False
    limit: int | None = None
    operation: SetOperation = ""
    other: Query | None = None

    @property
    def parts(self) -> tuple[str, str, str, str]:
        """What is selected, under which conditions, how it is grouped and ordered, and the set operation."""
        joint = "|" if self.any_of else "&"
        having = ",".join(c.left.sketch + " " + ("n" if c.query is None else c.sketch) for c in self.having)
        order = ",".join(e.sketch for e in self.order)
        direction = "desc" if self.descending else "asc"
        return (
            ("distinct " if self.distinct else "") + ",".join(e.sketch for e in self.select),
            joint.join(sorted(_kind(c) for c in self.where)),
            f"{len(self.group)} {having}; {order} {direction} {'' if self.limit is None else 'n'}",
            f"{self.operation} {self.other.sketch}" if self.other else "",
        )

    @property
    def sketch(self) -> str:
        """The query without its names and constants."""
        return " / ".join(self.parts)


def _kind(condition: Condition) -> str:
    """A condition's shape: comparisons with constants are told apart only where their values are."""
    return "v" if condition.query is None else condition.sketch
