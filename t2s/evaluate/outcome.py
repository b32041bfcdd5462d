"""What came of a question, and whether that was right."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from t2s.errors import DatabaseUnavailable, QueryError, T2SError
from t2s.evaluate.cases import Case
from t2s.evaluate.compare import Rows, orders, same, within, without_distinct
from t2s.evaluate.hardness import Hardness, hardness
from t2s.evaluate.mistakes import Mistake, mistakes
from t2s.types.database import Database
from t2s.types.query import Answer, ResultSet

State = Literal["right", "wrong", "invalid", "abstained", "failed", "unjudged"]
"""`invalid` is SQL that did not pass the checks or did not run, `failed` a model's reply that is of no use, `unjudged`
a question whose own queries do not run here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One question asked of one model.

    `right_but_distinct` and `right_and_more` are the readings of others: DISTINCT ignored in both queries (the default
    of the public Spider evaluator), and more columns than were wanted allowed (defog's). `calls` is 0 where the reply
    was known already, `ms` the whole time, `confidence` in 0..1.
    """

    id: str
    model: str
    place: str
    db: str
    question: str
    gold: tuple[str, ...]
    state: State
    sql: str | None = None
    right_but_distinct: bool = False
    right_and_more: bool = False
    reason: str = ""
    confidence: float | None = None
    hardness: Hardness | None = None
    mistakes: tuple[Mistake, ...] = ()
    conversation: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    cache_write_tokens: int = 0
    cache_read_tokens: int = 0
    cost_usd: float | None = 0.0
    calls: int = 0
    ms: float = 0.0

    @property
    def right(self) -> bool:
        """Whether it is what a person would have wanted: the rows, or no answer where there is none."""
        return self.state == ("right" if self.gold else "abstained")


@dataclass(frozen=True, slots=True, kw_only=True)
class Gold:
    """The accepted queries that run, with their rows; `reason` says why there is none."""

    results: tuple[tuple[str, Rows], ...] = ()
    reason: str = ""


def run_gold(case: Case, database: Database, *, timeout: float) -> Gold:
    """Run the accepted queries of a case."""
    results, reason = [], ""
    for sql in case.gold:
        rows = _rows(sql, database, timeout)
        if isinstance(rows, QueryError):
            reason = reason or rows.message
        else:
            results.append((sql, rows))
    return Gold(results=tuple(results), reason="" if results else reason)


def judge(case: Case, gold: Gold, answer: Answer, database: Database, *, model: str, timeout: float) -> Outcome:
    """What an answer is worth; its SQL runs again where its rows were cut off."""
    used = answer.usage
    sql = answer.sql
    state, reason = _without_rows(case, answer)
    readings = (False, False)
    if state is None:
        state, readings, reason = _with_rows(case, gold, answer, database, timeout)
    return replace(
        _outcome(case, database, model, state, reason),
        sql=sql,
        right_but_distinct=readings[0],
        right_and_more=readings[1],
        confidence=answer.confidence,
        mistakes=mistakes(sql, case.gold, database.dialect) if state == "wrong" and sql and case.gold else (),
        input_tokens=used.input_tokens,
        output_tokens=used.output_tokens,
        cache_write_tokens=used.cache_write_tokens,
        cache_read_tokens=used.cache_read_tokens,
        cost_usd=used.cost_usd,
        calls=used.calls,
        ms=round(answer.timings_ms.get("total", 0.0), 1),
    )


def failed(case: Case, error: T2SError, database: Database, *, model: str) -> Outcome:
    """A question to which the model's reply was of no use."""
    return _outcome(case, database, model, "failed", error.message)


def unjudged(case: Case, gold: Gold, database: Database, *, model: str) -> Outcome:
    """A question that was not asked, for nothing could tell whether the answer is right."""
    return _outcome(case, database, model, "unjudged", gold.reason)


def _outcome(case: Case, database: Database, model: str, state: State, reason: str) -> Outcome:
    return Outcome(
        id=case.id,
        model=model,
        place=case.place,
        db=case.db,
        question=case.question,
        gold=case.gold,
        state=state,
        reason=reason,
        hardness=hardness(case.gold[0], database.dialect) if case.gold else None,
        conversation=case.conversation,
    )


def _without_rows(case: Case, answer: Answer) -> tuple[State | None, str]:
    """The state of an answer that can be told without looking at rows, and why."""
    if answer.status in ("abstained", "clarify"):
        asked_back = answer.clarification.question if answer.clarification else ""
        return "abstained", answer.explanation or asked_back
    if answer.status != "ok" or answer.sql is None:
        return "invalid", "; ".join(problem.message for problem in answer.problems)
    if not case.gold:  # a query that reads nothing is a refusal in words
        return ("abstained" if not answer.tables else "wrong"), ""
    return None, ""


def _with_rows(
    case: Case, gold: Gold, answer: Answer, database: Database, timeout: float
) -> tuple[State, tuple[bool, bool], str]:
    sql = answer.sql or ""
    rows = _whole(answer.result, sql, database, timeout)
    if isinstance(rows, QueryError):
        return "invalid", (False, False), rows.message
    right = any(same(wanted, rows, ordered=_ordered(case, one)) for one, wanted in gold.results)
    more = right or any(within(wanted, rows, ordered=_ordered(case, one)) for one, wanted in gold.results)
    distinct = any(_same_but_distinct(case, one, wanted, sql, rows, database, timeout) for one, wanted in gold.results)
    return ("right" if right else "wrong"), (distinct, more), ""


def _same_but_distinct(
    case: Case, gold: str, wanted: Rows, sql: str, rows: Rows, database: Database, timeout: float
) -> bool:
    bare_gold, bare = without_distinct(gold), without_distinct(sql)
    before = wanted if bare_gold == gold else _rows(bare_gold, database, timeout)
    after = rows if bare == sql else _rows(bare, database, timeout)
    if isinstance(before, QueryError) or isinstance(after, QueryError):
        return False
    return same(before, after, ordered=_ordered(case, gold))


def _ordered(case: Case, gold: str) -> bool:
    return orders(gold) if case.ordered is None else case.ordered


def _whole(result: ResultSet | None, sql: str, database: Database, timeout: float) -> Rows | QueryError:
    if result is not None and not result.truncated:
        return result.rows
    return _rows(sql, database, timeout)


def _rows(sql: str, database: Database, timeout: float) -> Rows | QueryError:
    try:
        return database.run(sql, limit=None, timeout=timeout).rows
    except DatabaseUnavailable:
        raise
    except QueryError as e:
        return e
