"""The SELECTs of a query, each with what stands behind its aliases."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from t2s.types.schema import Column, Dialect, Schema, Table

if TYPE_CHECKING:
    from sqlglot import exp
    from sqlglot.optimizer.scope import Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """The column of a table that an expression reads; `alias` tells two uses of one table apart."""

    alias: str
    table: Table
    column: Column


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One SELECT; `tables` maps the aliases of tables, `derived` those of subqueries to their columns, all folded.

    A derived source whose columns cannot be told has None. `nested` is whether it stands inside another query.
    """

    select: exp.Select
    dialect: Dialect
    tables: Mapping[str, Table]
    derived: Mapping[str, frozenset[str] | None]
    nested: bool

    def origin(self, node: exp.Expr | None) -> Origin | None:
        """The table's column that `node` is; None for anything else, or where it cannot be told."""
        from sqlglot import exp

        if isinstance(node, exp.Paren):
            return self.origin(node.this)
        if not isinstance(node, exp.Column) or isinstance(node.this, exp.Star):
            return None
        if node.table:
            alias = node.table.casefold()
            table = self.tables.get(alias)
            column = table.column(node.name) if table else None
            return Origin(alias=alias, table=table, column=column) if table and column else None
        if any(names is None or node.name.casefold() in names for names in self.derived.values()):
            return None
        found = [(alias, table, c) for alias, table in self.tables.items() if (c := table.column(node.name))]
        if len(found) != 1:
            return None
        alias, table, column = found[0]
        return Origin(alias=alias, table=table, column=column)

    def aliases_in(self, node: exp.Expr) -> frozenset[str]:
        """The sources of this SELECT that an expression reads, as far as can be told."""
        from sqlglot import exp

        found = set()
        for column in node.find_all(exp.Column):
            inner = _between(column, self.select)
            if column.table:
                alias = column.table.casefold()
                if alias in (*self.tables, *self.derived) and alias not in inner:
                    found.add(alias)
            elif not inner:
                found |= {a for a, table in self.tables.items() if table.column(column.name)}
                found |= {a for a, names in self.derived.items() if names and column.name.casefold() in names}
        return frozenset(found)

    def text(self, node: exp.Expr | None) -> str | None:
        """The string that `node` is: SQLite takes a name in double quotes that is no column for one."""
        from sqlglot import exp

        if isinstance(node, exp.Literal):
            return node.name if node.is_string else None
        quoted = isinstance(node, exp.Column) and not node.table and node.this.args.get("quoted")
        if quoted and node is not None and self.dialect == "sqlite" and not self.aliases_in(node):
            return node.name
        return None

    @property
    def conditions(self) -> tuple[exp.Expr, ...]:
        """What every row of the result must satisfy: the parts of WHERE and of the inner joins."""
        parts = [self.select.args.get("where")]
        joins = self.select.args.get("joins") or ()
        if not any(join.side for join in joins):
            parts += joins
        return tuple(part for clause in parts if clause is not None for part in conjuncts(_condition(clause)))

    @property
    def keys(self) -> tuple[exp.Expr, ...]:
        """What the SELECT groups by; positions and aliases are replaced by what they stand for."""
        from sqlglot import exp

        group = self.select.args.get("group")
        named = {p.alias.casefold(): p.this for p in self.select.expressions if isinstance(p, exp.Alias)}
        found = []
        for key in group.expressions if group else ():
            if isinstance(key, exp.Literal) and key.is_int and 0 < int(key.name) <= len(self.select.expressions):
                found.append(self.select.expressions[int(key.name) - 1].unalias())
            elif isinstance(key, exp.Column) and not key.table and self.origin(key) is None:
                found.append(named.get(key.name.casefold(), key))
            else:
                found.append(key)
        return tuple(found)

    def aggregates(self) -> Iterator[exp.AggFunc]:
        """The aggregates of this SELECT itself, in the select list, HAVING and ORDER BY."""
        from sqlglot import exp

        clauses = [*self.select.expressions, self.select.args.get("having"), self.select.args.get("order")]
        for clause in clauses:
            for node in clause.find_all(exp.AggFunc) if clause is not None else ():
                windowed = isinstance(node.parent, exp.Window | exp.Filter | exp.WithinGroup)
                if node.find_ancestor(exp.Select) is self.select and not windowed:
                    yield node


def blocks(tree: exp.Expr, schema: Schema) -> tuple[Block, ...]:
    """Every SELECT of a query that fits the schema, the innermost first; none where the shape is not understood."""
    from sqlglot import exp
    from sqlglot.errors import OptimizeError
    from sqlglot.optimizer.scope import traverse_scope

    try:
        scopes = traverse_scope(tree)
    except OptimizeError:
        return ()
    return tuple(_block(scope, schema, tree) for scope in scopes if isinstance(scope.expression, exp.Select))


def comparisons(node: exp.Expr | None) -> Iterator[exp.Expr]:
    """The single tests of a condition, however they are put together."""
    from sqlglot import exp

    if isinstance(node, exp.Connector):
        yield from comparisons(node.this)
        yield from comparisons(node.expression)
    elif isinstance(node, exp.Paren | exp.Not):
        yield from comparisons(node.this)
    elif node is not None:
        yield node


def conjuncts(node: exp.Expr | None) -> Iterator[exp.Expr]:
    """The parts of a condition that are joined by AND."""
    from sqlglot import exp

    if isinstance(node, exp.And):
        yield from conjuncts(node.this)
        yield from conjuncts(node.expression)
    elif isinstance(node, exp.Paren):
        yield from conjuncts(node.this)
    elif node is not None:
        yield node


def _between(column: exp.Expr, select: exp.Select) -> frozenset[str]:
    """The aliases of the queries that stand between a column and a SELECT around it."""
    from sqlglot import exp

    aliases: frozenset[str] = frozenset()
    node = column.parent
    while node is not None and node is not select:
        if isinstance(node, exp.Select):
            sources = [node.args.get("from_"), *(node.args.get("joins") or ())]
            aliases = aliases | {source.this.alias_or_name.casefold() for source in sources if source is not None}
        node = node.parent
    return aliases


def _condition(clause: exp.Expr) -> exp.Expr | None:
    from sqlglot import exp

    found: exp.Expr | None = clause.args.get("on") if isinstance(clause, exp.Join) else clause.this
    return found


def _block(scope: Scope, schema: Schema, tree: exp.Expr) -> Block:
    from sqlglot import exp
    from sqlglot.optimizer.scope import Scope

    tables: dict[str, Table] = {}
    derived: dict[str, frozenset[str] | None] = {}
    for alias, (_, source) in scope.selected_sources.items():
        table = None
        if isinstance(source, exp.Table) and isinstance(source.this, exp.Identifier):
            table = schema.table(f"{source.db}.{source.name}" if source.db else source.name)
        if table is not None:
            tables[alias.casefold()] = table
        else:
            derived[alias.casefold()] = _names(source.expression) if isinstance(source, Scope) else None
    for join in scope.expression.args.get("laterals") or ():
        derived[join.alias_or_name.casefold()] = None
    assert isinstance(scope.expression, exp.Select)
    return Block(
        select=scope.expression,
        dialect=schema.dialect,
        tables=tables,
        derived=derived,
        nested=scope.expression is not tree,
    )


def _names(query: exp.Expr) -> frozenset[str] | None:
    from sqlglot import exp

    if not isinstance(query, exp.Query) or query.is_star:
        return None
    return frozenset(name.casefold() for name in query.named_selects)
