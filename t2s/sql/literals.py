"""The strings that a query compares columns with, and the small queries that look for them in the data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from t2s.sql.blocks import Block, Origin, blocks
from t2s.sql.parse import parse, place
from t2s.types.query import Problem
from t2s.types.schema import Column, Dialect, Schema, Table

if TYPE_CHECKING:
    from sqlglot import exp

MAX_COMPARED = 20
MAX_OTHERS = 8
"""Further text columns of a table in which a missing value is looked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """`table.column = text` (or LIKE, with `pattern`); the queries each give a row where there is such a value.

    `folded` ignores upper and lower case; `others` look in the other text columns of the table, by their names.
    """

    table: Table
    column: Column
    text: str
    pattern: bool
    line: int | None
    place: int | None
    exists: str
    folded: str
    others: tuple[tuple[str, str], ...]


def compared(sql: str, schema: Schema) -> tuple[Compared, ...]:
    """Each string that a text column is held against for equality or likeness, once, in the order of the text."""
    tree = parse(sql, schema.dialect)
    if isinstance(tree, Problem):
        return ()
    found = {(c.table.full_name, c.column.name, c.text): c for block in blocks(tree, schema) for c in _in(block)}
    return tuple(sorted(found.values(), key=lambda c: (c.line or 0, c.place or 0)))[:MAX_COMPARED]


def _in(block: Block) -> Iterator[Compared]:
    from sqlglot import exp
    from sqlglot.optimizer.scope import walk_in_scope

    for node in walk_in_scope(block.select):
        match node:
            case exp.EQ() | exp.NEQ():
                pairs = [(node.this, node.expression), (node.expression, node.this)]
            case exp.Like() | exp.ILike():
                pairs = [(node.this, node.expression)]
            case exp.In():
                pairs = [(node.this, item) for item in node.expressions]
            case _:
                continue
        for own, far in pairs:
            origin, text = block.origin(own), block.text(far)
            if origin is not None and text and is_text(origin.column, block.dialect):
                yield _compared(
                    origin, text, far, type(node) if isinstance(node, exp.Like | exp.ILike) else exp.EQ, block
                )


def is_text(column: Column, dialect: Dialect) -> bool:
    """Whether a column holds words; a SQLite column without a type may."""
    kind = column.type.casefold()
    return any(word in kind for word in ("char", "text", "enum", "string", "clob")) or (
        not kind and dialect == "sqlite"
    )


def _compared(origin: Origin, text: str, node: exp.Expr, operator: type[exp.Expr], block: Block) -> Compared:
    from sqlglot import exp

    table, dialect = origin.table, block.dialect
    column = exp.column(exp.to_identifier(origin.column.name, quoted=True))
    literal = exp.Literal.string(text)
    pattern = operator is not exp.EQ
    folded = (exp.Like if pattern else exp.EQ)(
        this=exp.Lower(this=column.copy()), expression=exp.Literal.string(text.lower())
    )
    others = [c for c in table.columns if c is not origin.column and is_text(c, dialect)][:MAX_OTHERS]
    line, at = place(node)
    return Compared(
        table=table,
        column=origin.column,
        text=text,
        pattern=pattern,
        line=line,
        place=at,
        exists=_any(table, operator(this=column, expression=literal), dialect),
        folded=_any(table, folded, dialect),
        others=tuple(
            (
                other.name,
                _any(
                    table,
                    exp.EQ(this=exp.column(exp.to_identifier(other.name, quoted=True)), expression=literal.copy()),
                    dialect,
                ),
            )
            for other in others
        ),
    )


def _any(table: Table, condition: exp.Expr, dialect: Dialect) -> str:
    from sqlglot import exp

    source = exp.table_(
        exp.to_identifier(table.name, quoted=True),
        db=exp.to_identifier(table.namespace, quoted=True) if table.namespace else None,
    )
    return exp.select("1").from_(source).where(condition).limit(1).sql(dialect=dialect)
