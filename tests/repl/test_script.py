"""What is SQL and what is a question, and where an entry of a script ends."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from t2s.repl.script import entries_of, is_open, is_sql


@pytest.mark.parametrize(
    ("entry", "sql"),
    [
        ("SELECT 1", True),
        ("select\n  name from t", True),
        ("  WITH x AS (SELECT 1) SELECT * FROM x", True),
        ("with recursive n(i) as (select 1) select i from n", True),
        ("With which suppliers do we work?", False),
        ("select the best customers", False),
        ("Select all the orders of May", False),
        ("selected customers", False),
        ("how many orders?", False),
        ("哪个城市的客户最多?", False),
    ],
)
def test_a_line_that_begins_like_sql_is_sql(entry: str, sql: bool) -> None:
    assert is_sql(entry) is sql


@pytest.mark.parametrize(
    ("sql", "unfinished"),
    [
        ("SELECT 1", False),
        ("SELECT count(", True),
        ("SELECT 'it", True),
        ("SELECT 'it''s'", False),
        ("SELECT ')' FROM t", False),
        ("SELECT a,", True),
        ("SELECT a /* why", True),
        ("SELECT (1;", False),
    ],
)
def test_enter_goes_on_in_sql_that_cannot_be_whole(sql: str, unfinished: bool) -> None:
    assert is_open(sql) is unfinished


def test_sql_in_a_script_goes_on_over_lines() -> None:
    script = """
# a comment
how many customers are there?
SELECT city
FROM customers
WHERE country = 'Spain'
  AND id > 3
only in May
SELECT 1;
SELECT name,

  id FROM t
/sql
"""
    assert list(entries_of(script.splitlines(keepends=True))) == [
        "how many customers are there?",
        "SELECT city\nFROM customers\nWHERE country = 'Spain'\n  AND id > 3",
        "only in May",
        "SELECT 1;",
        "SELECT name,",
        "  id FROM t",
        "/sql",
    ]


@given(st.lists(st.text(alphabet=st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=30)))
def test_no_line_is_lost_and_none_comes_twice(lines: list[str]) -> None:
    entered = [line for entry in entries_of(f"{line}\n" for line in lines) for line in entry.split("\n")]
    skipped = [line for line in lines if line not in entered]
    assert all(not line.strip() or line.lstrip().startswith(("#", "--")) for line in skipped)
    assert entered == [line for line in lines if line in entered]
