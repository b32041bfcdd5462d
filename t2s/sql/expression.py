"""A definition that is SQL: a condition or a figure over the schema's columns, such as `orders.status = 'paid'`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from t2s.sql.parse import parse
from t2s.sql.resolve import check
from t2s.types.query import Problem, Rejected
from t2s.types.schema import Schema, Table

if TYPE_CHECKING:
    from sqlglot import exp


@dataclass(frozen=True, slots=True, kw_only=True)
class Expression:
    """SQL with each column under its table's name; a condition is true or false of a row, a figure sums up many."""

    sql: str
    kind: Literal["condition", "figure", "value"]
    tables: tuple[str, ...]
    columns: tuple[str, ...]


def read_expression(text: str, schema: Schema) -> Expression | Problem | None:
    """The expression that a text is, what is wrong with it, or None where it is just words."""
    tree = parse(f"SELECT ({text})", schema.dialect)
    if isinstance(tree, Problem):
        return None
    from sqlglot import exp

    inner = tree.selects[0].unnest() if isinstance(tree, exp.Select) and len(tree.selects) == 1 else None
    if inner is None or isinstance(inner, exp.Alias | exp.Column | exp.Literal | exp.Tuple | exp.Query):
        return None
    columns = [column for column in inner.find_all(exp.Column) if column.name]
    if not columns or isinstance(inner, exp.Paren):
        return None
    tables: dict[str, Table] = {}
    for column in columns:
        owner = _owner(column, schema)
        if isinstance(owner, Problem):
            return owner
        tables[owner.full_name] = owner
        column.set("table", exp.to_identifier(owner.name))
    verdict = check(_probe(inner, tables.values(), schema), schema)
    if isinstance(verdict, Rejected):
        return verdict.problems[0]
    return Expression(
        sql=inner.sql(dialect=schema.dialect),
        kind=_kind(inner),
        tables=tuple(tables),
        columns=verdict.columns,
    )


def _owner(column: exp.Column, schema: Schema) -> Table | Problem:
    """The one table that a column can belong to."""
    owners = [t for t in schema.tables if t.column(column.name)]
    if column.table:
        named = schema.table(column.table)
        if named is not None:
            return named
        return Problem(code="unknown_table", message=f"there is no table {column.table}")
    if len(owners) == 1:
        return owners[0]
    if not owners:
        return Problem(code="unknown_column", message=f"there is no column {column.name}")
    names = ", ".join(t.full_name for t in owners[:4])
    return Problem(code="ambiguous_column", message=f"{column.name} is in {names}: write table.{column.name}")


def _probe(inner: exp.Expr, tables: object, schema: Schema) -> str:
    from sqlglot import exp

    query = exp.Select(expressions=[inner.copy()])
    for position, table in enumerate(tables):  # type: ignore[arg-type, var-annotated]
        node = exp.to_table(table.name, db=table.namespace)
        query = query.from_(node) if position == 0 else query.join(node, join_type="cross")
    return str(query.sql(dialect=schema.dialect, identify=True))


def _kind(inner: exp.Expr) -> Literal["condition", "figure", "value"]:
    from sqlglot import exp

    if inner.find(exp.AggFunc):
        return "figure"
    if isinstance(inner, exp.Predicate | exp.Connector | exp.Not):
        return "condition"
    return "value"
