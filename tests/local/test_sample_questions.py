"""The local generator over the sample: what newcomers ask, with SQL that must return the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from t2s.workspace import Workspace

ANSWERED = [
    ("how many customers are there?", "SELECT count(*) FROM customers"),
    ("how many orders were cancelled?", "SELECT count(*) FROM orders WHERE status = 'cancelled'"),
    ("list the names of all products", "SELECT name FROM products"),
    ("which products cost more than 30?", "SELECT name FROM products WHERE price > 30"),
    ("customers in Berlin", "SELECT * FROM customers WHERE city = 'Berlin'"),
    ("average salary by department", "SELECT department, avg(salary) FROM employees GROUP BY 1"),
    ("number of customers per country", "SELECT country, count(*) FROM customers GROUP BY 1"),
    ("how many orders were there in 2024?", "SELECT count(*) FROM orders WHERE year(ordered_on) = 2024"),
    (
        "top 3 products by revenue",
        "SELECT p.name, sum(quantity * unit_price * (1 - discount)) AS r FROM order_items JOIN products p "
        "ON p.id = product_id GROUP BY p.id, p.name ORDER BY r DESC LIMIT 3",
    ),
    (
        "How many orders were there per month in 2025?",
        "SELECT date_trunc('month', ordered_on)::date AS m, count(*) FROM orders WHERE year(ordered_on) = 2025 "
        "GROUP BY 1 ORDER BY 1",
    ),
    (
        "customers who never ordered",
        "SELECT * FROM customers WHERE id NOT IN (SELECT customer_id FROM orders)",
    ),
    ("what is the most expensive product?", "SELECT name FROM products ORDER BY price DESC LIMIT 1"),
    ("有多少客户?", "SELECT count(*) FROM customers"),
    ("2024年有多少订单?", "SELECT count(*) FROM orders WHERE year(ordered_on) = 2024"),
    ("每个国家有多少客户?", "SELECT country, count(*) FROM customers GROUP BY 1"),
    (
        "销售额最高的5个产品",
        "SELECT p.name, sum(quantity * unit_price * (1 - discount)) AS r FROM order_items JOIN products p "
        "ON p.id = product_id GROUP BY p.id, p.name ORDER BY r DESC LIMIT 5",
    ),
]

ABSTAINED = [
    "what is the meaning of life?",
    "delete all orders",
    "how is the weather in Berlin tomorrow?",
    "write a poem about customers",
    "今天天气怎么样?",
]


@pytest.fixture(scope="module")
def ws(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    place = tmp_path_factory.mktemp("ledger") / "ledger.db"
    with Workspace.open(str(sample), flags={"model": "local", "ledger": str(place)}) as opened:
        yield opened


@pytest.mark.parametrize(("question", "gold"), ANSWERED, ids=[question for question, _ in ANSWERED])
def test_what_is_asked_is_what_comes_back(ws: Workspace, question: str, gold: str) -> None:
    answer = ws.ask(question)
    assert answer.status == "ok", answer.explanation
    assert answer.result is not None
    wanted = ws.database.run(gold, limit=None, timeout=10).rows
    assert Counter(map(repr, answer.result.rows)) == Counter(map(repr, wanted)), answer.sql
    assert answer.usage.calls == 0


@pytest.mark.parametrize("question", ABSTAINED)
def test_what_is_not_understood_is_said(ws: Workspace, question: str) -> None:
    answer = ws.ask(question)
    assert answer.status == "abstained", answer.sql
    assert answer.explanation
    assert answer.hint


def test_what_was_assumed_is_said(ws: Workspace) -> None:
    answer = ws.ask("top 3 products by revenue")
    assert any("revenue is quantity × unit_price" in text for text in answer.assumptions)
