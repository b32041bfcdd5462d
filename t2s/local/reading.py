"""What a question says, before it is decided which tables and columns it means."""

from __future__ import annotations

from dataclasses import dataclass

from t2s.local.link import Item


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """Something to compute: `function` (count, sum, avg, min, max) over an item; None counts the rows asked for.

    `distinct` counts each value once.
    """

    function: str
    item: Item | None = None
    distinct: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """A comparison; `item` is the column's, or None where `hint` (price, birth, …) must tell it.

    `operator` is eq, ne, gt, ge, lt, le, between, like, null, not_null, true, false or within (a period).
    `numbers` holds one number or, for `between`, two; `average` compares with the column's own average.
    """

    operator: str
    item: Item | None = None
    hint: str = ""
    numbers: tuple[float, ...] = ()
    text: str = ""
    value: Item | None = None
    period: Item | None = None
    amount: Amount | None = None
    average: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """The first `limit` rows by a column, an amount, or what a `hint` (price, date, popular, …) means."""

    descending: bool
    limit: int | None
    item: Item | None = None
    amount: Amount | None = None
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The parts of a question; `unread` are the items that found no place in it.

    `asks_which` when it begins with who, which or what; `asks_each` when a column follows that at once;
    `ties` are unknown verbs between two names; `asks` is `place` for where and `date` for when;
    `averaged` asks for the average of an amount over its groups.
    """

    subject: Item | None = None
    shown: tuple[Item, ...] = ()
    amounts: tuple[Amount, ...] = ()
    groups: tuple[Item, ...] = ()
    conditions: tuple[Condition, ...] = ()
    absent: tuple[Item, ...] = ()
    related: tuple[Item, ...] = ()
    ranking: Ranking | None = None
    distinct: bool = False
    asks_which: bool = False
    asks_each: bool = False
    asks: str = ""
    averaged: bool = False
    alternatives: bool = False
    ties: tuple[Item, ...] = ()
    unread: tuple[Item, ...] = ()
