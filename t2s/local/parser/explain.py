"""A query tree in one plain sentence."""

from __future__ import annotations

from t2s.local.parser.query import Condition, Expression, Query
from t2s.local.parser.write import tables_of

_FUNCTIONS = {"sum": "the sum of ", "avg": "the average of ", "min": "the least ", "max": "the greatest "}
_SIGNS = {
    "=": "is",
    "!=": "is not",
    "in": "is one of",
    "not in": "is none of",
    "like": "is like",
    "between": "is between",
}


def explain(query: Query) -> str:
    """What the query does."""
    return f"Shows {_query(query)}."


def _query(query: Query) -> str:
    tables = tables_of(query)
    base = tables[0] if tables else ""
    parts = [("different " if query.distinct else "") + ", ".join(_expression(e, tables) for e in query.select)]
    if base and not parts[0].endswith(base):
        parts[0] += f" of {' with '.join(tables)}"
    if query.where:
        parts.append("where " + (" or " if query.any_of else " and ").join(_condition(c, tables) for c in query.where))
    if query.group:
        parts.append("per " + ", ".join(_expression(Expression("", c), tables) for c in query.group))
    if query.having:
        parts.append("with " + " and ".join(_condition(c, tables) for c in query.having))
    if query.order:
        by = ", ".join(_expression(e, tables) for e in query.order)
        parts.append(f"ordered by {by} {'down' if query.descending else 'up'}")
    if query.limit is not None:
        parts.append("the first only" if query.limit == 1 else f"the first {query.limit}")
    if query.other:
        words = {"union": "and also", "intersect": "that are also among", "except": "that are not among"}
        parts.append(f"{words[query.operation]} {_query(query.other)}")
    return ", ".join(parts)


def _expression(expression: Expression, tables: tuple[str, ...]) -> str:
    if expression.column is None:
        return f"the number of {tables[-1] if tables else 'rows'}" if expression.function else "all columns"
    table, name = expression.column
    named = f"{table}.{name}" if len(tables) > 1 else name
    if expression.function == "count":
        return f"the number of {'different ' if expression.distinct else ''}{named}"
    return _FUNCTIONS.get(expression.function, "") + named


def _condition(condition: Condition, tables: tuple[str, ...]) -> str:
    left = _expression(condition.left, tables)
    sign = _SIGNS.get(condition.operator, condition.operator)
    if condition.query is not None:
        return f"{left} {sign} ({_query(condition.query)})"
    values = (value if isinstance(value, str) else f"{value:.15g}" for value in condition.values)
    return f"{left} {sign} {' and '.join(values)}"
