"""Patterns that become a ranking or an order."""

from __future__ import annotations

from dataclasses import replace

from t2s.local.draft import Draft
from t2s.local.reading import Amount, Ranking

_SIZES = {"best": "revenue"} | {
    "highest": "height",
    "lowest": "height",
    "largest": "size",
    "biggest": "size",
    "smallest": "size",
}
_COMPUTED = ("count", "agg")


def rankings(draft: Draft, at: int) -> None:
    """`top 5 … by revenue`, `most expensive`, `with the most orders`, 销售额最高的5个产品."""
    item = draft.item(at)
    if item is None or item.kind not in ("super", "top"):
        return
    if draft.ranking is not None:
        _only_more(draft, at)
        return
    direction, _, hint = item.argument.partition(" ")
    draft.take(at)
    limit = _limit(draft, at)
    second = draft.after(at)
    is_top = item.kind == "top"
    if is_top and draft.kind(second) == "super":  # the top 5 most expensive
        direction, _, hint = draft.items[second].argument.partition(" ")
        draft.take(second)
        at, is_top = second, False
    descending = direction == "desc"
    if hint and hint != "often":
        draft.ranking = Ranking(descending=descending, limit=limit or 1, hint=hint)
        return
    if hint and (column := draft.named(draft.before(at))) and column.kind == "column":
        draft.ranking = Ranking(descending=descending, limit=limit or 1, hint="popular")
        return
    place = draft.before(at) if hint else _key_place(draft, at, is_top)
    if place is None or not (draft.named(place) or draft.kind(place) in _COMPUTED):
        draft.used.discard(at)
    elif item.kind == "super" and not hint and _is_extreme(draft, at, place):
        key, words = draft.thing(place) or (draft.items[place], (place,))
        draft.take(*words)
        draft.amounts.append(Amount(function="max" if descending else "min", item=key))
    elif size := _size(draft, at, place):
        draft.ranking = Ranking(descending=descending, limit=limit or 1, hint=size)
    else:
        draft.ranking = _by(draft, place, descending, limit or 1)
    if limit is None and draft.ranking and draft.ranking.limit == 1:
        draft.ranking = replace(draft.ranking, limit=_limit_before(draft, at) or 1)


def _size(draft: Draft, at: int, place: int) -> str:
    """The highest mountain is not ranked by how many mountains there are, but by its height."""
    item, _ = draft.thing(place) or (draft.items[place], ())
    others = [n for n in range(len(draft.items)) if n != place and draft.items[n].kind == "table"]
    if place < at or item.kind != "table" or others or draft.chinese:
        return ""
    return _SIZES.get(draft.items[at].text.casefold(), "")


def _by(draft: Draft, place: int, descending: bool, limit: int | None) -> Ranking:
    """The ranking by what stands at a place: an amount, else a column."""
    if amount := _amount_at(draft, place):
        return Ranking(descending=descending, limit=limit, amount=amount)
    item, words = draft.thing(place) or (draft.items[place], (place,))
    draft.take(*words)
    return Ranking(descending=descending, limit=limit, item=item)


def _only_more(draft: Draft, at: int) -> None:
    """`… the most orders? Show the top 10`: a second word of rank may only say how many."""
    limit = _limit(draft, at) if draft.kind(at) == "top" else None
    if limit is not None and draft.ranking is not None and draft.ranking.limit == 1:
        draft.take(at)
        draft.ranking = replace(draft.ranking, limit=limit)


def _limit(draft: Draft, at: int) -> int | None:
    """The number beside a superlative: `5 most expensive`, `top 5`, 最高的5个."""
    for near in (at + 1, at - 1):
        item = draft.item(near)
        if item and item.kind == "number" and item.number == int(item.number) and item.number > 0:
            draft.take(near)
            return int(item.number)
    return None


def _limit_before(draft: Draft, at: int) -> int | None:
    """`the 3 countries with the most customers`: the number stands before what is asked for."""
    for n in range(at - 1):
        item = draft.item(n)
        if item and item.kind == "number" and draft.items[n + 1].named and draft.adjoins(n + 1):
            return _limit(draft, n + 1)
    return None


def _key_place(draft: Draft, at: int, is_top: bool) -> int | None:
    """Where the thing stands that is ranked by."""
    ahead, back = draft.after(at), draft.before(at)
    if (is_top or draft.kind(ahead) == "unit") and (key := _after_by(draft, at)) is not None:
        return key
    if draft.chinese and (draft.named(back) or draft.kind(back) in _COMPUTED):
        return back
    if draft.named(ahead) or draft.kind(ahead) in _COMPUTED:
        return None if is_top else ahead
    return back if draft.named(back) and draft.items[back].measure else None


def _after_by(draft: Draft, at: int) -> int | None:
    """The place behind `by`, or behind `with the highest`."""
    for place in range(at, len(draft.items)):
        kind = draft.kind(place)
        plain = kind == "super" and not draft.items[place].argument.partition(" ")[2]
        if plain or kind == "by" or (kind == "group" and "by" in draft.items[place].text):
            key = draft.after(place, frozenset({"of", "super"}))
            if draft.named(key) or draft.kind(key) in _COMPUTED:
                draft.take(*range(place, key))
                return key
    return None


def _is_extreme(draft: Draft, at: int, place: int) -> bool:
    """`the highest price of all products` asks for the price itself, not for a product."""
    key, _ = draft.thing(place) or (draft.items[place], ())
    if key.kind != "column" or place < at:
        return False
    named = [n for n in range(at) if draft.items[n].named]
    asks_who = any(i.kind == "which" and i.text.casefold() in ("who", "which", "哪个", "谁") for i in draft.items)
    grouped = bool(named) and draft.items[named[0] - 1].kind == "group"
    return (not named or grouped) and not asks_who


def _amount_at(draft: Draft, place: int) -> Amount | None:
    """The amount whose words begin (in Chinese: may end) here; its items are taken."""
    kind = draft.kind(place)
    if kind in _COMPUTED:
        found = draft.thing(draft.after(place)) or draft.thing_before(draft.before(place))
        if found is None:
            return None
        draft.take(place, *found[1])
        return Amount(function="count" if kind == "count" else draft.items[place].argument, item=found[0])
    item, words = draft.thing(place) or (draft.items[place], (place,))
    if item.kind != "table" and not item.measure:
        back = draft.before(place)
        if draft.kind(back) == "agg":  # 平均价格最高的类别
            draft.take(place, back)
            return Amount(function=draft.items[back].argument, item=item)
        return None
    back = draft.before(place)
    draft.take(*words)
    if draft.kind(back) == "agg" and draft.items[back].argument == "sum":
        draft.take(back)
    return Amount(function="sum" if item.measure else "count", item=item)


def ordering(draft: Draft, at: int) -> None:
    """`sorted by price`, `in descending order of age`, 按价格降序; only where nothing is ranked."""
    kind = draft.kind(at)
    if kind not in ("order", "dir", "by", "alphabetical", "group") or draft.ranking is not None:
        return
    if kind == "alphabetical":
        draft.take(at)
        draft.ranking = Ranking(descending=False, limit=None)
        return
    key = draft.after(at, frozenset({"of", "by", "dir", "order"}))
    if not (draft.named(key) or draft.kind(key) in _COMPUTED) and kind in ("dir", "order"):
        key = draft.before(at)
    wanted = draft.named(key)
    if not (wanted or draft.kind(key) in _COMPUTED):
        return
    if kind in ("by", "group") and wanted and wanted.kind == "table":
        return  # albums by an artist are not sorted
    directions = [n for n in range(len(draft.items)) if draft.kind(n) == "dir"]
    descending = any(draft.items[n].argument == "desc" for n in directions)
    draft.take(at, *directions, *(n for n in range(len(draft.items)) if draft.kind(n) == "order"))
    draft.take(*(n for n in range(at, key) if draft.kind(n) in ("by", "of")))
    draft.ranking = _by(draft, key, descending, None)
