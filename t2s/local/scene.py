"""The tables that a question is about, and which of several columns of a name it means."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from t2s.local.columns import keys_of, labels
from t2s.local.joins import Graph, Path
from t2s.local.link import Item
from t2s.local.names import FULL, Hit
from t2s.local.plan import ColumnRef
from t2s.local.words import concepts_of, spoken, stem
from t2s.types.query import ValueMatch
from t2s.types.schema import Column, Schema, Table

NEAR = 3
"""A table so many words away from a column is likely the column's table."""


class Unclear(Exception):
    """The question cannot be turned into a query; the message says what was not understood."""


class Ambiguous(Exception):
    """A word has several equally good readings; `meanings` says each in a way that the question may use."""

    def __init__(self, text: str, meanings: tuple[str, ...]) -> None:
        super().__init__(text)
        self.text = text
        self.meanings = meanings


TIE = 0.08
"""Readings of a value that are not further apart than this are for the asker to choose from."""


@dataclass(slots=True)
class Scene:
    """The schema, the tables that are spoken of, and the doubts and assumptions so far."""

    schema: Schema
    graph: Graph
    mentions: tuple[tuple[int, str], ...]
    assumptions: list[str] = field(default_factory=list)
    doubts: list[float] = field(default_factory=list)
    _distances: dict[str, dict[str, Path]] = field(default_factory=dict)

    def table(self, name: str) -> Table:
        """The table of a full name that is known to exist."""
        found = self.schema.table(name)
        if found is None:
            raise Unclear(f"there is no table {name}")
        return found

    def column(self, ref: ColumnRef) -> Column:
        """The column that a reference names."""
        found = self.table(ref.table).column(ref.column)
        if found is None:
            raise Unclear(f"there is no column {ref.column} in {ref.table}")
        return found

    def ways(self, start: str) -> dict[str, Path]:
        """The shortest ways from a table, over all its steps."""
        if start not in self._distances:
            self._distances[start] = self.graph.ways(start, to_one=False)
        return self._distances[start]

    def distance(self, table: str, others: Iterable[str]) -> int:
        """Steps to the nearest of the others; 6 where none can be reached."""
        ways = self.ways(table)
        return min((len(ways[other]) for other in others if other in ways), default=6)

    def assume(self, text: str, doubt: float = 0.95) -> None:
        """Note something that the question does not say; `doubt` multiplies the confidence."""
        if text not in self.assumptions:
            self.assumptions.append(text)
            self.doubts.append(doubt)


def table_of(scene: Scene, item: Item) -> str:
    """The table that an item means."""
    if not item.tables:
        raise Unclear(f"I find no table for “{item.text}”")
    best = item.tables[0]
    rivals = [hit.table for hit in item.tables[1:] if hit.score > best.score - 0.03]
    if best.score < FULL:
        scene.assume(f"“{item.text}” means the table {best.table}", 0.9)
    elif rivals:
        scene.assume(f"“{item.text}” means {best.table}, not {', '.join(rivals)}", 0.85)
    return best.table


def columns_of(
    scene: Scene, item: Item, anchors: Iterable[str], fits: Callable[[Column], bool] | None = None
) -> tuple[ColumnRef, ...]:
    """The column that an item means, or the columns where it is a name in two parts.

    `anchors` are the tables already in the query, the main one first; `fits` is asked of the column's type.
    """
    places = list(anchors)
    near = [table for at, table in scene.mentions if abs(at - item.first) <= NEAR]
    if parts := _name_in_parts(scene, item, [*near, *places[:1]]):
        return parts
    ranked = sorted(((_rank(scene, hit, places, near, fits), hit) for hit in item.columns), key=lambda pair: -pair[0])
    if not ranked:
        raise Unclear(f"I find no column for “{item.text}”")
    best_rank, best = ranked[0]
    ref = ColumnRef(table=best.table, column=best.column or "")
    if fits is not None and not fits(scene.column(ref)):
        raise Unclear(f"“{item.text}” is not something that can be computed with")
    if len(ranked) > 1 and ranked[1][0] > best_rank - 0.03:
        rival = ranked[1][1]
        scene.assume(f"“{item.text}” means {best.table}.{best.column}, not {rival.table}.{rival.column}", 0.8)
    elif best.score < FULL:
        scene.assume(f"“{item.text}” means {best.table}.{best.column}", 0.7 + 0.3 * best.score)
    return (ref,)


def _rank(scene: Scene, hit: Hit, anchors: list[str], near: list[str], fits: Callable[[Column], bool] | None) -> float:
    ref = ColumnRef(table=hit.table, column=hit.column or "")
    rank = hit.score - 0.06 * min(scene.distance(hit.table, anchors) if anchors else 0, 6)
    if hit.table in near:
        rank += 0.3
    if anchors and hit.table == anchors[0]:
        rank += 0.15
    elif hit.table in anchors:
        rank += 0.1
    if hit.column in keys_of(scene.table(hit.table)) and hit.column != "id":
        rank -= 0.05
    if fits is not None:
        rank += 0.3 if fits(scene.column(ref)) else -0.6
    return rank


def _name_in_parts(scene: Scene, item: Item, places: list[str]) -> tuple[ColumnRef, ...]:
    """First and last name, where `name` is asked for and the table at hand has no column of that name."""
    words = tuple(stem(word) for word in item.text.split())
    if "name" not in concepts_of(words):
        return ()
    if not places:
        return ()
    table = places[0]
    if any(hit.table == table and hit.score >= FULL for hit in item.columns):
        return ()
    found = labels(scene.table(table))
    return found if len(found) == 2 or not any(hit.table == table for hit in item.columns) else ()


def value_of(scene: Scene, item: Item, anchors: Iterable[str], column: Item | None) -> ValueMatch:
    """Which column's value a stretch of the question is."""
    places = list(anchors)
    said = {(hit.table, hit.column) for hit in column.columns} if column else set()
    beside = [table for at, table in scene.mentions if item.first - at == 1]
    beside = beside or [table for at, table in scene.mentions if at - item.last == 1]
    near = [table for at, table in scene.mentions if 0 < item.first - at <= NEAR]
    own = {(ref.table, ref.column) for ref in labels(scene.table(places[-1]))} if places else set()

    def rank(match: ValueMatch) -> float:
        figure = match.score - 0.06 * min(scene.distance(match.table, places), 6)
        figure += 0.6 if (match.table, match.column) in said or match.table in beside else 0
        figure += 0.1 if _is_label(scene, match) else 0  # a band rather than the name of a composer
        if (match.table, match.column) in own and not said and match.table not in beside:
            figure -= 0.4  # songs of Iron Maiden are rather by the band than called like it
        elif match.table in near:
            figure += 0.2
        figure += 0.15 if match.table in places else 0
        return figure + (0.05 if match.value == item.text else 0)

    ranked = sorted(item.values, key=rank, reverse=True)
    best = ranked[0]
    rivals = [m for m in ranked if (m.table, m.column) != (best.table, best.column)]
    close = [m for m in rivals if rank(m) > rank(best) - TIE]
    if close:
        raise Ambiguous(item.text, tuple(dict.fromkeys(_meaning(scene, m) for m in (best, *close))))
    return best


def _is_label(scene: Scene, match: ValueMatch) -> bool:
    return ColumnRef(table=match.table, column=match.column) in labels(scene.table(match.table))


def _meaning(scene: Scene, match: ValueMatch) -> str:
    """`artist` for a value of Artist.Name, `billing city` for one of Invoice.BillingCity."""
    return spoken(match.table.rpartition(".")[2] if _is_label(scene, match) else match.column)
