"""How tables hang together: by foreign keys or, where a table has none, by columns named like another's key."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import takewhile

from t2s.types.schema import Table

Joins = Mapping[int, tuple[str, ...]]
"""For each table that one hangs together with, the one's own columns by which it does."""

Words = tuple[str, ...]

_TAILS = frozenset({"id", "code", "key", "number", "no", "num", "uuid"})
MANY = 12
"""A name that so many tables have says nothing of how they hang together."""


def joins_of(tables: Sequence[Table], columns: Sequence[Sequence[Words]], names: Sequence[Words]) -> list[Joins]:
    """The joins of each table; `columns` and `names` are the words of the tables' columns and own names."""
    places = {table.full_name: at for at, table in enumerate(tables)}
    found: list[defaultdict[int, set[str]]] = [defaultdict(set) for _ in tables]
    for at, table in enumerate(tables):
        for key in table.foreign_keys:
            if (target := places.get(key.target_table)) is not None and target != at:
                found[at][target].update(key.columns)
                found[target][at].update(key.target_columns)
    for at, own, target, theirs in _implied(tables, columns, names):
        if not (tables[at].foreign_keys and tables[target].foreign_keys):
            found[at][target].add(own)
            found[target][at].add(theirs)
    return [{other: tuple(sorted(by)) for other, by in joined.items()} for joined in found]


def _implied(
    tables: Sequence[Table], columns: Sequence[Sequence[Words]], names: Sequence[Words]
) -> list[tuple[int, str, int, str]]:
    """Pairs of tables and of their columns that seem to mean the same key."""
    keyed: defaultdict[tuple[str | None, Words], list[tuple[int, int]]] = defaultdict(list)
    for at, table in enumerate(tables):
        common = _prefix(columns[at])
        for place, words in enumerate(columns[at]):
            ways = {words, words[common:]}
            if words[common:] == ("id",):
                ways |= {(*names[at], "id"), (*names[at][-1:], "id")} | {words[start:] for start in range(common)}
            for way in ways:
                if way != ("id",) and _is_key(way, table, place):
                    keyed[table.namespace, way].append((at, place))
    found = []
    for same in keyed.values():
        if len({at for at, _ in same}) <= MANY:
            for number, (at, place) in enumerate(same):
                for other, there in same[number + 1 :]:
                    if at != other:
                        found.append((at, tables[at].columns[place].name, other, tables[other].columns[there].name))
    return found


def _is_key(words: Words, table: Table, place: int) -> bool:
    """Whether a name says key, such as `course_id` or `pid`."""
    named = bool(words) and (words[-1] in _TAILS or (words[-1].endswith("id") and len(words[-1]) <= 4))
    return named or table.primary_key == (table.columns[place].name,)


def _prefix(columns: Sequence[Words]) -> int:
    """How many words all names of a table begin with, where that leaves something of each."""
    if len(columns) < 3:
        return 0
    alike = takewhile(lambda at: len({words[at] for words in columns}) == 1, range(min(map(len, columns)) - 1))
    return len(tuple(alike))
