"""The tables that a query reads, and its columns under their tables' own names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from t2s.local.build import expression_of
from t2s.local.plan import ColumnRef
from t2s.types.schema import Schema

if TYPE_CHECKING:
    from sqlglot import exp


class Foreign(Exception):
    """A plan cannot say this; the message names what."""


def sources_of(tree: exp.Select, schema: Schema) -> dict[str, str]:
    """The tables by what the query calls them; each only once."""
    from sqlglot import exp

    source = tree.args.get("from_") or tree.args.get("from")
    if source is None:
        raise Foreign("no table")
    sources: dict[str, str] = {}
    for item in (source.this, *(join.this for join in tree.args.get("joins") or ())):
        table = (
            schema.table(f"{item.db}.{item.name}" if item.db else item.name) if isinstance(item, exp.Table) else None
        )
        if table is None:
            raise Foreign("a query in FROM" if isinstance(item, exp.Subquery) else "a table of its own")
        if table.full_name in sources.values():
            raise Foreign(f"{table.full_name} twice")
        sources[item.alias_or_name.casefold()] = table.full_name
    return sources


def rename(tree: exp.Select, sources: dict[str, str], schema: Schema) -> None:
    """Call each column of the outer query by its table's own name and its own spelling, in the inner queries too."""
    from sqlglot import exp

    names = {full.rpartition(".")[2].casefold() for full in sources.values()}
    inner = {t.alias_or_name.casefold() for t in tree.find_all(exp.Table) if t.parent_select is not tree}
    if names != set(sources) and inner & (names | set(sources)):
        raise Foreign("an inner query over the same table")
    outputs = {e.alias.casefold() for e in tree.expressions if isinstance(e, exp.Alias)}
    for column in list(tree.find_all(exp.Column)):
        if isinstance(column.this, exp.Star):
            continue
        outer = column.parent_select is tree
        if column.table and column.table.casefold() not in sources:
            if outer:
                raise Foreign(f"the name {column.sql()}")
            continue
        named = column.name.casefold() in outputs and _takes_outputs(column, schema.dialect)
        if not column.table and (named or not outer):
            continue
        owners = [sources[column.table.casefold()]] if column.table else list(sources.values())
        for name in owners:
            table = schema.table(name)
            if table and (found := table.column(column.name)):
                own = expression_of(ColumnRef(table=name, column=found.name), schema)
                column.replace(own)
                break
        else:
            if column.table or column.name.casefold() not in outputs:
                raise Foreign(f"the name {column.sql()}")


def _takes_outputs(column: exp.Column, dialect: str) -> bool:
    """Whether an output comes before the column of its name here: in ORDER BY, and in MySQL in HAVING."""
    from sqlglot import exp

    having = dialect == "mysql" and column.find_ancestor(exp.Having) and not column.find_ancestor(exp.AggFunc)
    return isinstance(column.parent, exp.Ordered) or bool(having)
