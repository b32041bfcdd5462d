"""SQL that somebody wrote, read back into a plan; what a plan has no words for stays as it was written."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, get_args

from t2s.local.build import expression_of
from t2s.local.columns import is_date
from t2s.local.follow.readable import refuse_foreign
from t2s.local.follow.scope import Foreign, rename, sources_of
from t2s.local.plan import (
    Aggregate,
    Bucket,
    ColumnRef,
    Expression,
    Filter,
    Having,
    Join,
    Output,
    Plan,
    Test,
    Unit,
    Verbatim,
    Within,
)
from t2s.sql.parse import parse
from t2s.types.query import Problem
from t2s.types.schema import Schema

if TYPE_CHECKING:
    from sqlglot import exp

_FUNCTIONS = {"Count": "count", "Sum": "sum", "Avg": "avg", "Min": "min", "Max": "max"}
_OPERATORS = {"EQ": "eq", "NEQ": "ne", "GT": "gt", "GTE": "ge", "LT": "lt", "LTE": "le"}
_SURE = 2**53
"""Up to here a number read as a float is the number that was written."""


def read_plan(sql: str, schema: Schema) -> Plan:
    """The plan of a query; raises `Foreign` where it has what no plan can hold."""
    from sqlglot import exp

    tree = parse(sql, schema.dialect)
    if isinstance(tree, Problem):
        raise Foreign("a syntax of its own")
    if not isinstance(tree, exp.Select):
        raise Foreign("a set operation")
    refuse_foreign(tree)
    return _Reader(tree, schema).plan()


class _Reader:
    """One SELECT whose columns are called by their tables' own names."""

    def __init__(self, tree: exp.Select, schema: Schema) -> None:
        self.schema = schema
        self.sources = sources_of(tree, schema)
        self.tree = tree.copy()
        rename(self.tree, self.sources, schema)

    def plan(self) -> Plan:
        tree = self.tree
        outputs = tuple(self.output(node) for node in tree.expressions if not _is_star(node))
        if len(outputs) not in (0, len(tree.expressions)):
            raise Foreign("* beside other columns")
        if not outputs and not all(map(self.is_of_base, tree.expressions)):
            raise Foreign("* of another table than the first")
        where, having = tree.args.get("where"), tree.args.get("having")
        group, order, limit = tree.args.get("group"), tree.args.get("order"), tree.args.get("limit")
        return Plan(
            base=next(iter(self.sources.values())),
            joins=tuple(self.join(join) for join in tree.args.get("joins") or ()),
            outputs=outputs,
            filters=_periods([self.filter(node) for node in _conjuncts(where)]),
            groups=tuple(self.group(node, outputs) for node in group.expressions) if group else (),
            having=tuple(self.having(node, outputs) for node in _conjuncts(having)),
            order=tuple(self.ordered(node, outputs) for node in _keys(order)),
            limit=_number(limit.expression) if limit else None,
            distinct=tree.args.get("distinct") is not None,
        )

    def is_of_base(self, star: exp.Expr) -> bool:
        """Whether * or t.* are the columns of the first table."""
        from sqlglot import exp

        if isinstance(star, exp.Column):
            return star.table.casefold() == next(iter(self.sources))
        return len(self.sources) == 1

    def ref(self, node: exp.Column) -> ColumnRef:
        table = next((t for t in self.sources.values() if t.rpartition(".")[2] == node.table), None)
        if table is None:
            raise Foreign(f"the name {node.sql()}")
        return ColumnRef(table=table, column=node.name)

    def output(self, node: exp.Expr) -> Output:
        from sqlglot import exp

        return Output(
            expression=self.expression(node.unalias()), name=node.alias if isinstance(node, exp.Alias) else ""
        )

    def expression(self, node: exp.Expr) -> Expression:
        from sqlglot import exp

        if isinstance(node, exp.Column):
            return self.ref(node)
        function = _FUNCTIONS.get(type(node).__name__)
        inner = node.this if function else None
        if function == "count" and isinstance(inner, exp.Star):
            return Aggregate(function="count")
        distinct = isinstance(inner, exp.Distinct) and len(inner.expressions) == 1
        operand = inner.expressions[0] if distinct and inner is not None else inner
        if function and isinstance(operand, exp.Column):
            return Aggregate(function=function, operand=self.ref(operand), distinct=distinct)
        return self.bucket(node) or self.verbatim(node)

    def bucket(self, node: exp.Expr) -> Bucket | None:
        """The part of a date that an expression is, where it is written as we write it."""
        from sqlglot import exp, parse_one

        columns = {self.ref(column) for column in node.find_all(exp.Column)}
        if len(columns) != 1 or node.find(exp.AggFunc):
            return None
        (column,) = columns
        if not self.is_date(column):
            return None
        dialect = self.schema.dialect
        for unit in get_args(Unit):
            bucket = Bucket(column=column, unit=unit)
            ours = parse_one(expression_of(bucket, self.schema).sql(dialect=dialect), dialect=dialect)
            if ours.sql(dialect=dialect, normalize_functions="upper") == node.sql(
                dialect=dialect, normalize_functions="upper"
            ):
                return bucket
        return None

    def is_date(self, ref: ColumnRef) -> bool:
        table = self.schema.table(ref.table)
        found = table.column(ref.column) if table else None
        return found is not None and is_date(found)

    def verbatim(self, node: exp.Expr) -> Verbatim:
        from sqlglot import exp

        if node.find(exp.Window):
            raise Foreign("a window function")
        own = [c for c in node.find_all(exp.Column) if c.parent_select is self.tree and c.table]
        return Verbatim(
            sql=node.sql(dialect=self.schema.dialect),
            columns=tuple(dict.fromkeys(map(self.ref, own))),
            aggregates=any(a.parent_select is self.tree for a in node.find_all(exp.AggFunc)),
        )

    def group(self, node: exp.Expr, outputs: tuple[Output, ...]) -> ColumnRef | Bucket | Verbatim:
        found = self.named(node, outputs)
        if isinstance(found, Aggregate):
            raise Foreign("groups by an aggregate")
        return found

    def named(self, node: exp.Expr, outputs: tuple[Output, ...]) -> Expression:
        """An expression, or the output that it names or counts: ORDER BY n, GROUP BY 1."""
        from sqlglot import exp

        if isinstance(node, exp.Literal) and node.is_int and 0 < int(node.name) <= len(outputs):
            return outputs[int(node.name) - 1].expression
        if isinstance(node, exp.Column) and not node.table:
            found = next((o.expression for o in outputs if o.name and o.name.casefold() == node.name.casefold()), None)
            if found is None:
                raise Foreign(f"the name {node.name}")
            return found
        return self.expression(node)

    def ordered(self, node: exp.Expr, outputs: tuple[Output, ...]) -> tuple[Expression, bool]:
        return self.named(node.this, outputs), bool(node.args.get("desc"))

    def filter(self, node: exp.Expr) -> Filter:
        from sqlglot import exp

        kind = _OPERATORS.get(type(node).__name__)
        day = _day(node.expression) if kind in ("ge", "lt") and isinstance(node.this, exp.Column) else None
        if day is not None and self.is_date(ref := self.ref(node.this)):
            return Within(column=ref, first=day if kind == "ge" else None, after=day if kind == "lt" else None)
        if kind and isinstance(node.this, exp.Column) and _is_value(node.expression):
            return Test(column=self.ref(node.this), operator=kind, values=(_value(node.expression),))
        listed = isinstance(node, exp.In) and node.expressions and all(map(_is_value, node.expressions))
        if listed and isinstance(node.this, exp.Column):
            values = tuple(map(_value, node.expressions))
            return Test(column=self.ref(node.this), operator="in", values=values)
        return self.verbatim(node)

    def having(self, node: exp.Expr, outputs: tuple[Output, ...]) -> Having | Verbatim:
        kind = _OPERATORS.get(type(node).__name__)
        if kind and _is_value(node.expression):
            left, value = self.named(node.this, outputs), _value(node.expression)
            if isinstance(left, Aggregate) and isinstance(value, float):
                return Having(aggregate=left, operator=kind, values=(value,))
        return self.verbatim(node)

    def join(self, node: exp.Join) -> Join:
        from sqlglot import exp

        plain = str(node.side or "") == "" and str(node.kind or "") in ("", "INNER")
        on = node.args.get("on")
        if not plain or on is None:
            raise Foreign("a join other than by its keys")
        joined = self.sources[node.this.alias_or_name.casefold()]
        pairs = []
        for part in _flat(on):
            if not (isinstance(part, exp.EQ) and all(isinstance(s, exp.Column) for s in (part.this, part.expression))):
                raise Foreign("a join other than by its keys")
            one, other = self.ref(part.this), self.ref(part.expression)
            pairs.append((other, one) if one.table == joined else (one, other))
        return Join(table=joined, pairs=tuple(pairs))


def _periods(filters: list[Filter]) -> tuple[Filter, ...]:
    """The filters, with the two ends of a period as one."""
    found: list[Filter] = []
    for filter_ in filters:
        last = found[-1] if found else None
        match last, filter_:
            case Within(column=one, after=None), Within(column=other, first=None) if one == other:
                found[-1] = replace(last, after=filter_.after)
            case _:
                found.append(filter_)
    return tuple(found)


def _day(node: exp.Expr) -> date | None:
    """The day that a literal, or a cast of one to a date, says."""
    from sqlglot import exp

    inner = node.this if isinstance(node, exp.Cast) and node.to.is_type(exp.DType.DATE) else node
    if not (isinstance(inner, exp.Literal) and inner.is_string):
        return None
    try:
        day = date.fromisoformat(inner.name)
    except ValueError:
        return None
    return day if day.isoformat() == inner.name else None  # 20240101 is compared as the text that it is


def _is_star(node: exp.Expr) -> bool:
    from sqlglot import exp

    return isinstance(node, exp.Star) or (isinstance(node, exp.Column) and isinstance(node.this, exp.Star))


def _keys(order: exp.Order | None) -> list[exp.Ordered]:
    """What ORDER BY orders by, without the CASE before a key that MySQL needs to put its NULLs last."""
    from sqlglot import exp

    keys = list(order.expressions) if order else []
    tests = [key.this.find(exp.Is) if isinstance(key.this, exp.Case) else None for key in keys]
    after = [key.this for key in keys[1:]]
    empty = [test is not None and test.this == key for test, key in zip(tests, after, strict=False)]
    return [key for key, is_empty in zip(keys, [*empty, False], strict=False) if not is_empty]


def _conjuncts(clause: exp.Expr | None) -> list[exp.Expr]:
    return _flat(clause.this) if clause is not None else []


def _flat(node: exp.Expr) -> list[exp.Expr]:
    """The conditions that AND joins."""
    from sqlglot import exp

    found, left = [], [node]
    while left:  # a loop, for there may be thousands
        part = left.pop().unnest()
        if isinstance(part, exp.And):
            left += [part.expression, part.this]
        else:
            found.append(part)
    return found


def _is_value(node: exp.Expr) -> bool:
    from sqlglot import exp

    inner = node.this if isinstance(node, exp.Neg) else node
    return isinstance(inner, exp.Literal) and (inner.is_string or abs(float(inner.name)) < _SURE)


def _value(node: exp.Expr) -> str | float:
    from sqlglot import exp

    if isinstance(node, exp.Neg):
        return -float(node.this.name)
    return str(node.name) if node.is_string else float(node.name)


def _number(node: exp.Expr) -> int:
    from sqlglot import exp

    if not (isinstance(node, exp.Literal) and node.is_int):
        raise Foreign("a computed LIMIT")
    return int(node.name)
