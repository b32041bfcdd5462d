"""A result as a chart of characters: what it shows decides how."""

from __future__ import annotations

import re
import shutil
from datetime import date
from typing import Any, TextIO

from t2s.errors import UsageError
from t2s.render.clean import clean
from t2s.render.values import all_numbers, as_text, is_number
from t2s.types.query import ResultSet

MAX_BARS = 40
HEIGHT = 20
TICK = 14
"""Columns for a date under a line, with the room around it."""
_DATE_LIKE = re.compile(r"^\d{4}(-\d{2}){0,2}")
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def write_chart(result: ResultSet, stream: TextIO, *, color: bool) -> None:
    """Bars for names and numbers, a line for dates and numbers, a histogram for numbers alone.

    Raises `UsageError` where the result has no such shape.
    """
    import plotext

    width = shutil.get_terminal_size().columns if stream.isatty() else 80
    numbers = [i for i in range(len(result.columns)) if all_numbers(row[i] for row in result.rows)]
    labels = [i for i in range(len(result.columns)) if i not in numbers]
    if not numbers:
        raise UsageError("a chart needs a column of numbers", hint="--format table shows the rows as they are")
    value = numbers[-1]
    label = labels[0] if labels else numbers[0] if len(numbers) > 1 else None
    plotext.clear_figure()
    if label is None:
        stream.write(_histogram([float(row[value]) for row in result.rows if is_number(row[value])], width))
        return
    rows = [(row[label], float(row[value])) for row in result.rows if is_number(row[value])]
    title = f"{clean(result.columns[value].name)} by {clean(result.columns[label].name)}"
    if len(rows) > 2 and all(_is_date(name) for name, _ in rows):
        plotext.plot([y for _, y in rows], marker="braille")
        ticks = range(0, len(rows), -(-len(rows) // max(1, width // TICK)))  # those that would touch are left out
        plotext.xticks([i + 1 for i in ticks], [clean(as_text(rows[i][0]))[:10] for i in ticks])
        plotext.limit_size(False, False)  # it would ask whatever terminal is behind the process, not the stream
        plotext.plot_size(width, HEIGHT)
        plotext.title(title)
        drawn = plotext.build()
        stream.write((drawn if color and stream.isatty() else _COLOURS.sub("", drawn)) + "\n")
        return
    stream.write(f"{title}\n{_bars(rows[:MAX_BARS], width)}")
    if len(rows) > MAX_BARS:
        stream.write(f"(the first {MAX_BARS} of {len(rows)})\n")


def _bars(rows: list[tuple[Any, float]], width: int) -> str:
    from rich.cells import cell_len, set_cell_size

    names = [clean(as_text(name)) or "NULL" for name, _ in rows]
    left = min(30, max(map(cell_len, names)))
    most = max((abs(value) for _, value in rows), default=0) or 1
    digits = 2 if most >= 1 else 6
    texts = [f"{value:,.{digits}f}".rstrip("0").rstrip(".") for _, value in rows]
    room = max(10, width - left - max(map(len, texts)) - 3)
    lines = [
        f"{set_cell_size(name, left)} {'█' * round(room * abs(value) / most) or '▏'} {text}\n"
        for name, (_, value), text in zip(names, rows, texts, strict=True)
    ]
    return "".join(lines)


def _histogram(values: list[float], width: int) -> str:
    low, high = min(values), max(values)
    bins = min(12, max(1, len(set(values))))
    step = (high - low) / bins or 1
    counts = [0] * bins
    for value in values:
        counts[min(bins - 1, int((value - low) / step))] += 1
    rows = [(f"{low + i * step:,.6g} – {low + (i + 1) * step:,.6g}", float(n)) for i, n in enumerate(counts)]
    return _bars(rows, width)


def _is_date(value: Any) -> bool:
    return isinstance(value, date) or (isinstance(value, str) and bool(_DATE_LIKE.match(value)))
