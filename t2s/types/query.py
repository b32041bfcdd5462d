"""The values that a question becomes on its way to an answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

from t2s.types.memory import Recalled
from t2s.types.schema import Schema
from t2s.types.usage import Usage

Privacy = Literal["schema", "profile", "values", "rows"]
"""What may leave the machine: names and types only; plus statistics; plus values; plus result rows."""

Status = Literal["ok", "rejected", "abstained", "clarify", "failed"]

Severity = Literal["error", "doubt", "warning"]
"""The query cannot stand; it runs but is hardly what was meant, and goes back once; it is only shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueMatch:
    """A stretch of the question (`text`) that stands in the data as `table.column = value`."""

    table: str
    column: str
    value: str
    text: str
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """An earlier question of the conversation and the SQL that answered it."""

    question: str
    sql: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """SQL that a generator proposes; `confidence` is its own estimate (0..1) where it has one."""

    sql: str
    explanation: str = ""
    assumptions: tuple[str, ...] = ()
    confidence: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """All that a generator is shown: the linked part of the schema, values, memories, history.

    `whole` is true when `schema` is the complete schema of the database. `today` anchors relative dates. `earlier`
    sums up the turns before `history`. `known` is the verified answer of this very question, which needs no generator.
    `likely` says of a part why it is this one: how likely (0..1) the question needs each `table` and `table.column`.
    """

    question: str
    schema: Schema
    whole: bool
    today: date
    privacy: Privacy = "values"
    values: tuple[ValueMatch, ...] = ()
    history: tuple[Exchange, ...] = ()
    earlier: str = ""
    recalled: Recalled = Recalled()
    known: Candidate | None = None
    likely: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Abstained:
    """The generator does not know; `reason` says what it did not understand, `hint` what might help."""

    reason: str
    hint: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Clarification:
    """The question has several readings; asking is better than guessing."""

    question: str
    choices: tuple[str, ...] = ()


Draft = Candidate | Abstained | Clarification


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong with a query.

    `line` and `column` count from 1; `suggestion` is the nearest right name or value, `remedy` what to write
    instead, in words.

    `code` is one of: guard, syntax, unknown_table, unknown_column, function, engine, timeout, veto; and for queries
    that run: value, value_case, date_format, day_cut, text_number, null_comparison, null_list, integer_division,
    fan_out, grain, missing_join, outer_join, limit_without_order, missing_distinct,
    tie.
    """

    code: str
    message: str
    line: int | None = None
    column: int | None = None
    suggestion: str | None = None
    severity: Severity = "error"
    remedy: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Valid:
    """SQL that passed the checks, and what it reads: `tables` as full names, `columns` as `table.column`."""

    sql: str
    tables: tuple[str, ...]
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """SQL that must not or cannot run, and why (never empty)."""

    sql: str
    problems: tuple[Problem, ...]

    @property
    def by_guard(self) -> bool:
        """Whether it was refused as dangerous rather than as wrong."""
        return any(p.code == "guard" for p in self.problems)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultColumn:
    """A column of a result; `type` is the engine's name for it, empty where the engine does not say."""

    name: str
    type: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultSet:
    """Rows as the engine gave them; `truncated` when there were more than the row limit."""

    columns: tuple[ResultColumn, ...]
    rows: Sequence[tuple[Any, ...]]
    truncated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came of a question. `status` alone decides success; `timings_ms` is by stage, with `total`."""

    question: str
    status: Status
    sql: str | None = None
    explanation: str = ""
    assumptions: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    confidence: float | None = None
    clarification: Clarification | None = None
    problems: tuple[Problem, ...] = ()
    hint: str | None = None
    result: ResultSet | None = None
    usage: Usage = Usage(model="")
    timings_ms: Mapping[str, float] = field(default_factory=dict)
    session_id: str = ""
    run_id: str = ""
