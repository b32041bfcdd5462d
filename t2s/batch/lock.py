"""The lock: which SQL answers which question, what it reads, and where it came from. And the journal of a run."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from t2s.documents import read_yaml, write_yaml
from t2s.errors import UsageError
from t2s.render.files import whole_file
from t2s.types.schema import Schema

VERSION = 1
_NOTE = "# Written by t2s batch run. Keep it in git beside the questions; do not edit it.\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Locked:
    """One pinned answer; `columns` are those that the SQL reads, `table.column` → type."""

    question: str
    question_hash: str
    model: str
    prompt: str
    sql_hash: str
    tables: tuple[str, ...]
    columns: Mapping[str, str]
    confidence: float
    cost_usd: float | None
    generated: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What came of generating one query: SQL and its entry in the lock, or why there is none."""

    name: str
    sql: str | None
    locked: Locked | None
    error: str | None = None
    cost_usd: float | None = 0.0


class _Lock(BaseModel):
    model_config = ConfigDict(extra="forbid")
    version: int
    queries: dict[str, Locked] = {}


def read_lock(path: Path) -> dict[str, Locked]:
    """The entries of a lock by their names; empty where there is no file."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as e:
        raise UsageError(f"cannot read {path}: {getattr(e, 'strerror', None) or e}") from e
    lock = read_yaml(text, str(path), _Lock, hint="t2s batch run writes it anew; git has the last good one")
    if lock.version != VERSION:
        raise UsageError(f"{path} has version {lock.version}; this t2s reads {VERSION}", hint="update t2s")
    return dict(lock.queries)


def write_lock(path: Path, entries: Mapping[str, Locked]) -> None:
    """Write a lock whole, its entries by name."""
    queries = {name: {**asdict(entry), "tables": list(entry.tables)} for name, entry in sorted(entries.items())}
    with whole_file(path) as temporary:
        temporary.write_text(_NOTE + write_yaml({"version": VERSION, "queries": queries}), encoding="utf-8")


def write_sql(path: Path, sql: str, locked: Locked, name: str) -> None:
    """Write a query's SQL whole, under two lines that say what it is."""
    question = " ".join(locked.question.split())
    text = f"-- {name}: {question}\n-- {locked.model}, {locked.generated}; change the question, not this file\n{sql}\n"
    path.parent.mkdir(exist_ok=True)
    with whole_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def read_columns(columns: Iterable[str], schema: Schema) -> dict[str, str]:
    """The type of each `table.column` in the schema; those that are not there are left out."""
    found = {}
    for name in sorted(columns):
        table, _, column = name.rpartition(".")
        owner = schema.table(table)
        known = owner.column(column) if owner else None
        if known is not None:
            found[name] = known.type
    return found


def append(journal: Path, done: Done) -> None:
    """Keep an answer for good before it is counted: what is in the journal is never paid for again."""
    line = json.dumps(asdict(done), ensure_ascii=False) + "\n"
    with journal.open("a", encoding="utf-8", errors="surrogatepass") as file:
        file.write(line)
        file.flush()
        os.fsync(file.fileno())


def read_journal(journal: Path) -> list[Done]:
    """What a run that did not end has kept; a last line cut in the middle is none."""
    try:
        lines = journal.read_text(encoding="utf-8", errors="surrogatepass").splitlines()
    except FileNotFoundError:
        return []
    found = []
    for line in lines:
        try:
            document: dict[str, Any] = json.loads(line)
        except json.JSONDecodeError:
            continue
        locked = document.pop("locked")
        entry = Locked(**{**locked, "tables": tuple(locked["tables"])}) if locked else None
        found.append(Done(**document, locked=entry))
    return found
