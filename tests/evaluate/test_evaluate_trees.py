"""Hardness and kinds of mistakes, read off the queries' trees."""

from __future__ import annotations

import pytest

from t2s.evaluate.hardness import hardness
from t2s.evaluate.mistakes import mistakes


@pytest.mark.parametrize(
    ("level", "sql"),
    [  # as `eval_hardness` of the public evaluator says
        ("easy", "SELECT count(*) FROM pets WHERE weight > 10"),
        ("medium", "SELECT name, age FROM singer WHERE country = 'France'"),
        ("medium", "SELECT T1.name FROM a AS T1 JOIN b AS T2 ON T1.id = T2.id WHERE T2.x = 1"),
        ("hard", "SELECT name FROM a WHERE id NOT IN (SELECT id FROM b)"),
        ("hard", "SELECT name FROM a EXCEPT SELECT name FROM b"),
        ("hard", "SELECT name, x FROM a WHERE y = 1 ORDER BY z LIMIT 3"),
        ("extra", "SELECT max(x), min(x) FROM a WHERE y = 1 AND z = 2 GROUP BY w LIMIT 3"),
        ("extra", "SELECT name FROM a WHERE x = 1 OR y = 2 UNION SELECT name FROM b"),
        ("extra", "SELECT a, count(*) FROM t JOIN u ON t.id = u.id GROUP BY a ORDER BY count(*) DESC LIMIT 1"),
        ("extra", "SELECT FROM WHERE"),
    ],
)
def test_hardness_is_counted_as_spider_counts_it(level: str, sql: str) -> None:
    assert hardness(sql, "sqlite") == level


GOLD = "SELECT name FROM people WHERE age > 30 ORDER BY age"


@pytest.mark.parametrize(
    ("sql", "found"),
    [
        ("SELECT name FROM persons WHERE age > 30 ORDER BY age", ("tables",)),
        ("SELECT city FROM people WHERE age > 30 ORDER BY age", ("columns",)),
        ("SELECT name FROM people WHERE age >= 30 ORDER BY age", ("conditions",)),
        ("SELECT name FROM people WHERE age > 40 ORDER BY age", ("values",)),
        ("SELECT name FROM people WHERE age > 30 GROUP BY name ORDER BY age", ("grouping",)),
        ("SELECT name FROM people WHERE age > 30 ORDER BY age DESC", ("ordering",)),
        ("SELECT name FROM people WHERE age > 30 ORDER BY age LIMIT 1", ("ordering",)),
        ("SELECT DISTINCT name FROM people WHERE age > 30 ORDER BY age", ("distinct",)),
        ("SELECT P.NAME AS n FROM people AS p WHERE p.age > 30 ORDER BY p.age", ("other",)),
        ("SELECT name FROM (SELECT name, age FROM people WHERE age > 30) ORDER BY age", ("columns", "nesting")),
        ("SELECT FROM WHERE", ("other",)),
    ],
)
def test_a_wrong_query_is_told_by_the_clauses_that_differ(sql: str, found: tuple[str, ...]) -> None:
    assert mistakes(sql, [GOLD], "sqlite") == found


def test_set_operations_differ_and_the_nearest_gold_query_counts() -> None:
    union, intersect = "SELECT a FROM t UNION SELECT a FROM u", "SELECT a FROM t INTERSECT SELECT a FROM u"
    assert mistakes(union, [intersect], "sqlite") == ("set operation",)
    assert mistakes(union, ["SELECT b FROM v", intersect], "sqlite") == ("set operation",)
