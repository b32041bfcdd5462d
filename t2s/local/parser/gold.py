"""SQL that somebody wrote to a query tree: what the parser is trained on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from t2s.local.parser.query import Column, Condition, Expression, Query, Value
from t2s.types.schema import Schema

if TYPE_CHECKING:
    from sqlglot import exp

_FUNCTIONS = {"Count": "count", "Sum": "sum", "Avg": "avg", "Min": "min", "Max": "max"}
_OPERATORS = {"EQ": "=", "NEQ": "!=", "GT": ">", "GTE": ">=", "LT": "<", "LTE": "<=", "Like": "like", "Is": "is"}
_NEGATED = {
    "like": "not like", "in": "not in", "between": "not between", "is": "is not",
    "=": "!=", "!=": "=", ">": "<=", "<=": ">", "<": ">=", ">=": "<",
}  # fmt: skip


class Beyond(Exception):
    """The query has something that the trees here cannot say."""


def read_sql(sql: str, schema: Schema) -> Query:
    """The tree of a query; raises `Beyond` where there is none."""
    from sqlglot import exp, parse_one
    from sqlglot.errors import SqlglotError

    try:
        tree = parse_one(sql, dialect=schema.dialect)
    except SqlglotError as e:
        raise Beyond(str(e)) from e
    if not isinstance(tree, exp.Query):
        raise Beyond("no query")
    return _query(tree, schema)


def tree_of(sql: str, schema: Schema) -> Query | None:
    """The tree of a query; None where there is none."""
    try:
        return read_sql(sql, schema)
    except Beyond:
        return None


def _query(tree: exp.Expr, schema: Schema) -> Query:
    from dataclasses import replace

    from sqlglot import exp

    if isinstance(tree, exp.Subquery):
        return _query(tree.this, schema)
    if isinstance(tree, exp.SetOperation):
        left, right = _query(tree.this, schema), _query(tree.expression, schema)
        kind = type(tree).__name__.casefold()
        if left.other or right.other:
            raise Beyond("a chain of set operations")
        return replace(left, operation=kind, other=right)  # type: ignore[arg-type]
    if not isinstance(tree, exp.Select):
        raise Beyond(type(tree).__name__)
    return _Reader(tree, schema).query()


class _Reader:
    """One SELECT with the names that are in scope."""

    def __init__(self, tree: exp.Select, schema: Schema) -> None:
        from sqlglot import exp

        self.tree, self.schema = tree, schema
        self.scope: dict[str, str] = {}
        source = tree.args.get("from_") or tree.args.get("from")
        if source is None:
            raise Beyond("no FROM")
        for item in (source.this, *(join.this for join in tree.args.get("joins") or ())):
            if not isinstance(item, exp.Table):
                raise Beyond("a query in FROM")
            table = schema.table(item.name)
            if table is None or table.full_name in self.scope.values():
                raise Beyond(f"table {item.name}")
            self.scope[item.alias_or_name.casefold()] = table.full_name

    def query(self) -> Query:
        from sqlglot import exp

        tree = self.tree
        where, any_of = self._conditions(tree.args.get("where"))
        having, having_any = self._conditions(tree.args.get("having"))
        group = tree.args.get("group")
        order = tree.args.get("order")
        limit = tree.args.get("limit")
        ordered = order.expressions if order else []
        if having_any:
            raise Beyond("HAVING … OR")
        directions = {bool(o.args.get("desc")) for o in ordered}
        return Query(
            select=tuple(self._expression(e) for e in tree.expressions),
            tables=tuple(self.scope.values()),
            distinct=bool(tree.args.get("distinct")),
            where=where,
            any_of=any_of,
            group=tuple(self._column(e) for e in group.expressions) if group else (),
            having=having,
            order=tuple(self._expression(o.this) for o in ordered),
            descending=directions == {True} or (len(directions) > 1 and bool(ordered[0].args.get("desc"))),
            limit=int(limit.expression.name) if limit and isinstance(limit.expression, exp.Literal) else None,
        )

    def _column(self, node: exp.Expr) -> Column:
        from sqlglot import exp

        if not isinstance(node, exp.Column):
            raise Beyond(type(node).__name__)
        names = [self.scope.get(node.table.casefold(), "")] if node.table else list(self.scope.values())
        for name in names:
            table = self.schema.table(name) if name else None
            if table and (column := table.column(node.name)):
                return table.full_name, column.name
        raise Beyond(f"column {node.name}")

    def _expression(self, node: exp.Expr) -> Expression:
        from sqlglot import exp

        node = node.unalias()
        if isinstance(node, exp.Star) or (isinstance(node, exp.Column) and isinstance(node.this, exp.Star)):
            return Expression()
        function = _FUNCTIONS.get(type(node).__name__)
        if function is None:
            return Expression("", self._column(node))
        inner = node.this
        if isinstance(inner, exp.Distinct):
            if len(inner.expressions) != 1:
                raise Beyond("DISTINCT of other than one column")
            inner = inner.expressions[0]
            return Expression(function, self._column(inner), True)
        if isinstance(inner, exp.Star):
            return Expression(function)
        return Expression(function, self._column(inner))

    def _conditions(self, clause: exp.Expr | None) -> tuple[tuple[Condition, ...], bool]:
        from sqlglot import exp

        if clause is None:
            return (), False
        node = clause.this.unnest()
        kind = exp.Or if node.find(exp.Or, bfs=True) is not None and isinstance(node, exp.Or) else exp.And
        flat = list(node.flatten()) if isinstance(node, kind) else [node]
        if any(isinstance(part.unnest(), exp.And | exp.Or) for part in flat):
            raise Beyond("AND and OR")
        return tuple(self._condition(part.unnest()) for part in flat), kind is exp.Or and len(flat) > 1

    def _condition(self, node: exp.Expr) -> Condition:
        from sqlglot import exp

        if isinstance(node, exp.Not):
            inner = self._condition(node.this.unnest())
            if inner.operator not in _NEGATED:
                raise Beyond("NOT of NOT")
            return Condition(inner.left, _NEGATED[inner.operator], inner.values, inner.query)
        if isinstance(node, exp.Between):
            return Condition(
                self._expression(node.this), "between", (_value(node.args["low"]), _value(node.args["high"]))
            )
        if isinstance(node, exp.In):
            inner_query = node.args.get("query")
            if inner_query is not None:
                return Condition(self._expression(node.this), "in", (), _query(inner_query, self.schema))
            return Condition(self._expression(node.this), "in", tuple(_value(v) for v in node.expressions))
        if isinstance(node, exp.Exists):
            return self._exists(node.this.unnest())
        operator = _OPERATORS.get(type(node).__name__)
        if operator is None:
            raise Beyond(type(node).__name__)
        right = node.expression
        if isinstance(right, exp.Subquery | exp.Select):
            return Condition(self._expression(node.this), operator, (), _query(right, self.schema))
        return Condition(self._expression(node.this), operator, (_value(right),))

    def _exists(self, inner: exp.Expr) -> Condition:
        """`EXISTS (… WHERE here.key = there.key AND …)` as `key IN (SELECT key … WHERE …)`."""
        from sqlglot import exp

        where = inner.args.get("where")
        if where is None:
            raise Beyond("EXISTS of anything")
        conditions = list(where.this.flatten()) if isinstance(where.this, exp.And) else [where.this]
        keys = [part for part in conditions if self._ties(part)]
        if len(keys) != 1:
            raise Beyond("EXISTS by other than one key")
        own, other = sorted((keys[0].this, keys[0].expression), key=lambda column: not self._is_own(column))
        rest = [part.copy() for part in conditions if part is not keys[0]]
        query = inner.copy()
        query.set("expressions", [other.copy()])
        query.set("where", exp.Where(this=exp.and_(*rest)) if rest else None)
        return Condition(Expression("", self._column(own)), "in", (), _query(query, self.schema))

    def _ties(self, node: exp.Expr) -> bool:
        """Whether a condition compares a column of this SELECT with one of another."""
        from sqlglot import exp

        sides = (node.this, node.expression) if isinstance(node, exp.EQ) else ()
        return [isinstance(side, exp.Column) and self._is_own(side) for side in sides].count(True) == 1 and all(
            isinstance(side, exp.Column) and side.table for side in sides
        )

    def _is_own(self, column: exp.Expr) -> bool:
        return column.text("table").casefold() in self.scope


def _value(node: exp.Expr) -> Value:
    from sqlglot import exp

    if isinstance(node, exp.Neg) and isinstance(node.this, exp.Literal) and not node.this.is_string:
        return -float(node.this.name)
    if isinstance(node, exp.Literal):
        return node.name if node.is_string else float(node.name)
    if isinstance(node, exp.Column) and not node.table:
        return node.name  # "double quotes" that SQLite takes for a string
    if isinstance(node, exp.Null):
        return "null"
    raise Beyond(type(node).__name__)
