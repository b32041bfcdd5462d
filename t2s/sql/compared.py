"""Comparisons and divisions that do something else than they look like."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from typing import TYPE_CHECKING

from t2s.sql.blocks import Block
from t2s.sql.suspicion import Suspicion, first_row, probe, shown, suspicion

if TYPE_CHECKING:
    from sqlglot import exp

_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_WHOLE = re.compile(r"int|serial", re.IGNORECASE)
_TEXT = re.compile(r"char|text|string|clob", re.IGNORECASE)
_TRUNCATING = ("sqlite", "postgres")
"""Engines on which a whole number divided by a whole number is one."""


def null_comparison(block: Block) -> Iterator[Suspicion]:
    """`= NULL` and its kin are never true."""
    from sqlglot import exp

    for node in _own(block, exp.EQ, exp.NEQ):
        if isinstance(node.expression, exp.Null) or isinstance(node.this, exp.Null):
            test = "IS NULL" if isinstance(node, exp.EQ) else "IS NOT NULL"
            yield suspicion(node, "null_comparison", f"{shown(node, block)} is true of no row", remedy=f"write {test}")


def null_list(block: Block) -> Iterator[Suspicion]:
    """NOT IN over a subquery that gives a NULL is true of no row."""
    from sqlglot import exp

    for node in _own(block, exp.In):
        query = node.args.get("query")
        inner = query.unnest() if query is not None else None
        if not isinstance(node.parent, exp.Not) or not isinstance(inner, exp.Select) or len(inner.expressions) != 1:
            continue
        given = inner.copy()
        given.set("expressions", [exp.alias_(given.expressions[0].unalias(), "t2s_value")])
        nulls = exp.Is(this=exp.column("t2s_value"), expression=exp.Null())
        proof = exp.select("1").from_(given.subquery("t2s_list")).where(nulls)
        what = shown(inner.expressions[0].unalias(), block)
        yield suspicion(
            node,
            "null_list",
            f"{what} can be NULL, and then NOT IN is true of no row",
            remedy=f"add WHERE {what} IS NOT NULL to the subquery, or write NOT EXISTS",
            proof=first_row(_with_ctes(proof, block), block),
        )


def integer_division(block: Block) -> Iterator[Suspicion]:
    """Whole numbers divided where the engine cuts off the rest."""
    from sqlglot import exp

    if block.dialect not in _TRUNCATING:
        return
    for node in _own(block, exp.Div):
        if not _whole(node.this, block) or not _whole(node.expression, block) or isinstance(_outer(node), exp.Mul):
            continue
        top, bottom = exp.alias_(node.this.copy(), "t2s_top"), exp.alias_(node.expression.copy(), "t2s_bottom")
        grouped = node.find(exp.AggFunc) is not None
        having = block.select.args.get("having")
        rows = probe(
            block,
            select=[top, bottom],
            group=block.keys if grouped else (),
            having=[having.this] if grouped and having is not None else (),
        )
        ctes = rows.args.pop("with_", None)
        checks = "t2s_bottom <> 0 AND t2s_top % t2s_bottom <> 0"
        if block.dialect == "sqlite":
            checks += " AND typeof(t2s_top) = 'integer' AND typeof(t2s_bottom) = 'integer'"
        proof = exp.select("1").from_(rows.subquery("t2s_rows")).where(checks, dialect=block.dialect)
        if ctes is not None:
            proof.set("with_", ctes)
        yield suspicion(
            node,
            "integer_division",
            f"{shown(node, block)} divides whole numbers, and the rest is cut off",
            remedy=f"write 1.0 * {shown(node.this, block)}",
            proof=first_row(proof, block),
        )


def text_number(block: Block) -> Iterator[Suspicion]:
    """A text column compared with a number by size: '9' comes after '10'."""
    from sqlglot import exp

    for node in _own(block, exp.GT, exp.GTE, exp.LT, exp.LTE):
        for own, far in ((node.this, node.expression), (node.expression, node.this)):
            origin = block.origin(own)
            number = far.name if isinstance(far, exp.Literal) and not far.is_string else block.text(far)
            if origin is None or not _TEXT.search(origin.column.type) or not _NUMBER.fullmatch(number or ""):
                continue
            value = exp.Literal.number(number)
            cast = exp.cast(own.copy(), "double" if block.dialect != "sqlite" else "real")
            sides = (cast, value) if own is node.this else (value, cast)
            numeric = type(node)(this=sides[0], expression=sides[1])
            differ = exp.NEQ(this=exp.paren(node.copy()), expression=exp.paren(numeric))
            yield suspicion(
                node,
                "text_number",
                f"{shown(own, block)} is text, and so {shown(node, block)} goes by letters, not by size",
                remedy=f"cast {shown(own, block)} to a number",
                proof=first_row(_rows_of(own, block, differ), block),
            )


def day_cut(block: Block) -> Iterator[Suspicion]:
    """A day as the upper end (or the whole) of times: midnight is compared, and the day itself is cut off."""
    from sqlglot import exp

    for node in _own(block, exp.Between, exp.LTE, exp.EQ):
        own, far = (node.this, node.args["high"]) if isinstance(node, exp.Between) else (node.this, node.expression)
        text = block.text(far.this if isinstance(far, exp.Cast) else far)
        if block.origin(own) is None or not text or not _DAY.fullmatch(text) or not (after := _next(text)):
            continue
        later = exp.GT(this=own.copy(), expression=exp.Literal.string(text))
        before = exp.LT(this=own.copy(), expression=exp.Literal.string(after))
        yield suspicion(
            node,
            "day_cut",
            f"{shown(own, block)} has times, and so {shown(node, block)} leaves out what came on {text} after midnight",
            remedy=f"write {shown(own, block)} < '{after}'",
            proof=first_row(_rows_of(own, block, exp.and_(later, before)), block),
        )


def _own(block: Block, *kinds: type[exp.Expr]) -> Iterator[exp.Expr]:
    """The nodes of a SELECT itself, without those of the queries within it."""
    from sqlglot.optimizer.scope import walk_in_scope

    for node in walk_in_scope(block.select):
        if isinstance(node, kinds):
            yield node


def _outer(node: exp.Expr) -> exp.Expr | None:
    """What an expression stands in, parentheses aside."""
    from sqlglot import exp

    outer = node.parent
    while isinstance(outer, exp.Paren):
        outer = outer.parent
    return outer


def _whole(node: exp.Expr, block: Block) -> bool:
    """Whether an expression is a whole number on every row."""
    from sqlglot import exp

    match node:
        case exp.Paren() | exp.Neg() | exp.Sum() | exp.Min() | exp.Max() | exp.Abs() | exp.Distinct():
            inner = node.expressions[0] if isinstance(node, exp.Distinct) else node.this
            return _whole(inner, block)
        case exp.Count() | exp.Length():
            return True
        case exp.Literal():
            return bool(node.is_int)
        case exp.Add() | exp.Sub() | exp.Mul() | exp.Div():
            return _whole(node.this, block) and _whole(node.expression, block)
        case exp.Cast():
            return bool(node.is_type(*exp.DataType.INTEGER_TYPES))
        case exp.Case():
            ends = [*(branch.args["true"] for branch in node.args["ifs"]), node.args.get("default")]
            return all(end is None or isinstance(end, exp.Null) or _whole(end, block) for end in ends)
        case exp.Coalesce():
            return all(_whole(part, block) for part in (node.this, *node.expressions))
        case exp.Column():
            origin = block.origin(node)
            return origin is not None and _WHOLE.search(origin.column.type) is not None
    return False


def _rows_of(column: exp.Expr, block: Block, condition: exp.Expr) -> exp.Select:
    """The rows of a column's own table that satisfy a condition on it."""
    from sqlglot import exp

    origin = block.origin(column)
    assert origin is not None
    source = exp.to_table(origin.table.name, db=origin.table.namespace, alias=column.args.get("table"))
    for identifier in source.find_all(exp.Identifier):
        if identifier is source.this or identifier is source.args.get("db"):
            identifier.set("quoted", True)
    return exp.select("1").from_(source).where(condition)


def _with_ctes(query: exp.Select, block: Block) -> exp.Select:
    carrier = probe(block).args.get("with_")
    if carrier is not None:
        query.set("with_", carrier)
    return query


def _next(day: str) -> str | None:
    try:
        return (date.fromisoformat(day) + timedelta(days=1)).isoformat()
    except (ValueError, OverflowError):
        return None
