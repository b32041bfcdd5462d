"""Knowledge as a file: read by people, kept in git, loaded in CI."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from memory_shop import ALICE, BOB, NOW, SCHEMA, memories_at, of, saved

from t2s.errors import UsageError
from t2s.memory import knowledge, remember
from t2s.memory.memories import Memories

FILE = """\
version: 1
glossary:
  active customer: customers.status = 'active'
  大客户: customers.id < 10
notes:
  orders.status: 1 is open, 2 is paid
queries:
- question: How many orders are there?
  sql: |-
    SELECT COUNT(*)
    FROM orders
  golden: true
corrections:
- question: open orders
  wrong: SELECT id FROM orders
  right: SELECT id FROM orders WHERE status = '1'
  why: the others are paid
"""


def learn(memories: Memories, text: str, *, replacing: bool = False) -> knowledge.Imported:
    return knowledge.learn(memories, knowledge.load(text, "team.yaml"), SCHEMA, replacing=replacing)


def test_what_is_imported_is_exported_letter_for_letter(memories: Memories) -> None:
    assert learn(memories, FILE) == knowledge.Imported(added=5, known=0, conflicts=(), refused=())
    assert knowledge.export(memories) == FILE
    assert knowledge.export(of(memories, BOB)) == FILE  # it is the datasource's, not one user's


def test_importing_again_changes_nothing(memories: Memories) -> None:
    learn(memories, FILE)
    assert learn(memories, FILE) == knowledge.Imported(added=0, known=5, conflicts=(), refused=())


def test_what_contradicts_is_told_and_left_out_unless_the_file_is_believed(memories: Memories) -> None:
    learn(memories, FILE)
    other = "version: 1\nglossary:\n  active customer: customers.status = 'open'\n"
    came = learn(memories, other)
    assert came.added == 0
    assert came.conflicts == (
        "glossary 'active customer': known as customers.status = 'active', the file says customers.status = 'open'",
    )
    assert learn(memories, other, replacing=True).added == 1
    assert "active customer: customers.status = 'open'" in knowledge.export(memories)


def test_what_does_not_fit_the_schema_is_refused_and_the_rest_is_learned(memories: Memories) -> None:
    came = learn(memories, FILE.replace("customers.id", "customers.idx").replace("orders.status: 1", "orders.state: 1"))
    assert came.added == 3
    assert [line.split(":")[0] for line in came.refused] == ["glossary '大客户'", "note 'orders.state'"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("version: 1\nglosary: {}\n", "team.yaml:2:10: glosary: Extra inputs are not permitted"),
        ("version: 1\nqueries:\n- question: a\n", "team.yaml:3:3: queries.0.sql: Field required"),
        (
            "version: 1\nqueries:\n- question: a\n  sql: ''\n",
            "team.yaml:4:8: queries.0.sql: String should have at least",
        ),
        ("version: 1\nglossary: [\n", "team.yaml:3:1: "),
        ("version: 2\n", "team.yaml:1:10: version: Input should be 1"),
        ("", "team.yaml:1:1: the file: Input should be a valid dictionary"),
        (
            "version: 1\nglossary: {x: !!python/object:os.system y}\n",
            "team.yaml:2:15: could not determine a constructor",
        ),
    ],
)
def test_a_mistake_in_the_file_is_named_with_its_line(text: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        knowledge.load(text, "team.yaml")
    assert caught.value.message.startswith(message)


WORDS = st.text(st.characters(exclude_categories=["C"]), min_size=1, max_size=30).filter(
    lambda text: text.strip() == text
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=25)
@given(st.dictionaries(WORDS, WORDS, max_size=4), st.lists(WORDS, max_size=3, unique_by=remember.question_key))
def test_export_and_import_are_inverse(tmp_path: Path, glossary: dict[str, str], questions: list[str]) -> None:
    one, other = memories_at(":memory:", tmp_path), memories_at(":memory:", tmp_path)
    saved(
        one, *(remember.query(ALICE, q, "SELECT id\nFROM orders", SCHEMA, state="golden", now=NOW) for q in questions)
    )
    for term, words in glossary.items():
        saved(one, remember.glossary(ALICE, term, f"words: {words}", SCHEMA, now=NOW))
    text = knowledge.export(one)
    assert learn(other, text).refused == ()
    assert knowledge.export(other) == text
    one.ledger.close()
    other.ledger.close()
