"""Every name is looked up; what is wrong is named, what is right is let pass."""

from __future__ import annotations

import pytest

from t2s.sql import check
from t2s.types.query import Rejected, Valid
from t2s.types.schema import Column, Dialect, Schema, Table


def schema(dialect: Dialect) -> Schema:
    def table(name: str, *columns: str, namespace: str | None = None) -> Table:
        return Table(name=name, namespace=namespace, columns=tuple(Column(name=c, type="int") for c in columns))

    return Schema(
        dialect=dialect,
        fingerprint="x",
        tables=(
            table("customers", "id", "name", "city"),
            table("orders", "id", "customer_id", "total", "ordered_on"),
            table("events", "id", "payload", namespace="audit"),
        ),
    )


@pytest.mark.parametrize(
    ("sql", "code", "place", "suggestion"),
    [
        ("SELECT nme FROM customers", "unknown_column", (1, 8), "name"),
        ("SELECT c.nme FROM customers c", "unknown_column", (1, 10), "name"),
        ("SELECT name\nFROM custmers", "unknown_table", (2, 6), "customers"),
        ("SELECT x.name FROM customers c", "unknown_table", (1, 8), None),
        ("SELECT custmers.name FROM customers", "unknown_table", (1, 8), "customers"),
        ("SELECT id FROM orders WHERE totl > 1", "unknown_column", (1, 29), "total"),
        ("SELECT x.nme FROM (SELECT name FROM customers) x", "unknown_column", (1, 10), "name"),
        ("WITH x AS (SELECT name FROM customers) SELECT nme FROM x", "unknown_column", (1, 47), "name"),
        ("SELECT id FROM audit.evnts", "unknown_table", (1, 22), "audit.events"),
        (
            "SELECT (SELECT o.totl FROM orders o WHERE o.customer_id = c.id) FROM customers c",
            "unknown_column",
            (1, 18),
            "total",
        ),
        ("SELECT name FROM customers ORDER BY cty", "unknown_column", (1, 37), "city"),
    ],
)
def test_a_wrong_name_is_named_with_its_place_and_the_nearest_right_one(
    sql: str, code: str, place: tuple[int, int], suggestion: str | None
) -> None:
    verdict = check(sql, schema("postgres"))
    assert isinstance(verdict, Rejected)
    problem = verdict.problems[0]
    assert (problem.code, problem.suggestion) == (code, suggestion)
    assert problem.line == place[0]
    assert problem.column in (place[1], place[1] - 6)  # a namespace stands before the table


def test_where_else_a_column_is_is_said() -> None:
    verdict = check("SELECT total FROM customers", schema("duckdb"))
    assert isinstance(verdict, Rejected)
    assert "it is in orders" in verdict.problems[0].message


def test_what_a_query_reads_is_told() -> None:
    verdict = check(
        "SELECT c.name, sum(o.total) FROM customers c JOIN orders o ON o.customer_id = c.id GROUP BY 1",
        schema("duckdb"),
    )
    assert isinstance(verdict, Valid)
    assert verdict.tables == ("customers", "orders")
    assert verdict.columns == ("customers.id", "customers.name", "orders.customer_id", "orders.total")


@pytest.mark.parametrize(
    ("dialect", "sql"),
    [
        ("sqlite", 'SELECT name FROM customers WHERE city = "Berlin"'),
        ("sqlite", "SELECT rowid FROM customers"),
        ("sqlite", "SELECT NAME FROM Customers"),
        ("sqlite", "SELECT name AS n FROM customers WHERE n = 'x'"),
        ("postgres", "SELECT ctid FROM customers"),
        ("postgres", "SELECT c FROM customers c"),
        ("postgres", "SELECT name FROM public.customers"),
        ("postgres", "SELECT g FROM generate_series(1, 3) AS g"),
        (
            "postgres",
            "SELECT c.name, o.n FROM customers c, LATERAL (SELECT count(*) AS n FROM orders WHERE customer_id = c.id) o",
        ),
        ("postgres", "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 3) SELECT n FROM r"),
        ("duckdb", "SELECT count(*) AS n FROM customers HAVING n > 1"),
        ("duckdb", "SELECT s.x FROM (SELECT {'x': 1} AS s)"),
        ("duckdb", "SELECT * EXCLUDE (city) FROM customers"),
        ("duckdb", "FROM customers SELECT name"),
        ("duckdb", "SELECT i FROM range(3) AS t(i)"),
        ("mysql", "SELECT `name` FROM CUSTOMERS"),
        ("mysql", "SELECT id FROM customers JOIN orders USING (id)"),
        ("mysql", "SELECT name FROM customers c WHERE EXISTS (SELECT 1 FROM orders WHERE customer_id = c.id)"),
        ("duckdb", "SELECT a.name FROM (SELECT * FROM customers) a"),
        ("duckdb", "SELECT id FROM customers UNION SELECT customer_id FROM orders ORDER BY id"),
    ],
)
def test_each_engines_own_habits_are_honoured(dialect: Dialect, sql: str) -> None:
    assert isinstance(check(sql, schema(dialect)), Valid)


def test_the_guard_comes_first() -> None:
    verdict = check("DELETE FROM nowhere", schema("duckdb"))
    assert isinstance(verdict, Rejected)
    assert verdict.by_guard
