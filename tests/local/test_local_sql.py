"""Joins, dialects and the safety of what is built, on schemas made for the purpose."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from t2s.database import open_database, resolve_connection
from t2s.local.generator import answer
from t2s.local.joins import build_graph
from t2s.sql import check
from t2s.types.query import Candidate, Context, Valid, ValueMatch
from t2s.types.schema import Column, Dialect, ForeignKey, Schema, Table

DIALECTS: tuple[Dialect, ...] = ("sqlite", "duckdb", "postgres", "mysql")


def table(name: str, columns: str, key: str = "id", **points: str) -> Table:
    made = tuple(Column(name=c.split(":")[0], type=c.split(":")[1]) for c in columns.split())
    keys = tuple(
        ForeignKey(columns=(column,), target_table=target, target_columns=("id",)) for column, target in points.items()
    )
    return Table(name=name, columns=made, primary_key=(key,) if key else (), foreign_keys=keys)


def shop_schema(dialect: Dialect) -> Schema:
    return Schema(
        dialect=dialect,
        fingerprint="f",
        tables=(
            table("customer", "id:int name:text city:text country:text born:date"),
            table("Order", "id:int customer_id:int placed_on:date total:decimal", customer_id="customer"),
        ),
    )


def ask(question: str, schema: Schema, *values: ValueMatch) -> Candidate:
    context = Context(question=question, schema=schema, whole=True, today=date(2026, 11, 21), values=values)
    draft = answer(context)
    assert isinstance(draft, Candidate), draft
    return draft


QUESTIONS = [
    "How many orders are there?",
    "Total of orders per month",
    "Number of orders per quarter",
    "Number of orders per year in 2024",
    "Number of orders per week",
    "Number of orders per day",
    "Top 3 customers by number of orders",
    "customers without orders",
    "Customers with more than 5 orders",
    "orders in March 2024",
    "orders with total between 5 and 10",
    "orders with a total above average",
    'customers whose name contains "an\'a"',
    "customers sorted by name in descending order",
    "How many different cities are there?",
]


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("question", QUESTIONS)
def test_every_dialect_takes_what_is_built(dialect: Dialect, question: str) -> None:
    schema = shop_schema(dialect)
    draft = ask(question, schema)
    assert isinstance(check(draft.sql, schema), Valid), draft.sql


def test_quotes_only_names_that_need_it() -> None:
    sql = ask("How many orders are there?", shop_schema("postgres")).sql
    assert '"Order"' in sql
    assert ask("How many customers are there?", shop_schema("mysql")).sql.split()[-1] == "customer"
    assert "`Order`" in ask("How many orders are there?", shop_schema("mysql")).sql


def test_a_value_cannot_break_out_of_its_quotes() -> None:
    evil = "x'; DROP TABLE customer; --"
    match = ValueMatch(table="customer", column="city", value=evil, text=evil, score=0.5)
    for dialect in DIALECTS:
        schema = shop_schema(dialect)
        draft = ask(f'customers in "{evil}"', schema, match)
        assert isinstance(check(draft.sql, schema), Valid), draft.sql


def test_a_ranking_does_not_begin_with_nulls() -> None:
    sql = ask("order with the highest total", shop_schema("postgres")).sql
    assert "NULLS LAST" in sql


def test_keys_are_guessed_from_names_where_none_are_declared() -> None:
    schema = Schema(
        dialect="duckdb",
        fingerprint="f",
        tables=(
            table("customers", "customer_id:int name:text", key=""),
            table("orders", "order_id:int customer_id:int ordered_on:date", key=""),
        ),
    )
    draft = ask("How many orders did each customer place?", schema)
    assert "orders.customer_id = customers.customer_id" in draft.sql
    assert "orders.customer_id points at customers" in draft.assumptions


def test_declared_keys_go_before_guessed_ones_and_namesakes_before_others() -> None:
    schema = Schema(
        dialect="sqlite",
        fingerprint="f",
        tables=(
            table("language", "id:int name:text"),
            table(
                "film",
                "id:int title:text original_id:int language_id:int",
                original_id="language",
                language_id="language",
            ),
        ),
    )
    (step,) = build_graph(schema).ways("film", to_one=True)["language"]
    assert step.edge.columns == ("language_id",)


def test_a_parent_is_not_counted_twice_by_its_children(chinook) -> None:
    asked = chinook.answer("How many customers bought Rock?")
    buyers = (
        "SELECT count(DISTINCT CustomerId) FROM Invoice JOIN InvoiceLine USING (InvoiceId)"
        " JOIN Track USING (TrackId) JOIN Genre USING (GenreId) WHERE Genre.Name = 'Rock'"
    )
    assert asked == chinook.rows(buyers)


def test_never_finds_rows_in_spite_of_null_keys(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with sqlite3.connect(path) as db:
        db.executescript(
            "CREATE TABLE author (id INTEGER PRIMARY KEY, name TEXT);"
            "CREATE TABLE book (id INTEGER PRIMARY KEY, title TEXT, author_id INT REFERENCES author (id));"
            "INSERT INTO author VALUES (1, 'Ann'), (2, 'Bo');"
            "INSERT INTO book VALUES (1, 'A', 1), (2, 'B', NULL);"
        )
    db.close()
    database = open_database(resolve_connection(str(path), {}, cwd=tmp_path), cache_dir=None)
    draft = ask("Which authors never wrote a book?", database.schema())
    assert list(database.run(draft.sql, limit=None, timeout=5).rows) == [("Bo",)]
    database.close()


def test_chinese_names_and_comments_are_understood(tmp_path: Path) -> None:
    schema = Schema(
        dialect="mysql",
        fingerprint="f",
        tables=(
            Table(
                name="t_cust",
                comment="客户表",
                primary_key=("id",),
                columns=(
                    Column(name="id", type="int"),
                    Column(name="nm", type="varchar", comment="姓名"),
                    Column(name="lvl", type="varchar", comment="会员等级", samples=("金卡", "银卡")),
                ),
            ),
        ),
    )
    assert "COUNT(*)" in ask("有多少客户", schema).sql
    assert "t_cust.lvl = '金卡'" in ask("金卡客户有多少", schema).sql
    assert "GROUP BY" in ask("每个会员等级有多少客户", schema).sql


def test_the_default_namespace_comes_first() -> None:
    plain = table("orders", "id:int placed_on:date")
    archived = replace(plain, namespace="archive")
    schema = Schema(dialect="postgres", fingerprint="f", tables=(archived, plain))
    assert " ".join(ask("How many orders are there?", schema).sql.split()) == "SELECT COUNT(*) AS count FROM orders"
