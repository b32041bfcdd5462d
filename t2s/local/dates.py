"""Stretches of time that a question names, in English and Chinese."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

_MONTHS = "january february march april may june july august september october november december".split()
_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
_ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "1st": 1, "2nd": 2, "3rd": 3, "4th": 4}
_UNITS = {
    "天": "day",
    "日": "day",
    "周": "week",
    "星期": "week",
    "个月": "month",
    "月": "month",
    "年": "year",
    "季度": "quarter",
}
_SMALL = {char: value for value, char in enumerate("零一二三四五六七八九十")} | {"两": 2}
_SMALL |= {word: n for n, word in enumerate("zero one two three four five six seven eight nine ten".split())}


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """From the day `first` up to, not including, the day `after`; None where it is open on that side.

    `start` and `end` are where it stands in the question.
    """

    first: date | None
    after: date | None
    start: int
    end: int
    text: str


Days = tuple[date, date]
"""First day and the day after the last."""


def find_periods(question: str, today: date) -> tuple[Period, ...]:
    """Every period in the question, none overlapping another, in their order."""
    text = question.casefold()
    found: list[Period] = []
    at = 0
    while at < len(text):
        period = _relation(text, at, today) if _starts_word(text, at) else None
        if period:
            found.append(period)
        at = period.end if period else at + 1
    return tuple(found)


def _starts_word(text: str, at: int) -> bool:
    """Whether no word or number goes on here that began before."""
    if at == 0 or text[at].isspace():
        return at == 0
    return not (text[at - 1 : at + 1].isascii() and text[at - 1].isalnum() and text[at].isalnum())


_BETWEEN = re.compile(r"(?:between|from|从|在|自)\s*")
_AND = re.compile(r"\s*(?:and|to|until|till|through|到|至|和|-|–)\s*")
_SINCE = re.compile(r"(?:since|starting from|starting in|starting|as of|自从|自|从)\s*(?:the\s+)?")
_UNTIL = re.compile(r"(?:until|till|up to|through|by the end of|截至|截止|到)\s*(?:the\s+)?")
_BEFORE = re.compile(r"(?:before|prior to|earlier than|in or before)\s+(?:the\s+(?:year\s+)?)?")
_AFTER = re.compile(r"(?:after|later than)\s+(?:the\s+(?:year\s+)?)?")
_IN = re.compile(
    r"(?:in|during|on|within|for|of|from|throughout|over(?=\s+the\s+(?:last|past)))\s+(?:the\s+)?(?:(?:year|month)\s+(?:of\s+)?)?|在"
)
_ZH_SINCE = re.compile(r"\s*(?:以来|起|开始|至今)")
_ZH_BEFORE = re.compile(r"\s*(?:之前|以前|前)(?!\s*\d)")
_ZH_TAIL = re.compile("之间|期间|间")
_ZH_AFTER = re.compile(r"\s*(?:之后|以后|后)")


Bounds = Callable[[date, date], tuple[date | None, date | None]]
_OPENINGS: tuple[tuple[re.Pattern[str], Bounds], ...] = (
    (_SINCE, lambda first, _: (first, None)),
    (_BEFORE, lambda first, _: (None, first)),
    (_AFTER, lambda _, after: (after, None)),
    (_UNTIL, lambda _, after: (None, after)),
)
_CLOSINGS: tuple[tuple[re.Pattern[str], Bounds], ...] = (
    (_ZH_SINCE, lambda first, _: (first, None)),
    (_ZH_BEFORE, lambda first, _: (None, first)),
    (_ZH_AFTER, lambda _, after: (after, None)),
)


def _relation(text: str, at: int, today: date) -> Period | None:
    """A period with the word before or after it that opens it on one side."""
    if (m := _BETWEEN.match(text, at)) and (span := _from_to(text, m.end(), today)):
        return _period(text, at, span[1], *span[0])
    for opening, bounds in _OPENINGS:
        if (m := opening.match(text, at)) and (found := _days(text, m.end(), today)):
            (first, after), end = found
            tail = _ZH_SINCE.match(text, end)
            return _period(text, at, tail.end() if tail else end, *bounds(first, after))
    m = _IN.match(text, at)
    found = _days(text, m.end() if m else at, today, bare=m is None)
    if found is None:
        return None
    (first, after), end = found
    for closing, bounds in _CLOSINGS:
        if tail := closing.match(text, end):
            return _period(text, at, tail.end(), *bounds(first, after))
    return _period(text, at, end, first, after)


def _period(text: str, start: int, end: int, first: date | None, after: date | None) -> Period:
    return Period(first=first, after=after, start=start, end=end, text=text[start:end].strip())


def _from_to(text: str, at: int, today: date) -> tuple[Days, int] | None:
    """`2023 and 2024`, 2024年1月到3月 as far as both ends are named in full."""
    low = _days(text, at, today)
    joint = _AND.match(text, low[1]) if low else None
    high = _days(text, joint.end(), today) if joint else None
    if low is None or high is None:
        return None
    tail = _ZH_TAIL.match(text, high[1])
    return (low[0][0], high[0][1]), tail.end() if tail else high[1]


def _days(text: str, at: int, today: date, *, bare: bool = False) -> tuple[Days, int] | None:
    """The days that the text at a position names, and where their name ends."""
    for pattern, make in _FORMS:
        if m := pattern.match(text, at):
            try:
                return make(m, today), m.end()
            except (ValueError, OverflowError):  # 31 February, the year 0, a word that is no number
                continue
    if not bare and (m := _YEAR.match(text, at)):
        return _year(int(m.group(1))), m.end()
    return None


_YEAR = re.compile(r"((?:1[5-9]|20)\d\d)(?![\d.]|\s*(?:%|euros?|dollars?|orders|customers|meters|minutes))")


def _year(year: int) -> Days:
    return date(year, 1, 1), date(year + 1, 1, 1)


def _month(year: int, month: int) -> Days:
    first = date(year, month, 1)
    return first, _months_later(first, 1)


def _quarter(year: int, quarter: int) -> Days:
    first = date(year, 3 * quarter - 2, 1)
    return first, _months_later(first, 3)


def _half(year: int, half: int) -> Days:
    first = date(year, 6 * half - 5, 1)
    return first, _months_later(first, 6)


def _day(year: int, month: int, day: int) -> Days:
    first = date(year, month, day)
    return first, first + timedelta(days=1)


def _months_later(day: date, months: int) -> date:
    total = day.year * 12 + day.month - 1 + months
    return date(total // 12, total % 12 + 1, 1)


def _unit(unit: str, today: date, shift: int) -> Days:
    """The calendar day, week, month, quarter or year that lies `shift` of them from today's."""
    match unit:
        case "day":
            first = today + timedelta(days=shift)
            return first, first + timedelta(days=1)
        case "week":
            first = today - timedelta(days=today.weekday()) + timedelta(weeks=shift)
            return first, first + timedelta(weeks=1)
        case "month":
            return _month_span(today.replace(day=1), shift, 1)
        case "quarter":
            return _month_span(today.replace(month=(today.month - 1) // 3 * 3 + 1, day=1), 3 * shift, 3)
        case _:
            return _year(today.year + shift)


def _month_span(first: date, shift: int, length: int) -> Days:
    start = _months_later(first, shift)
    return start, _months_later(start, length)


def _back(unit: str, count: int, today: date) -> Days:
    """The last so many days, weeks, months, quarters or years up to and with today."""
    after = today + timedelta(days=1)
    if unit in ("day", "week"):
        return after - timedelta(days=count * (7 if unit == "week" else 1)), after
    months = count * {"month": 1, "quarter": 3, "year": 12}[unit]
    start = _months_later(after, -months)
    last = (_months_later(start, 1) - timedelta(days=1)).day
    return start.replace(day=min(after.day, last)), after


def _month_number(name: str) -> int:
    found = next((n for n, month in enumerate(_MONTHS, 1) if month.startswith(name)), None)
    if found is None and name != "sept":
        raise ValueError(f"{name} is no month")
    return found or 9


def _count(text: str) -> int:
    """The value of digits or a small number's word; `ValueError` for anything else."""
    return _SMALL[text] if text in _SMALL else int(text)


_SHIFT = {"last": -1, "previous": -1, "past": -1, "this": 0, "current": 0, "next": 1}
_SHIFT |= {
    "上": -1,
    "上个": -1,
    "上一个": -1,
    "上一": -1,
    "这": 0,
    "这个": 0,
    "本": 0,
    "当": 0,
    "今": 0,
    "下个": 1,
    "下": 1,
}
_RELATIVE = {"yesterday": ("day", -1), "today": ("day", 0), "tomorrow": ("day", 1), "去年": ("year", -1)}
_RELATIVE |= {"今年": ("year", 0), "前年": ("year", -2), "明年": ("year", 1), "昨天": ("day", -1), "今天": ("day", 0)}

Make = Callable[[re.Match[str], date], Days]


def _english_forms() -> Iterator[tuple[str, Make]]:
    yield (
        rf"({_MONTH})\.?\s+(\d{{1,2}})(?:st|nd|rd|th)?,?\s+(\d{{4}})",
        lambda m, _: _day(int(m[3]), _month_number(m[1]), int(m[2])),
    )
    yield (
        rf"(\d{{1,2}})(?:st|nd|rd|th)?\s+(?:of\s+)?({_MONTH})\.?,?\s+(\d{{4}})",
        lambda m, _: _day(int(m[3]), _month_number(m[2]), int(m[1])),
    )
    yield rf"({_MONTH})\.?,?\s+(?:of\s+)?(\d{{4}})\b", lambda m, _: _month(int(m[2]), _month_number(m[1]))
    yield r"q([1-4])\s*(?:of\s+|/|-)?\s*(\d{4})", lambda m, _: _quarter(int(m[2]), int(m[1]))
    yield r"(\d{4})\s*-?q([1-4])\b", lambda m, _: _quarter(int(m[1]), int(m[2]))
    yield rf"({'|'.join(_ORDINALS)}) quarter (?:of |in )?(\d{{4}})", lambda m, _: _quarter(int(m[2]), _ORDINALS[m[1]])
    yield r"(first|second) half (?:of |in )?(\d{4})", lambda m, _: _half(int(m[2]), _ORDINALS[m[1]])
    yield (
        r"(?:last|past|previous)\s+(\d+|[a-z]{3,5})\s+(day|week|month|quarter|year)s\b",
        lambda m, today: _back(m[2], _count(m[1]), today),
    )
    yield (
        r"(last|previous|past|this|current|next)\s+(day|week|month|quarter|year)\b",
        lambda m, today: _unit(m[2], today, _SHIFT[m[1]]),
    )
    yield r"(?:the\s+)?year\s+(\d{4})\b", lambda m, _: _year(int(m[1]))


def _chinese_forms() -> Iterator[tuple[str, Make]]:
    yield r"(\d{4})年(\d{1,2})月(\d{1,2})[日号]?", lambda m, _: _day(int(m[1]), int(m[2]), int(m[3]))
    yield r"(\d{4})年(\d{1,2})月份?", lambda m, _: _month(int(m[1]), int(m[2]))
    yield r"(\d{4})年第?([一二三四1-4])季度?", lambda m, _: _quarter(int(m[1]), _count(m[2]))
    yield r"(\d{4})年(上|下)半年", lambda m, _: _half(int(m[1]), 1 if m[2] == "上" else 2)
    yield r"(\d{4})年", lambda m, _: _year(int(m[1]))
    yield (
        r"(?:最近|过去|近)的?(\d+|[一二两三四五六七八九十])(天|日|周|星期|个月|年|季度)",
        lambda m, today: _back(_UNITS[m[2]], _count(m[1]), today),
    )
    yield (
        r"(上一个|上一|上个|下个|这个|本|上|这|当|下|今)(周|星期|月|季度|年)(?!半)",
        lambda m, today: _unit(_UNITS[m[2]], today, _SHIFT[m[1]]),
    )


def _forms() -> Iterator[tuple[str, Make]]:
    """Every way to name a stretch of days: a pattern, and what makes days of its match."""
    yield r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?!\d)", lambda m, _: _day(int(m[1]), int(m[2]), int(m[3]))
    yield r"(\d{4})-(\d{2})(?![\d-])", lambda m, _: _month(int(m[1]), int(m[2]))
    yield from _chinese_forms()
    yield from _english_forms()
    yield "|".join(_RELATIVE), lambda m, today: _unit(_RELATIVE[m[0]][0], today, _RELATIVE[m[0]][1])


_FORMS = tuple((re.compile(pattern), make) for pattern, make in _forms())
