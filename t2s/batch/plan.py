"""What a run has to generate, and taking over what it did."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from t2s.batch.check import read_sql
from t2s.batch.lock import Done, Locked, read_columns, read_journal, write_lock, write_sql
from t2s.batch.spec import Query, SpecFile
from t2s.errors import UsageError
from t2s.sql import check, fingerprint
from t2s.types.query import Answer, Rejected, Valid
from t2s.types.schema import Schema


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """`todo` is to be generated; `kept` stands as it is."""

    todo: tuple[Query, ...]
    kept: tuple[Query, ...]


def plan(file: SpecFile, chosen: Iterable[Query], lock: Mapping[str, Locked], *, again: frozenset[str]) -> Plan:
    """Generate what is new, asked otherwise than before, without its file, or named in `again`."""
    todo: list[Query] = []
    kept: list[Query] = []
    for query in chosen:
        locked = lock.get(query.name)
        stands = locked is not None and locked.question_hash == query.hash and file.sql_path(query.name).exists()
        (kept if stands and query.name not in again else todo).append(query)
    return Plan(todo=tuple(todo), kept=tuple(kept))


def done_of(query: Query, answer: Answer, schema: Schema, prompt: str) -> Done:
    """What an answer is for a query: SQL to be pinned, or why there is none."""
    cost = answer.usage.cost_usd
    if answer.status == "ok" and answer.sql:
        locked = _locked_of(query, answer, schema, prompt)
        return Done(name=query.name, sql=answer.sql, locked=locked, cost_usd=cost)
    asked_back = answer.clarification.question if answer.clarification else ""
    reasons = [answer.explanation or asked_back, *(problem.message for problem in answer.problems)]
    error = "; ".join(filter(None, reasons)) or answer.status
    return Done(name=query.name, sql=None, locked=None, error=error, cost_usd=cost)


def _locked_of(query: Query, answer: Answer, schema: Schema, prompt: str) -> Locked:
    sql = answer.sql or ""
    verdict = check(sql, schema)
    columns = verdict.columns if isinstance(verdict, Valid) else ()
    return Locked(
        question=query.asked,
        question_hash=query.hash,
        model=answer.usage.model,
        prompt=prompt,
        sql_hash=fingerprint(sql, schema.dialect),
        tables=answer.tables,
        columns=read_columns(columns, schema),
        confidence=answer.confidence or 0.0,
        cost_usd=answer.usage.cost_usd,
        generated=date.today().isoformat(),
    )


def take_over(file: SpecFile, lock: Mapping[str, Locked]) -> dict[str, Locked]:
    """Write what the journal holds as SQL files and lock, then drop the journal; returns the new lock.

    The order makes a kill at any moment harmless: doing it again gives the same files.
    """
    journal = journal_of(file)
    wanted = {query.name: query for query in file.spec.queries}
    entries = {name: entry for name, entry in lock.items() if name in wanted}
    for done in read_journal(journal):
        query = wanted.get(done.name)
        if done.sql is None or done.locked is None or query is None or query.hash != done.locked.question_hash:
            continue
        write_sql(file.sql_path(done.name), done.sql, done.locked, done.name)
        entries[done.name] = done.locked
    if entries != dict(lock) or not file.lock_path.exists():
        write_lock(file.lock_path, entries)
    for name in set(lock) - set(entries):
        file.sql_path(name).unlink(missing_ok=True)
    journal.unlink(missing_ok=True)
    return entries


def accept_edits(
    file: SpecFile, chosen: Iterable[Query], lock: Mapping[str, Locked], schema: Schema
) -> dict[str, Locked]:
    """Pin the SQL that stands in the files, where it fits the schema; raises `UsageError` where it does not."""
    entries = dict(lock)
    for query in chosen:
        sql = read_sql(file.sql_path(query.name))
        if sql is None:
            continue
        verdict = check(sql, schema)
        if isinstance(verdict, Rejected):
            raise UsageError(f"{file.sql_path(query.name)}: {verdict.problems[0].message}")
        before = entries.get(query.name)
        known = before if before and before.question_hash == query.hash else _by_hand(query)
        entries[query.name] = replace(
            known,
            sql_hash=fingerprint(sql, schema.dialect),
            tables=verdict.tables,
            columns=read_columns(verdict.columns, schema),
        )
    write_lock(file.lock_path, entries)
    return entries


def _by_hand(query: Query) -> Locked:
    return Locked(
        question=query.asked,
        question_hash=query.hash,
        model="by hand",
        prompt="",
        sql_hash="",
        tables=(),
        columns={},
        confidence=1.0,
        cost_usd=0.0,
        generated=date.today().isoformat(),
    )


def journal_of(file: SpecFile) -> Path:
    """Where a run keeps its answers until it ends."""
    return file.path.with_suffix(".journal")
