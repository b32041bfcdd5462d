"""A question's items while their places in a reading are sought."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from t2s.local.link import Item
from t2s.local.reading import Amount, Condition, Ranking

_VERB = re.compile(r"\w{2,}ed\b")
OF = frozenset({"of"})


@dataclass(slots=True)
class Draft:
    """The items, which of them have found their place, and the reading so far."""

    items: tuple[Item, ...]
    chinese: bool
    used: set[int] = field(default_factory=set)
    amounts: list[Amount] = field(default_factory=list)
    groups: list[Item] = field(default_factory=list)
    conditions: list[Condition] = field(default_factory=list)
    absent: list[Item] = field(default_factory=list)
    ranking: Ranking | None = None
    distinct: bool = False
    averaged: bool = False

    def item(self, at: int) -> Item | None:
        """The item at a place; None where there is none or it is used."""
        return self.items[at] if 0 <= at < len(self.items) and at not in self.used else None

    def kind(self, at: int) -> str:
        """The kind of the item at a place; empty where there is none or it is used."""
        item = self.item(at)
        return item.kind if item else ""

    def take(self, *places: int) -> None:
        """Mark items as having found their place."""
        self.used.update(places)

    def after(self, at: int, skip: frozenset[str] = OF) -> int:
        """The next unused place whose item is not of a kind to skip."""
        at += 1
        while at < len(self.items) and (at in self.used or self.items[at].kind in skip):
            at += 1
        return at

    def before(self, at: int, skip: frozenset[str] = OF) -> int:
        """The unused place before, whose item is not of a kind to skip."""
        at -= 1
        while at >= 0 and (at in self.used or self.items[at].kind in skip):
            at -= 1
        return at

    def named(self, at: int) -> Item | None:
        """The item at a place where it names something: a table, a column, a measure."""
        item = self.item(at)
        return item if item and item.named else None

    def adjoins(self, at: int) -> bool:
        """Whether nothing but, in Chinese, a measure word stands between this item and the one before."""
        inside = 0 < at < len(self.items)
        return inside and self.items[at].first - self.items[at - 1].last <= (2 if self.chinese else 1)

    def thing(self, at: int) -> tuple[Item, tuple[int, ...]] | None:
        """What is named at a place, and the places of its words: in `track length` the column, not the table."""
        item, following = self.named(at), self.named(at + 1)
        if item is None:
            return None
        own = {hit.table for hit in item.tables}
        noun = following is not None and following.kind == "column" and not _VERB.match(following.text)
        if item.kind == "table" and following and noun and following.first == item.last + 1:
            owned = tuple(hit for hit in following.columns if hit.table in own)
            if owned:
                return following, (at, at + 1)
        return item, (at,)

    def thing_before(self, at: int) -> tuple[Item, tuple[int, ...]] | None:
        """The same for words that end at a place."""
        earlier = self.thing(at - 1) if at > 0 else None
        return earlier if earlier and at in earlier[1] else self.thing(at)
