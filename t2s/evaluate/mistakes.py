"""In what a wrong query differs from a right one: their trees, clause by clause."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Literal

from t2s.sql.parse import parse
from t2s.types.query import Problem
from t2s.types.schema import Dialect

if TYPE_CHECKING:
    from sqlglot import exp

Mistake = Literal[
    "tables", "columns", "conditions", "values", "grouping", "ordering", "distinct", "set operation", "nesting", "other"
]
MISTAKES: tuple[Mistake, ...] = (
    "tables",
    "columns",
    "conditions",
    "values",
    "grouping",
    "ordering",
    "distinct",
    "set operation",
    "nesting",
    "other",
)
"""`ordering` includes LIMIT, `values` are constants in conditions that are alike; `other` is none of these."""


def mistakes(sql: str, gold: Iterable[str], dialect: Dialect) -> tuple[Mistake, ...]:
    """The parts in which a query differs from the accepted one that it is most like."""
    own = parse(sql, dialect)
    trees = [tree for tree in (parse(one, dialect) for one in gold) if not isinstance(tree, Problem)]
    if isinstance(own, Problem) or not trees:
        return ("other",)
    return min((_differences(own, tree) for tree in trees), key=len)


def _differences(own: exp.Expr, gold: exp.Expr) -> tuple[Mistake, ...]:
    mine, other = _parts(own), _parts(gold)
    found = [name for name in MISTAKES if name != "other" and mine[name] != other[name]]
    if "conditions" in found and "values" in found:
        found.remove("values")  # other conditions have other constants
    return tuple(found) or ("other",)


def _parts(tree: exp.Expr) -> dict[Mistake, Counter[str]]:
    """What stands in each kind of clause, anywhere in the query, as text without aliases."""
    from sqlglot import exp

    tree = _bare(tree)
    selects = list(tree.find_all(exp.Select))
    conditions = [term for select in selects for term in _terms(select)]
    aggregated = [node for node in tree.find_all(exp.Distinct) if not isinstance(node.parent, exp.Select)]
    groups = [key for select in selects if select.args.get("group") for key in select.args["group"].expressions]
    return {
        "tables": Counter(table.name.casefold() for table in tree.find_all(exp.Table)),
        "columns": _texts(column for select in selects for column in select.expressions),
        "conditions": _texts(_without_values(term) for term in conditions),
        "values": _texts(value for term in conditions for value in term.find_all(exp.Literal)),
        "grouping": _texts(groups),
        "ordering": _texts(_orderings(tree)),
        "distinct": Counter(
            {"select": sum(bool(select.args.get("distinct")) for select in selects), "aggregate": len(aggregated)}
        ),
        "set operation": Counter(type(node).__name__ for node in tree.find_all(exp.SetOperation)),
        "nesting": Counter({"queries": len(selects)}),
    }


def _bare(tree: exp.Expr) -> exp.Expr:
    """A copy without aliases and the names of tables before columns, everything in lower case."""
    from sqlglot import exp

    copy = tree.copy()
    for node in list(copy.find_all(exp.Alias)):
        node.replace(node.this)
    for column in copy.find_all(exp.Column):
        column.set("table", None)
    for name in copy.find_all(exp.Identifier):
        name.set("this", name.name.casefold())
        name.set("quoted", False)
    return copy


def _terms(select: exp.Select) -> Iterator[exp.Expr]:
    """What WHERE, HAVING and ON join by AND; the columns that tables are joined by are told by the tables."""
    from sqlglot import exp

    for name in ("where", "having"):
        clause = select.args.get(name)
        if clause is not None:
            yield from clause.this.flatten() if isinstance(clause.this, exp.And) else (clause.this,)


def _without_values(term: exp.Expr) -> exp.Expr:
    from sqlglot import exp

    return term.copy().transform(lambda node: exp.Placeholder() if isinstance(node, exp.Literal) else node)


def _orderings(tree: exp.Expr) -> Iterator[exp.Expr]:
    from sqlglot import exp

    yield from tree.find_all(exp.Ordered)
    yield from tree.find_all(exp.Limit)


def _texts(nodes: Iterable[exp.Expr]) -> Counter[str]:
    return Counter(node.sql(comments=False) for node in nodes)
