"""Prove without a model that every question still has its SQL, and that this still fits the schema and its purpose."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from t2s.batch.expect import failures
from t2s.batch.lock import Locked, read_columns
from t2s.batch.spec import Query, SpecFile
from t2s.errors import QueryError, UsageError
from t2s.sql import check as check_against_schema
from t2s.sql import fingerprint
from t2s.types.database import Database
from t2s.types.query import Rejected
from t2s.types.schema import Schema

Level = Literal["error", "warning"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is not as it should be; an error fails the check, a warning wants a look.

    `code` is one of: not_generated, question_changed, sql_missing, sql_edited, broken, drift, expectation, orphan.
    `file` and `line` say where to look.
    """

    query: str
    code: str
    level: Level
    message: str
    file: Path
    line: int = 1


def check(
    file: SpecFile, chosen: tuple[Query, ...], lock: Mapping[str, Locked], database: Database, *, run: bool
) -> tuple[Finding, ...]:
    """Everything that is wrong with the chosen queries, in their order; with `run` their results are looked at too."""
    schema = database.schema()
    found: list[Finding] = []
    for query in chosen:
        found += _of_query(file, query, lock.get(query.name), schema, database, run=run)
    if len(chosen) == len(file.spec.queries):
        known = {query.name for query in file.spec.queries}
        found += [
            Finding(
                query=name,
                code="orphan",
                level="warning",
                message="is in the lock, but not among the questions; batch run takes it out",
                file=file.lock_path,
            )
            for name in sorted(set(lock) - known)
        ]
    return tuple(found)


def read_sql(path: Path) -> str | None:
    """The SQL of a file without the comments at its head; None where there is no file."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as e:
        raise UsageError(f"cannot read {path}: {getattr(e, 'strerror', None) or e}") from e
    while lines and (lines[0].startswith("--") or not lines[0].strip()):
        del lines[0]
    return "\n".join(lines).strip()


def _of_query(
    file: SpecFile, query: Query, locked: Locked | None, schema: Schema, database: Database, *, run: bool
) -> Iterator[Finding]:
    def at_question(code: str, message: str) -> Finding:
        line = file.lines.get(query.name, 1)
        return Finding(query=query.name, code=code, level="error", message=message, file=file.path, line=line)

    def at_sql(code: str, message: str, level: Level = "error", line: int = 1) -> Finding:
        path = file.sql_path(query.name)
        return Finding(query=query.name, code=code, level=level, message=message, file=path, line=line)

    if locked is None:
        yield at_question("not_generated", "has no SQL yet: t2s batch run")
        return
    if locked.question_hash != query.hash:
        yield at_question("question_changed", f"was asked as {locked.question!r}: t2s batch run")
        return
    sql = read_sql(file.sql_path(query.name))
    if sql is None:
        yield at_sql("sql_missing", "the file of its SQL is gone: git checkout it, or t2s batch run")
        return
    if _hash(sql, schema) != locked.sql_hash:
        yield at_sql("sql_edited", "the SQL is not what was generated: t2s batch run --accept takes it over")
        return
    broken = list(_problems(sql, schema, database))
    yield from (at_sql("broken", message, line=line) for message, line in broken)
    if broken:
        return
    yield from (at_sql("drift", message, "warning") for message in _drift(locked, schema))
    if run:
        yield from (at_sql("expectation", message) for message in _unexpected(query, file, sql, database))


def _hash(sql: str, schema: Schema) -> str | None:
    try:
        return fingerprint(sql, schema.dialect)
    except UsageError:
        return None


def _problems(sql: str, schema: Schema, database: Database) -> Iterator[tuple[str, int]]:
    """What the schema and the engine have against the SQL, with the line in the file."""
    verdict = check_against_schema(sql, schema)
    if isinstance(verdict, Rejected):
        for problem in verdict.problems:
            near = f"; did you mean {problem.suggestion}?" if problem.suggestion else ""
            yield problem.message + near, (problem.line or 1) + 2
        return
    try:
        database.explain(verdict.sql)
    except QueryError as e:
        yield e.message, 1


def _drift(locked: Locked, schema: Schema) -> Iterator[str]:
    """Columns that the SQL reads whose type is another than when it was generated."""
    now = read_columns(locked.columns, schema)
    for name, before in locked.columns.items():
        if name in now and now[name] != before:
            yield f"{name} was {before} and is {now[name]}: look whether the SQL still means the same"


def _unexpected(query: Query, file: SpecFile, sql: str, database: Database) -> Iterator[str]:
    most = query.expect.max_seconds or file.spec.defaults.max_seconds
    begin = time.perf_counter()
    try:
        result = database.run(sql, limit=None, timeout=most or 60.0)
    except QueryError as e:
        yield e.message
        return
    yield from failures(query.expect, result, time.perf_counter() - begin)
