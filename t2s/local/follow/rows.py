"""The joins of a changed plan, which must neither lose a row nor repeat one."""

from __future__ import annotations

from dataclasses import replace

from t2s.local.columns import is_text
from t2s.local.follow.pieces import columns_of, computes, is_computed, is_figure, parts_of, unique
from t2s.local.plan import Aggregate, ColumnRef, Expression, Join, Output, Plan
from t2s.local.route import joins_of
from t2s.local.scene import Scene, Unclear


def joined(scene: Scene, plan: Plan, past: Plan) -> Plan:
    """The plan with the joins that it needs; those of the last query stay, for they decide which rows there are."""
    needed = {ref.table for ref in columns_of(parts_of(plan))}
    near = scene.graph.ways(plan.base, to_one=True)
    if plan.base == past.base:
        joins = _with(past.joins, joins_of(scene, plan.base, sorted(needed)))
        many = {join.table for join in joins} - near.keys()
        more = many if _is_singular(past) else _beyond(scene, joins, past)
        if more and past.limit is not None:
            raise Unclear("I cannot show that of only the first rows")
        if more and computes(plan):
            plan = _each_once(scene, plan)
        elif many and not is_computed(plan) and (past.distinct or is_computed(past)):
            plan = _row_by_row(scene, plan)
        return replace(plan, joins=joins)
    before = {past.base, *(join.table for join in past.joins)} if past.filters or past.joins else set()
    joins = joins_of(scene, plan.base, sorted(needed | before))
    if any(join.table not in near for join in joins):
        if past.limit is not None:
            raise Unclear("I cannot show that of only the first rows")
        plan = _each_once(scene, plan) if computes(plan) else _row_by_row(scene, plan)
    return replace(plan, joins=joins)


def table_of_rows(scene: Scene, plan: Plan) -> str:
    """The table that each row of the joins is one of: conditions on the sales of customers are on the sales."""
    tables = [plan.base, *(join.table for join in plan.joins)]
    near = ((table, scene.graph.ways(table, to_one=True)) for table in tables)
    return next((table for table, ways in near if ways.keys() >= set(tables)), plan.base)


def _beyond(scene: Scene, joins: tuple[Join, ...], past: Plan) -> set[str]:
    """The tables that make more rows of each that the last query had."""
    near = scene.graph.ways(table_of_rows(scene, past), to_one=True)
    return {join.table for join in joins} - near.keys() - {join.table for join in past.joins}


def _row_by_row(scene: Scene, plan: Plan) -> Plan:
    """Each row of the base once; beside a number or a date its key is shown, for two rows may have the same."""
    refs = [output.expression for output in plan.outputs]
    if all(isinstance(ref, ColumnRef) and is_text(scene.column(ref)) for ref in refs):
        return replace(plan, distinct=True)
    key = tuple(Output(expression=ColumnRef(table=plan.base, column=c)) for c in scene.table(plan.base).primary_key)
    return replace(plan, distinct=True, outputs=unique((*key, *plan.outputs)))


def _is_singular(plan: Plan) -> bool:
    """Whether a plan shows or counts each row of its base once, however often its joins repeat it."""
    figures = [output.expression for output in plan.outputs]
    return plan.distinct or any(isinstance(figure, Aggregate) and figure.distinct for figure in figures)


def _each_once(scene: Scene, plan: Plan) -> Plan:
    """The plan where its joins repeat the rows of its base: it counts their keys; raises `Unclear` if it adds up."""
    key = scene.table(plan.base).primary_key

    def once(expression: Expression) -> Expression:
        if not is_figure(expression):
            return expression
        if isinstance(expression, Aggregate):
            if expression.distinct or expression.function in ("min", "max"):
                return expression
            if expression == Aggregate(function="count") and len(key) == 1:
                return replace(expression, operand=ColumnRef(table=plan.base, column=key[0]), distinct=True)
        raise Unclear(f"a row of {plan.base} would be computed with more than once")

    if plan.having:
        raise Unclear(f"a row of {plan.base} would be computed with more than once")
    outputs = tuple(replace(output, expression=once(output.expression)) for output in plan.outputs)
    return replace(plan, outputs=outputs, order=tuple((once(e), down) for e, down in plan.order))


def _with(joins: tuple[Join, ...], more: tuple[Join, ...]) -> tuple[Join, ...]:
    known = {join.table for join in joins}
    return (*joins, *(join for join in more if join.table not in known))
