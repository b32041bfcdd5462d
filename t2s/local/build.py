"""A plan to a sqlglot tree, to SQL of a dialect."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING

from t2s.local.plan import (
    AgainstAverage,
    Aggregate,
    Bucket,
    ColumnRef,
    Exists,
    Expression,
    Filter,
    Having,
    Plan,
    Product,
    Test,
    Verbatim,
    Within,
)
from t2s.types.schema import Schema, Table

if TYPE_CHECKING:
    from sqlglot import exp

_PLAIN = re.compile(r"[a-z_][a-z0-9_]*\Z")
RESERVED = frozenset(
    """
    add all alter and any as asc between by case cast check column constraint create cross current_date current_time
    database default delete desc distinct drop else end except exists false fetch filter first for foreign from full
    function grant group groups having if in index inner insert intersect interval into is join key keys last lateral
    leading left like limit match natural no not null offset on only or order outer over partition primary range rank
    references right row rows select set show some system table then to trailing true union unique update user using
    values view when where window with language year month day date time timestamp percent
    """.split()
)
_FORMATS = {"year": "%Y", "month": "%Y-%m", "day": "%Y-%m-%d", "week": "%Y-%W"}


def build(plan: Plan, schema: Schema) -> exp.Select:
    """The tree of a plan; `render` makes text of it."""
    from sqlglot import exp

    star = exp.column(exp.Star(), table=_name(plan.base.rpartition(".")[2])) if plan.joins else exp.Star()
    outputs = [_output(o.expression, o.name, schema) for o in plan.outputs] or [star]
    select = exp.select(*outputs).from_(_table(plan.base, schema))
    for join in plan.joins:
        select = select.join(_table(join.table, schema), on=_pairs(join.pairs), join_type="inner")
    conditions = [_filter(filter_, schema) for filter_ in plan.filters]
    if conditions:
        select = select.where(exp.or_(*conditions) if plan.any_of else exp.and_(*conditions))
    if plan.groups:
        select = select.group_by(*(expression_of(group, schema) for group in plan.groups))
    for having in plan.having:
        select = select.having(_having(having, schema))
    for expression, descending in plan.order:
        nulls_first = _nulls_first(expression, descending, schema, limited=plan.limit is not None)
        ordered = exp.Ordered(this=expression_of(expression, schema), desc=descending, nulls_first=nulls_first)
        select = select.order_by(ordered)
    if plan.limit is not None:
        select = select.limit(plan.limit)
    if plan.averaged:
        return _averaged(select, plan.outputs[0].name)
    return select.distinct() if plan.distinct else select


def _averaged(inner: exp.Select, name: str) -> exp.Select:
    """The average of the one column of a query."""
    from sqlglot import exp

    average = exp.Avg(this=exp.Column(this=_name(name), table=_name("groups_")))
    return exp.select(exp.alias_(average, _name(f"average_{name}"))).from_(inner.subquery("groups_"))


def _nulls_first(expression: Expression, descending: bool, schema: Schema, *, limited: bool) -> bool:
    """Where the engine puts NULLs by itself, so that nothing need be said; the first of a ranking is no NULL."""
    if limited and _may_be_null(expression, schema):
        return False
    if schema.dialect == "duckdb":
        return False
    return descending == (schema.dialect == "postgres")


def _may_be_null(expression: Expression, schema: Schema) -> bool:
    """Whether a column that is shown, cut, summed or averaged may be without a value."""
    if isinstance(expression, Aggregate) and (expression.function == "count" or expression.operand is None):
        return False
    for ref in _columns(expression):
        table = schema.table(ref.table)
        found = table.column(ref.column) if table else None
        if found is None or found.nullable:
            return True
    return False


def _columns(expression: Expression) -> tuple[ColumnRef, ...]:
    match expression:
        case ColumnRef() as ref:
            return (ref,)
        case Bucket(column=ref) | Aggregate(operand=ColumnRef() as ref):
            return (ref,)
        case Aggregate(operand=Product(factors=factors)):
            return factors
    return ()


def render(plan: Plan, schema: Schema) -> str:
    """The SQL of a plan in the schema's dialect."""
    return build(plan, schema).sql(dialect=schema.dialect, pretty=True, max_text_width=100)


def _name(name: str) -> exp.Identifier:
    """An identifier, in quotes where the engine would otherwise read it differently."""
    from sqlglot import exp

    return exp.to_identifier(name, quoted=not _PLAIN.match(name) or name in RESERVED)


def _table(full_name: str, schema: Schema) -> exp.Table:
    from sqlglot import exp

    table: Table | None = schema.table(full_name)
    assert table is not None  # plans are made from the schema
    return exp.Table(this=_name(table.name), db=_name(table.namespace) if table.namespace else None)


def _column(ref: ColumnRef) -> exp.Column:
    from sqlglot import exp

    return exp.Column(this=_name(ref.column), table=_name(ref.table.rpartition(".")[2]))


def _output(expression: Expression, name: str, schema: Schema) -> exp.Expr:
    from sqlglot import exp

    built = expression_of(expression, schema)
    return exp.alias_(built, _name(name)) if name else built


def expression_of(expression: Expression, schema: Schema) -> exp.Expr:
    """The tree of one expression of a plan."""
    match expression:
        case ColumnRef():
            return _column(expression)
        case Bucket():
            return _bucket(expression, schema)
        case Aggregate():
            return _aggregate(expression)
        case Verbatim():
            return _verbatim(expression, schema)


def _verbatim(written: Verbatim, schema: Schema) -> exp.Expr:
    from sqlglot import exp

    return exp.condition(written.sql, dialect=schema.dialect)


def _aggregate(aggregate: Aggregate) -> exp.Expr:
    from sqlglot import exp

    operand: exp.Expr
    match aggregate.operand:
        case None:
            return exp.Count(this=exp.Star())
        case Product(factors=factors, discount=discount):
            operand = exp.Mul(this=_column(factors[0]), expression=_column(factors[1]))
            if discount:
                rest = exp.paren(exp.Sub(this=exp.Literal.number(1), expression=_column(discount)))
                operand = exp.Mul(this=operand, expression=rest)
        case ColumnRef() as ref:
            operand = _column(ref)
    if aggregate.distinct:
        operand = exp.Distinct(expressions=[operand])
    kinds = {"count": exp.Count, "sum": exp.Sum, "avg": exp.Avg, "min": exp.Min, "max": exp.Max}
    return kinds[aggregate.function](this=operand)


def _bucket(bucket: Bucket, schema: Schema) -> exp.Expr:
    """The year as a number; other units as text that sorts (2024-03, 2024-Q1) or as the engine's own date."""
    from sqlglot import exp

    column = _column(bucket.column)
    dialect = schema.dialect
    if dialect in ("duckdb", "postgres"):
        if bucket.unit == "year":
            return exp.cast(exp.Extract(this=exp.var("YEAR"), expression=column), "int")
        cut = exp.Anonymous(this="DATE_TRUNC", expressions=[exp.Literal.string(bucket.unit), column])
        return exp.cast(cut, "date")
    if bucket.unit == "year":
        if dialect == "mysql":
            return exp.Extract(this=exp.var("YEAR"), expression=column)
        return exp.cast(_formatted(column, "%Y", dialect), "int")
    if bucket.unit == "quarter":
        return _quarter(column, dialect)
    return _formatted(column, _FORMATS[bucket.unit], dialect)


def _formatted(column: exp.Column, form: str, dialect: str) -> exp.Expr:
    from sqlglot import exp

    text = exp.Literal.string(form.replace("%W", "%v") if dialect == "mysql" else form)
    if dialect == "mysql":
        return exp.Anonymous(this="DATE_FORMAT", expressions=[column, text])
    return exp.Anonymous(this="STRFTIME", expressions=[text, column])


def _quarter(column: exp.Column, dialect: str) -> exp.Expr:
    from sqlglot import exp

    if dialect == "mysql":
        number: exp.Expr = exp.Anonymous(this="QUARTER", expressions=[column.copy()])
        year: exp.Expr = exp.Anonymous(this="YEAR", expressions=[column.copy()])
        return exp.Anonymous(this="CONCAT", expressions=[year, exp.Literal.string("-Q"), number])
    month = exp.cast(_formatted(column.copy(), "%m", dialect), "int")
    number = exp.Div(
        this=exp.paren(exp.Add(this=month, expression=exp.Literal.number(2))), expression=exp.Literal.number(3)
    )
    year = _formatted(column.copy(), "%Y", dialect)
    dashed = exp.DPipe(this=year, expression=exp.Literal.string("-Q"), safe=True)
    return exp.DPipe(this=dashed, expression=exp.paren(number), safe=True)


def _pairs(pairs: tuple[tuple[ColumnRef, ColumnRef], ...]) -> exp.Expr:
    from sqlglot import exp

    return exp.and_(*(exp.EQ(this=_column(left), expression=_column(right)) for left, right in pairs))


def _filter(filter_: Filter, schema: Schema) -> exp.Expr:
    match filter_:
        case Test():
            return _test(filter_)
        case Within():
            return _within(filter_, schema)
        case AgainstAverage():
            return _against_average(filter_, schema)
        case Exists():
            return _exists(filter_, schema)
        case Verbatim():
            return _verbatim(filter_, schema)


def _test(test: Test) -> exp.Expr:
    from sqlglot import exp

    column = _column(test.column)
    values = [_literal(value) for value in test.values]
    match test.operator:
        case "null" | "not_null":
            empty = exp.Is(this=column, expression=exp.Null())
            return exp.not_(empty) if test.operator == "not_null" else empty
        case "true" | "false":
            return exp.not_(column) if test.operator == "false" else column
        case "in" | "not_in":
            within = exp.In(this=column, expressions=values)
            return exp.not_(within) if test.operator == "not_in" else within
        case "like" | "not_like":
            like = exp.Like(this=exp.func("LOWER", column), expression=_lowered(values[0]))
            return exp.not_(like) if test.operator == "not_like" else like
        case "between":
            return exp.Between(this=column, low=values[0], high=values[1])
    return _compared(column, test.operator, values[0])


def _lowered(value: exp.Expr) -> exp.Expr:
    from sqlglot import exp

    return exp.Literal.string(str(value.this).lower())


def _compared(left: exp.Expr, operator: str, right: exp.Expr) -> exp.Expr:
    from sqlglot import exp

    kinds = {"eq": exp.EQ, "ne": exp.NEQ, "gt": exp.GT, "ge": exp.GTE, "lt": exp.LT, "le": exp.LTE}
    return kinds[operator](this=left, expression=right)


def _literal(value: str | float) -> exp.Expr:
    from sqlglot import exp

    if isinstance(value, str):
        return exp.Literal.string(value)
    return exp.Literal.number(int(value) if value == int(value) else value)


def _within(within: Within, schema: Schema) -> exp.Expr:
    from sqlglot import exp

    def day(value: date) -> exp.Expr:
        text = exp.Literal.string(value.isoformat())
        return text if schema.dialect == "sqlite" else exp.cast(text, "date")

    tests: list[exp.Expr] = []
    if within.first:
        tests.append(exp.GTE(this=_column(within.column), expression=day(within.first)))
    if within.after:
        tests.append(exp.LT(this=_column(within.column), expression=day(within.after)))
    return exp.and_(*tests)


def _against_average(filter_: AgainstAverage, schema: Schema) -> exp.Expr:
    from sqlglot import exp

    inner = exp.select(exp.Avg(this=_column(filter_.column))).from_(_table(filter_.column.table, schema))
    return _compared(_column(filter_.column), filter_.operator, exp.paren(inner))


def _exists(exists: Exists, schema: Schema) -> exp.Expr:
    from sqlglot import exp

    inner = exp.select(exp.Literal.number(1)).from_(_table(exists.table, schema))
    for join in exists.joins:
        inner = inner.join(_table(join.table, schema), on=_pairs(join.pairs), join_type="inner")
    inner = inner.where(exp.and_(_pairs(exists.pairs), *(_filter(test, schema) for test in exists.tests)))
    found = exp.Exists(this=inner)
    return exp.not_(found) if exists.negated else found


def _having(having: Having | Verbatim, schema: Schema) -> exp.Expr:
    if isinstance(having, Verbatim):
        return _verbatim(having, schema)
    aggregate = expression_of(having.aggregate, schema)
    if having.operator == "between":
        from sqlglot import exp

        low, high = (_literal(value) for value in having.values)
        return exp.Between(this=aggregate, low=low, high=high)
    return _compared(aggregate, having.operator, _literal(having.values[0]))
