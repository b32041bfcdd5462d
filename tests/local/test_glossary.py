"""What people taught changes the SQL that comes out without any model."""

from __future__ import annotations

from datetime import date

import pytest

from t2s.local.generator import LocalGenerator
from t2s.memory import remember
from t2s.sql import fingerprint
from t2s.types.event import ignore
from t2s.types.memory import Hit, Memory, Owner, Recalled
from t2s.types.query import Abstained, Candidate, Context, Draft
from t2s.types.schema import Column, ForeignKey, Schema, Table

OWNER = Owner(user="u", session_id="s", datasource="d")


def column(name: str, type: str = "INTEGER") -> Column:
    return Column(name=name, type=type)


SCHEMA = Schema(
    dialect="duckdb",
    fingerprint="f",
    tables=(
        Table(
            name="customers",
            columns=(column("id"), column("name", "TEXT"), column("country", "TEXT"), column("status", "TEXT")),
            primary_key=("id",),
        ),
        Table(
            name="orders",
            columns=(column("id"), column("customer_id"), column("total", "DECIMAL"), column("status", "TEXT")),
            primary_key=("id",),
            foreign_keys=(ForeignKey(columns=("customer_id",), target_table="customers", target_columns=("id",)),),
        ),
    ),
)


def ask(question: str, *known: Memory) -> Draft:
    hits = tuple(Hit(memory=memory, relevance=1.0, score=1.0) for memory in known)
    context = Context(
        question=question, schema=SCHEMA, whole=True, today=date(2026, 1, 1), recalled=Recalled(hits=hits)
    )
    (draft,), _ = LocalGenerator().generate(context, rejected=(), n=1, on_event=ignore)
    return draft


def word(term: str, definition: str) -> Memory:
    return remember.glossary(OWNER, term, definition, SCHEMA, now=0)


def wish(text: str) -> Memory:
    return remember.preference(OWNER, text, now=0)


ACTIVE = word("active customer", "customers.status = 'active'")


@pytest.mark.parametrize(
    ("question", "known", "sql"),
    [
        ("how many active customers?", ACTIVE, "SELECT COUNT(*) FROM customers WHERE customers.status = 'active'"),
        (
            "number of active customers per country",
            ACTIVE,
            "SELECT customers.country, COUNT(*) FROM customers WHERE customers.status = 'active' GROUP BY customers.country",
        ),
        ("how many VIPs?", word("VIP", "customers.id < 10"), "SELECT COUNT(*) FROM customers WHERE customers.id < 10"),
        (
            "有多少大客户?",
            word("大客户", "customers.id < 10"),
            "SELECT COUNT(*) FROM customers WHERE customers.id < 10",
        ),
        ("how many clients?", word("clients", "customers"), "SELECT COUNT(*) FROM customers"),
        (
            "AOV by status",
            word("AOV", "sum(orders.total) / count(*)"),
            "SELECT orders.status, SUM(orders.total) / COUNT(*) FROM orders GROUP BY orders.status",
        ),
        (
            "how many orders?",
            wish("always exclude orders.status = 'cancelled'"),
            "SELECT COUNT(*) FROM orders WHERE NOT (orders.status = 'cancelled')",
        ),
        (
            "how many orders?",
            wish("only orders.status = 'paid' or orders.status = 'sent'"),
            "SELECT COUNT(*) FROM orders WHERE (orders.status = 'paid' OR orders.status = 'sent')",
        ),
        ("names of customers", wish("show at most 7 rows"), "SELECT customers.name FROM customers LIMIT 7"),
        (
            "average total of orders",
            wish("round to 2 decimals"),
            "SELECT ROUND(CAST(AVG(orders.total) AS DECIMAL(38, 10)), 2) FROM orders",
        ),
    ],
)
def test_what_was_taught_is_put_into_the_query(question: str, known: Memory, sql: str) -> None:
    draft = ask(question, known)
    assert isinstance(draft, Candidate), draft
    assert shape(draft.sql) == shape(sql)
    assert (known.kind == "glossary" and " " not in known.data.get("definition", " ")) or draft.assumptions


def shape(sql: str) -> str:
    """The tree of a query without the names that its columns get."""
    import sqlglot
    from sqlglot import exp

    tree = sqlglot.parse_one(sql, read="duckdb").transform(
        lambda node: node.this if isinstance(node, exp.Alias) else node
    )
    return fingerprint(tree.sql("duckdb"), "duckdb")


def test_a_condition_on_a_left_joined_table_does_not_drop_what_has_no_match() -> None:
    from t2s.local.glossary import amended, taught

    sql = "SELECT c.name, COUNT(o.id) FROM customers AS c LEFT JOIN orders AS o ON o.customer_id = c.id GROUP BY c.name"
    hits = (Hit(memory=wish("exclude orders.status = 'cancelled'"), relevance=1, score=1),)
    context = Context(question="q", schema=SCHEMA, whole=True, today=date(2026, 1, 1), recalled=Recalled(hits=hits))
    changed = amended(Candidate(sql=sql), taught(context), SCHEMA)
    assert changed is not None
    assert "ON o.customer_id = c.id AND NOT ( o.status = 'cancelled' )" in " ".join(changed.sql.split())
    assert "WHERE" not in changed.sql


def test_a_word_that_has_no_place_in_the_query_is_no_answer() -> None:
    draft = ask("how many customers?", word("customers", "orders.total > 5"))
    assert isinstance(draft, Abstained | Candidate)
    if isinstance(draft, Candidate):
        assert "total > 5" in draft.sql


def test_the_longest_term_wins() -> None:
    draft = ask("how many active customers?", ACTIVE, word("active", "orders.status = 'open'"))
    assert isinstance(draft, Candidate)
    assert "customers.status" in draft.sql
    assert "orders" not in draft.sql
