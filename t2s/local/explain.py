"""A plan in one plain sentence."""

from __future__ import annotations

from t2s.local.plan import (
    AgainstAverage,
    Aggregate,
    Bucket,
    Exists,
    Expression,
    Filter,
    Plan,
    Product,
    Test,
    Verbatim,
    Within,
)

_SIGNS = {"eq": "is", "ne": "is not", "gt": ">", "ge": ">=", "lt": "<", "le": "<=", "like": "is like"}
_SIGNS |= {"not_like": "is not like", "in": "is one of", "not_in": "is none of", "between": "is between"}
_FUNCTIONS = {"sum": "the sum of", "avg": "the average of", "min": "the least", "max": "the greatest"}


def explain(plan: Plan) -> str:
    """What the plan's query does."""
    shown = ", ".join(_expression(output.expression, plan) for output in plan.outputs)
    shown = f"the average of {shown}" if plan.averaged else shown
    parts = [f"Shows {shown or 'all columns'}" + ("" if shown.endswith(plan.base) else f" of {plan.base}")]
    if plan.filters:
        parts.append("where " + (" or " if plan.any_of else " and ").join(map(_filter, plan.filters)))
    if plan.groups:
        shown_groups = [output.expression for output in plan.outputs if output.expression in plan.groups]
        parts.append("per " + ", ".join(_expression(group, plan) for group in shown_groups or plan.groups))
    for having in plan.having:
        if isinstance(having, Verbatim):
            parts.append(f"with {having.sql}")
            continue
        values = " and ".join(f"{value:g}" for value in having.values)
        parts.append(f"with {_expression(having.aggregate, plan)} {_SIGNS[having.operator]} {values}")
    if plan.order:
        by = ", ".join(f"{_expression(e, plan)} {'down' if down else 'up'}" for e, down in plan.order)
        parts.append(f"ordered by {by}")
    if plan.limit is not None:
        parts.append("the first only" if plan.limit == 1 else f"the first {plan.limit}")
    return ", ".join(parts) + "."


def _expression(expression: Expression, plan: Plan) -> str:
    match expression:
        case Bucket(column=column, unit=unit):
            return f"the {unit} of {column.column}"
        case Verbatim(sql=sql):
            return sql
        case Aggregate(operand=None):
            return f"the number of {plan.base}"
        case Aggregate(function="count", operand=operand):
            return f"the number of different {getattr(operand, 'column', '')}"
        case Aggregate(function=function, operand=Product(factors=factors, discount=discount)):
            product = " × ".join(factor.column for factor in factors)
            return f"{_FUNCTIONS[function]} {product}" + (f" less {discount.column}" if discount else "")
        case Aggregate(function=function, operand=operand):
            return f"{_FUNCTIONS[function]} {getattr(operand, 'column', '')}"
    return expression.column if expression.table == plan.base else f"{expression.table}.{expression.column}"


def _filter(filter_: Filter) -> str:
    match filter_:
        case Test(column=column, operator="null"):
            return f"{column.column} is empty"
        case Test(column=column, operator="not_null"):
            return f"{column.column} is not empty"
        case Test(column=column, operator="true"):
            return f"it is {column.column}"
        case Test(column=column, operator="false"):
            return f"it is not {column.column}"
        case Test(column=column, operator=operator, values=values):
            return f"{column.column} {_SIGNS[operator]} {' and '.join(map(_value, values))}"
        case Within(column=column, first=first, after=after):
            bounds = [f"from {first}" if first else "", f"before {after}" if after else ""]
            return f"{column.column} is {' and '.join(filter(None, bounds))}"
        case Verbatim(sql=sql):
            return sql
        case AgainstAverage(column=column, operator=operator):
            return f"{column.column} {_SIGNS[operator]} its average"
        case Exists(table=table, tests=tests, negated=negated):
            which = " where " + " and ".join(map(_filter, tests)) if tests else ""
            return f"there {'are no' if negated else 'are'} {table}{which}"


def _value(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:g}"
