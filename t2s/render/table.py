"""Rows as a table that fits where it is shown."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TextIO

from t2s.render.clean import clean
from t2s.render.values import all_numbers, as_text
from t2s.types.query import ResultSet

if TYPE_CHECKING:
    from rich.console import Console

CELL_WIDTH = 60
"""Longer values are cut with … on a terminal."""

LEAST_WIDTH = 6
"""Columns narrower than this are no use: such a table is turned, a row becomes lines."""

PIPE_WIDTH = 10_000


def console(stream: TextIO, *, color: bool) -> Console:
    """A console that interprets nothing in what it prints, and colours only a terminal."""
    from rich.console import Console

    terminal = stream.isatty()
    return Console(
        file=stream,
        no_color=not color,
        highlight=False,
        markup=False,
        emoji=False,
        soft_wrap=not terminal,
        width=None if terminal else PIPE_WIDTH,
    )


def write_table(result: ResultSet, stream: TextIO, *, color: bool) -> None:
    """The rows with a line that counts them; turned to `column value` lines where the terminal is too narrow."""
    out = console(stream, color=color)
    headers, cells = _texts(result, stream)
    cut = any("…" in cell[CELL_WIDTH - 1 :] for row in cells for cell in row)
    if headers:
        widest = sum(LEAST_WIDTH + 3 for _ in headers)
        if stream.isatty() and cells and widest > out.width:
            _write_turned(out, headers, cells)
        else:
            _write_grid(out, result, headers, cells)
            cut = cut or _natural_width(headers, cells) > out.width
    note = "; what ends in … is cut to fit" if cut and stream.isatty() else ""
    out.print(f"({_count(result)}{note})", style="dim")


def write_turned(result: ResultSet, stream: TextIO, *, color: bool) -> None:
    """Each row as lines of `column value`, with a line that counts the rows."""
    out = console(stream, color=color)
    _write_turned(out, *_texts(result, stream))
    out.print(f"({_count(result)})", style="dim")


def _natural_width(headers: Sequence[str], cells: Sequence[Sequence[str]]) -> int:
    """Cells that the grid takes where nothing is cut."""
    from rich.cells import cell_len

    return sum(max(map(cell_len, column)) + 3 for column in zip(headers, *cells, strict=True)) - 3


def _texts(result: ResultSet, stream: TextIO) -> tuple[list[str], list[list[str]]]:
    """Headers and cells as they are shown: long values are cut on a terminal."""
    cut = CELL_WIDTH if stream.isatty() else sys.maxsize
    headers = [clean(column.name) for column in result.columns]
    return headers, [[_cell(value, cut) for value in row] for row in result.rows]


def _write_grid(out: Console, result: ResultSet, headers: Sequence[str], cells: Sequence[Sequence[str]]) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    grid = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    for position, header in enumerate(headers):
        numeric = all_numbers(row[position] for row in result.rows)
        grid.add_column(Text(header), justify="right" if numeric else "left", overflow="ellipsis", no_wrap=True)
    for row, values in zip(cells, result.rows, strict=True):
        grid.add_row(
            *(
                Text("NULL", style="dim") if value is None else Text(cell)
                for cell, value in zip(row, values, strict=True)
            )
        )
    out.print(grid)


def _write_turned(out: Console, headers: Sequence[str], cells: Sequence[Sequence[str]]) -> None:
    from rich.cells import cell_len, set_cell_size
    from rich.text import Text

    width = max(map(cell_len, headers), default=0)
    for number, row in enumerate(cells, 1):
        out.print(Text(f"── {number} ──", style="dim"))
        for header, cell in zip(headers, row, strict=True):
            line = Text.assemble((set_cell_size(header, width), "bold"), "  ", cell or "NULL")
            out.print(line, overflow="ellipsis", no_wrap=True)


def _cell(value: Any, longest: int) -> str:
    text = clean(as_text(value))
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _count(result: ResultSet) -> str:
    count = len(result.rows)
    rows = f"{count} row{'' if count == 1 else 's'}"
    return f"the first {rows}; there are more" if result.truncated else rows


def print_facts(stream: TextIO, headers: Sequence[str], rows: Sequence[Sequence[Any]], *, color: bool) -> None:
    """A plain table of facts, as the commands that list things print them; cells are cleaned."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    out = console(stream, color=color)
    grid = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    for position, header in enumerate(headers):
        numeric = all_numbers(row[position] for row in rows)
        grid.add_column(header, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        grid.add_row(*(Text(clean(_fact(value))) for value in row))
    out.print(grid)


def _fact(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else as_text(value)
