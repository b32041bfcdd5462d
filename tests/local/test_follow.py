"""Questions that go on from the one before, whoever wrote its SQL."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from t2s.local.build import render
from t2s.local.follow.past import read_plan
from t2s.local.follow.scope import Foreign
from t2s.local.generator import answer
from t2s.types.query import Abstained, Candidate, Draft, Exchange

Turns = list[tuple[str, str]]


def conversations() -> list[Turns]:
    text = Path(__file__).with_name("conversations.txt").read_text(encoding="utf-8")
    blocks = [[line for line in block.splitlines() if not line.startswith("#")] for block in text.split("\n\n")]
    return [list(zip(block[::2], block[1::2], strict=True)) for block in blocks]


def ask(bench: Any, question: str, *before: tuple[str, str]) -> Draft:
    history = tuple(Exchange(question=question, sql=sql) for question, sql in before)
    return answer(replace(bench.context(question), history=history))


def same_rows(bench: Any, ours: str, theirs: str) -> bool:
    one, other = bench.rows(ours), bench.rows(theirs)
    return one == other if "ORDER BY" in theirs else Counter(one) == Counter(other)


@pytest.mark.parametrize("turns", conversations(), ids=lambda turns: turns[0][0] + " …")
def test_a_conversation_goes_on_from_our_own_sql(shop: Any, turns: Turns) -> None:
    before: Turns = []
    for question, gold in turns:
        draft = ask(shop, question, *before)
        assert isinstance(draft, Candidate), (question, draft)
        assert same_rows(shop, draft.sql, gold), (question, draft.sql)
        before.append((question, draft.sql))


FOLLOWED = [
    pytest.param(turns[at], turns[at + 1], id=turns[at + 1][0])
    for turns in conversations()
    for at in range(len(turns) - 1)
]


@pytest.mark.parametrize(("before", "after"), FOLLOWED)
def test_and_from_sql_as_others_write_it(shop: Any, before: tuple[str, str], after: tuple[str, str]) -> None:
    draft = ask(shop, after[0], before)
    assert isinstance(draft, Candidate), draft
    ours, theirs = shop.rows(draft.sql), shop.rows(after[1])
    assert sorted(map(str, ours)) == sorted(map(str, theirs)), draft.sql


def test_an_answer_says_what_it_goes_on_from(shop: Any) -> None:
    draft = ask(
        shop, "and in France?", ("customers in Germany", "SELECT name FROM customers WHERE country = 'Germany'")
    )
    assert isinstance(draft, Candidate)
    assert draft.assumptions[0] == "this goes on from “customers in Germany”"


def test_a_condition_that_somebody_wrote_otherwise_stays(shop: Any) -> None:
    past = "SELECT c.name FROM customers c WHERE c.country ILIKE 'ger%' OR c.city = 'Paris'"
    draft = ask(shop, "only those who signed up in 2024", ("customers", past))
    assert isinstance(draft, Candidate)
    expected = "SELECT name FROM customers WHERE (country ILIKE 'ger%' OR city = 'Paris') AND extract(year FROM signed_up_on) = 2024"
    assert same_rows(shop, draft.sql, expected), draft.sql


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        ("SELECT name FROM customers UNION SELECT name FROM products", "a set operation"),
        ("WITH x AS (SELECT 1 AS a) SELECT a FROM x", "WITH"),
        ("SELECT n FROM (SELECT count(*) AS n FROM customers)", "a query in FROM"),
        ("SELECT name, row_number() OVER (ORDER BY name) FROM customers", "a window function"),
        ("SELECT a.name FROM customers a JOIN customers b ON a.id = b.id", "customers twice"),
        ("SELECT c.name FROM customers c LEFT JOIN orders o ON o.customer_id = c.id", "a join other than by its keys"),
        ("SELECT DISTINCT ON (country) name FROM customers", "DISTINCT ON"),
        ("SELECT 1", "no table"),
        ("SELECT o.* FROM customers c JOIN orders o ON o.customer_id = c.id", "of another table than the first"),
        ("SELECT * FROM customers c JOIN orders o ON o.customer_id = c.id", "of another table than the first"),
        ("SELECT c.*, o.* FROM customers c JOIN orders o ON o.customer_id = c.id", "of another table than the first"),
        ("SELECT name FROM customers WHERE " + "(" * 400 + "id > 1" + ")" * 400, "a syntax of its own"),
        ("SELECT name FROM customers; SELECT 1", "a syntax of its own"),
        ("SELECT name FROM customers USING SAMPLE 5", "SAMPLE"),
        ("SELECT name FROM customers TABLESAMPLE 50%", "a table with a clause of its own"),
        ("SELECT country, count(*) FROM customers GROUP BY ALL", "groups that are no columns"),
        ("SELECT country, count(*) FROM customers GROUP BY ROLLUP (country)", "groups that are no columns"),
        ("SELECT name FROM customers ORDER BY ALL LIMIT 3", "an order that is no column"),
        ("SELECT name FROM customers LIMIT 10%", "a LIMIT that is no number"),
        ("SELECT name FROM customers LIMIT 10 OFFSET 5", "OFFSET"),
    ],
)
def test_what_a_plan_cannot_hold_is_said(shop: Any, sql: str, why: str) -> None:
    with pytest.raises(Foreign, match=why):
        read_plan(sql, shop.schema)
    draft = ask(shop, "only those in Germany", ("before", sql))
    assert isinstance(draft, Abstained)
    assert why in draft.reason


def test_words_that_it_does_not_know_are_named(shop: Any) -> None:
    draft = ask(shop, "only the flurbish ones", ("customers", "SELECT name FROM customers"))
    assert isinstance(draft, Abstained)
    assert "goes on from “customers”, but I do not understand “flurbish”" in draft.reason


@pytest.mark.parametrize("question", ["and the average of the first ones?", "what is their total price?"])
def test_the_first_rows_are_not_computed_with(shop: Any, question: str) -> None:
    draft = ask(shop, question, ("top", "SELECT name, price FROM products ORDER BY price DESC LIMIT 5"))
    assert isinstance(draft, Abstained)


PAST = [gold for turns in conversations() for _, gold in turns]


@pytest.mark.parametrize("sql", PAST)
def test_what_is_read_back_returns_the_same(shop: Any, sql: str) -> None:
    plan = read_plan(sql.replace("SELECT 2024, ", "SELECT "), shop.schema)
    assert same_rows(shop, render(plan, shop.schema), sql.replace("SELECT 2024, ", "SELECT "))


def test_an_order_by_the_name_of_an_output_is_not_by_the_column_of_that_name(shop: Any) -> None:
    past = "SELECT country, count(*) AS id FROM customers GROUP BY country ORDER BY id DESC LIMIT 5"
    draft = ask(shop, "only those in Germany", ("customers per country", past))
    assert isinstance(draft, Candidate)
    assert same_rows(shop, draft.sql, past.replace(" GROUP", " WHERE country = 'Germany' GROUP")), draft.sql


def test_a_long_number_is_kept_as_it_was_written(shop: Any) -> None:
    draft = ask(shop, "also show the city", ("x", "SELECT name FROM customers WHERE id = 9007199254740993"))
    assert isinstance(draft, Candidate)
    assert "9007199254740993" in draft.sql


GERMANS = (
    "orders of Germans",
    "SELECT count(*) FROM orders o JOIN customers c ON o.customer_id = c.id WHERE c.country = 'Germany'",
)
BOUGHT = (
    "products they bought",
    "SELECT DISTINCT p.name FROM products p JOIN order_items i ON i.product_id = p.id WHERE i.quantity > 3",
)


@pytest.mark.parametrize(
    ("before", "question", "expected"),
    [
        pytest.param(
            GERMANS,
            "and how many customers?",
            "SELECT count(DISTINCT c.id) FROM orders o JOIN customers c ON o.customer_id = c.id WHERE c.country = 'Germany'",
            id="each customer is counted once",
        ),
        pytest.param(
            ("orders", "SELECT count(*) FROM orders"),
            "and per category of products?",
            "SELECT p.category, count(DISTINCT i.order_id) FROM order_items i JOIN products p ON i.product_id = p.id GROUP BY 1",
            id="each order is counted once per category",
        ),
        pytest.param(
            ("orders", "SELECT count(*) FROM orders WHERE ordered_on >= '2025-01-01' AND ordered_on < '2026-01-01'"),
            "only before June 2025",
            "SELECT count(*) FROM orders WHERE ordered_on >= '2025-01-01' AND ordered_on < '2025-06-01'",
            id="the year stays",
        ),
        pytest.param(
            (
                "customers with orders in 2024",
                "SELECT count(DISTINCT c.id) FROM customers c JOIN orders o ON o.customer_id = c.id "
                "WHERE o.ordered_on >= '2024-01-01' AND o.ordered_on < '2025-01-01'",
            ),
            "and in 2025?",
            "SELECT count(DISTINCT customer_id) FROM orders WHERE year(ordered_on) = 2025",
            id="the date that was spoken of",
        ),
        pytest.param(
            ("orders of sales", "SELECT count(*) FROM orders o JOIN employees e ON o.employee_id = e.id WHERE e.department = 'Sales'"),
            "what are the salaries of these employees?",
            "SELECT id, salary FROM employees WHERE department = 'Sales' AND id IN (SELECT employee_id FROM orders)",
            id="two may earn the same",
        ),
        pytest.param(
            (
                "items per customer",
                "SELECT c.name, sum(i.quantity) FROM customers c JOIN orders o ON o.customer_id = c.id "
                "JOIN order_items i ON i.order_id = o.id GROUP BY c.id, c.name",
            ),
            "only category Books",
            "SELECT c.name, sum(i.quantity) FROM customers c JOIN orders o ON o.customer_id = c.id "
            "JOIN order_items i ON i.order_id = o.id JOIN products p ON i.product_id = p.id "
            "WHERE p.category = 'Books' GROUP BY c.id, c.name",
            id="of the items, not of the customers",
        ),
        pytest.param(
            (
                "orders per country",
                "SELECT c.country, count(o.id) FROM customers c JOIN orders o ON o.customer_id = c.id GROUP BY c.country",
            ),
            "only 2024",
            "SELECT c.country, count(o.id) FROM customers c JOIN orders o ON o.customer_id = c.id "
            "WHERE year(o.ordered_on) = 2024 GROUP BY c.country",
            id="the date of what is counted",
        ),
        pytest.param(
            ("lowest paid", "SELECT name FROM employees ORDER BY salary, id LIMIT 1"),
            "which department is that?",
            "SELECT department FROM employees ORDER BY salary, id LIMIT 1",
            id="of the first row",
        ),
        pytest.param(
            ("products", "SELECT name, price - cost AS margin, cost FROM products"),
            "only those above -5",
            "SELECT name, price - cost AS margin, cost FROM products WHERE cost > -5",
            id="a number below nothing",
        ),
        pytest.param(
            ("names", "SELECT name FROM customers WHERE dayofweek(signed_up_on) = 1"),
            "only 2024",
            "SELECT name FROM customers WHERE dayofweek(signed_up_on) = 1 AND year(signed_up_on) = 2024",
            id="the day of the week stays",
        ),
        pytest.param(
            ("prices", "SELECT id, price FROM products"),
            "only those under 20",
            "SELECT id, price FROM products WHERE price < 20",
            id="an id is not what is low",
        ),
        pytest.param(
            ("items", "SELECT c.name, sum(i.quantity) AS n FROM customers c JOIN orders o ON o.customer_id = c.id "
             "JOIN order_items i ON i.order_id = o.id GROUP BY c.id, c.name ORDER BY n DESC, c.name LIMIT 3"),
            "also show their city",
            "SELECT c.name, sum(i.quantity) AS n, c.city FROM customers c JOIN orders o ON o.customer_id = c.id "
            "JOIN order_items i ON i.order_id = o.id GROUP BY c.id, c.name, c.city ORDER BY n DESC, c.name LIMIT 3",
            id="a column of what is grouped by",
        ),
    ],
)  # fmt: skip
def test_rows_are_neither_lost_nor_repeated(shop: Any, before: tuple[str, str], question: str, expected: str) -> None:
    draft = ask(shop, question, before)
    assert isinstance(draft, Candidate), draft
    assert same_rows(shop, draft.sql, expected), draft.sql


@pytest.mark.parametrize(
    ("before", "question"),
    [
        pytest.param(GERMANS[1], "only those in France or with status cancelled", id="or"),
        pytest.param(BOUGHT[1], "what is their average price?", id="products once for each item"),
        pytest.param(
            "SELECT country FROM customers GROUP BY country HAVING count(*) > 20",
            "what are their names?",
            id="names would make smaller groups",
        ),
        pytest.param("SELECT name FROM customers", "top 3", id="no name is higher than another"),
        pytest.param(
            "SELECT name, price FROM products ORDER BY price DESC LIMIT 5", "and in ascending order", id="other rows"
        ),
        pytest.param("SELECT name, price FROM products ORDER BY price LIMIT 5", "and the top 3", id="of the cheapest"),
        pytest.param(
            "SELECT name FROM customers ORDER BY signed_up_on LIMIT 5", "also show their order dates", id="5 orders"
        ),
        pytest.param(
            "SELECT country, count(*) FROM customers GROUP BY country ORDER BY 2 DESC LIMIT 3",
            "only the customers",
            id="all columns of a group",
        ),
        pytest.param(
            "SELECT name FROM customers WHERE country = 'Germany' OR city = 'Paris'",
            "what about France?",
            id="one of OR",
        ),
        pytest.param(
            "SELECT count(*) FROM customers c WHERE NOT EXISTS "
            "(SELECT 1 FROM orders o WHERE o.customer_id = c.id AND o.ordered_on >= '2024-01-01')",
            "and in 2025?",
            id="a year inside of EXISTS",
        ),
        pytest.param("SELECT avg(salary) FROM employees", "only Sales", id="revenue is nothing to keep"),
        pytest.param("SELECT max(salary) FROM employees", "who is it?", id="nothing changes"),
    ],
)
def test_what_one_query_cannot_say_is_not_said(shop: Any, before: str, question: str) -> None:
    draft = ask(shop, question, ("before", before))
    assert isinstance(draft, Abstained), draft.sql  # type: ignore[union-attr]


def test_now_can_begin_something_new(shop: Any) -> None:
    draft = ask(shop, "now list all products", ("germans", "SELECT name FROM customers WHERE country = 'Germany'"))
    assert isinstance(draft, Candidate)
    assert len(shop.rows(draft.sql)) == len(shop.rows("SELECT * FROM products"))


def test_the_first_of_a_ranking_has_a_value(shop: Any) -> None:
    past = "SELECT country, max(shipped_on) FROM customers JOIN orders ON orders.customer_id = customers.id GROUP BY 1"
    plan = read_plan(past, replace(shop.schema, dialect="postgres"))
    (_, latest) = (output.expression for output in plan.outputs)
    assert "DESC NULLS LAST" in render(
        replace(plan, order=((latest, True),), limit=3), replace(shop.schema, dialect="postgres")
    )


def test_nulls_that_mysql_puts_last_stay_last_the_other_way_round(shop: Any) -> None:
    schema = replace(shop.schema, dialect="mysql")
    plan = read_plan(
        "SELECT country, max(shipped_on) FROM customers JOIN orders ON customer_id = customers.id GROUP BY 1", schema
    )
    (_, latest) = (output.expression for output in plan.outputs)
    ordered = replace(plan, order=((latest, False),), limit=3)
    assert "IS NULL" in render(ordered, schema)
    assert read_plan(render(ordered, schema), schema).order == ordered.order


def test_a_condition_on_the_name_of_a_figure_stays(shop: Any) -> None:
    past = "SELECT country, count(*) AS n FROM customers GROUP BY country HAVING n > 20"
    draft = ask(shop, "only those in Germany", ("customers per country", past))
    assert isinstance(draft, Candidate), draft
    assert "HAVING COUNT(*) > 20" in " ".join(draft.sql.split())


def test_a_period_in_brackets_is_a_period(shop: Any) -> None:
    past = (
        "SELECT count(*) FROM orders WHERE status = 'delivered' "
        "AND (ordered_on >= DATE '2025-01-01' AND ordered_on < DATE '2026-01-01')"
    )
    draft = ask(shop, "only before 2024", ("delivered in 2025", past))
    assert isinstance(draft, Candidate)
    assert same_rows(
        shop, draft.sql, "SELECT count(*) FROM orders WHERE status = 'delivered' AND year(ordered_on) < 2024"
    )


def test_the_first_none_of_the_rows_is_no_question(shop: Any) -> None:
    draft = ask(shop, "top 0", ("countries", "SELECT country, count(*) AS n FROM customers GROUP BY country"))
    assert isinstance(draft, Abstained)


def test_a_condition_on_groups_that_are_no_more_is_told(shop: Any) -> None:
    past = "SELECT country, count(*) AS n FROM customers GROUP BY country HAVING count(*) > 20"
    draft = ask(shop, "and per city?", ("countries", past))
    assert isinstance(draft, Candidate)
    assert "the condition on the groups before is no more" in draft.assumptions


@pytest.mark.parametrize(("dialect", "of"), [("mysql", "MAX(products.price)"), ("sqlite", "products.price")])
def test_a_name_in_having_is_what_the_engine_takes_it_for(shop: Any, dialect: str, of: str) -> None:
    schema = replace(shop.schema, dialect=dialect)
    sql = "SELECT brand, max(price) AS price FROM products GROUP BY brand HAVING price > 100"
    assert f"HAVING {of} > 100" in " ".join(render(read_plan(sql, schema), schema).split())


def test_thousands_of_conditions_are_read(shop: Any) -> None:
    conditions = [f"id <> {n}" for n in range(3000)]
    plan = read_plan(f"SELECT name FROM customers WHERE {' AND '.join(conditions)}", shop.schema)
    assert len(plan.filters) == 3000
