"""Everything that looks wrong in a query which the schema and the engine take."""

from __future__ import annotations

from itertools import chain

from t2s.sql.blocks import blocks
from t2s.sql.compared import day_cut, integer_division, null_comparison, null_list, text_number
from t2s.sql.grain import grain, limit_without_order, missing_distinct, tie
from t2s.sql.joined import fan_out, missing_join, outer_join
from t2s.sql.parse import parse
from t2s.sql.suspicion import Suspicion
from t2s.types.query import Problem
from t2s.types.schema import Schema

BY_QUESTION = (limit_without_order, missing_distinct)
"""These want the words of the question, too."""

RULES = (
    missing_join,
    fan_out,
    grain,
    null_list,
    null_comparison,
    integer_division,
    text_number,
    day_cut,
    outer_join,
    tie,
)
"""Each takes a SELECT and gives what is suspicious in it; the first are the gravest."""


def suspicions(sql: str, schema: Schema, question: str = "") -> tuple[Suspicion, ...]:
    """What looks wrong in a query that fits the schema, by rule; one suspicion for each code and place."""
    tree = parse(sql, schema.dialect)
    if isinstance(tree, Problem):
        return ()
    found = [
        suspicion
        for block in blocks(tree, schema)
        for suspicion in chain(*(rule(block) for rule in RULES), *(rule(block, question) for rule in BY_QUESTION))
    ]
    return tuple({(s.problem.code, s.problem.line, s.problem.column): s for s in found}.values())
