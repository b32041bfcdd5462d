"""Questions to items: which words name what of the schema, which are values, numbers, dates, operators."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date

from t2s.local.dates import Period, find_periods
from t2s.local.names import FULL, Hit, NameIndex
from t2s.local.words import Token, concepts_of, is_chinese, lexicon, stems, tokens
from t2s.types.query import Context, ValueMatch

MAX_WORDS = 6
"""The longest stretch that is looked up as one."""

MEASURES = ("revenue", "sold")
"""Concepts that are often no column but computed from columns."""

_LINKING = frozenset("on at in of for by to from with not".split())
_AGGREGATES = frozenset({"agg", "count", "super", "top", "unit", "list", "order", "share", "when", "null"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A stretch of the question and what it may mean.

    `kind` is `table`, `column`, `value`, `quoted`, `number`, `period`, `unknown`, or an operator of the
    lexicon with its `argument`. `first` and `last` count the tokens it covers. `otherwise` is the column that
    an operator's word may also be: `total` before a name adds up, elsewhere it may be a name itself.
    """

    kind: str
    text: str
    first: int
    last: int
    argument: str = ""
    tables: tuple[Hit, ...] = ()
    columns: tuple[Hit, ...] = ()
    values: tuple[ValueMatch, ...] = ()
    measure: str = ""
    number: float = 0.0
    period: Period | None = None
    otherwise: Item | None = None

    @property
    def named(self) -> bool:
        """Whether it names something that can be shown, counted or compared."""
        return self.kind in ("table", "column") or bool(self.measure)

    @property
    def score(self) -> float:
        """How well the best of its readings fits."""
        return max((hit.score for hit in (*self.tables, *self.columns)), default=1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Linked:
    """All items of a question in order, without the words that carry nothing."""

    items: tuple[Item, ...]
    chinese: bool


def link(context: Context, index: NameIndex) -> Linked:
    """Cover the question with items, at each place the longest."""
    question = context.question
    found = tokens(question, _vocabulary(context))
    periods = find_periods(question, context.today)
    values = _value_spans(context, found)
    items: list[Item] = []
    at = 0
    while at < len(found):
        item = _period_at(found, at, periods) or _item_at(found, at, index, values, items[-1:])
        if item.kind not in ("skipped", "skip"):
            items.append(item)
        at = item.last + 1
    items = [_year(item, items[at - 1] if at else None, items[at + 1 : at + 2]) for at, item in enumerate(items)]
    following = [item.kind for item in items[1:]] + [""] * bool(items)
    settled = (_settled(item, kind) for item, kind in zip(items, following, strict=True))
    return Linked(items=tuple(settled), chinese=is_chinese(question))


def _year(item: Item, previous: Item | None, following: list[Item]) -> Item:
    """`revenue 2024`: a bare year, where a number would make no sense."""
    if item.kind != "number" or not re.fullmatch(r"(?:19|20)\d\d", item.text):
        return item
    alone = not following or following[0].kind in ("group", "by", "and", "unit")
    if not alone or (previous is not None and previous.kind not in ("measure", "table", "column", "value", "which")):
        return item
    year = int(item.number)
    period = Period(first=date(year, 1, 1), after=date(year + 1, 1, 1), start=0, end=0, text=item.text)
    return replace(item, kind="period", period=period)


def _settled(item: Item, following: str) -> Item:
    computes = following in ("table", "column", "measure", "agg", "count", "of", "and", "distinct", "value")
    return item if item.otherwise is None or computes else item.otherwise


def _vocabulary(context: Context) -> frozenset[str]:
    """Chinese words of this database: its names, comments, and the values that stand in the question."""
    names = {name for table in context.schema.tables for name in (table.name, table.comment or "")}
    names |= {
        name
        for table in context.schema.tables
        for column in table.columns
        for name in (column.name, column.comment or "")
    }
    names |= {match.text for match in context.values}
    names |= {sample for table in context.schema.tables for column in table.columns for sample in column.samples}
    return frozenset(name for name in names if is_chinese(name) and len(name) <= 12)


Spans = dict[int, list[Item]]
"""By first token: the values that stand there."""


def _value_spans(context: Context, found: tuple[Token, ...]) -> Spans:
    by_stems: dict[tuple[str, ...], list[ValueMatch]] = {}
    for match in context.values:
        key = tuple(token.stem for token in tokens(match.text) if token.kind != "mark")
        by_stems.setdefault(key, []).append(match)
    for table in context.schema.tables:
        for column in table.columns:
            for sample in column.samples:
                key = stems(sample.split())
                match = ValueMatch(table=table.full_name, column=column.name, value=sample, text=sample, score=0.9)
                known = by_stems.setdefault(key, [])
                if not any((m.table, m.column) == (match.table, match.column) for m in known):
                    known.append(match)
    spans: Spans = {}
    for first in range(len(found)):
        for last in range(first, min(first + MAX_WORDS + 4, len(found))):
            key = tuple(stem for token in found[first : last + 1] for stem in _stems_of(token))
            if key in by_stems and found[last].kind != "mark":
                text = context.question[found[first].start : found[last].end].strip("\"'“”‘’「」《》")
                item = Item(kind="value", text=text, first=first, last=last, values=tuple(by_stems[key]))
                spans.setdefault(first, []).append(item)
    return spans


def _stems_of(token: Token) -> tuple[str, ...]:
    """The stems that a token stands for in a value: none for a mark, several for a quotation."""
    if token.kind == "quoted":
        return tuple(inner.stem for inner in tokens(token.text) if inner.kind != "mark")
    return () if token.kind == "mark" else (token.stem,)


def _period_at(found: tuple[Token, ...], at: int, periods: tuple[Period, ...]) -> Item | None:
    for period in periods:
        if found[at].start == period.start:
            last = max(n for n in range(at, len(found)) if found[n].start < period.end)
            return Item(kind="period", text=period.text, first=at, last=last, period=period)
    return None


def _item_at(found: tuple[Token, ...], at: int, index: NameIndex, values: Spans, previous: list[Item]) -> Item:
    """The longest reading of the words from here; among equally long ones the surest."""
    choices = [_single(found, at), *values.get(at, ())]
    for last in range(at, min(at + MAX_WORDS, len(found))):
        if found[last].kind in ("mark", "quoted") and found[last].text not in "=<>":
            break
        choices += [item for item in (_operator(found, at, last), _name(found, at, last, index)) if item]
    best: Item = max(choices, key=lambda item: (item.last, _surety(item, found, previous)))
    if best.kind == "agg":
        names = [c for c in choices if c.kind == "column" and c.last == best.last and c.score >= FULL]
        return replace(best, otherwise=names[0]) if names else best
    return best


def _surety(item: Item, found: tuple[Token, ...], previous: list[Item]) -> float:
    token = found[item.first]
    match item.kind:
        case "value" if item.first == item.last and token.text in lexicon().skipped:
            return 0.0
        case "value":
            said_so = token.kind == "quoted" or (token.text[:1].isupper() and item.first > 0)
            return 2.0 if said_so or item.last > item.first else 0.84
        case "table" | "column":
            if token.text.casefold() in lexicon().skipped and item.score < 0.95:
                return 0.1
            return item.score
        case "skipped":
            return 0.5
        case "unknown":
            return 0.0
        case "quoted" | "number":
            return 1.5
        case kind if kind in _AGGREGATES:
            return _operator_surety(item, found, previous)
    return 0.9


def _operator_surety(item: Item, found: tuple[Token, ...], previous: list[Item]) -> float:
    """`total` before a name is an operation; alone, or in `invoice total`, it may be a column."""
    adjoins = bool(previous) and previous[0].last + 1 == item.first
    if item.kind == "agg" and adjoins and previous[0].kind in ("agg", "table"):
        return 0.97
    if item.kind in ("agg", "super", "top", "count") and item.last + 1 < len(found):
        return 1.2
    return 0.97


def _single(found: tuple[Token, ...], at: int) -> Item:
    token = found[at]
    kind = "unknown"
    if token.kind == "mark" or token.text.casefold() in lexicon().skipped or token.stem in lexicon().skipped:
        kind = "skipped"
    elif token.kind in ("quoted", "number"):
        kind = token.kind
    return Item(kind=kind, text=token.text, first=at, last=at, number=token.number or 0.0)


def _operator(found: tuple[Token, ...], first: int, last: int) -> Item | None:
    phrase = tuple(token.text.casefold().replace("’", "'") for token in found[first : last + 1])
    meaning = lexicon().operators.get(phrase)
    if meaning is None:
        return None
    kind, _, argument = meaning.partition(" ")
    return Item(kind=kind, text=_text(found, first, last), first=first, last=last, argument=argument)


def _name(found: tuple[Token, ...], first: int, last: int, index: NameIndex) -> Item | None:
    words = tuple(token.stem for token in found[first : last + 1])
    if any(token.kind in ("number", "quoted", "mark") for token in found[first : last + 1]):
        return None
    if found[last].text.casefold() in _LINKING:
        return None  # in `each order on average` nobody says ordered_on, nor note by `not`
    edges = {found[first].text.casefold(), found[last].text.casefold()} & lexicon().skipped
    hits = tuple(hit for hit in index.hits(words) if not edges or hit.score >= FULL)
    tables = tuple(hit for hit in hits if hit.column is None)
    columns = tuple(hit for hit in hits if hit.column is not None)
    measure = next((concept for concept in MEASURES if concept in concepts_of(words)), "")
    text = _text(found, first, last)
    if not hits:
        return Item(kind="measure", text=text, first=first, last=last, measure=measure) if measure else None
    is_table = bool(tables) and (not columns or tables[0].score >= columns[0].score)
    return Item(
        kind="table" if is_table else "column",
        text=text,
        first=first,
        last=last,
        tables=tables,
        columns=columns,
        measure=measure if hits[0].score < FULL or is_table else "",
    )


def _text(found: tuple[Token, ...], first: int, last: int) -> str:
    texts = [token.text for token in found[first : last + 1]]
    return "".join(texts) if is_chinese(texts[0]) else " ".join(texts)
