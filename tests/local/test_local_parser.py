"""The trained parser's parts: names found, numbers read, Chinese turned round, queries as trees and back."""

from __future__ import annotations

from datetime import date

import pytest

from t2s.local.generator import answer
from t2s.local.joins import build_graph
from t2s.local.parser.gloss import in_english
from t2s.local.parser.gold import Beyond, read_sql
from t2s.local.parser.model import meaning
from t2s.local.parser.said import hear, split_name
from t2s.local.parser.units import amounts, units
from t2s.local.parser.weights import FILE, dump, parse
from t2s.local.parser.write import Writer
from t2s.types.query import Candidate, Context, ValueMatch
from t2s.types.schema import Column, ForeignKey, Schema, Table

SCHEMA = Schema(
    dialect="sqlite",
    fingerprint="concerts",
    tables=(
        Table(
            name="singer",
            primary_key=("singer_id",),
            columns=tuple(
                Column(name=name, type=kind, samples=samples)
                for name, kind, samples in (
                    ("singer_id", "int", ()),
                    ("name", "text", ()),
                    ("age", "int", ()),
                    ("country", "text", ("France", "Japan")),
                )
            ),
        ),
        Table(
            name="concert",
            primary_key=("concert_id",),
            columns=tuple(
                Column(name=name, type=kind)
                for name, kind in (("concert_id", "int"), ("singer_id", "int"), ("year", "int"), ("stadium", "text"))
            ),
            foreign_keys=(ForeignKey(columns=("singer_id",), target_table="singer", target_columns=("singer_id",)),),
        ),
    ),
)


def context(question: str, *values: ValueMatch) -> Context:
    return Context(question=question, schema=SCHEMA, whole=True, today=date(2026, 11, 21), values=values)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("fname", ("first", "nam")),
        ("CountryCode", ("countri", "cod")),
        ("countrycode", ("countri", "cod")),
        ("zip_code", ("zip", "cod")),
        ("DPhone", ("d", "phon")),
        ("f_id", ("f", "id")),
        ("id", ("id",)),
        ("_", ("_",)),
    ],
)
def test_names_are_cut_into_words_that_people_say(name: str, words: tuple[str, ...]) -> None:
    assert split_name(name) == words


@pytest.mark.parametrize(
    ("table", "column", "asked"),
    [
        ("employee", "eid", "id"),
        ("College", "cName", "name"),
        ("Department", "DPhone", "phone"),
        ("Course", "crs_code", "code"),
        ("Student", "StuID", "id"),
    ],
)
def test_what_a_column_s_name_repeats_of_its_table_need_not_be_said(table: str, column: str, asked: str) -> None:
    schema = Schema(
        dialect="sqlite",
        fingerprint="short names",
        tables=(Table(name=table, primary_key=(), columns=(Column(name=column, type="text"),)),),
    )
    said = hear(Context(question=f"What is the {asked}?", schema=schema, whole=True, today=date(2026, 11, 21)))
    assert said.best((table, column)) > 0.7


def test_texts_that_look_like_days_are_compared_with_days() -> None:
    columns = (Column(name="created_at", type="text", samples=("2024-01-05",)), Column(name="title", type="text"))
    tickets = Schema(
        dialect="sqlite", fingerprint="days", tables=(Table(name="tickets", primary_key=(), columns=columns),)
    )
    question = "tickets after 2024-02-15"
    said = hear(Context(question=question, schema=tickets, whole=True, today=date(2026, 11, 21)))
    assert [unit.column for unit in units(said, (), list(said.fields))] == [("tickets", "created_at")]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("SELECT name, age FROM singer", "SELECT DISTINCT age, name FROM singer ORDER BY age"),
        (
            "SELECT name FROM singer WHERE NOT EXISTS"
            " (SELECT 1 FROM concert WHERE singer.singer_id = concert.singer_id)",
            "SELECT name FROM singer WHERE singer_id NOT IN (SELECT singer_id FROM concert)",
        ),
    ],
)
def test_how_rows_are_shown_is_not_what_a_query_means(one: str, other: str) -> None:
    assert meaning(read_sql(one, SCHEMA)) == meaning(read_sql(other, SCHEMA))


def test_not_is_no_short_form_of_note() -> None:
    columns = (Column(name="note", type="text"), Column(name="visited_on", type="date"))
    visits = Schema(
        dialect="sqlite", fingerprint="visits", tables=(Table(name="visits", primary_key=(), columns=columns),)
    )
    question = "how many visits not on 2024-01-05?"
    draft = answer(Context(question=question, schema=visits, whole=True, today=date(2026, 11, 21)))
    assert isinstance(draft, Candidate)
    assert "visited_on <> '2024-01-05'" in draft.sql
    assert "note" not in draft.sql


def test_the_first_rows_are_others_in_another_order() -> None:
    youngest, oldest = (f"SELECT name FROM singer ORDER BY age{way} LIMIT 3" for way in ("", " DESC"))
    assert meaning(read_sql(youngest, SCHEMA)) != meaning(read_sql(oldest, SCHEMA))


def test_a_full_name_is_first_and_last_name() -> None:
    names = tuple(Column(name=name, type="text") for name in ("Fname", "Lname", "city"))
    schema = Schema(
        dialect="sqlite", fingerprint="names", tables=(Table(name="people", primary_key=(), columns=names),)
    )
    said = hear(Context(question="full names of people", schema=schema, whole=True, today=date(2026, 11, 21)))
    assert said.best(("people", "Fname")) == said.best(("people", "Lname")) == 1.0
    assert said.best(("people", "city")) == 0.0


def test_a_question_names_columns_tables_and_values() -> None:
    said = hear(context("What is the age of singers from France?"))
    assert said.best(("singer", "age")) == 1.0
    assert said.table("singer") == 1.0
    assert [c.value for c in said.constants] == ["France"]


@pytest.mark.parametrize(
    ("question", "operator", "values"),
    [
        ("singers older than 30", ">", (30.0,)),
        ("singers with an age of at least 30", ">=", (30.0,)),
        ("singers who are 30 or older", ">=", (30.0,)),
        ("concerts between 2010 and 2014", "between", (2010.0, 2014.0)),
        ("concerts before 2014", "<", (2014.0,)),
        ("concerts in 2014", "=", (2014.0,)),
    ],
)
def test_words_about_a_number_say_how_it_is_compared(question: str, operator: str, values: tuple[float, ...]) -> None:
    (amount,) = amounts(hear(context(question)))
    assert (amount.operator, amount.values) == (operator, values)


@pytest.mark.parametrize(
    ("question", "operator", "values"),
    [
        ("concerts after 2014-03-01", ">", ("2014-03-01",)),
        ("concerts on 2014-03-01", "=", ("2014-03-01",)),
        ("concerts not on 2014-03-01", "!=", ("2014-03-01",)),
        ("concerts between 2014-03-01 and 2014-04-01", "between", ("2014-03-01", "2014-04-01")),
        ("stadium whose first letter is S", "like", ("S%",)),
        ("stadium with the substring 'ar'", "like", ("%ar%",)),
    ],
)
def test_days_and_letters_are_compared_with_columns_of_their_kind(
    question: str, operator: str, values: tuple[str, ...]
) -> None:
    concert = Table(
        name="concert",
        primary_key=(),
        columns=(Column(name="day", type="date"), Column(name="stadium", type="text")),
    )
    said = hear(
        Context(
            question=question,
            schema=Schema(dialect="sqlite", fingerprint="days", tables=(concert,)),
            whole=True,
            today=date(2026, 11, 21),
        )
    )
    found = {(unit.condition.operator, unit.condition.values) for unit in units(said, amounts(said), list(said.fields))}
    assert found == {(operator, values)}


@pytest.mark.parametrize(
    ("chinese", "english"),
    [
        ("年龄大于30的歌手的姓名是什么？", "what is name of singer with age more than 30"),
        ("每个国家有多少歌手？", "how many singer for each country"),
        ("按年龄降序列出所有歌手的姓名", "show name of all singer ordered by age in descending order"),
        ("歌手的平均年龄是多少", "what is average age of singer"),
    ],
)
def test_chinese_is_turned_into_english_order(chinese: str, english: str) -> None:
    assert in_english(context(chinese)).question == english


def test_values_stay_as_they_are_in_the_data() -> None:
    match = ValueMatch(table="concert", column="stadium", value="鸟巢", text="鸟巢", score=0.5)
    question = in_english(context("在鸟巢的演唱会有多少场", match)).question
    assert '"鸟巢"' in question


def test_english_is_left_alone() -> None:
    given = context("How many singers are there?")
    assert in_english(given) is given


QUERIES = [
    "SELECT count(*) FROM singer",
    "SELECT name FROM singer WHERE age > 30 AND country = 'France'",
    "SELECT name FROM singer WHERE country = 'it''s' OR age BETWEEN 1 AND 2",
    "SELECT country, count(*) FROM singer GROUP BY country HAVING count(*) >= 2",
    "SELECT name FROM singer ORDER BY age DESC",
    'SELECT DISTINCT singer.name FROM singer JOIN concert ON singer.singer_id = concert.singer_id WHERE concert."year" = 2014',
    "SELECT name FROM singer WHERE singer_id NOT IN (SELECT singer_id FROM concert)",
    "SELECT name FROM singer WHERE age > (SELECT avg(age) FROM singer)",
    "SELECT country FROM singer WHERE age > 4 INTERSECT SELECT country FROM singer WHERE age < 3",
    "SELECT count(DISTINCT country) FROM singer WHERE name LIKE '%a%'",
    "SELECT name FROM singer WHERE age <= -3",
]


@pytest.mark.parametrize("sql", QUERIES)
def test_a_query_read_and_written_is_the_same(sql: str) -> None:
    written = Writer(SCHEMA, build_graph(SCHEMA), lambda _: 0.0).write(read_sql(sql, SCHEMA))
    assert written == sql


@pytest.mark.parametrize(
    ("exists", "same"),
    [
        (
            "SELECT name FROM singer WHERE EXISTS (SELECT 1 FROM concert WHERE singer.singer_id = concert.singer_id)",
            "SELECT name FROM singer WHERE singer_id IN (SELECT singer_id FROM concert)",
        ),
        (
            "SELECT name FROM singer WHERE age > 3 AND NOT EXISTS"
            " (SELECT 1 FROM concert WHERE concert.singer_id = singer.singer_id AND concert.stadium = 'Arena')",
            "SELECT name FROM singer WHERE age > 3 AND singer_id NOT IN"
            " (SELECT singer_id FROM concert WHERE stadium = 'Arena')",
        ),
    ],
)
def test_what_exists_is_read_as_what_is_in_it(exists: str, same: str) -> None:
    assert read_sql(exists, SCHEMA) == read_sql(same, SCHEMA)


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM singer",
        "SELECT age + 1 FROM singer",
        "SELECT nothing FROM singer",
        "SELECT (",
        "SELECT count(DISTINCT) FROM singer",
        "SELECT name FROM singer WHERE age = -country",
        "SELECT name FROM singer WHERE NOT (NOT (name LIKE 'a%'))",
        "SELECT name FROM singer WHERE EXISTS (SELECT 1 FROM concert)",
        "SELECT name FROM singer WHERE EXISTS (SELECT 1 UNION SELECT 2)",
    ],
)
def test_what_trees_cannot_say_is_refused(sql: str) -> None:
    with pytest.raises(Beyond):
        read_sql(sql, SCHEMA)


def test_no_leaf_of_a_tree_outweighs_all_others() -> None:
    model = parse(FILE.read_bytes())
    assert model.ranker and model.sureness
    for trees in (*model.roles.values(), model.ranker, model.sureness):
        assert max(abs(leaf) for *_, leaves in trees.trees for leaf in leaves) < 10


def test_the_weights_are_small_and_the_same_after_a_round_trip() -> None:
    content = FILE.read_bytes()
    assert len(content) <= 1_000_000
    assert dump(parse(content)) == content
