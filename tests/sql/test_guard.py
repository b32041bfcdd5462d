"""The guard alone: the engine's own protection takes no part here."""

from __future__ import annotations

import pytest
from attacks import ATTACKS, HARMLESS, cases
from hypothesis import given
from hypothesis import strategies as st

from t2s.sql import guard

WRITES = ("DELETE FROM t", "INSERT INTO t VALUES (1)", "UPDATE t SET a = 1", "DROP TABLE t", "CREATE TABLE x (a int)")


@pytest.mark.parametrize(("dialect", "sql"), cases(ATTACKS))
def test_attacks_are_refused(dialect: str, sql: str) -> None:
    assert guard(sql, dialect)


@pytest.mark.parametrize(("dialect", "sql"), cases(HARMLESS))
def test_queries_pass(dialect: str, sql: str) -> None:
    if dialect == "mysql":
        sql = sql.replace('"delete"', "`delete`")
    assert guard(sql, dialect) == ()


def test_the_offence_is_named_with_its_place() -> None:
    (problem,) = guard("SELECT a,\n  pg_read_file('x') FROM t", "postgres")
    assert (problem.code, problem.line, problem.column) == ("guard", 2, 3)
    assert "pg_read_file" in problem.message


@given(
    write=st.sampled_from(WRITES),
    wrapper=st.sampled_from(
        [
            "{}",
            "WITH x AS ({}) SELECT 1",
            "WITH x AS ({} RETURNING *) SELECT * FROM x",
            "SELECT 1; {}",
            "{}; SELECT 1",
            "SELECT * FROM ({}) AS x",
            "SELECT 1 WHERE EXISTS ({})",
            "EXPLAIN {}",
            "EXPLAIN ANALYZE {}",
            "SELECT 1 UNION {}",
            "({})",
        ]
    ),
    space=st.sampled_from([" ", "\n", "\t", "/**/", " /* x */ ", "--\n"]),
    upper=st.booleans(),
    dialect=st.sampled_from(["sqlite", "duckdb", "postgres", "mysql"]),
)
def test_no_write_passes(write: str, wrapper: str, space: str, upper: bool, dialect: str) -> None:
    sql = wrapper.format(write).replace(" ", space)
    assert guard(sql.upper() if upper else sql, dialect)


@given(st.text(max_size=200), st.sampled_from(["sqlite", "duckdb", "postgres", "mysql"]))
def test_any_text_gets_a_verdict(text: str, dialect: str) -> None:
    for problem in guard(text, dialect):
        assert problem.code in ("guard", "syntax")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT " + "(" * 10_000 + "1" + ")" * 10_000,
        "SELECT " + "1 + " * 60_000 + "1",
        "SELECT '" + "x" * 300_000 + "'",
    ],
)
def test_monstrous_sql_is_refused_or_passed_but_never_a_crash(sql: str) -> None:
    for problem in guard(sql, "postgres"):
        assert problem.message
