"""Which rows come out: ungrouped columns, an arbitrary few, a shared first place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from t2s.sql.blocks import Block, Origin
from t2s.sql.suspicion import Suspicion, first_row, probe, shown, suspicion

if TYPE_CHECKING:
    from sqlglot import exp

_LENIENT = ("sqlite", "mysql")
"""Engines that take a column which is neither grouped by nor aggregated."""

_SUPERLATIVE = re.compile(
    r"\b(top|most|least|worst|first|last|furthest|maximum|minimum|max|min|\w{2,}est)\b|最|前\s*\d|前[一二三四五六七八九十]",
    re.IGNORECASE,
)


def grain(block: Block) -> Iterator[Suspicion]:
    """Columns beside aggregates that have several values within a group, of which an arbitrary one is shown."""
    from sqlglot import exp

    if block.dialect not in _LENIENT:
        return
    aggregates = list(block.aggregates())
    keys = block.keys
    if not aggregates and not keys:
        return
    if block.dialect == "sqlite" and any(isinstance(a, exp.Max | exp.Min) for a in aggregates):
        return  # SQLite shows the columns of the row that has the greatest or least: documented
    known = {key.sql() for key in keys} | {_name(origin) for key in keys if (origin := block.origin(key))}
    for projection in block.select.expressions:
        for column in _bare(projection.unalias(), block):
            origin = block.origin(column)
            if origin is None or column.sql() in known or _name(origin) in known or _determined(origin, block, known):
                continue
            several = exp.GT(
                this=exp.Count(this=exp.Distinct(expressions=[column.copy()])), expression=exp.Literal.number(1)
            )
            having = block.select.args.get("having")
            conditions = [several, *([having.this] if having is not None else ())]
            proof = probe(block, group=keys or [exp.Null()], having=conditions)
            per = ", ".join(shown(key, block) for key in keys)
            yield suspicion(
                column,
                "grain",
                f"{shown(column, block)} has several values {f'for one {per}' if keys else 'beside the one row'}, "
                "and an arbitrary one is shown",
                remedy=f"add {shown(column, block)} to GROUP BY, or aggregate it",
                proof=first_row(proof, block),
            )


_DIFFERENT = re.compile(r"\b(distinct|different|unique|unrepeated)\b|不同|去重|不重复", re.IGNORECASE)


_HOW_MANY = re.compile(r"(?:how many|number of|count of|count the|count)\s+((?:\w+\s*){1,3})", re.IGNORECASE)
_WORDS = re.compile(r"[^\W_]+")


def missing_distinct(block: Block, question: str) -> Iterator[Suspicion]:
    """A count of values that come several times, where the question wants the different ones.

    It says so, or it asks how many there are of what the counted key refers to.
    """
    from sqlglot import exp

    aggregates = list(block.aggregates())
    if block.nested or block.select.args.get("distinct") or any(a.find(exp.Distinct) for a in aggregates):
        return
    asked = [_stem(word) for found in _HOW_MANY.finditer(question) for word in _WORDS.findall(found.group(1))]
    for count in aggregates:
        origin = block.origin(count.this) if isinstance(count, exp.Count) else None
        if origin is None or not (_DIFFERENT.search(question) or _referred(origin) & set(asked)):
            continue
        different = exp.Count(this=exp.Distinct(expressions=[count.this.copy()]))
        proof = probe(
            block,
            group=block.keys or [exp.Null()],
            having=[exp.GT(this=exp.Count(this=count.this.copy()), expression=different)],
        )
        yield suspicion(
            count,
            "missing_distinct",
            f"{shown(count, block)} counts equal values each time, and the question wants different ones",
            remedy=f"write COUNT(DISTINCT {shown(count.this, block)})",
            proof=first_row(proof, block),
        )


def _referred(origin: Origin) -> set[str]:
    """The words for what a foreign key refers to; none for other columns."""
    keys = [key for key in origin.table.foreign_keys if key.columns == (origin.column.name,)]
    return {_stem(word) for key in keys for word in _WORDS.findall(key.target_table)[-1:]}


def _stem(word: str) -> str:
    return word.casefold().removesuffix("s")


def limit_without_order(block: Block, question: str) -> Iterator[Suspicion]:
    """Some rows, where the question wants the first by some measure."""
    limit = block.select.args.get("limit")
    if limit is None or block.nested or block.select.args.get("order") or not _SUPERLATIVE.search(question):
        return
    yield suspicion(
        limit,
        "limit_without_order",
        "LIMIT without ORDER BY takes any rows, not the first by some measure",
        remedy="add ORDER BY",
    )


def tie(block: Block) -> Iterator[Suspicion]:
    """A first place that several share, of whom only one is shown."""
    from sqlglot import exp

    limit, order = block.select.args.get("limit"), block.select.args.get("order")
    count = limit.expression if limit is not None else None
    if order is None or not isinstance(count, exp.Literal) or count.name != "1" or block.select.args.get("offset"):
        return
    if not order.expressions or block.select.args.get("distinct"):
        return
    measures = {p.alias.casefold(): p.this for p in block.select.expressions if isinstance(p, exp.Alias)}
    first = order.expressions[0].this
    if isinstance(first, exp.Column) and not first.table and first.name.casefold() in measures:
        first = measures[first.name.casefold()]
    having = block.select.args.get("having")
    rows = probe(
        block,
        select=[exp.alias_(first.copy(), "t2s_measure")],
        group=block.keys,
        having=[having.this] if having is not None else (),
    )
    if len(order.expressions) > 1 or isinstance(first, exp.Literal):
        return  # who adds a second measure has thought of it
    ctes = rows.args.pop("with_", None)
    direction = order.expressions[0].copy()
    direction.set("this", exp.column("t2s_measure"))
    two = exp.select("t2s_measure").from_(rows.subquery("t2s_rows")).order_by(direction).limit(2)
    shared = exp.select("1").from_(two.subquery("t2s_two")).group_by("t2s_measure").having("COUNT(t2s_measure) = 2")
    if ctes is not None:
        shared.set("with_", ctes)
    yield suspicion(
        order,
        "tie",
        f"several have the same {shown(first, block)}; one of them is shown",
        remedy="ask for all that have it, or name what decides between them",
        severity="warning",
        proof=first_row(shared, block),
    )


def _bare(node: exp.Expr, block: Block) -> Iterator[exp.Column]:
    """The columns of an expression outside its aggregates, windows and subqueries."""
    from sqlglot import exp

    if isinstance(node, exp.AggFunc | exp.Window | exp.Query | exp.Subquery):
        return
    if isinstance(node, exp.Column):
        yield node
        return
    for child in node.iter_expressions():
        yield from _bare(child, block)


def _name(origin: Origin) -> str:
    return f"{origin.alias}.{origin.column.name.casefold()}"


def _determined(origin: Origin, block: Block, known: set[str]) -> bool:
    """Whether the group's columns, and those that conditions make equal to them, hold a key of the column's table."""
    from sqlglot import exp

    settled = set(known)
    equal = []
    for condition in block.conditions:
        if isinstance(condition, exp.EQ):
            sides = block.origin(condition.this), block.origin(condition.expression)
            if sides[0] and sides[1]:
                equal.append((_name(sides[0]), _name(sides[1])))
            elif side := sides[0] or sides[1]:
                other = condition.expression if sides[0] else condition.this
                if not block.aliases_in(other):
                    settled.add(_name(side))
    for _ in equal:
        settled |= {b for a, b in equal if a in settled} | {a for a, b in equal if b in settled}
    if _name(origin) in settled:
        return True
    keys = [key for key in (origin.table.primary_key, *origin.table.unique_keys) if key]
    return any(all(f"{origin.alias}.{name.casefold()}" in settled for name in key) for key in keys)
