"""The same questions over every kind of database, from the words to the rows, with no model service."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from t2s.workspace import Workspace

TABLES = """
CREATE TABLE customers (id INTEGER PRIMARY KEY, name VARCHAR(50) NOT NULL, city VARCHAR(50));
CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL, total NUMERIC(10, 2), ordered_on DATE,
  FOREIGN KEY (customer_id) REFERENCES customers (id));
INSERT INTO customers VALUES (1, 'Ann', 'Berlin'), (2, 'Bo', 'Lyon'), (3, 'Cy', 'Berlin');
INSERT INTO orders VALUES (1, 1, 10, '2023-05-01'), (2, 1, 200, '2024-02-01'), (3, 2, 30, '2024-03-09')
"""

QUESTIONS = [
    ("how many customers are there?", [[3]]),
    ("how many customers are in Berlin?", [[2]]),
    ("number of customers per city", [["Berlin", 2], ["Lyon", 1]]),
    ("how many orders were there in 2024?", [[2]]),
    ("which customer has the most orders?", [["Ann"]]),
    ("有多少客户?", [[3]]),
]


def target(kind: str, folder: Path, request: pytest.FixtureRequest) -> str:
    if kind == "sqlite":
        with sqlite3.connect(folder / "shop.db") as db:
            db.executescript(TABLES)
        db.close()
        return str(folder / "shop.db")
    if kind in ("duckdb", "parquet"):
        import duckdb

        with duckdb.connect(str(folder / "shop.duckdb")) as db:
            db.execute(TABLES)
            if kind == "parquet":
                for table in ("customers", "orders"):
                    db.execute(f"COPY {table} TO '{folder / table}.parquet'")
        return str(folder / "*.parquet") if kind == "parquet" else str(folder / "shop.duckdb")
    if kind == "postgres":
        import psycopg

        url: str = request.getfixturevalue("postgres_url")
        with psycopg.connect(url, autocommit=True) as db:
            db.execute(TABLES)
        return url
    import pymysql
    from sqlalchemy.engine import make_url

    url = request.getfixturevalue("mysql_url")
    where = make_url(url)
    server = pymysql.connect(
        host=where.host,
        port=where.port or 3306,
        user=where.username,
        password=where.password or "",
        database=where.database,
    )
    with server.cursor() as cursor:
        for statement in TABLES.split(";"):
            cursor.execute(statement)
    server.commit()
    server.close()
    return url


@pytest.mark.parametrize("kind", ["sqlite", "duckdb", "parquet", "postgres", "mysql"])
def test_the_same_questions_have_the_same_answers_everywhere(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    with Workspace.open(target(kind, tmp_path, request), flags={"model": "local"}) as ws:
        for question, wanted in QUESTIONS:
            answer = ws.ask(question)
            assert answer.status == "ok", (question, answer.explanation, answer.problems)
            assert answer.result is not None
            rows = sorted(json.loads(json.dumps([list(row) for row in answer.result.rows], default=str)))
            assert rows == wanted, (question, answer.sql)
