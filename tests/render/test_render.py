"""What people and programs see of values that nobody can trust."""

from __future__ import annotations

import csv
import io
import json
import math
import re
import unicodedata
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from t2s.errors import UsageError
from t2s.ledger.budgets import Budget
from t2s.render.budget import left_in_words
from t2s.render.clean import clean
from t2s.render.files import whole_file
from t2s.render.formats import write_result
from t2s.types.query import ResultColumn, ResultSet

GOLDEN = Path(__file__).parent.parent / "golden"


def result(rows: list[tuple[object, ...]], *names: str) -> ResultSet:
    return ResultSet(columns=tuple(ResultColumn(name=name) for name in names), rows=rows)


MIXED = result(
    [
        ("Ann | Bo", 1, Decimal("12.50"), date(2024, 3, 1), None),
        ("上海", -20, Decimal("0.10"), date(2025, 12, 31), True),
        ('"quoted", with\nlines', 300, Decimal(7), None, False),
    ],
    "name",
    "n",
    "price",
    "day",
    "flag",
)


def printed(shown: ResultSet, format: str, *, terminal: bool = False) -> str:
    class Stream(io.StringIO):
        def isatty(self) -> bool:
            return terminal

    stream = Stream()
    write_result(shown, format, stream)
    return stream.getvalue()


@pytest.mark.parametrize("format", ["table", "csv", "json", "jsonl", "markdown"])
def test_each_format_is_as_its_golden_file(format: str) -> None:
    assert printed(MIXED, format) == (GOLDEN / f"result.{format}").read_text(encoding="utf-8")


@given(st.text())
def test_cleaned_text_has_nothing_that_speaks_to_a_terminal(text: str) -> None:
    assert not any(unicodedata.category(c) in ("Cc", "Cs") for c in clean(text))
    assert not any(c in clean(text) for c in "\u202e\u2066\u200b\ufeff")
    assert clean(clean(text)) == clean(text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07x", "x"),
        ("\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x9b31mred", "red"),
        ("a\nb\tc\r\nd", "a⏎b⇥c⏎d"),
        ("上海 é 🎉 [red]markup[/]", "上海 é 🎉 [red]markup[/]"),
        ("evil\u202etxt.exe", "eviltxt.exe"),
    ],
)
def test_escapes_go_and_letters_stay(text: str, shown: str) -> None:
    assert clean(text) == shown


def test_hostile_values_and_names_are_harmless_in_a_table() -> None:
    shown = printed(result([("\x1b[2Jgone", "[bold]x[/bold]")], "\x1b]0;evil\x07a", "b"), "table", terminal=True)
    assert "\x1b[2J" not in shown
    assert "\x1b]0" not in shown
    assert "[bold]x[/bold]" in shown


def test_a_pipe_gets_the_exact_value_a_terminal_a_harmless_one() -> None:
    hostile = result([("\x1b[2Jx",)], "a")
    assert next(csv.reader(io.StringIO(printed(hostile, "csv").split("\n", 1)[1]))) == ["\x1b[2Jx"]
    assert "\x1b" not in printed(hostile, "csv", terminal=True)
    assert "\x1b" not in printed(hostile, "json", terminal=True)


def test_a_wide_table_is_turned_on_a_narrow_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    shown = printed(result([tuple(range(20))], *(f"column_{n}" for n in range(20))), "table", terminal=True)
    assert "column_19  19" in re.sub(r"\x1b\[\d*m", "", shown)


def test_json_loses_no_column_and_no_digit() -> None:
    shown = result([(1, 2, 2**60, Decimal("0.1"), math.nan, b"\x00\xff", datetime(2024, 1, 2, 3, 4))], *"aabcdef")
    (row,) = json.loads(printed(shown, "json"))
    assert row == {"a": 1, "a_2": 2, "b": str(2**60), "c": 0.1, "d": None, "e": "00ff", "f": "2024-01-02T03:04:00"}


def test_no_rows_are_still_an_answer() -> None:
    empty = result([], "a", "b")
    assert json.loads(printed(empty, "json")) == []
    assert printed(empty, "csv") == "a,b\n"
    assert "(0 rows)" in printed(empty, "table")


@pytest.mark.parametrize(
    ("rows", "names", "seen"),
    [
        ([("Berlin", 3), ("上海", 6)], ("city", "n"), "█"),
        ([(date(2024, month, 1), month) for month in range(1, 8)], ("month", "n"), "2024-03-01"),
        ([(n * n,) for n in range(30)], ("n",), "–"),
    ],
    ids=["bars", "line", "histogram"],
)
def test_a_chart_is_chosen_by_the_shape(rows: list[tuple[object, ...]], names: tuple[str, ...], seen: str) -> None:
    assert seen in printed(result(rows, *names), "chart")


def test_dates_under_a_line_that_would_touch_are_left_out_evenly() -> None:
    drawn = printed(result([(date(2024, month, 1), month) for month in range(1, 13)], "month", "n"), "chart")
    assert re.findall(r"2024-\d\d-01", drawn) == ["2024-01-01", "2024-04-01", "2024-07-01", "2024-10-01"]


def test_a_chart_of_words_alone_says_what_it_needs() -> None:
    with pytest.raises(UsageError, match="column of numbers"):
        printed(result([("a", "b")], "x", "y"), "chart")


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.write_text("old")
    with pytest.raises(RuntimeError), whole_file(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old"
    with whole_file(path) as temporary:
        temporary.write_text("new")
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("budgets", "words"),
    [
        ([], ""),
        ([Budget(name="request_tokens", limit=5)], ""),
        ([Budget(name="day_tokens", limit=1_000_000, used=1)], "999k tokens left today"),
        ([Budget(name="day_tokens", limit=10_000, used=1)], "9,999 tokens left today"),
        (
            [Budget(name="day_usd", limit=2, used=0.001), Budget(name="session_usd", limit=1, used=0.5, held=0.4)],
            "$0.0999 left in this session",
        ),
        ([Budget(name="day_usd", limit=2, used=0.001)], "$1.99 left today"),
    ],
)
def test_what_is_left_is_told_of_the_tightest_budget_and_never_rounded_up(budgets: list[Budget], words: str) -> None:
    assert left_in_words(budgets) == words
