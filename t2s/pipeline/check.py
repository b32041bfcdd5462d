"""Find out whether SQL is harmless, fits the schema, and is taken by the engine."""

from __future__ import annotations

from t2s.errors import QueryError, QueryTimeout
from t2s.sql import check as check_against_schema
from t2s.types.database import Database
from t2s.types.query import Problem, Rejected, Valid
from t2s.types.schema import Schema


def check(sql: str, schema: Schema, database: Database) -> Valid | Rejected:
    """The guard and the schema first; only what passes them is shown to the engine's EXPLAIN."""
    verdict = check_against_schema(sql, schema)
    if isinstance(verdict, Rejected):
        return verdict
    try:
        database.explain(verdict.sql)
    except QueryError as e:
        return rejected_by_engine(sql, e)
    return verdict


def rejected_by_engine(sql: str, error: QueryError) -> Rejected:
    """The engine's refusal as a value that a repair can work with."""
    code = "timeout" if isinstance(error, QueryTimeout) else "engine"
    return Rejected(sql=sql, problems=(Problem(code=code, message=error.message),))
