"""Patterns that become conditions: values, periods, comparisons, absence."""

from __future__ import annotations

from dataclasses import replace

from t2s.local.draft import Draft
from t2s.local.link import Item
from t2s.local.reading import Amount, Condition


def values(draft: Draft, at: int) -> None:
    """`Berlin`, `category Books`, `web channel`, `not cancelled`, `name contains "x"`."""
    item = draft.item(at)
    if item is None or item.kind not in ("value", "quoted"):
        return
    draft.take(at)
    operator = "eq"
    back = draft.before(at)
    earlier = draft.conditions[-1] if draft.conditions else None
    if item.kind == "quoted" and earlier and "like" in earlier.operator and draft.kind(at - 1) in ("or", "and"):
        draft.conditions.append(replace(earlier, value=item))  # contains "a" or "b"
        return
    if draft.kind(back) == "cmp" and draft.items[back].argument in ("eq", "ne"):
        operator = draft.items[back].argument
        draft.take(back)
        back = draft.before(back)
    if draft.kind(back) in ("like", "like_start", "like_end"):
        operator = draft.items[back].kind
        draft.take(back)
        back = draft.before(back)
    if draft.kind(back) == "neg":
        operator = {"eq": "ne", "like": "not_like"}.get(operator, operator)
        draft.take(back)
        back = draft.before(back)
    column = _describing(draft, at, back, item)
    if operator == "eq" and item.kind == "quoted" and column is draft.items[min(at + 1, len(draft.items) - 1)]:
        operator = "like"  # have "x" in their name
    draft.conditions.append(Condition(operator=operator, value=item, item=column))


def _describing(draft: Draft, at: int, back: int, value: Item) -> Item | None:
    """The column beside a value that says what it is a value of; its words are taken."""
    after = draft.named(at + 1)
    if after and after.kind == "column" and after.first - value.last <= 3 and _is_of(after, value):
        draft.take(at + 1)
        return after
    before = draft.named(back)
    if before is None or not before.columns or not _is_of(before, value):
        return None
    if before.kind == "column" and not _asked_for(draft, back):
        draft.take(back)
    return before


def _is_of(column: Item, value: Item) -> bool:
    """Whether the value is one of this column's, or a quotation, which may be any column's."""
    names = {(hit.table, hit.column) for hit in column.columns}
    return value.kind == "quoted" or any((m.table, m.column) in names for m in value.values)


def _asked_for(draft: Draft, at: int) -> bool:
    """Whether a column before a value is asked for (`the country of Berlin`) rather than describing it."""
    first = not any(item.named for item in draft.items[:at])
    follows_question = at > 0 and first and draft.items[at - 1].kind in ("which", "list", "group", "by")
    return follows_question and at + 1 < len(draft.items) and draft.items[at + 1].kind == "of"


def periods(draft: Draft, at: int) -> None:
    """`in 2024`, `last month`, 2024年3月."""
    item = draft.item(at)
    if item is not None and item.kind == "period":
        draft.take(at)
        draft.conditions.append(Condition(operator="within", period=item))


def between(draft: Draft, at: int) -> None:
    """`price between 10 and 20`, 价格在10到20之间."""
    skip = frozenset({"and", "of"})
    match draft.kind(at):
        case "between":
            low = draft.after(at)
            high = draft.after(low, skip)
            target = draft.before(at)
        case "between_end":
            high = draft.before(at)
            low = draft.before(high, skip)
            target = draft.before(low)
            if draft.kind(target) == "between":
                draft.take(target)
                target = draft.before(target)
        case _:
            return
    if draft.kind(low) != "number" or draft.kind(high) != "number":
        return
    numbers = (draft.items[low].number, draft.items[high].number)
    taken = range(min(low, at), max(high, at) + 1)
    if amount := _amount_before(draft, target):
        draft.take(*taken)
        draft.conditions.append(Condition(operator="between", amount=amount, numbers=numbers))
    elif column := draft.named(target):
        draft.take(target, *taken)
        draft.conditions.append(Condition(operator="between", item=column, numbers=numbers))


def comparisons(draft: Draft, at: int) -> None:
    """`price over 100`, `more than 5 orders`, `5 or more orders`, `older than 30`, 价格超过100, 订单数超过5."""
    item = draft.item(at)
    if item is None or item.kind not in ("cmp", "after_ge", "after_le"):
        return
    operator, _, hint = item.argument.partition(" ")
    postfix = item.kind != "cmp" or item.text.casefold().startswith("or ")
    if item.kind != "cmp":
        operator = {"after_ge": "ge", "after_le": "le"}[item.kind]
    place = draft.before(at) if postfix else draft.after(at)
    if draft.kind(place) == "agg" and draft.items[place].argument == "avg":
        _against_average(draft, at, place, operator, hint)
    elif draft.kind(place) == "number":
        _against_number(draft, at, place, operator, hint)


def _against_number(draft: Draft, at: int, place: int, operator: str, hint: str) -> None:
    numbers = (draft.items[place].number,)
    preceding = draft.before(min(at, place))
    following = max(at, place) + 1
    if draft.kind(following) == "distinct":
        draft.take(following)
        following += 1
    counted = draft.named(following) if draft.adjoins(following) else None
    if hint:
        draft.take(at, place)
        draft.conditions.append(Condition(operator=operator, numbers=numbers, hint=hint))
    elif counted and not (draft.chinese and draft.named(preceding)):
        draft.take(at, place, following)
        draft.conditions.append(_of(counted, operator, numbers))
    elif amount := _amount_before(draft, preceding):
        draft.take(at, place)
        draft.conditions.append(Condition(operator=operator, numbers=numbers, amount=amount))
    elif target := draft.named(preceding):
        if target.kind == "table" and not draft.chinese:  # products under 10 euros
            draft.take(at, place)
            draft.conditions.append(Condition(operator=operator, numbers=numbers, hint="price"))
            return
        draft.take(at, place, preceding)
        draft.conditions.append(_of(target, operator, numbers))


def keys(draft: Draft, at: int) -> None:
    """`order 5`, `customer number 12`: the row of that key."""
    item, before = draft.item(at), draft.named(at - 1)
    if item is None or item.kind != "number" or before is None or before.kind != "table" or draft.chinese:
        return
    follows = draft.named(at + 1) if draft.adjoins(at + 1) else None
    if draft.adjoins(at) and follows is None and not 1900 <= item.number <= 2100:
        draft.take(at)
        draft.conditions.append(Condition(operator="eq", item=before, numbers=(item.number,)))


def _of(item: Item, operator: str, numbers: tuple[float, ...]) -> Condition:
    """More than 5 of a thing: its rows counted; of revenue: its sum; of a column: the column itself."""
    if item.measure and item.kind != "column":
        return Condition(operator=operator, numbers=numbers, amount=Amount(function="sum", item=item))
    if item.kind == "table":
        return Condition(operator=operator, numbers=numbers, amount=Amount(function="count", item=item))
    return Condition(operator=operator, numbers=numbers, item=item)


def _amount_before(draft: Draft, at: int) -> Amount | None:
    """The amount whose words end here: `number of orders`, `average price`, 订单数量."""
    if draft.kind(at) == "count":
        found = draft.thing_before(draft.before(at))
        if found is None:
            return None
        draft.take(at, *found[1])
        return Amount(function="count", item=found[0])
    found = draft.thing_before(at)
    if found is None:
        return None
    back = draft.before(found[1][0])
    if draft.kind(back) not in ("count", "agg"):
        return None
    function = "count" if draft.kind(back) == "count" else draft.items[back].argument
    draft.take(back, *found[1])
    return Amount(function=function, item=found[0])


def _against_average(draft: Draft, at: int, place: int, operator: str, hint: str) -> None:
    """`price above average`, `more expensive than average`, `a salary above the average salary`."""
    back, ahead = draft.before(at), draft.after(place)
    beyond, target = draft.named(ahead), draft.named(back)
    if beyond is not None and beyond.kind == "column":
        target = beyond
        draft.take(ahead)
        before = draft.named(back)
        if before is not None and before.columns == beyond.columns:
            draft.take(back)
    elif target is not None and target.kind == "column" and not hint:
        draft.take(back)
    elif not hint:
        return
    draft.take(at, place)
    item = target if target is not None and target.kind == "column" else None
    draft.conditions.append(Condition(operator=operator, item=item, hint="" if item else hint, average=True))


def absences(draft: Draft, at: int) -> None:
    """`without orders`, `never returned`, `no e-mail`, `not discontinued`, `not empty`."""
    if draft.kind(at) != "neg":
        return
    place = draft.after(at, frozenset({"of", "distinct"}))
    item = draft.item(place)
    if item is None:
        return
    if item.kind == "null":
        near = next((n for n in (draft.before(at), draft.after(place)) if draft.named(n)), None)
        if near is not None:
            draft.take(at, place, near)
            draft.conditions.append(Condition(operator="not_null", item=draft.items[near]))
    elif item.kind == "table":
        draft.take(at, place)
        draft.absent.append(item)
    elif item.kind == "column":
        draft.take(at, place)
        draft.conditions.append(Condition(operator="false", item=item))


def blanks(draft: Draft, at: int) -> None:
    """`missing e-mail`, `e-mail is empty`, 邮箱为空."""
    if draft.kind(at) != "null":
        return
    for place in (draft.after(at), draft.before(at)):
        item = draft.named(place)
        if item and item.columns:
            draft.take(at, place)
            draft.conditions.append(Condition(operator="null", item=item))
            return
