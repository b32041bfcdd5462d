"""Queries that run and are wrong: each mistake made on a real database, beside the right query."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from t2s.database import open_database, resolve_connection
from t2s.pipeline.sanity import doubts
from t2s.types.database import Database
from t2s.types.query import Problem

DDL = """
CREATE TABLE customers (id INTEGER PRIMARY KEY, name VARCHAR, city VARCHAR, country VARCHAR, credit INTEGER);
CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customers (id), total INTEGER,
  paid_at TIMESTAMP, note VARCHAR);
CREATE TABLE payments (id INTEGER PRIMARY KEY, order_id INTEGER REFERENCES orders (id), amount INTEGER);
INSERT INTO customers VALUES (1, 'Ann', 'Berlin', 'Germany', 100), (2, 'Bob', 'New York', 'USA', 50),
  (3, 'Cid', 'New York ', 'USA', 50), (4, 'Dan', 'Lyon', 'France', 50);
INSERT INTO orders VALUES (1, 1, 10, '2025-01-30 09:00:00', '9'), (2, 1, 25, '2025-01-31 17:30:00', '10'),
  (3, 2, 7, '2025-02-01 00:00:00', '11'), (4, NULL, 3, '2025-02-02 12:00:00', '2');
INSERT INTO payments VALUES (1, 1, 4), (2, 1, 6), (3, 2, 25);
"""


@pytest.fixture(params=["sqlite", "duckdb"])
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    path = tmp_path / f"shop.{request.param}"
    if request.param == "sqlite":
        writer = sqlite3.connect(path)
        writer.executescript(DDL)
        writer.close()
    else:
        with duckdb.connect(str(path)) as db:
            db.execute(DDL)
    database = open_database(resolve_connection(str(path), {}, cwd=tmp_path), cache_dir=None)
    yield database
    database.close()


def found(sql: str, database: Database, question: str = "") -> tuple[Problem, ...]:
    result = database.run(sql, limit=100, timeout=5)
    return doubts(sql, question, result, database.schema(), database)


MISTAKES = [
    # a value's spelling: case, blanks, plural, a slip; in another column; among few values
    ("value", "SELECT name FROM customers WHERE city = 'berlin'", "SELECT name FROM customers WHERE city = 'Berlin'"),
    ("value", "SELECT name FROM customers WHERE city = 'Lyons'", "SELECT name FROM customers WHERE city = 'Lyon'"),
    ("value", "SELECT name FROM customers WHERE city IN ('Berlni', 'Lyon')", "SELECT name FROM customers WHERE city IN ('Berlin', 'Lyon')"),
    ("value", "SELECT name FROM customers WHERE city = 'Germany'", "SELECT name FROM customers WHERE country = 'Germany'"),
    ("value", "SELECT count(*) FROM customers WHERE country = 'Deutschland'", "SELECT count(*) FROM customers WHERE country = 'Germany'"),
    ("value", "SELECT sum(CASE WHEN country = 'usa' THEN 1 ELSE 0 END) FROM customers", "SELECT sum(CASE WHEN country = 'USA' THEN 1 ELSE 0 END) FROM customers"),
    # joins
    ("fan_out", "SELECT sum(o.total) FROM orders o JOIN payments p ON p.order_id = o.id", "SELECT sum(p.amount) FROM orders o JOIN payments p ON p.order_id = o.id"),
    ("fan_out", "SELECT c.name, sum(o.total) FROM customers c JOIN orders o ON o.customer_id = c.id LEFT JOIN payments p ON p.order_id = o.id GROUP BY c.name", "SELECT c.name, sum(o.total) FROM customers c JOIN orders o ON o.customer_id = c.id GROUP BY c.name"),
    ("fan_out", "SELECT count(c.id) FROM customers c JOIN orders o ON o.customer_id = c.id", "SELECT count(DISTINCT c.id) FROM customers c JOIN orders o ON o.customer_id = c.id"),
    ("fan_out", "SELECT avg(c.credit) FROM customers c JOIN orders o ON o.customer_id = c.id", "SELECT avg(o.total) FROM customers c JOIN orders o ON o.customer_id = c.id"),
    ("missing_join", "SELECT count(*) FROM customers c, orders o WHERE c.city = 'Berlin' AND o.total > 5", "SELECT count(*) FROM customers c, orders o WHERE c.id = o.customer_id AND c.city = 'Berlin'"),
    ("missing_join", "SELECT c.name FROM customers c JOIN orders o ON o.id = o.customer_id", "SELECT c.name FROM customers c JOIN orders o ON c.id = o.customer_id"),
    ("outer_join", "SELECT c.name FROM customers c LEFT JOIN orders o ON o.customer_id = c.id WHERE o.total > 5", "SELECT c.name FROM customers c LEFT JOIN orders o ON o.customer_id = c.id AND o.total > 5"),
    ("outer_join", "SELECT c.name FROM customers c LEFT JOIN orders o ON o.customer_id = c.id WHERE o.note = '9'", "SELECT c.name FROM customers c LEFT JOIN orders o ON o.customer_id = c.id WHERE o.id IS NULL"),
    # comparisons
    ("null_list", "SELECT name FROM customers WHERE id NOT IN (SELECT customer_id FROM orders)", "SELECT name FROM customers WHERE id NOT IN (SELECT customer_id FROM orders WHERE customer_id IS NOT NULL)"),
    ("null_comparison", "SELECT id FROM orders WHERE customer_id = NULL", "SELECT id FROM orders WHERE customer_id IS NULL"),
    ("text_number", "SELECT id FROM orders WHERE note > '5'", "SELECT id FROM orders WHERE CAST(note AS INTEGER) > 5"),
    ("day_cut", "SELECT count(*) FROM orders WHERE paid_at BETWEEN '2025-01-01' AND '2025-01-31'", "SELECT count(*) FROM orders WHERE paid_at >= '2025-01-01' AND paid_at < '2025-02-01'"),
    ("day_cut", "SELECT count(*) FROM orders WHERE paid_at <= '2025-01-31'", "SELECT count(*) FROM orders WHERE paid_at <= '2025-02-03'"),
    # which rows
    ("tie", "SELECT name FROM customers ORDER BY credit LIMIT 1", "SELECT name FROM customers ORDER BY credit DESC LIMIT 1"),
    ("limit_without_order", "SELECT name FROM customers LIMIT 2", "SELECT name FROM customers ORDER BY credit DESC LIMIT 2"),
]  # fmt: skip


@pytest.mark.parametrize(("code", "wrong", "right"), MISTAKES)
def test_a_mistake_is_found_and_the_right_query_is_left_alone(
    shop: Database, code: str, wrong: str, right: str
) -> None:
    question = "the 2 customers with the most credit" if code == "limit_without_order" else ""
    (problem,) = found(wrong, shop, question)
    assert problem.code == code
    assert problem.remedy or problem.suggestion
    assert problem.severity == ("warning" if code in ("tie", "outer_join") else "doubt")
    assert problem.line == 1
    assert found(right, shop, question) == ()


@pytest.mark.parametrize(
    ("code", "wrong", "right"),
    [
        ("integer_division", "SELECT sum(amount) / count(*) FROM payments", "SELECT 1.0 * sum(amount) / count(*) FROM payments"),
        ("integer_division", "SELECT id FROM orders WHERE total / 2 > 3", "SELECT id FROM orders WHERE total / 2.0 > 3"),
        ("grain", "SELECT name, country, count(*) FROM customers GROUP BY country", "SELECT country, count(*) FROM customers GROUP BY country"),
        ("grain", "SELECT name, sum(credit) FROM customers", "SELECT name, max(credit) FROM customers"),
    ],
)  # fmt: skip
def test_what_sqlite_bears_and_hardly_anybody_means(tmp_path: Path, code: str, wrong: str, right: str) -> None:
    writer = sqlite3.connect(tmp_path / "shop.sqlite")
    writer.executescript(DDL)
    writer.close()
    database = open_database(resolve_connection("shop.sqlite", {}, cwd=tmp_path), cache_dir=None)
    (problem,) = found(wrong, database)
    assert problem.code == code
    assert found(right, database) == ()
    database.close()


def test_a_group_by_a_key_settles_the_other_columns_of_its_table(shop: Database) -> None:
    sql = "SELECT c.id, count(*) FROM orders o JOIN customers c ON o.customer_id = c.id GROUP BY c.id"
    assert found(sql, shop) == ()
    if shop.dialect == "sqlite":
        assert found(sql.replace("SELECT c.id", "SELECT c.name").replace("BY c.id", "BY o.customer_id"), shop) == ()


def test_a_join_that_repeats_nothing_is_no_fan_out(shop: Database) -> None:
    sql = "SELECT sum(o.total) FROM orders o JOIN payments p ON p.order_id = o.id WHERE p.amount > 6"
    assert found(sql, shop) == ()


def test_counting_what_a_group_is_joined_with_is_meant(shop: Database) -> None:
    sql = "SELECT c.name, count(c.id) FROM customers c JOIN orders o ON o.customer_id = c.id GROUP BY c.name"
    assert found(sql, shop) == ()


def test_a_date_in_another_format_is_told_by_the_dates_of_the_column(tmp_path: Path) -> None:
    writer = sqlite3.connect(tmp_path / "trips.sqlite")
    writer.executescript("CREATE TABLE trips (day TEXT); INSERT INTO trips VALUES ('8/21/2015'), ('8/3/2015')")
    writer.close()
    database = open_database(resolve_connection("trips.sqlite", {}, cwd=tmp_path), cache_dir=None)
    (problem,) = found("SELECT * FROM trips WHERE day = '2015-08-21'", database)
    assert problem.code == "date_format"
    assert "8/21/2015" in (problem.remedy or "") or "8/3/2015" in (problem.remedy or "")
    assert found("SELECT * FROM trips WHERE day = '8/21/2015'", database) == ()
    database.close()


def test_like_in_the_wrong_case_is_found_where_case_counts(shop: Database) -> None:
    problems = found("SELECT name FROM customers WHERE city LIKE 'berl%'", shop)
    assert [p.code for p in problems] == (["value_case"] if shop.dialect == "duckdb" else [])
