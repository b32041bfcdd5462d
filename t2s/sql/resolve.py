"""Every table and column of a query, looked up in the schema; what is missing is named with its place.

Where an engine is more liberal than can be known here, the name is let pass: EXPLAIN has the last word.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from t2s.sql.guard import guard_tree
from t2s.sql.names import nearest
from t2s.sql.parse import parse, place
from t2s.types.query import Problem, Rejected, Valid
from t2s.types.schema import Dialect, Schema, Table

if TYPE_CHECKING:
    from sqlglot import exp
    from sqlglot.optimizer.scope import Scope

_HIDDEN_COLUMNS: dict[Dialect, frozenset[str]] = {
    "sqlite": frozenset({"rowid", "oid", "_rowid_"}),
    "duckdb": frozenset({"rowid"}),
    "postgres": frozenset({"ctid", "xmin", "xmax", "cmin", "cmax", "tableoid"}),
    "mysql": frozenset(),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Source:
    """What stands behind an alias: a table of the schema, named columns, or (None) who knows what."""

    table: Table | None = None
    names: frozenset[str] | None = None

    def has(self, column: str, dialect: Dialect) -> bool:
        if self.table is not None:
            return self.table.column(column) is not None or column in _HIDDEN_COLUMNS[dialect]
        return self.names is None or column in self.names


def check(sql: str, schema: Schema) -> Valid | Rejected:
    """Guard and resolve `sql` in the schema's dialect; problems are in the order of the text."""
    tree = parse(sql, schema.dialect)
    if isinstance(tree, Problem):
        return Rejected(sql=sql, problems=(tree,))
    problems = guard_tree(tree, schema.dialect, schema.functions)
    if problems:
        return Rejected(sql=sql, problems=problems)
    try:
        resolver = _Resolver(schema)
        resolver.resolve(tree)
    except RecursionError:
        deep = Problem(code="syntax", message="the query is nested too deeply")
        return Rejected(sql=sql, problems=(deep,))
    if resolver.problems:
        in_order = sorted(resolver.problems.values(), key=lambda p: (p.line or 0, p.column or 0))
        return Rejected(sql=sql, problems=tuple(in_order))
    return Valid(sql=sql, tables=tuple(sorted(resolver.tables)), columns=tuple(sorted(resolver.columns)))


class _Resolver:
    """Walks the scopes of one query; collects what it reads and what it cannot find."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self.dialect = schema.dialect
        self.tables: set[str] = set()
        self.columns: set[str] = set()
        self.problems: dict[str, Problem] = {}
        self._scope_of: dict[int, Scope] = {}
        self._sources: dict[int, dict[str, _Source]] = {}
        self._by_name = {t.full_name.casefold(): t for t in reversed(schema.tables)}
        for table in reversed(schema.tables):
            self._by_name.setdefault(table.name.casefold(), table)

    def resolve(self, tree: exp.Expr) -> None:
        from sqlglot.errors import OptimizeError
        from sqlglot.optimizer.scope import traverse_scope, walk_in_scope

        try:
            scopes = traverse_scope(tree)
        except OptimizeError:  # a shape that the scope builder does not know: only the tables are looked up
            self._tables_only(tree)
            return
        self._scope_of = {id(scope.expression): scope for scope in scopes}
        for scope in scopes:
            self._sources_of(scope)
        for scope in scopes:
            own = {id(node) for node in walk_in_scope(scope.expression)}
            for column in scope.columns:
                if id(column) in own:  # the others belong to subqueries, which have their turn
                    self._column(column, scope)

    def _tables_only(self, tree: exp.Expr) -> None:
        from sqlglot import exp

        named = {cte.alias_or_name.casefold() for cte in tree.find_all(exp.CTE)}
        for node in tree.find_all(exp.Table):
            if node.name.casefold() not in named:
                self._table(node)

    def _sources_of(self, scope: Scope) -> dict[str, _Source]:
        """What each alias of a scope stands for, by its folded name."""
        from sqlglot import exp
        from sqlglot.optimizer.scope import Scope

        if id(scope) not in self._sources:
            sources: dict[str, _Source] = {}
            self._sources[id(scope)] = sources  # before the loop: a recursive CTE is its own source
            for alias, source in scope.sources.items():
                if isinstance(source, Scope):
                    sources[alias.casefold()] = self._derived(source, scope, alias)
                elif isinstance(source, exp.Table):
                    sources[alias.casefold()] = self._table(source)
                else:
                    sources[alias.casefold()] = _Source()
        return self._sources[id(scope)]

    def _table(self, node: exp.Table) -> _Source:
        from sqlglot import exp

        if not isinstance(node.this, exp.Identifier) or node.args.get("pivots"):
            return _Source()
        full = f"{node.db}.{node.name}" if node.db else node.name
        table = self._by_name.get(full.casefold())
        if table is None and node.db:
            bare = self._by_name.get(node.name.casefold())  # main.t, public.t, db.t: the default namespace
            table = bare if bare is not None and bare.namespace is None else None
        if table is None:
            near = nearest(full, (t.full_name for t in self.schema.tables))
            self._missing(node, "unknown_table", f"there is no table {full}", near)
            return _Source()
        self.tables.add(table.full_name)
        if node.args.get("alias") and node.args["alias"].args.get("columns"):
            return _Source()  # t AS x(a, b): renamed
        return _Source(table=table)

    def _derived(self, source: Scope, scope: Scope, alias: str) -> _Source:
        """The columns that a subquery or CTE gives, where they can all be told."""
        expression = source.expression
        if source.is_udtf or expression.args.get("pivots"):
            return _Source()
        reference = dict(scope.references).get(alias)
        if renamed := _renamed(source) or (_aliases(reference) if reference is not None else ()):
            return _Source(names=frozenset(name.casefold() for name in renamed))
        names = self._outputs(source)
        return _Source(names=names)

    def _outputs(self, scope: Scope) -> frozenset[str] | None:
        from sqlglot import exp

        query = scope.expression
        while isinstance(query, exp.Subquery | exp.SetOperation):  # the first SELECT names the columns
            query = query.this
            scope = self._scope_of.get(id(query), scope)
        if not isinstance(query, exp.Select) or scope.expression is not query:
            return None
        names: set[str] = set()
        for projection in query.expressions:
            star = projection.find(exp.Star) if projection.is_star else None
            if star is not None or isinstance(projection, exp.Star):
                expanded = self._starred(projection, scope)
                if expanded is None:
                    return None
                names |= expanded
            elif projection.output_name:
                names.add(projection.output_name.casefold())
            else:  # an engine's own name for an expression, such as SQLite's "count(*)"
                names.add(projection.sql(dialect=self.dialect).casefold())
                return None if self.dialect in ("sqlite", "duckdb", "postgres") else frozenset(names)
        return frozenset(names)

    def _starred(self, projection: exp.Expr, scope: Scope) -> set[str] | None:
        from sqlglot import exp

        sources = self._sources_of(scope)
        if isinstance(projection, exp.Column) and projection.table:
            wanted = [sources.get(projection.table.casefold(), _Source())]
        else:
            wanted = [sources[a.casefold()] for a in scope.selected_sources if a.casefold() in sources]
        names: set[str] = set()
        for source in wanted:
            if source.table is not None:
                names |= {column.name.casefold() for column in source.table.columns}
            elif source.names is not None:
                names |= source.names
            else:
                return None
        return names

    def _column(self, column: exp.Column, scope: Scope) -> None:
        from sqlglot import exp

        if isinstance(column.this, exp.Star):
            if column.table and not self._find_alias(column.table, scope):
                self._unknown_alias(column, scope)
            return
        name = column.name.casefold()
        if column.table:
            source = self._find_alias(column.table, scope)
            if source is None:
                if not self._is_struct(column, scope):
                    self._unknown_alias(column, scope)
            elif source.has(name, self.dialect):
                self._read(source, name)
            elif source.table is not None or source.names is not None:
                self._unknown_column(column, (source,))
            return
        for outer in _outwards(scope):
            for source in self._visible(outer):
                if source.has(name, self.dialect):
                    self._read(source, name)
                    return
            if name in _select_aliases(outer) or self._find_alias(name, outer):
                return  # an alias of this SELECT, or a whole row
        if self.dialect == "sqlite" and column.this.args.get("quoted"):
            return  # SQLite takes a name in double quotes that is no column for a string
        self._unknown_column(column, tuple(s for outer in _outwards(scope) for s in self._visible(outer)))

    def _visible(self, scope: Scope) -> tuple[_Source, ...]:
        sources = self._sources_of(scope)
        return tuple(sources[a.casefold()] for a in scope.selected_sources if a.casefold() in sources)

    def _find_alias(self, alias: str, scope: Scope) -> _Source | None:
        for outer in _outwards(scope):
            sources = self._sources_of(outer)
            folded = alias.casefold()
            if folded in sources:
                return sources[folded]
        return None

    def _is_struct(self, column: exp.Column, scope: Scope) -> bool:
        """Whether `a.b` may be field b of a column a, or a table named with its namespace or database."""
        if column.db:
            return True
        folded = column.table.casefold()
        return self.dialect in ("duckdb", "postgres") and any(
            source.has(folded, self.dialect) for outer in _outwards(scope) for source in self._visible(outer)
        )

    def _read(self, source: _Source, name: str) -> None:
        if source.table is not None and (column := source.table.column(name)):
            self.columns.add(f"{source.table.full_name}.{column.name}")

    def _unknown_alias(self, column: exp.Column, scope: Scope) -> None:
        aliases = [a for outer in _outwards(scope) for a in outer.selected_sources]
        near = nearest(column.table, aliases)
        where = column.args["table"]
        self._missing(where, "unknown_table", f"there is no table or alias {column.table} here", near)

    def _unknown_column(self, column: exp.Column, sources: tuple[_Source, ...]) -> None:
        names = [c.name for s in sources if s.table is not None for c in s.table.columns]
        names += [n for s in sources for n in s.names or ()]
        elsewhere = [t.full_name for t in self.schema.tables if t.column(column.name)]
        tables = sorted({s.table.full_name for s in sources if s.table is not None})
        where = f" in {', '.join(tables)}" if tables else ""
        hint = f" (it is in {', '.join(elsewhere[:3])})" if elsewhere else ""
        near = nearest(column.name, names)
        self._missing(column.this, "unknown_column", f"there is no column {column.name}{where}{hint}", near)

    def _missing(self, node: exp.Expr, code: str, message: str, suggestion: str | None) -> None:
        line, at = place(node)
        problem = Problem(code=code, message=message, line=line, column=at, suggestion=suggestion)
        self.problems.setdefault(f"{code} {message}", problem)


def _outwards(scope: Scope) -> Iterator[Scope]:
    """The scope and those around it, from the inside out."""
    here: Scope | None = scope
    while here is not None:
        yield here
        here = here.parent


def _select_aliases(scope: Scope) -> frozenset[str]:
    """The names that a SELECT gives itself; most engines take them in some clause or other."""
    from sqlglot import exp

    if not isinstance(scope.expression, exp.Select):
        return frozenset(name.casefold() for name in getattr(scope.expression, "named_selects", ()))
    return frozenset(p.alias.casefold() for p in scope.expression.expressions if isinstance(p, exp.Alias))


def _renamed(scope: Scope) -> tuple[str, ...]:
    """The column names that `WITH t(a, b)` or `(…) AS t(a, b)` gives."""
    return tuple(column if isinstance(column, str) else column.name for column in scope.outer_columns)


def _aliases(reference: exp.Expr) -> tuple[str, ...]:
    alias = reference.args.get("alias")
    return tuple(column.name for column in alias.args.get("columns") or ()) if alias is not None else ()
