"""Where in a query a number, a value or a column of its question stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from t2s.local.build import expression_of
from t2s.local.columns import is_date, is_number
from t2s.local.plan import ColumnRef
from t2s.types.schema import Schema, Table

if TYPE_CHECKING:
    from sqlglot import exp


def place_of_number(tree: exp.Expr, number: float) -> exp.Literal | None:
    """The one literal of that number, where it is compared with something, limits the rows or measures a time."""
    from sqlglot import exp

    places = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Between, exp.Limit, exp.Fetch, exp.Interval)
    found = [node for node in tree.find_all(exp.Literal) if _is(node, number)]
    return found[0] if len(found) == 1 and isinstance(found[0].parent, places) else None


def _is(node: exp.Literal, number: float) -> bool:
    try:
        return float(node.name) == number
    except ValueError:
        return False


def tables_of(tree: exp.Expr, schema: Schema) -> dict[str, Table]:
    """The tables that a query reads, by what it calls them."""
    from sqlglot import exp

    nodes = tree.find_all(exp.Table)
    named = ((node, schema.table(f"{node.db}.{node.name}" if node.db else node.name)) for node in nodes)
    return {node.alias_or_name.casefold(): table for node, table in named if table is not None}


def compared_with(node: exp.Literal, tree: exp.Expr, schema: Schema) -> tuple[str, str] | None:
    """The column that a literal itself, and nothing computed of either, is compared with."""
    from sqlglot import exp

    match node.parent:
        case exp.EQ() | exp.NEQ() as pair:
            column = pair.this if pair.expression is node else pair.expression
        case exp.In() as listed:
            column = listed.this
        case _:
            return None
    if not isinstance(column, exp.Column):
        return None
    tables = tables_of(tree, schema)
    owners = [tables.get(column.table.casefold())] if column.table else list(tables.values())
    for table in owners:
        if table is not None and (found := table.column(column.name)):
            return table.full_name, found.name
    return None


def put_column(tree: exp.Expr, schema: Schema, table: Table, old: str, new: str) -> bool:
    """Write another column of the table everywhere, in the names of the results too; False where that is not sure.

    It is not where two tables have the name, or where a condition beside what is shown reads the column.
    """
    from sqlglot import exp

    nodes = [node for node in tree.find_all(exp.Column) if node.name.casefold() == old.casefold()]
    tables = {t.full_name: t for t in tables_of(tree, schema).values()}.values()
    if any(sum(t.column(name) is not None for t in tables) > 1 for name in (old, new)):
        return False  # which table's it is would have to be resolved
    if tree.find(exp.CTE, exp.Subquery) or not _alike(table, old, new):
        return False
    conditions = [node for node in nodes if node.find_ancestor(exp.Where, exp.Join)]
    numbers = is_number(table.column(old)) if table.column(old) else False  # type: ignore[arg-type]
    if conditions and (len(conditions) < len(nodes) or not numbers):
        return False
    own = expression_of(ColumnRef(table=table.full_name, column=new), schema).this
    for node in nodes:
        node.set("this", own.copy())
    _rename_results(tree, old, new)
    return True


def _rename_results(tree: exp.Expr, old: str, new: str) -> None:
    """AVG(price) AS avg_price would lie of the cost."""
    from sqlglot import exp

    names = {a.alias for a in tree.find_all(exp.Alias) if old.casefold() in a.alias.casefold().split("_")}
    for node in list(tree.find_all(exp.Identifier)):
        result = isinstance(node.parent, exp.Alias) or (isinstance(node.parent, exp.Column) and not node.parent.table)
        if result and node.name in names:
            words = [new if word.casefold() == old.casefold() else word for word in node.name.split("_")]
            node.replace(exp.to_identifier("_".join(words), quoted=node.args.get("quoted")))


def _alike(table: Table, one: str, other: str) -> bool:
    """Whether two columns hold the like: numbers, dates, or neither."""
    columns = (table.column(one), table.column(other))
    kinds = [(is_number(c), is_date(c)) for c in columns if c is not None]
    return len(kinds) == 2 and kinds[0] == kinds[1]
