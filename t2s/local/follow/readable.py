"""What a SELECT may have, if a plan is to hold all of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from t2s.local.follow.scope import Foreign

if TYPE_CHECKING:
    from sqlglot import exp

_CLAUSES = frozenset("expressions from_ joins where group having order limit distinct".split())
_NAMES = {"with_": "WITH", "operation_modifiers": "a modifier", "locks": "a lock"}
_TABLE = frozenset({"this", "db", "catalog", "alias"})


def refuse_foreign(tree: exp.Select) -> None:
    """Raise `Foreign` for any clause, known or not, that would be lost on the way into a plan."""
    from sqlglot import exp

    for part in _beside(tree, _CLAUSES):
        raise Foreign(_NAMES.get(part, part.strip("_").upper()))
    if (distinct := tree.args.get("distinct")) is not None and _beside(distinct, frozenset()):
        raise Foreign("DISTINCT ON")
    group, order, limit = tree.args.get("group"), tree.args.get("order"), tree.args.get("limit")
    if group and (_beside(group, frozenset({"expressions"})) or group.find(exp.Rollup, exp.Cube, exp.GroupingSets)):
        raise Foreign("groups that are no columns")
    if order and any(isinstance(node.this, exp.Var) or node.args.get("with_fill") for node in order.expressions):
        raise Foreign("an order that is no column")
    if limit and (not isinstance(limit, exp.Limit) or _beside(limit, frozenset({"expression"}))):
        raise Foreign("a LIMIT that is no number")
    if any(_beside(table, _TABLE) for table in tree.find_all(exp.Table)):
        raise Foreign("a table with a clause of its own")


def _beside(node: exp.Expr, known: frozenset[str]) -> list[str]:
    """The parts that a node has beside the known ones."""
    return [part for part, value in node.args.items() if value and part not in known]
