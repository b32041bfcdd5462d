"""A query tree to SQL text in a dialect, and the joins that it needs."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable

from t2s.local.build import RESERVED
from t2s.local.joins import Graph, Step
from t2s.local.parser.query import Column, Condition, Expression, Query, Value
from t2s.types.schema import Schema

_PLAIN = re.compile(r"[a-z_][a-z0-9_]*\Z", re.IGNORECASE)


def tables_of(query: Query) -> tuple[str, ...]:
    """The tables that a query (without those inside it) reads, those of its columns first."""
    columns = [e.column for e in (*query.select, *query.order)] + [c.left.column for c in (*query.where, *query.having)]
    names = [column[0] for column in (*columns, *query.group) if column] + list(query.tables)
    return tuple(dict.fromkeys(names))


def joins(tables: tuple[str, ...], graph: Graph, liking: Callable[[Column], float]) -> tuple[Step, ...] | None:
    """The fewest steps that connect the tables; of two keys between two tables the one that is liked more."""
    reached = {tables[0]}
    steps: list[Step] = []
    for goal in tables[1:]:
        if goal in reached:
            continue
        path = _path(reached, goal, graph, liking)
        if path is None:
            return None
        steps += path
        reached |= {step.end for step in path}
    return tuple(steps)


def _path(reached: set[str], goal: str, graph: Graph, liking: Callable[[Column], float]) -> list[Step] | None:
    came: dict[str, Step | None] = dict.fromkeys(reached)
    queue = deque(sorted(reached))
    while queue and goal not in came:
        here = queue.popleft()
        options = sorted(graph.steps.get(here, ()), key=lambda s: -liking((s.edge.table, s.edge.columns[0])))
        for option in options:
            if option.end not in came:
                came[option.end] = option
                queue.append(option.end)
    if goal not in came:
        return None
    path: list[Step] = []
    at = goal
    while (step := came[at]) is not None:
        path.append(step)
        at = step.start
    return path[::-1]


class Writer:
    """Writes queries over one schema; `liking` says how well the question names a key's column."""

    def __init__(self, schema: Schema, graph: Graph, liking: Callable[[Column], float]) -> None:
        self.schema, self.graph, self.liking = schema, graph, liking
        self.mark = "`" if schema.dialect == "mysql" else '"'

    def write(self, query: Query) -> str | None:
        """The SQL of a query; None where its tables do not hang together."""
        first = self._select(query)
        if query.other is None or first is None:
            return first
        second = self._select(query.other)
        return f"{first} {query.operation.upper()} {second}" if second else None

    def _select(self, query: Query) -> str | None:
        tables = tables_of(query)
        steps = joins(tables, self.graph, self.liking) if tables else None
        if steps is None:
            return None
        several = bool(steps)
        plain = [e.column for e in query.select if e.column and not e.function]
        group = list(dict.fromkeys((*query.group, *(plain if query.group else ()))))
        parts: list[str | None] = ["SELECT", "DISTINCT" if query.distinct else ""]
        parts.append(", ".join(self._expression(e, several, tables[0]) for e in query.select))
        parts += ["FROM", self._table(tables[0])]
        for step in steps:
            on = " AND ".join(
                f"{self._column((a.table, a.column), True)} = {self._column((b.table, b.column), True)}"
                for a, b in step.pairs
            )
            parts += ["JOIN", self._table(step.end), "ON", on]
        parts += self._clause("WHERE", query.where, " OR " if query.any_of else " AND ", several)
        if group:
            parts += ["GROUP BY", ", ".join(self._column(c, several) for c in group)]
        parts += self._clause("HAVING", query.having, " AND ", several)
        if query.order:
            parts += ["ORDER BY", ", ".join(self._ordered(e, query, several) for e in query.order)]
        if query.limit is not None:
            parts += ["LIMIT", str(query.limit)]
        return None if None in parts else " ".join(part for part in parts if part)

    def _ordered(self, expression: Expression, query: Query, several: bool) -> str:
        """One key of the order; NULL is never the first of a ranking."""
        key = self._expression(expression, several, "") + (" DESC" if query.descending else "")
        first = query.descending == (self.schema.dialect == "postgres")
        if query.limit is None or expression.function or not first or self.schema.dialect == "duckdb":
            return key
        if not self._nullable(expression.column):
            return key
        return f"{key.removesuffix(' DESC')} IS NULL, {key}" if self.schema.dialect == "mysql" else f"{key} NULLS LAST"

    def _nullable(self, column: Column | None) -> bool:
        table = self.schema.table(column[0]) if column else None
        found = table.column(column[1]) if table and column else None
        return found is None or found.nullable

    def _clause(self, word: str, conditions: tuple[Condition, ...], joint: str, several: bool) -> list[str | None]:
        if not conditions:
            return []
        written = [self._condition(condition, several) for condition in conditions]
        return [None] if None in written else [word, joint.join(filter(None, written))]

    def _condition(self, condition: Condition, several: bool) -> str | None:
        left = self._expression(condition.left, several, "")
        operator = condition.operator.upper()
        if condition.query is not None:
            inner = self.write(condition.query)
            return f"{left} {operator} ({inner})" if inner else None
        values = [self._literal(value) for value in condition.values]
        if condition.operator.endswith("between"):
            return f"{left} {operator} {values[0]} AND {values[1]}"
        if condition.operator.endswith("in"):
            return f"{left} {operator} ({', '.join(values)})"
        return f"{left} {operator} {values[0]}"

    def _expression(self, expression: Expression, several: bool, base: str) -> str:
        if expression.column is None:
            star = f"{self._name(base.rpartition('.')[2])}.*" if several and base and not expression.function else "*"
            return f"{expression.function}({star})" if expression.function else star
        column = self._column(expression.column, several)
        distinct = "DISTINCT " if expression.distinct else ""
        return f"{expression.function}({distinct}{column})" if expression.function else column

    def _column(self, column: Column, several: bool) -> str:
        table, name = column
        return f"{self._name(table.rpartition('.')[2])}.{self._name(name)}" if several else self._name(name)

    def _table(self, full_name: str) -> str:
        table = self.schema.table(full_name)
        assert table is not None  # queries are made from the schema
        return (self._name(table.namespace) + "." if table.namespace else "") + self._name(table.name)

    def _name(self, name: str) -> str:
        """An identifier, in quotes where the engine would otherwise read it differently."""
        folds = self.schema.dialect == "postgres" and not name.islower()
        if _PLAIN.match(name) and name.casefold() not in RESERVED and not folds:
            return name
        return self.mark + name.replace(self.mark, self.mark * 2) + self.mark

    def _literal(self, value: Value) -> str:
        if isinstance(value, str):
            plain = value.replace("\\", "\\\\") if self.schema.dialect == "mysql" else value
            return "'" + plain.replace("'", "''") + "'"
        return f"{value:.15g}"
