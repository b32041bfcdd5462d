"""Mistakes that models make, put into queries that are right."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from sqlglot import exp, parse_one

from t2s.types.schema import Schema

Spoil = Callable[[str, Schema], tuple[str, ...] | None]
"""The query with one mistake of a kind, or None where it has no place for it.

The second and third are queries whose results differ where it is one that counts.
"""


def _tree(sql: str, schema: Schema) -> exp.Select | None:
    tree = parse_one(sql, dialect=schema.dialect)
    return tree if isinstance(tree, exp.Select) else None


def _value(change: Callable[[str], str]) -> Callable[[str, Schema], str | None]:
    def spoil(sql: str, schema: Schema) -> str | None:
        tree = parse_one(sql, dialect=schema.dialect)
        for node in tree.find_all(exp.EQ):
            literal = node.expression
            quoted = isinstance(literal, exp.Column) and literal.this.args.get("quoted") and not literal.table
            if (isinstance(literal, exp.Literal) and literal.is_string) or quoted:
                changed = change(literal.name)
                if changed == literal.name or not any(c.isalpha() for c in literal.name):
                    continue
                literal.replace(exp.Literal.string(changed))
                return tree.sql(dialect=schema.dialect)
        return None

    return spoil


def _typo(text: str) -> str:
    """Two neighbouring letters swapped, or one left out, always the same ones."""
    if len(text) < 5:
        return text
    at = 1 + int(hashlib.sha256(text.encode()).hexdigest(), 16) % (len(text) - 3)
    if len(text) % 2 or text[at] == text[at + 1]:
        return text[:at] + text[at + 1 :]
    return text[:at] + text[at + 1] + text[at] + text[at + 2 :]


def _without_distinct(sql: str, schema: Schema) -> str | None:
    tree = _tree(sql, schema)
    for count in tree.find_all(exp.Count) if tree else ():
        if isinstance(count.this, exp.Distinct):
            count.this.replace(count.this.expressions[0])
            return tree.sql(dialect=schema.dialect)
    return None


def _needless_join(sql: str, schema: Schema) -> str | None:
    """A join with a table that refers to the one whose column is summed up."""
    tree = _tree(sql, schema)
    if tree is None or tree.args.get("joins") or not isinstance(tree.args["from_"].this, exp.Table):
        return None
    sums = [a for a in tree.find_all(exp.Sum, exp.Avg) if isinstance(a.this, exp.Column)]
    source = tree.args["from_"].this
    table = schema.table(source.name)
    if not sums or table is None or tree.find(exp.Subquery):
        return None
    for other in schema.tables:
        for key in other.foreign_keys:
            if key.target_table == table.full_name and other is not table:
                for column in tree.find_all(exp.Column):
                    if not column.table and table.column(column.name):
                        column.set("table", exp.to_identifier(source.alias_or_name))
                on = f'{source.alias_or_name}."{key.target_columns[0]}" = t2s_more."{key.columns[0]}"'
                joined = tree.join(
                    exp.to_table(f'"{other.name}"'),
                    on=on,
                    join_alias="t2s_more",
                    join_type="left",
                    dialect=schema.dialect,
                )
                return joined.sql(dialect=schema.dialect)
    return None


def _no_condition(sql: str, schema: Schema) -> str | None:
    tree = _tree(sql, schema)
    for join in tree.args.get("joins") or () if tree else ():
        if join.args.get("on"):
            join.set("on", None)
            return tree.sql(dialect=schema.dialect)
    return None


def _divided(sql: str, schema: Schema) -> str | None:
    """A mean written as a sum divided by a count."""
    tree = parse_one(sql, dialect=schema.dialect)
    for mean in tree.find_all(exp.Avg):
        inner = mean.this
        if isinstance(inner, exp.Column):
            parts = {"this": exp.Sum(this=inner.copy()), "expression": exp.Count(this=inner.copy())}
            total = exp.Div(**parts, typed=True, safe=True)
            mean.replace(total)
            return tree.sql(dialect=schema.dialect)
    return None


def _ungrouped(sql: str, schema: Schema) -> str | None:
    tree = _tree(sql, schema)
    if (
        tree is None
        or not tree.args.get("group")
        or not any(isinstance(p.unalias(), exp.Column) for p in tree.expressions)
    ):
        return None
    tree.set("group", None)
    return tree.sql(dialect=schema.dialect) if tree.find(exp.AggFunc) and not tree.args.get("having") else None


def _one_more(sql: str, schema: Schema) -> tuple[str, ...] | None:
    """A further column beside aggregates, not grouped by."""
    tree = _tree(sql, schema)
    if tree is None or not tree.args.get("group"):
        return None
    tables = [schema.table(node.name) for node in tree.find_all(exp.Table)]
    taken = {column.name.casefold() for column in tree.find_all(exp.Column)}
    for node, table in zip(tree.find_all(exp.Table), tables, strict=True):
        for column in table.columns if table else ():
            if column.name.casefold() not in taken:
                more = exp.column(exp.to_identifier(column.name, quoted=True), table=node.alias_or_name)
                least, most = tree.select(exp.Min(this=more.copy())), tree.select(exp.Max(this=more.copy()))
                return tuple(query.sql(dialect=schema.dialect) for query in (tree.select(more), least, most))
    return None


def _unordered(sql: str, schema: Schema) -> str | None:
    tree = _tree(sql, schema)
    if tree is None or not tree.args.get("limit") or not tree.args.get("order"):
        return None
    tree.set("order", None)
    return tree.sql(dialect=schema.dialect)


def _equals_null(sql: str, schema: Schema) -> str | None:
    tree = parse_one(sql, dialect=schema.dialect)
    for test in tree.find_all(exp.Is):
        if isinstance(test.expression, exp.Null):
            test.replace(exp.EQ(this=test.this.copy(), expression=exp.Null()))
            return tree.sql(dialect=schema.dialect)
    return None


def _alone(spoil: Callable[[str, Schema], str | None]) -> Spoil:
    def spoilt(sql: str, schema: Schema) -> tuple[str, ...] | None:
        found = spoil(sql, schema)
        return (found, sql, found) if found else None

    return spoilt


MISTAKES: dict[str, Spoil] = {
    "value (upper and lower case)": _alone(_value(lambda text: text.lower() if text != text.lower() else text.upper())),
    "value (a slip)": _alone(_value(_typo)),
    "value (a blank)": _alone(_value(lambda text: text + " ")),
    "value (plural)": _alone(_value(lambda text: text + "s")),
    "fan_out (needless join)": _alone(_needless_join),
    "missing_distinct": _alone(_without_distinct),
    "missing_join": _alone(_no_condition),
    "integer_division": _alone(_divided),
    "grain (no GROUP BY)": _alone(_ungrouped),
    "grain (a column more)": _one_more,
    "limit_without_order": _alone(_unordered),
    "null_comparison": _alone(_equals_null),
}
"""By the code of the check that should find it."""
