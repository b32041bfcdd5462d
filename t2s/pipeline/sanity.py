"""Prove on the data what looks wrong in a query that runs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

from t2s.errors import QueryError, QueryTimeout
from t2s.pipeline.spelling import HasRow, strange_values
from t2s.sql import suspicions
from t2s.types.database import Database
from t2s.types.query import Problem, ResultSet
from t2s.types.schema import Schema

PROOF_TIMEOUT_S = 1.0
DEADLINE_S = 2.0
"""All proofs of a query together; what is not proven by then is shown as a warning at most."""


def doubts(
    sql: str, question: str, result: ResultSet | None, schema: Schema, database: Database
) -> tuple[Problem, ...]:
    """What is wrong with a query although it runs, as far as small read-only queries prove it, the gravest first.

    `result` is what it gave, None where it was not run. Raises `DatabaseUnavailable` or `Cancelled`; a proof that the
    engine refuses proves nothing.
    """
    end = time.monotonic() + DEADLINE_S

    def has_row(proof: str) -> bool:
        left = min(PROOF_TIMEOUT_S, end - time.monotonic())
        if left <= 0:
            raise QueryTimeout("no time is left to look")
        return bool(database.run(proof, limit=1, timeout=left).rows)

    strange = strange_values(
        sql, schema, empty=result is not None and not says_something(result), has_row=has_row, values_of=database.values
    )
    return (*strange, *_suspicions(sql, question, schema, has_row))


def says_something(result: ResultSet) -> bool:
    """Whether there is any value in a result but NULL and a lone zero."""
    if len(result.rows) == 1 and len(result.rows[0]) == 1:
        return result.rows[0][0] not in (None, 0)
    return any(value is not None for row in result.rows for value in row)


def _suspicions(sql: str, question: str, schema: Schema, has_row: HasRow) -> Iterator[Problem]:
    for suspicion in suspicions(sql, schema, question):
        try:
            if suspicion.proof is None or has_row(suspicion.proof):
                yield suspicion.problem
        except QueryTimeout:
            unsure = f"{suspicion.problem.message} (perhaps: the data is too large to look)"
            yield replace(suspicion.problem, severity="warning", message=unsure)
        except QueryError:  # part of a larger query that cannot stand alone
            continue
