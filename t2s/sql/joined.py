"""Joins that multiply, lose, or cross rows without being meant to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from t2s.sql.blocks import Block, comparisons, conjuncts
from t2s.sql.suspicion import Suspicion, first_row, probe, shown, suspicion
from t2s.types.schema import Table

if TYPE_CHECKING:
    from sqlglot import exp


def fan_out(block: Block) -> Iterator[Suspicion]:
    """Sums, means and counts of a table whose rows the join with another repeats within a group."""
    from sqlglot import exp

    if len(block.tables) + len(block.derived) < 2:
        return
    keyed = {origin.alias for key in block.keys if (origin := block.origin(key))}
    grouped = {f'{o.alias}."{o.column.name}"'.casefold() for key in block.keys if (o := block.origin(key))}
    for aggregate in block.aggregates():
        if not isinstance(aggregate, exp.Sum | exp.Avg | exp.Count) or isinstance(
            aggregate.this, exp.Distinct | exp.Star
        ):
            continue
        read = block.aliases_in(aggregate)
        if not read or not read <= block.tables.keys() or aggregate.find(exp.Select):
            continue
        if isinstance(aggregate, exp.Count) and read & keyed:
            continue  # COUNT(a.id) by a.name counts what a is joined with
        repeated = [
            alias for alias in (*block.tables, *block.derived) if alias not in read and _repeats(block, read, alias)
        ]
        identity = [part for alias in sorted(read) for part in _identity(alias, block)]
        if not repeated or not identity:
            continue
        if isinstance(aggregate, exp.Avg) and {part.sql().casefold() for part in identity} <= grouped:
            continue  # a mean of equal values is their value
        proof = probe(
            block,
            where=[exp.Not(this=exp.Is(this=part.copy(), expression=exp.Null())) for part in identity],
            group=[*identity, *block.keys],
            having=[exp.GT(this=exp.Count(this=exp.Star()), expression=exp.Literal.number(1))],
        )
        owner, others = " and ".join(_named(read, block)), " and ".join(_named(repeated, block))
        counts = isinstance(aggregate, exp.Count)
        yield suspicion(
            aggregate,
            "fan_out",
            f"{shown(aggregate, block)} takes rows of {owner} more than once: the join with {others} repeats them",
            remedy=f"write {shown(aggregate, block).replace('(', '(DISTINCT ', 1)}"
            if counts
            else f"aggregate {owner} before joining, or ask for {others} with EXISTS or IN",
            proof=first_row(proof, block),
        )


def missing_join(block: Block) -> Iterator[Suspicion]:
    """Tables that no condition connects: every row of the one meets every row of the other."""
    from sqlglot import exp

    joins = block.select.args.get("joins") or ()
    sources = [*block.tables, *(alias for alias, names in block.derived.items() if names is not None)]
    if len(block.tables) < 2 or len(sources) < 2 or any(j.args.get("using") or j.method for j in joins):
        return
    groups = [{alias} for alias in sources]
    clauses = [block.select.args.get("where"), *(join.args.get("on") for join in joins)]
    for clause in clauses:
        for part in comparisons(clause.this if isinstance(clause, exp.Where) else clause):
            touched = block.aliases_in(part)
            met = [group for group in groups if group & touched]
            if len(met) > 1:
                groups = [group for group in groups if group not in met] + [set().union(*met)]
    apart = [group & block.tables.keys() for group in groups if group & block.tables.keys()]
    for group in apart[1:]:
        lonely, rest = sorted(group)[0], sorted(apart[0])[0]
        node = next((j for j in joins if j.this.alias_or_name.casefold() in group), block.select)
        first, second = _named([rest], block)[0], _named([lonely], block)[0]
        yield suspicion(
            node.this if isinstance(node, exp.Join) else node,
            "missing_join",
            f"no condition connects {first} with {second}: every row meets every row",
            remedy=_how_to_join(block.tables[rest], block.tables[lonely]),
        )


def outer_join(block: Block) -> Iterator[Suspicion]:
    """A LEFT JOIN whose empty rows a condition in WHERE throws away again."""
    from sqlglot import exp

    outer = {
        join.this.alias_or_name.casefold(): join for join in block.select.args.get("joins") or () if join.side == "LEFT"
    }
    where = block.select.args.get("where")
    if not outer or where is None:
        return
    for part in conjuncts(where.this):
        sides = [part.this, part.expression] if isinstance(part, exp.Binary) else [part.this]
        columns = [origin for side in sides if (origin := block.origin(side))]
        rejecting = exp.EQ | exp.NEQ | exp.GT | exp.GTE | exp.LT | exp.LTE | exp.Like | exp.ILike | exp.In | exp.Between
        for origin in columns:
            if isinstance(part, rejecting) and origin.alias in outer:
                yield suspicion(
                    part,
                    "outer_join",
                    f"{shown(part, block)} in WHERE drops the rows that LEFT JOIN {origin.table.name} keeps",
                    remedy="put the condition into ON, or write JOIN where such rows are not wanted",
                    severity="warning",
                )
                del outer[origin.alias]


def _repeats(block: Block, read: frozenset[str], other: str) -> bool:
    """Whether `other` can have several rows for one of the tables that are read, by what its keys say."""
    from sqlglot import exp

    table = block.tables.get(other)
    if table is None:
        return True
    fixed = set()
    clauses = [block.select.args.get("where"), *(j.args.get("on") for j in block.select.args.get("joins") or ())]
    for clause in clauses:
        for part in conjuncts(clause.this if isinstance(clause, exp.Where) else clause):
            if isinstance(part, exp.EQ):
                for own, far in ((part.this, part.expression), (part.expression, part.this)):
                    origin = block.origin(own)
                    if origin and origin.alias == other and other not in block.aliases_in(far):
                        fixed.add(origin.column.name.casefold())
    keys = [key for key in (table.primary_key, *table.unique_keys) if key]
    return not any({name.casefold() for name in key} <= fixed for key in keys)


def _identity(alias: str, block: Block) -> list[exp.Expr]:
    """Columns that tell the rows of a table apart."""
    from sqlglot import exp

    table = block.tables[alias]
    hidden = {"sqlite": "rowid", "duckdb": "rowid", "postgres": "ctid"}.get(block.dialect)
    if table.primary_key:
        names = table.primary_key
    elif hidden and table.kind == "table":
        return [exp.column(hidden, table=_quoted_alias(alias, block))]
    else:
        names = next(iter(table.unique_keys), ())
    return [exp.column(exp.to_identifier(name, quoted=True), table=_quoted_alias(alias, block)) for name in names]


def _quoted_alias(alias: str, block: Block) -> exp.Identifier:
    """The alias as the query writes it."""
    from sqlglot import exp

    for node in block.select.find_all(exp.Table):
        if node.alias_or_name.casefold() == alias:
            written = node.args["alias"].this if node.args.get("alias") else node.this
            return written.copy() if isinstance(written, exp.Identifier) else exp.to_identifier(alias)
    return exp.to_identifier(alias)


def _named(aliases: frozenset[str] | list[str], block: Block) -> list[str]:
    return sorted({block.tables[alias].name if alias in block.tables else alias for alias in aliases})


def _how_to_join(first: Table, second: Table) -> str:
    for table, other in ((first, second), (second, first)):
        for key in table.foreign_keys:
            if key.target_table == other.full_name:
                return f"join on {table.name}.{key.columns[0]} = {other.name}.{key.target_columns[0]}"
    return "add a join condition; write CROSS JOIN in a subquery where every pair is wanted"
