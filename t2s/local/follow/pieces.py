"""What the pieces of a plan read, and which of them are computed of several rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from t2s.local.plan import (
    AgainstAverage,
    Aggregate,
    Bucket,
    ColumnRef,
    Exists,
    Expression,
    Filter,
    Having,
    Output,
    Plan,
    Product,
    Test,
    Verbatim,
    Within,
)


def parts_of(plan: Plan) -> Iterator[Expression | Filter | Having]:
    """All pieces of a plan that read columns, but for its joins."""
    yield from (output.expression for output in plan.outputs)
    yield from plan.filters
    yield from plan.groups
    yield from plan.having
    yield from (expression for expression, _ in plan.order)


def columns_of(parts: Iterable[Expression | Filter | Having]) -> Iterator[ColumnRef]:
    """The columns that pieces of a plan read in the plan's own tables."""
    for part in parts:
        match part:
            case ColumnRef():
                yield part
            case Bucket(column=column) | Test(column=column) | Within(column=column) | AgainstAverage(column=column):
                yield column
            case Aggregate(operand=ColumnRef() as column):
                yield column
            case Aggregate(operand=Product(factors=factors, discount=discount)):
                yield from factors
                yield from (discount,) if discount else ()
            case Having(aggregate=aggregate):
                yield from columns_of((aggregate,))
            case Exists(pairs=pairs):
                yield from (outer for outer, _ in pairs)
            case Verbatim(columns=columns):
                yield from columns


def is_figure(expression: Expression) -> bool:
    """Whether an expression is computed of several rows."""
    return isinstance(expression, Aggregate) or (isinstance(expression, Verbatim) and expression.aggregates)


def is_computed(plan: Plan) -> bool:
    """Whether a plan shows something computed of several rows."""
    return bool(plan.groups) or any(is_figure(output.expression) for output in plan.outputs)


def computes(plan: Plan) -> bool:
    """Whether a plan shows or orders by something computed of several rows."""
    return is_computed(plan) or any(is_figure(expression) for expression, _ in plan.order)


def unique(outputs: tuple[Output, ...]) -> tuple[Output, ...]:
    """Each expression once."""
    return tuple({output.expression: output for output in reversed(outputs)}.values())[::-1]
