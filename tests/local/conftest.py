"""Contexts over the sample and over Chinook, made as the product makes them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from t2s.database import open_database, resolve_connection
from t2s.linking.values import index_values, match_values
from t2s.local.generator import LocalGenerator
from t2s.types.database import Database
from t2s.types.event import ignore
from t2s.types.query import Abstained, Candidate, Context, Draft, Rejected
from t2s.types.schema import Schema

TODAY = date(2026, 11, 21)


@dataclass(frozen=True)
class Bench:
    """A database and the generator over it."""

    database: Database
    schema: Schema
    context: Callable[[str], Context]

    def ask(self, question: str, rejected: tuple[Rejected, ...] = ()) -> Draft:
        (draft,), _ = LocalGenerator().generate(self.context(question), rejected=rejected, n=1, on_event=ignore)
        return draft

    def sql(self, question: str) -> str:
        draft = self.ask(question)
        assert isinstance(draft, Candidate), draft
        return " ".join(draft.sql.split())

    def answer(self, question: str) -> list[tuple[Any, ...]]:
        return self.rows(self.sql(question))

    def abstention(self, question: str) -> Abstained:
        draft = self.ask(question)
        assert isinstance(draft, Abstained), draft
        return draft

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        result = self.database.run(sql, limit=None, timeout=20)
        return [tuple(_plain(value) for value in row) for row in result.rows]


def _plain(value: Any) -> Any:
    return round(float(value), 4) if isinstance(value, int | float | Decimal) else value


def bench(target: Path) -> Bench:
    connection = resolve_connection(str(target), {}, cwd=Path.cwd())
    database = open_database(connection, cache_dir=None)
    schema = database.schema()
    values = index_values(database.texts(), schema)

    def context(question: str) -> Context:
        matches = match_values(question, values)
        return Context(question=question, schema=schema, whole=True, today=TODAY, values=matches)

    return Bench(database, schema, context)


@pytest.fixture(scope="session")
def shop(sample: Path) -> Iterator[Bench]:
    made = bench(sample)
    yield made
    made.database.close()


@pytest.fixture(scope="session")
def chinook(eval_dir: Path) -> Iterator[Bench]:
    path = eval_dir / "chinook" / "Chinook_Sqlite.sqlite"
    made = bench(path)
    yield made
    made.database.close()
