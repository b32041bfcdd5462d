"""The file of questions: three forms, and each mistake named with its place."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from t2s.batch.lock import Done, Locked, append, read_journal, read_lock, write_lock
from t2s.batch.spec import read_spec, select
from t2s.errors import UsageError

SPEC = """\
version: 1
datasource: shop.db
defaults:
  tags: [all]
queries:
  - name: per_year
    question: Orders in {year}?
    parameters: {year: 2024}
    tags: [orders]
  - name: names
    question: Names of customers
"""


def spec(folder: Path, text: str, name: str = "q.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_of_questions_with_parameters_and_tags(tmp_path: Path) -> None:
    file = read_spec(spec(tmp_path, SPEC))
    first, second = file.spec.queries
    assert first.asked == "Orders in 2024?"
    assert file.lines == {"per_year": 6, "names": 10}
    assert select(file, names=(), tags=("orders",)) == (first,)
    assert select(file, names=("names",), tags=()) == (second,)
    assert select(file, names=(), tags=("all",)) == (first, second)


def test_the_same_questions_as_json_lines_and_csv(tmp_path: Path) -> None:
    rows = [{"name": "a", "question": "How many?", "tags": ["x", "y"]}, {"name": "b", "question": "Which?"}]
    lines = spec(tmp_path, "\n".join(map(json.dumps, rows)), "q.jsonl")
    table = spec(tmp_path, "name,question,tags\na,How many?,x y\nb,Which?,\n", "q.csv")
    assert read_spec(lines).spec == read_spec(table).spec
    assert read_spec(table).lines == {"a": 2, "b": 3}


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        (
            "q.yaml",
            "version: 1\nqueries:\n  - name: a b\n    question: x\n",
            "q.yaml:3:11: queries.0.name: String should match",
        ),
        (
            "q.yaml",
            "version: 1\nqueries:\n  - name: a\n    question: x\n    expext: {}\n",
            "q.yaml:5:13: queries.0.expext: Extra",
        ),
        (
            "q.yaml",
            "version: 1\nqueries:\n  - {name: a, question: 'in {year}'}\n",
            "q.yaml:3:5: queries.0: Value error, the question's {year}",
        ),
        (
            "q.yaml",
            "version: 1\nqueries:\n- {name: a, question: x}\n- {name: A, question: y}\n",
            "q.yaml:1:1: the file: Value error, two queries are named A",
        ),
        ("q.yaml", "version: 1\nqueries: [\n", "q.yaml:3:1: "),
        ("q.jsonl", '{"name": "a", "question": "x"}\n{"name": }\n', "q.jsonl:2:10: Expecting value"),
        ("q.jsonl", '{"name": "a"}\n', "q.jsonl:1:1: question: Field required"),
        ("q.csv", "name,question\na,x\na,y\n", "q.csv:3:1: two queries are named a"),
    ],
)
def test_a_mistake_is_named_with_file_line_and_column(tmp_path: Path, name: str, text: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_spec(spec(tmp_path, text, name))
    assert caught.value.message.removeprefix(f"{tmp_path}/").startswith(message)


def test_an_empty_selection_is_an_error(tmp_path: Path) -> None:
    file = read_spec(spec(tmp_path, SPEC))
    for names, tags in (((), ("nope",)), (("nope",), ())):
        with pytest.raises(UsageError):
            select(file, names=names, tags=tags)
    with pytest.raises(UsageError, match="no queries at all"):
        select(read_spec(spec(tmp_path, "version: 1\nqueries: []\n")), names=(), tags=())


TEXT = st.text(st.characters(exclude_categories=["C", "Zl", "Zp"]))
LOCKED = st.builds(
    Locked,
    question=TEXT,
    question_hash=st.just("h"),
    model=st.just("local"),
    prompt=st.just("p"),
    sql_hash=st.just("s"),
    tables=st.lists(TEXT, max_size=3).map(tuple),
    columns=st.dictionaries(TEXT, TEXT, max_size=3),
    confidence=st.floats(0, 1),
    cost_usd=st.none() | st.floats(0, 10),
    generated=st.just("2026-01-01"),
)


@settings(deadline=None)
@given(st.dictionaries(st.from_regex(r"[a-z0-9_-]{1,9}", fullmatch=True), LOCKED, max_size=4))
def test_a_lock_is_read_as_it_was_written(tmp_path_factory: pytest.TempPathFactory, entries: dict[str, Locked]) -> None:
    path = tmp_path_factory.mktemp("lock") / "q.lock"
    write_lock(path, entries)
    assert read_lock(path) == entries
    first = path.read_bytes()
    write_lock(path, dict(reversed(entries.items())))
    assert path.read_bytes() == first  # the order is always the same


def test_a_line_that_was_cut_by_a_kill_is_none(tmp_path: Path) -> None:
    journal = tmp_path / "q.journal"
    for name in ("a", "b"):
        append(journal, Done(name=name, sql="SELECT 1", locked=None))
    journal.write_bytes(journal.read_bytes()[:-20])
    assert [done.name for done in read_journal(journal)] == ["a"]
