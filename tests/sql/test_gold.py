"""Real queries that their own database takes: none may be rejected, and misspelt ones are named."""

from __future__ import annotations

import csv
import json
import random
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from t2s.database import Connection, open_database
from t2s.database.engine import Engine
from t2s.errors import QueryError
from t2s.sql import check
from t2s.types.query import Rejected

PARTS = 8


def spider(eval_dir: Path) -> list[tuple[str, str]]:
    """Every distinct (database, gold query) of Spider, CSpider, SParC and CoSQL."""
    folder = eval_dir / "spider"
    read = {name: json.loads((folder / f"{name}.json").read_text()) for name in ("train", "dev", "dev_zh")}
    pairs = [(q["db_id"], q["query"]) for questions in read.values() for q in questions]
    for name in ("sparc_dev", "cosql_dev"):
        talks = json.loads((folder / f"{name}.json").read_text())
        pairs += [(talk["db_id"], turn["query"]) for talk in talks for turn in talk["turns"]]
    return sorted(set(pairs))


def open_spider(eval_dir: Path, name: str) -> Engine:
    path = eval_dir / "spider" / "database" / name / f"{name}.sqlite"
    database = open_database(Connection(name=name, url=f"sqlite:///{path}", privacy="schema"), cache_dir=None)
    assert isinstance(database, Engine)
    return database


@pytest.mark.parametrize("part", range(PARTS))
def test_no_gold_query_of_spider_is_rejected(eval_dir: Path, part: int) -> None:
    names = sorted({name for name, _ in spider(eval_dir)})[part::PARTS]
    accepted, rejected = 0, []
    for name in names:
        database = open_spider(eval_dir, name)
        schema = database.schema()
        for _, sql in (pair for pair in spider(eval_dir) if pair[0] == name):
            try:
                database._plan(sql.rstrip("; "))  # without the thread of `explain`: thousands of them
            except QueryError:
                continue
            accepted += 1
            if isinstance(verdict := check(sql, schema), Rejected):
                rejected.append((name, sql, verdict.problems))
        database.close()
    assert accepted > 300
    assert rejected == []


@pytest.fixture
def defog(eval_dir: Path, postgres_url: str) -> Iterator[dict[str, Engine]]:
    """Each of defog's databases, loaded into a PostgreSQL database of its own."""
    import psycopg

    opened: dict[str, Engine] = {}
    with psycopg.connect(postgres_url, autocommit=True) as admin:
        for script in sorted((eval_dir / "defog" / "databases").glob("*.sql")):
            url = f"{postgres_url}_{script.stem}"
            admin.execute(f"CREATE DATABASE {url.rpartition('/')[2]}")
            with psycopg.connect(url, autocommit=True) as loader:
                loader.execute(script.read_text())
            database = open_database(Connection(name=script.stem, url=url, privacy="schema"), cache_dir=None)
            assert isinstance(database, Engine)
            opened[script.stem] = database
        yield opened
        for name, database in opened.items():
            database.close()
            admin.execute(f"DROP DATABASE {postgres_url.rpartition('/')[2]}_{name} WITH (FORCE)")


def test_no_gold_query_of_defog_is_rejected_on_postgresql(eval_dir: Path, defog: dict[str, Engine]) -> None:
    accepted, rejected = 0, []
    for file in ("questions_gen_postgres", "instruct_basic_postgres", "instruct_advanced_postgres"):
        with (eval_dir / "defog" / f"{file}.csv").open() as rows:
            for row in csv.DictReader(rows):
                database = defog[row["db_name"]]
                for query in row["query"].split(";"):
                    sql = re.sub(r"\{([^}]*)\}", r"\1", query).strip()
                    if not sql:
                        continue
                    try:
                        database.explain(sql)
                    except QueryError:
                        continue
                    accepted += 1
                    if isinstance(verdict := check(sql, database.schema()), Rejected):
                        rejected.append((row["db_name"], sql, verdict.problems))
    assert accepted > 160
    assert rejected == []


def test_misspelt_columns_are_named_with_their_place_and_the_right_name(eval_dir: Path) -> None:
    chance = random.Random(7)
    tried = named = right = 0
    for name in ("concert_singer", "world_1", "student_1", "music_1", "hr_1", "flight_2", "bike_1"):
        if not (eval_dir / "spider" / "database" / name).is_dir():
            continue
        database = open_spider(eval_dir, name)
        schema = database.schema()
        for _, sql in (pair for pair in spider(eval_dir) if pair[0] == name):
            words = [w for w in re.findall(r"[A-Za-z_]{5,}", sql) if any(t.column(w) for t in schema.tables)]
            if not words or '"' in sql:
                continue
            word = chance.choice(words)
            at = chance.randrange(1, len(word) - 1)
            wrong = word[:at] + word[at + 1 :]
            if any(t.column(wrong) or t.name.casefold() == wrong.casefold() for t in schema.tables):
                continue
            tried += 1
            verdict = check(re.sub(rf"\b{word}\b", wrong, sql), schema)
            if isinstance(verdict, Rejected):
                named += 1
                right += any((p.suggestion or "").casefold() == word.casefold() for p in verdict.problems)
        database.close()
    assert tried > 200
    assert named / tried > 0.95
    assert right / tried > 0.9
