"""SQL as text."""

from __future__ import annotations

import pytest

from t2s.errors import UsageError
from t2s.sql import extract_sql, fingerprint, format_sql, nearest, transpile


def test_format_lays_out_one_clause_a_line() -> None:
    assert format_sql("select a,b from t where a>1", "duckdb").splitlines()[-2:] == ["WHERE", "  a > 1"]


def test_transpile_says_the_same_for_another_engine() -> None:
    assert "DATE_FORMAT" in transpile("SELECT to_char(d, 'YYYY-MM') FROM t", "postgres", "mysql")


def test_a_fingerprint_is_of_the_tree_not_of_the_text() -> None:
    assert fingerprint("SELECT A FROM t -- x", "postgres") == fingerprint("select a\nfrom T", "postgres")
    assert fingerprint("SELECT a FROM t", "postgres") != fingerprint("SELECT b FROM t", "postgres")


def test_broken_sql_is_a_usage_error_with_its_place() -> None:
    with pytest.raises(UsageError, match="line 1, column"):
        format_sql("SELECT FROM WHERE", "postgres")


@pytest.mark.parametrize("words", ["```sql\nSELECT 1\n```", "Here it is:\n```\nSELECT 1\n```\nEnjoy.", " SELECT 1\n"])
def test_sql_comes_out_of_its_fence(words: str) -> None:
    assert extract_sql(words) == "SELECT 1"


def test_nothing_is_cut_away_that_could_make_a_query_of_a_write() -> None:
    assert extract_sql("DELETE FROM t") == "DELETE FROM t"


def test_the_nearest_name_ignores_case_and_knows_when_nothing_is_near() -> None:
    assert nearest("CUSTMER", ["customer", "order"]) == "customer"
    assert nearest("zebra", ["customer", "order"]) is None
