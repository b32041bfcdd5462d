"""Data sets of every known format, and what is said of files that are none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from t2s.errors import UsageError
from t2s.evaluate.cases import sample, together
from t2s.evaluate.read import accepted, read_dataset

SPIDER = [{"db_id": "d", "question": "how many?", "query": "SELECT count(*) FROM t"}]
BIRD = [{"db_id": "d", "question": "how many?", "SQL": "SELECT count(*) FROM t", "evidence": "all of them"}]
TALK = [{"db_id": "d", "turns": [{"question": "list t", "query": "SELECT * FROM t"}, {"question": "how many?", "query": "SELECT count(*) FROM t"}]}]  # fmt: skip
PUBLISHED_TALK = [{"database_id": "d", "interaction": [{"utterance": "list t", "query": "SELECT * FROM t"}], "final": {}}]  # fmt: skip
DEFOG = 'question,query,db_name,instructions\n"how\nmany?","SELECT {a, b} FROM t; SELECT c FROM t",d,count only open ones\nwhy?,SELECT \'no idea\' AS answer,d,say so\n'
OWN = """\
questions:
  - question: how many?
    db: shop
    sql: SELECT count(*) FROM t
  - question: which?
    db: shop
    sql: [SELECT a FROM t ORDER BY a, SELECT a FROM u]
    evidence: a is the name
    ordered: false
  - question: why?
    db: shop
    unanswerable: true
"""


def read(folder: Path, text: object, name: str = "set.json"):  # type: ignore[no-untyped-def]
    path = folder / name
    path.write_text(text if isinstance(text, str) else json.dumps(text, indent=1))
    return read_dataset(path)


def test_each_format_is_told_by_what_stands_in_the_file(tmp_path: Path) -> None:
    assert read(tmp_path, SPIDER).kind == "Spider"
    assert read(tmp_path, BIRD).cases[0].asked == "how many?\n(all of them)"
    assert read(tmp_path, DEFOG).kind == "defog"
    assert read(tmp_path, OWN).kind == "own"
    assert read(tmp_path, PUBLISHED_TALK).cases[0].question == "list t"


def test_the_turns_of_a_conversation_stay_together(tmp_path: Path) -> None:
    found = read(tmp_path, [*TALK, *TALK])
    assert found.kind == "conversations"
    assert [len(group) for group in together(found.cases)] == [2, 2]
    assert len({case.id for case in found.cases}) == 4
    assert len(sample(found.cases, 1, seed=0)) == 2  # whole or not at all


def test_defog_accepts_choices_of_columns_and_several_queries(tmp_path: Path) -> None:
    first, second = read(tmp_path, DEFOG).cases
    assert first.gold == ("SELECT a FROM t", "SELECT b FROM t", "SELECT a, b FROM t", "SELECT c FROM t")
    assert first.evidence == "count only open ones"
    assert (second.gold, second.evidence) == ((), "")  # a query that reads nothing says that there is no answer
    assert second.place.endswith(":4")
    assert accepted("SELECT {a,b}, sum(x) FROM t WHERE s = 'a;b' GROUP BY {};")[2] == "SELECT a, b, sum(x) FROM t WHERE s = 'a;b' GROUP BY a, b"  # fmt: skip


def test_our_own_format(tmp_path: Path) -> None:
    first, second, third = read(tmp_path, OWN).cases
    assert (first.gold, first.ordered, first.place.rpartition(":")[2]) == (("SELECT count(*) FROM t",), None, "2")
    assert (second.gold, second.ordered) == (("SELECT a FROM t ORDER BY a", "SELECT a FROM u"), False)
    assert third.gold == ()


def test_a_sample_is_the_same_for_the_same_seed(tmp_path: Path) -> None:
    many = read(tmp_path, [{**SPIDER[0], "question": f"number {n}?"} for n in range(50)]).cases
    chosen = sample(many, 10, seed=1)
    assert chosen == sample(many, 10, seed=1) != sample(many, 10, seed=2)
    assert [*chosen] == sorted(chosen, key=many.index)
    assert sample(many, None, seed=1) == sample(many, 50, seed=1) == many


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", ":1: the file is empty"),
        ("{}", ":1: this is no list of questions"),
        ("[1]", ":1: this is no list of questions"),
        ("[]", ":1: this is no list of questions"),
        ('[\n{"question": "q"}]', ":2: there is no query, SQL or turns here"),
        ('[\n{"question": "q", "query": "s", "db_id": "d"},\n{"question": "q"}]', ":3: query: Field required"),
        ('[\n{"question": "q", "query": "s" "db_id"}]', ":2: Expecting ',' delimiter"),
        ('[{"question": "q", "query": "s", "db_id": "d"}\n', ":2: the list is not closed"),
        ('[{"question": "q", "query": "s", "db_id": "d"} 5]', ":1: the list is not closed"),
        ('[\n{"turns": [{"question": "q"}], "db_id": "d"}]', ":2: turns.0.query: Field required"),
        ("question,query\nq,s\n", ":1: there is no column db_name"),
        ("question,query,db_name\nq,s,d\nq,,d\n", ":3: query: String should have at least 1 character"),
        ("questions: []", ":1:12: questions: Tuple should have at least 1 item"),
        ("questions:\n  - {question: q, db: d}", ":2:5: questions.0: Value error, give its sql, or unanswerable: true"),
        ("questions:\n  - {question: q, db: d, sql: s, odd: 1}", ":2:39: questions.0.odd: Extra inputs"),
        ("just words", ":1:1: the file: Input should be"),
    ],
)
def test_a_bad_file_is_told_by_its_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        read(tmp_path, text, "bad")
    assert caught.value.message.startswith(f"{tmp_path / 'bad'}{said}")


def test_a_file_that_is_not_there_and_one_that_is_no_text(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot read"):
        read_dataset(tmp_path / "none.json")
    (tmp_path / "raw").write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="cannot read"):
        read_dataset(tmp_path / "raw")


@pytest.mark.parametrize(
    ("file", "kind", "count"),
    [
        ("spider/dev.json", "Spider", 511),
        ("spider/dev_zh.json", "Spider", 469),
        ("spider/sparc_dev.json", "conversations", 551),
        ("spider/cosql_dev.json", "conversations", 496),
        ("bird/mini_dev_sqlite.json", "BIRD", 216),
        ("defog/questions_gen_postgres.csv", "defog", 115),
        ("defog/instruct_advanced_postgres.csv", "defog", 32),
        ("defog/idk.csv", "defog", 60),
    ],
)
def test_public_data_sets_are_read(eval_dir: Path, file: str, kind: str, count: int) -> None:
    found = read_dataset(eval_dir / file)
    assert (found.kind, len(found.cases)) == (kind, count)
    assert all(case.gold for case in found.cases) is not file.endswith("idk.csv")
