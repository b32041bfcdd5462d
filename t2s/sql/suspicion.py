"""What looks wrong in a query that runs, and the small query that proves it on the data."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from t2s.sql.blocks import Block
from t2s.sql.parse import place
from t2s.types.query import Problem, Severity

if TYPE_CHECKING:
    from sqlglot import exp

MAX_SHOWN = 60
"""Characters of an expression in a message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspicion:
    """A problem that is real where `proof`, a bounded query, returns a row (None: the tree alone is proof)."""

    problem: Problem
    proof: str | None = None


def suspicion(
    node: exp.Expr, code: str, message: str, *, remedy: str, severity: Severity = "doubt", proof: str | None = None
) -> Suspicion:
    """A suspicion about a node, with its place."""
    line, column = place(node)
    problem = Problem(code=code, message=message, line=line, column=column, severity=severity, remedy=remedy)
    return Suspicion(problem=problem, proof=proof)


def shown(node: exp.Expr, block: Block) -> str:
    """An expression as the reader knows it, cut to a line."""
    text = " ".join(node.sql(dialect=block.dialect).split())
    return text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 1] + "…"


def probe(
    block: Block,
    *,
    where: Iterable[exp.Expr] = (),
    group: Iterable[exp.Expr] = (),
    having: Iterable[exp.Expr] = (),
    select: Iterable[exp.Expr] = (),
) -> exp.Select:
    """The rows that a SELECT reads (its FROM, joins and WHERE), narrowed and grouped further."""
    from sqlglot import exp

    kept = ("from_", "joins", "laterals", "where")
    query = exp.Select(**{name: _copied(block.select.args[name]) for name in kept if block.select.args.get(name)})
    query = query.select(*([e.copy() for e in select] or [exp.Literal.number(1)]), copy=False)
    for condition in where:
        query = query.where(condition.copy(), copy=False)
    groups = [key.copy() for key in group]
    if groups:
        query = query.group_by(*groups, copy=False)
    for condition in having:
        query = query.having(condition.copy(), copy=False)
    outermost = [node for node in _outwards(block.select) if node.args.get("with_")]
    if outermost:
        query.set("with_", outermost[-1].args["with_"].copy())
    return query


def first_row(query: exp.Select, block: Block) -> str:
    """The text of a query that ends with its first row."""
    return query.limit(1, copy=False).sql(dialect=block.dialect)


def _copied(part: exp.Expr | list[exp.Expr]) -> exp.Expr | list[exp.Expr]:
    return [node.copy() for node in part] if isinstance(part, list) else part.copy()


def _outwards(node: exp.Expr) -> Iterable[exp.Expr]:
    here: exp.Expr | None = node
    while here is not None:
        yield here
        here = here.parent
