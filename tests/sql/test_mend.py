"""What is misspelt beyond doubt is put right; what leaves a doubt is left as it is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from t2s.sql import check, mend, surely
from t2s.types.query import Problem, Rejected, Valid
from t2s.types.schema import Column, Dialect, Schema, Table

NAMES = ("id", "customer_id", "ordered_on", "total", "Unit Price", "shipped_on")


def schema(dialect: Dialect) -> Schema:
    columns = tuple(Column(name=name, type="int") for name in NAMES)
    tables = (
        Table(name="orders", columns=columns),
        Table(name="Customers", columns=(Column(name="Name", type="text"),)),
    )
    return Schema(dialect=dialect, tables=tables, fingerprint="x")


def mended(sql: str, dialect: Dialect = "duckdb") -> str | None:
    verdict = check(sql, schema(dialect))
    assert isinstance(verdict, Rejected)
    return mend(sql, verdict.problems, schema(dialect))


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("SELECT totl FROM orders", "SELECT total FROM orders"),
        ("SELECT total FROM order", "SELECT total FROM orders"),
        ("SELECT o.CustomerID\nFROM orders o -- all of them", "SELECT o.customer_id\nFROM orders o -- all of them"),
        ("SELECT `unit_price` FROM orders", "SELECT `Unit Price` FROM orders"),
        ('SELECT unitprice, totla FROM "orders"', 'SELECT "Unit Price", total FROM "orders"'),
    ],
)
def test_a_slip_is_corrected_where_it_stands_and_the_rest_is_kept(wrong: str, right: str) -> None:
    assert mended(wrong, "mysql" if "`" in wrong else "duckdb") == right


def test_a_name_that_an_engine_would_fold_is_quoted() -> None:
    assert mended("SELECT Nmae FROM Customers", "postgres") == 'SELECT "Name" FROM Customers'


@pytest.mark.parametrize(
    "wrong", ["SELECT cost FROM orders", "SELECT xyz_on FROM orders", "SELECT totl, cost FROM orders"]
)
def test_what_could_be_something_else_is_not_touched(wrong: str) -> None:
    assert mended(wrong) is None


@pytest.mark.parametrize(
    ("written", "there", "meant"),
    [
        ("berlin", ["Berlin", "Bern"], "Berlin"),
        ("Sao Paulo", ["São Paulo"], "São Paulo"),
        ("category", ["Categories"], "Categories"),
        ("New York", ["New York ", "Newark"], "New York "),
        ("Belrin", ["Berlin", "Bern"], "Berlin"),
        ("Anne", ["Anna", "Annie"], None),  # either
        ("A1", ["A2"], None),  # another one
        ("2024-01", ["2024-02"], None),
        ("Jo", ["Jon"], None),  # too short to tell
    ],
)
def test_a_misspelling_has_one_reading(written: str, there: list[str], meant: str | None) -> None:
    assert surely(written, there) == meant


@given(st.text(min_size=1), st.lists(st.text(), max_size=5))
def test_what_is_surely_meant_is_there(written: str, there: list[str]) -> None:
    assert surely(written, there) in (None, *there)


@given(st.text(max_size=40), st.integers(0, 3), st.integers(0, 50))
def test_a_problem_in_a_strange_place_changes_nothing_else(sql: str, line: int, column: int) -> None:
    problem = Problem(code="unknown_column", message="", line=line, column=column, suggestion="total")
    result = mend(sql, (problem,), schema("sqlite"))
    assert result is None or "total" in result


def test_a_value_is_quoted_anew() -> None:
    sql = "SELECT total FROM orders WHERE id = 'o''neil'"
    problem = Problem(code="value", message="", line=1, column=sql.index("'") + 1, suggestion="O'Neil")
    right = mend(sql, (problem,), schema("sqlite"))
    assert right == "SELECT total FROM orders WHERE id = 'O''Neil'"
    assert isinstance(check(right, schema("sqlite")), Valid)
