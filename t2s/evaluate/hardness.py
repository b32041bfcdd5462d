"""How hard a gold query is, counted as Spider counts it.

Source: `eval_hardness` in `evaluation.py` of taoyds/test-suite-sql-eval, with its quirks: a NOT in WHERE and an AND or
OR in HAVING count as aggregates, and of a set operation only the first query's clauses count.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from t2s.sql.parse import parse
from t2s.types.query import Problem
from t2s.types.schema import Dialect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlglot import exp

Hardness = Literal["easy", "medium", "hard", "extra"]
LEVELS: tuple[Hardness, ...] = ("easy", "medium", "hard", "extra")


def hardness(sql: str, dialect: Dialect) -> Hardness:
    """The level of a query; what cannot be parsed is extra."""
    from sqlglot import exp

    tree = parse(sql, dialect)
    if isinstance(tree, Problem):
        return "extra"
    first = tree
    while isinstance(first, exp.SetOperation | exp.Subquery):
        first = first.this
    if not isinstance(first, exp.Select):
        return "extra"
    return _level(_clauses(first), _nested(tree, first), _others(first))


def _level(clauses: int, nested: int, others: int) -> Hardness:
    if clauses <= 1 and not others and not nested:
        return "easy"
    if not nested and ((others <= 2 and clauses <= 1) or (clauses <= 2 and others < 2)):
        return "medium"
    if (not nested and ((others > 2 and clauses <= 2) or (2 < clauses <= 3 and others <= 2))) or (
        clauses <= 1 and not others and nested <= 1
    ):
        return "hard"
    return "extra"


def _clauses(select: exp.Select) -> int:
    """WHERE, GROUP BY, ORDER BY, LIMIT, each join, each OR and each LIKE."""
    from sqlglot import exp

    count = sum(bool(select.args.get(name)) for name in ("where", "group", "order", "limit"))
    count += len(select.args.get("joins") or ())
    parts = list(_condition_nodes(select, "on", "where", "having"))
    return count + sum(isinstance(node, exp.Or | exp.Like) for node in parts)


def _nested(tree: exp.Expr, select: exp.Select) -> int:
    """Queries within conditions, and whether there is a set operation."""
    from sqlglot import exp

    queries = [node for node in _condition_nodes(select, "on", "where", "having") if isinstance(node, exp.Query)]
    return len(queries) + isinstance(tree.unnest(), exp.SetOperation)


def _others(select: exp.Select) -> int:
    """Whether there are several aggregates, columns, conditions, and columns to group by."""
    from sqlglot import exp

    where = list(_condition_nodes(select, "where"))
    having = list(_condition_nodes(select, "having"))
    order = select.args.get("order")
    group = select.args.get("group")
    aggregates = sum(bool(_leads(projection)) for projection in select.expressions)
    aggregates += sum(isinstance(node, exp.Not) for node in (*where, *having))
    aggregates += sum(isinstance(node, exp.Connector) for node in having)
    aggregates += len(list(order.find_all(exp.AggFunc))) if order else 0
    several = sum(isinstance(node, exp.Connector) for node in where) > 0
    return (aggregates > 1) + (len(select.expressions) > 1) + several + bool(group and len(group.expressions) > 1)


def _leads(projection: exp.Expr) -> bool:
    """Whether a column of the result begins with an aggregate."""
    from sqlglot import exp

    node = projection.unalias()
    while isinstance(node, exp.Paren | exp.Binary):
        node = node.this
    return isinstance(node, exp.AggFunc)


def _condition_nodes(select: exp.Select, *clauses: str) -> Iterator[exp.Expr]:
    """The nodes of conditions, down to the queries in them but not into those."""
    from sqlglot import exp

    roots = [select.args.get(name) for name in clauses if name != "on"]
    if "on" in clauses:
        roots += [join.args.get("on") for join in select.args.get("joins") or ()]
    for root in filter(None, roots):
        yield from root.walk(prune=lambda node: isinstance(node, exp.Query))
