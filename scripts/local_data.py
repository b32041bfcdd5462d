"""Questions with SQL over SQLite files, as the local generator sees them, and what their queries return."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from t2s.database import open_database, resolve_connection
from t2s.evaluate.compare import orders, same
from t2s.linking.values import Values, index_values, match_values
from t2s.memory.knowledge import load
from t2s.types.query import Context
from t2s.types.schema import Schema

TODAY = date(2026, 11, 21)
MAX_STEPS = 400
"""A query is given up after so many thousand steps of SQLite's machine."""


@dataclass(frozen=True)
class Case:
    """A question, its SQL, and the file of its database."""

    question: str
    sql: str
    db: str
    file: Path


def load_cases(questions: Path, databases: Path, *, reworded: bool = False) -> list[Case]:
    """The questions of a file; with `reworded` its second wordings too."""
    cases = []
    for item in json.loads(questions.read_text(encoding="utf-8")):
        file = databases / item["db_id"] / f"{item['db_id']}.sqlite"
        wordings = [
            item["question"],
            *([item["synonym_question"]] if reworded and item.get("synonym_question") else []),
        ]
        cases += [Case(wording, item["query"], item["db_id"], file) for wording in wordings]
    return cases


def team_cases(knowledge: Path, database: Path) -> list[Case]:
    """The verified queries and corrections in a file of `t2s memory export`."""
    known = load(knowledge.read_text(encoding="utf-8"), str(knowledge))
    pairs = [(query.question, query.sql) for query in known.queries]
    pairs += [(one.question, one.right) for one in known.corrections if one.right]
    return [Case(question, sql, f"team {database.stem}", database) for question, sql in pairs]


@cache
def opened(file: Path) -> tuple[Schema, Values]:
    """A database's structure and values."""
    database = open_database(resolve_connection(str(file), {}, cwd=Path.cwd()), cache_dir=None)
    schema = database.schema()
    values = index_values(database.texts(), schema)
    database.close()
    return schema, values


def context_of(case: Case) -> Context:
    """What the product would show the generator."""
    schema, values = opened(case.file)
    return Context(
        question=case.question, schema=schema, whole=True, today=TODAY, values=match_values(case.question, values)
    )


Rows = list[tuple[Any, ...]]


@cache
def _connection(file: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
    connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
    return connection


def run(file: Path, sql: str) -> Rows | None:
    """The rows of a query; None where it fails or takes too long."""
    connection = _connection(file)
    left = MAX_STEPS

    def tick() -> int:
        nonlocal left
        left -= 1
        return left < 0

    connection.set_progress_handler(tick, 1_000)
    try:
        return connection.execute(sql).fetchmany(20_000)
    except sqlite3.Error:
        return None
    finally:
        connection.set_progress_handler(None, 0)


def alike(gold: str, rows: Rows | None, others: Rows | None) -> bool:
    """Whether a query returned the rows of the gold query, as `t2s eval` judges it."""
    return rows is not None and others is not None and same(rows, others, ordered=orders(gold))


def folds(cases: list[Case], count: int) -> Iterator[tuple[list[Case], list[Case]]]:
    """Cases to learn from and cases to try on, apart by database."""
    names = sorted({case.db for case in cases})
    for n in range(count):
        held = set(names[n::count])
        yield [c for c in cases if c.db not in held], [c for c in cases if c.db in held]
