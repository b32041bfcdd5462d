"""A verified query answers questions that differ from its own only in values, numbers, dates or columns."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from sqlglot import parse_one

from t2s.local.generator import answer
from t2s.local.reslot import reslotted
from t2s.types.memory import Hit, Memory, Recalled, State
from t2s.types.query import Candidate

SPENT = (
    "SELECT c.city, round(sum(i.quantity * i.unit_price), 2) AS spent FROM customers c "
    "JOIN orders o ON o.customer_id = c.id JOIN order_items i ON i.order_id = o.id "
    "WHERE c.country = 'Germany' AND o.ordered_on BETWEEN '2024-01-01' AND '2024-12-31' AND o.status <> 'cancelled' "
    "GROUP BY c.city ORDER BY spent DESC LIMIT 5"
)
QUESTION = "net spend of the 5 best cities in Germany in 2024"


def verified(question: str, sql: str, state: State = "accepted") -> Recalled:
    now = datetime(2026, 11, 20).timestamp()
    memory = Memory(
        id="1", kind="query", scope="query:shop", key="k", content=question, user="ann", session_id="s",
        datasource="shop", created=now, last_access=now, valid_from=now, state=state,
        data={"question": question, "sql": sql},
    )  # fmt: skip
    return Recalled(hits=(Hit(memory=memory, score=0.9, relevance=0.9),))


def reslot(shop: Any, question: str, known: Recalled) -> Candidate | None:
    return reslotted(replace(shop.context(question), recalled=known))


@pytest.mark.parametrize(
    ("question", "old", "new"),
    [
        ("net spend of the 5 best cities in France in 2024", "'Germany'", "'France'"),
        ("net spend of the 5 best cities in United Kingdom in 2024", "'Germany'", "'United Kingdom'"),
        ("Net spend of the 3 best cities in Germany in 2024?", "LIMIT 5", "LIMIT 3"),
        ("net spend of the 5 best cities in Germany in 2025", "2024-", "2025-"),
    ],
)
def test_one_thing_is_put_in_the_place_of_another(shop: Any, question: str, old: str, new: str) -> None:
    found = reslot(shop, question, verified(QUESTION, SPENT))
    assert found is not None
    assert shop.rows(found.sql) == shop.rows(SPENT.replace(old, new))
    assert f"The verified query for “{QUESTION}”" in found.explanation


def test_two_differences_are_both_put_in(shop: Any) -> None:
    found = reslot(shop, "net spend of the 5 best cities in Spain in 2023", verified(QUESTION, SPENT))
    assert found is not None
    assert shop.rows(found.sql) == shop.rows(SPENT.replace("Germany", "Spain").replace("2024-", "2023-"))


def test_another_column_of_the_table(shop: Any) -> None:
    sql = "SELECT country, count(*) AS n FROM customers WHERE segment = 'Consumer' GROUP BY country"
    found = reslot(shop, "our consumers by city", verified("our consumers by country", sql))
    assert found is not None
    assert sorted(shop.rows(found.sql)) == sorted(shop.rows(sql.replace("country", "city")))


def test_in_chinese(shop: Any) -> None:
    sql = "SELECT count(*) AS n FROM customers WHERE city = 'Shanghai' AND segment = 'Consumer'"
    found = reslot(shop, "Berlin的散客有几个", verified("Shanghai的散客有几个", sql))
    assert found is not None
    assert shop.rows(found.sql) == shop.rows(sql.replace("Shanghai", "Berlin"))


@pytest.mark.parametrize(
    "question",
    [
        "net spend of the 5 best cities in Berlin in 2024",  # no country
        "net spend of the 5 worst cities in Germany in 2024",
        "net spend of the 5 best cities in Germany in March 2024",
        "net spend of the 5 best cities in Germany in 2024 without returns",
        "gross spend of the 5 best cities in Germany in 2024",
        "how many orders were cancelled?",
    ],
)
def test_what_has_no_place_is_not_put_in(shop: Any, question: str) -> None:
    assert reslot(shop, question, verified(QUESTION, SPENT)) is None


@pytest.mark.parametrize("end", ["'2024-12-31 23:59:59'", "DATE '2024-12-30'"])
def test_a_date_that_is_written_otherwise_is_left_alone(shop: Any, end: str) -> None:
    sql = f"SELECT count(*) FROM orders WHERE ordered_on BETWEEN '2024-01-01' AND {end}"
    assert reslot(shop, "good orders in 2025", verified("good orders in 2024", sql)) is None


def test_what_merely_ran_is_not_reused(shop: Any) -> None:
    known = verified(QUESTION, SPENT, state="executed")
    assert reslot(shop, "net spend of the 5 best cities in France in 2024", known) is None


def test_what_is_stale_is_not_reused(shop: Any) -> None:
    (hit,) = verified(QUESTION, SPENT).hits
    known = Recalled(hits=(replace(hit, memory=replace(hit.memory, stale="no column status in orders")),))
    assert reslot(shop, "net spend of the 5 best cities in France in 2024", known) is None


def test_the_generator_prefers_it_to_its_own_reading(shop: Any) -> None:
    sql = "SELECT count(*) AS n FROM customers WHERE country = 'Germany' AND id < 100"
    context = replace(
        shop.context("how many customers in France?"), recalled=verified("how many customers in Germany?", sql)
    )
    draft = answer(context)
    assert isinstance(draft, Candidate)
    assert "id < 100" in draft.sql
    assert "'France'" in draft.sql


BOTH = (
    "SELECT count(*) FROM orders o JOIN customers c ON c.id = o.customer_id "
    "WHERE o.ordered_on >= '2023-01-01' AND o.ordered_on < '2024-01-01' "
    "AND c.signed_up_on >= '2022-01-01' AND c.signed_up_on < '2023-01-01'"
)
PAIRS = "SELECT count(*) FROM customers c, customers d WHERE c.city = 'Berlin' AND d.city = 'Paris'"


@pytest.mark.parametrize(
    ("old", "sql", "new", "expected"),
    [
        (
            "net orders in 2023 signed up in 2022",
            BOTH,
            "net orders in 2024 signed up in 2023",
            BOTH.replace("2024-", "2025-").replace("2023-", "2024-").replace("2022-", "2023-"),
        ),
        (
            "pairs of Berlin with Paris",
            PAIRS,
            "pairs of Paris with Munich",
            PAIRS.replace("Paris", "Munich").replace("Berlin", "Paris"),
        ),
        (
            "products above 100",
            "SELECT name FROM products WHERE id > 100",
            "products above 1234567",
            "SELECT name FROM products WHERE id > 1234567",
        ),
    ],
)
def test_what_was_put_in_is_not_put_out_again(shop: Any, old: str, sql: str, new: str, expected: str) -> None:
    found = reslot(shop, new, verified(old, sql))
    assert found is not None
    assert " ".join(found.sql.split()) == " ".join(parsed(expected).split())


def parsed(sql: str) -> str:
    return parse_one(sql, dialect="duckdb").sql(dialect="duckdb")


@pytest.mark.parametrize(
    ("old", "sql", "new"),
    [
        pytest.param(
            "customers with at least 1 order",
            "SELECT name FROM customers c WHERE EXISTS (SELECT 1 FROM orders o WHERE o.customer_id = c.id)",
            "customers with at least 3 orders",
            id="a 1 that counts nothing",
        ),
        pytest.param(
            "orders above 2 items",
            "SELECT order_id, round(sum(unit_price), 2) FROM order_items GROUP BY order_id HAVING sum(quantity) >= 3",
            "orders above 5 items",
            id="a number of digits",
        ),
        pytest.param(
            "products with price > 100",
            "SELECT name FROM products WHERE price > 100",
            "products with price < 200",
            id="another sign",
        ),
        pytest.param(
            "products with a margin over 10",
            "SELECT name FROM products WHERE price - cost > 10",
            "products with a margin over 20%",
            id="a percentage",
        ),
        pytest.param(
            "growth of orders in 2024",
            "SELECT count(*) FILTER (WHERE year(ordered_on) = 2024) - count(*) FILTER (WHERE year(ordered_on) = 2023) FROM orders",
            "growth of orders in 2025",
            id="a year that the question does not say",
        ),
        pytest.param(
            "clients of 2024 with orders in 2024",
            "SELECT count(*) FROM customers c JOIN orders o ON o.customer_id = c.id "
            "WHERE year(signed_up_on) = 2024 AND year(ordered_on) = 2024",
            "clients of 2023 with orders in 2024",
            id="one of two equal years",
        ),
        pytest.param(
            "orders of last month in Germany",
            "SELECT count(*) FROM orders o JOIN customers c ON c.id = o.customer_id "
            "WHERE c.country = 'Germany' AND ordered_on >= '2019-05-01' AND ordered_on < '2019-06-01'",
            "orders of last month in France",
            id="a month that was not the last one",
        ),
        pytest.param(
            "our clients in Germany",
            "SELECT name FROM customers WHERE lower(country) = 'germany'",
            "our clients in France",
            id="a value that is computed",
        ),
        pytest.param(
            "clients by country",
            "SELECT country, count(*) FROM customers WHERE country <> 'France' GROUP BY country",
            "clients by city",
            id="a condition on the column that is shown",
        ),
        pytest.param(
            "average price of products with price above 100",
            "SELECT avg(price) FROM products WHERE price > 100",
            "average cost of products with price above 100",
            id="one of two places of a column",
        ),
    ],
)
def test_what_may_stand_elsewhere_is_left_alone(shop: Any, old: str, sql: str, new: str) -> None:
    assert reslot(shop, new, verified(old, sql)) is None


def test_last_month_is_another_month_by_now(shop: Any) -> None:
    sql = (
        "SELECT count(*) FROM orders o JOIN customers c ON c.id = o.customer_id "
        "WHERE c.country = 'Germany' AND ordered_on >= '2026-09-01' AND ordered_on < '2026-10-01'"
    )
    (hit,) = verified("good orders of last month in Germany", sql).hits
    october = datetime(2026, 10, 5).timestamp()
    known = Recalled(hits=(replace(hit, memory=replace(hit.memory, valid_from=october)),))
    found = reslot(shop, "good orders of last month in France", known)
    assert found is not None
    assert ">= '2026-10-01'" in found.sql
    assert "< '2026-11-01'" in found.sql


def test_the_name_of_a_result_changes_with_its_column(shop: Any) -> None:
    sql = "SELECT category, avg(price) AS avg_price FROM products GROUP BY category ORDER BY avg_price"
    found = reslot(shop, "mean cost by category", verified("mean price by category", sql))
    assert found is not None
    assert "price" not in found.sql
    assert shop.rows(found.sql) == shop.rows(sql.replace("price", "cost"))
