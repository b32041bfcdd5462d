"""Patterns that become amounts and the groups they are computed for."""

from __future__ import annotations

from t2s.local.draft import OF, Draft
from t2s.local.link import Item
from t2s.local.reading import Amount

_POSTFIX = ("的", "总数", "个数", "人数", "数目", "数")


def grouping(draft: Draft, at: int) -> None:
    """`per month`, `for each country and city`, 每个国家; `by X` where something is computed."""
    kind = draft.kind(at)
    computes = any(item.kind in ("count", "agg", "how") or item.measure for item in draft.items)
    if kind != "group" and not (kind == "by" and computes):
        return
    groups, taken = [], [at]
    place = at + 1
    while (found := _group_at(draft, place)) is not None:
        groups.append(found[0])
        taken += found[1]
        place = taken[-1] + 1
        if draft.kind(place) != "and" or not _goes_on(draft, place + 1):
            break
        taken.append(place)
        place += 1
    sorts = draft.chinese and draft.kind(place) in ("order", "dir")
    if groups and not sorts:
        draft.take(*taken)
        draft.groups += groups


def _group_at(draft: Draft, place: int) -> tuple[Item, tuple[int, ...]] | None:
    item = draft.item(place)
    if item is not None and item.kind == "unit":
        return item, (place,)
    return draft.thing(place)


def _goes_on(draft: Draft, place: int) -> bool:
    """Whether what follows `and` is another group."""
    return draft.kind(place) in ("unit", "column") and (draft.chinese or draft.kind(place + 1) != "of")


def counts(draft: Draft, at: int) -> None:
    """`how many orders`, `number of different cities`, 有多少客户, 客户的数量."""
    if draft.kind(at) != "count":
        return
    ahead = draft.after(at)
    if draft.kind(ahead) == "count":  # count the number of
        draft.take(at)
        return
    distinct = draft.kind(ahead) == "distinct"
    if distinct:
        draft.take(ahead)
        ahead = draft.after(ahead)
    behind = draft.before(at)
    following, preceding = draft.thing(ahead), draft.thing_before(behind)
    if preceding and draft.items[preceding[1][0] - 1].kind == "group" and preceding[1][0] > 0:
        preceding = None
    if not draft.chinese:
        preceding = None if following else preceding
    elif draft.items[at].text.startswith(_POSTFIX):
        following = None if preceding else following
    found = following or preceding
    draft.take(at, *(found[1] if found else ()))
    if found is None and any(amount.function == "count" for amount in draft.amounts):
        return  # … and how many there are of them: the count that was asked for already
    draft.amounts.append(Amount(function="count", item=found[0] if found else None, distinct=distinct))
    while distinct and found and draft.kind(found[1][-1] + 1) == "and":
        joint = found[1][-1] + 1
        found = draft.thing(joint + 1)
        if found is not None and found[0].kind == "column":
            draft.take(joint, *found[1])
            draft.amounts.append(Amount(function="count", item=found[0], distinct=True))


def aggregates(draft: Draft, at: int) -> None:
    """`average price`, `minimum, maximum and average age`, 平均价格, `total revenue`, `how much did … spend`."""
    item = draft.item(at)
    if item is None or item.kind not in ("agg", "how"):
        return
    functions = [item.argument if item.kind == "agg" else "sum"]
    taken = [at]
    place = draft.after(at, OF)
    while draft.kind(place) in ("agg", "and"):
        if draft.kind(place) == "agg":
            functions.append(draft.items[place].argument)
        taken.append(place)
        place = draft.after(place)
    if functions == ["avg"] and _counts_near(draft, at, place):
        draft.take(at)
        draft.averaged = True  # the average number of orders per customer
        return
    if draft.kind(place) in ("count", "distinct"):
        return
    if item.kind == "how":
        place = next((n for n in range(len(draft.items)) if draft.named(n) and draft.items[n].measure), place)
    found = draft.thing(place) or draft.thing_before(draft.before(at))
    if found is None:
        return
    thing, words = found
    whole = "of" in (draft.items[n].kind for n in range(at, words[0])) or item.text.endswith(" of")
    draft.take(*words, *taken)
    for function in functions:
        # total orders: how many; the total of the orders: what they add up to
        rows = function == "sum" and thing.kind == "table" and not thing.measure and not whole
        draft.amounts.append(Amount(function="count" if rows else function, item=thing))


def _counts_near(draft: Draft, at: int, place: int) -> bool:
    """`average number of …`, and `how many … on average`."""
    trailing = "average" in draft.items[at].text and not draft.named(place)
    counted = any(amount.function == "count" for amount in draft.amounts)
    beside = at + 1 < len(draft.items) and draft.items[at + 1].kind == "count"
    return beside or (draft.items[at].text.startswith("on ") and trailing and counted)


def measures(draft: Draft, at: int) -> None:
    """`revenue by country`, `units sold`: a sum, though nobody said so."""
    item = draft.item(at)
    if item is None or item.kind != "measure":
        return
    draft.take(at)
    amount = Amount(function="sum", item=item)
    if item.measure == "sold":
        # how many products were sold: not how many products there are
        draft.amounts = [known for known in draft.amounts if known.function != "count"]
    if not any(_same(known, amount) for known in draft.amounts):
        draft.amounts.append(amount)


def _same(known: Amount, amount: Amount) -> bool:
    """`the total quantity sold` is one amount said in two words."""
    said = {"sold", "quantity"}
    words = {known.item.measure or "quantity"} if known.item else set()
    return (
        known.function == amount.function and amount.item is not None and amount.item.measure in said and words <= said
    )


def distincts(draft: Draft, at: int) -> None:
    """`different cities`: each once."""
    if draft.kind(at) == "distinct":
        draft.take(at)
        draft.distinct = True
