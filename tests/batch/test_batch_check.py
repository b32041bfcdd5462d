"""What a check finds, in every form that a CI system reads."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from t2s.batch.check import Finding
from t2s.batch.expect import failures, fingerprint
from t2s.batch.report import REPORTS
from t2s.batch.spec import Expect
from t2s.types.query import ResultColumn, ResultSet


def result(*rows: tuple[object, ...], columns: str = "day n") -> ResultSet:
    return ResultSet(columns=tuple(ResultColumn(name=name) for name in columns.split()), rows=rows)


GOOD = result((date(2026, 1, 1), 1), (date(2026, 1, 2), Decimal("2.50")))


@pytest.mark.parametrize(
    ("expect", "found"),
    [
        ({}, []),
        (
            {
                "columns": ["day", "n"],
                "types": {"day": "date", "n": "number"},
                "rows": 2,
                "unique": ["day"],
                "not_null": ["n"],
            },
            [],
        ),
        ({"columns": ["n", "day"]}, ["the columns are day, n, not n, day"]),
        ({"rows": {"min": 3}}, ["there are 2 rows, fewer than 3"]),
        ({"rows": {"max": 1}}, ["there are 2 rows, more than 1"]),
        ({"rows": 0}, ["there are 2 rows, more than 0"]),
        ({"types": {"n": "text"}}, ["n is not a text: 1"]),
        ({"unique": ["x"], "not_null": ["x"]}, ["there is no column x"]),
        ({"max_seconds": 0.5}, ["it took 1.0 s, more than 0.5 s"]),
        ({"fingerprint": "abc"}, [f"the result's fingerprint is {fingerprint(GOOD)}"]),
        ({"fingerprint": fingerprint(GOOD)}, []),
    ],
)
def test_expectations(expect: dict[str, object], found: list[str]) -> None:
    assert list(failures(Expect.model_validate(expect), GOOD, 1.0)) == found


def test_null_and_repeated_values_are_found() -> None:
    bad = result((None, 1), (None, 1))
    assert list(failures(Expect(unique=("n",), not_null=("day",)), bad, 0)) == [
        "n has values that are there twice",
        "day has NULL",
    ]


@given(st.lists(st.tuples(st.integers(), st.text()), max_size=6), st.randoms())
def test_the_fingerprint_does_not_hang_on_the_order_of_rows(rows: list[tuple[object, ...]], chance: object) -> None:
    shuffled = rows[:]
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    assert fingerprint(result(*rows)) == fingerprint(result(*shuffled))
    assert fingerprint(result(*rows)) != fingerprint(result(*rows, (0, "one more")))


FOUND = (
    Finding(
        query="a", code="broken", level="error", message="no column x,\x1b here: 100%", file=Path("sql/a.sql"), line=3
    ),
    Finding(query="b", code="drift", level="warning", message="b <was> & is", file=Path("sql/b.sql")),
)


def test_the_reports_are_what_their_readers_take() -> None:
    said = {name: report(FOUND, ["a", "b", "c"]) for name, report in REPORTS.items()}
    assert said["text"].splitlines()[0] == "sql/a.sql:3: error: a: no column x,\x1b here: 100% [broken]"
    assert (
        said["github"].splitlines()[0]
        == "::error file=sql/a.sql,line=3,title=a%3A broken::no column x,\x1b here: 100%25"
    )
    suite = ElementTree.fromstring(said["junit"]).find("testsuite")
    assert suite is not None
    assert (suite.get("tests"), suite.get("failures")) == ("3", "1")
    assert [case.get("name") for case in suite.findall("testcase")] == ["a", "b", "c"]
    sarif = json.loads(said["sarif"])
    assert [r["level"] for r in sarif["runs"][0]["results"]] == ["error", "warning"]
    assert sarif["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["region"] == {"startLine": 3}
    gitlab = json.loads(said["gitlab"])
    assert [(i["severity"], i["location"]["path"]) for i in gitlab] == [("major", "sql/a.sql"), ("minor", "sql/b.sql")]
    assert len({i["fingerprint"] for i in gitlab}) == 2
    assert json.loads(said["json"])["errors"] == 1


def test_nothing_found_is_a_report_too() -> None:
    for name, report in REPORTS.items():
        text = report((), ["a"])
        assert text == "" if name in ("text", "github") else text.endswith("\n")
