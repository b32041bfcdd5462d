"""How tables hang together: the foreign keys as a graph, and shortest ways through it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from t2s.local.plan import ColumnRef, Join
from t2s.local.words import name_words
from t2s.types.schema import Schema, Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """Rows of `table` point at one row of `target`; `guessed` when only the names say so."""

    table: str
    columns: tuple[str, ...]
    target: str
    target_columns: tuple[str, ...]
    guessed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One edge walked from its table to its target (`to_one`) or back."""

    edge: Edge
    to_one: bool

    @property
    def start(self) -> str:
        """The table that the step leaves."""
        return self.edge.table if self.to_one else self.edge.target

    @property
    def end(self) -> str:
        """The table that the step reaches."""
        return self.edge.target if self.to_one else self.edge.table

    @property
    def pairs(self) -> tuple[tuple[ColumnRef, ColumnRef], ...]:
        """The columns that are equal: of the start, of the end."""
        here, there = self.edge.columns, self.edge.target_columns
        if not self.to_one:
            here, there = there, here
        return tuple(
            (ColumnRef(table=self.start, column=a), ColumnRef(table=self.end, column=b))
            for a, b in zip(here, there, strict=True)
        )

    def join(self) -> Join:
        """The join of the step's end."""
        return Join(table=self.end, pairs=self.pairs)


Path = tuple[Step, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """The steps out of each table, declared keys before guessed ones."""

    steps: Mapping[str, tuple[Step, ...]]

    def ways(self, start: str, *, to_one: bool) -> dict[str, Path]:
        """The shortest way to every table that can be reached, with `to_one` only by steps to one row."""
        found: dict[str, Path] = {start: ()}
        queue = deque([start])
        while queue:
            here = queue.popleft()
            for step in self.steps.get(here, ()):
                if step.end not in found and (step.to_one or not to_one):
                    found[step.end] = (*found[here], step)
                    queue.append(step.end)
        return found


def build_graph(schema: Schema) -> Graph:
    """The graph of the declared foreign keys and, where a column has none, of `x_id` columns."""
    steps: dict[str, list[Step]] = {}
    for edge in _edges(schema):
        steps.setdefault(edge.table, []).append(Step(edge=edge, to_one=True))
        steps.setdefault(edge.target, []).append(Step(edge=edge, to_one=False))
    return Graph(steps={table: tuple(sorted(found, key=_plainness)) for table, found in steps.items()})


def _plainness(step: Step) -> tuple[bool, bool]:
    """Declared keys first; of two keys to one table the one that bears its name first."""
    edge = step.edge
    target = name_words(edge.target.rpartition(".")[2])
    return edge.guessed, name_words(edge.columns[0])[: len(target)] != target


def tree(paths: Iterable[Path]) -> tuple[Join, ...]:
    """The joins of several ways that start at one table, each table once."""
    joins: dict[str, Join] = {}
    for path in paths:
        for step in path:
            joins.setdefault(step.end, step.join())
    return tuple(joins.values())


def _edges(schema: Schema) -> Iterator[Edge]:
    shown = {table.full_name for table in schema.tables}
    by_words = {name_words(table.name): table for table in schema.tables}
    for table in schema.tables:
        declared: set[str] = set()
        for key in table.foreign_keys:
            if key.target_table in shown and key.target_table != table.full_name:
                declared.update(column.casefold() for column in key.columns)
                yield Edge(
                    table=table.full_name,
                    columns=key.columns,
                    target=key.target_table,
                    target_columns=key.target_columns,
                )
            else:
                declared.update(column.casefold() for column in key.columns)
        for column in table.columns:
            if column.name.casefold() not in declared:
                yield from _guess(table, column.name, by_words) or _shared(table, column.name, schema)


def _guess(table: Table, column: str, by_words: Mapping[tuple[str, ...], Table]) -> list[Edge]:
    """`customer_id` points at `customers.id`, or at `customers.customer_id`."""
    words = name_words(column)
    if len(words) < 2 or words[-1] != "id":
        return []
    target = by_words.get(words[:-1])
    if target is None or target is table:
        return []
    for name in ("id", column):
        if (found := target.column(name)) and (not target.primary_key or target.primary_key == (found.name,)):
            return [_guessed(table, column, target, found.name)]
    return []


def _shared(table: Table, column: str, schema: Schema) -> list[Edge]:
    """A column that bears the name of another table's key points at it, unless the name says nothing (`id`)."""
    key = column.casefold()
    if key in ("id", "name", "code", "key", "no", "number", "date", "year"):
        return []
    owners = [other for other in schema.tables if other is not table and _is_key(other, key)]
    linked = {fk.target_table for fk in table.foreign_keys}
    linked |= {
        other.full_name for other in owners if any(fk.target_table == table.full_name for fk in other.foreign_keys)
    }
    return [_guessed(table, column, other, other.primary_key[0]) for other in owners if other.full_name not in linked]


def _is_key(table: Table, name: str) -> bool:
    return len(table.primary_key) == 1 and table.primary_key[0].casefold() == name


def _guessed(table: Table, column: str, target: Table, found: str) -> Edge:
    return Edge(
        table=table.full_name, columns=(column,), target=target.full_name, target_columns=(found,), guessed=True
    )
