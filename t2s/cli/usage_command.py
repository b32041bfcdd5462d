"""`t2s usage`: what was spent, by what one asks for."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import Annotated, Literal

import typer

from t2s.cli import options
from t2s.cli.terminal import Terminal

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command(epilog="Example: t2s usage --by model --days 7 --format csv")
def usage(
    ctx: typer.Context,
    by: Annotated[
        Literal["session", "day", "model", "user", "purpose"], typer.Option(help="What to add up by.")
    ] = "day",
    days: Annotated[int, typer.Option(min=1, help="Today and so many days before it.")] = 30,
    format: Annotated[Literal["table", "csv", "chart"], typer.Option("--format", "-f")] = "table",
    json: options.AsJson = False,
) -> int:
    """Show tokens and cost by session, day, model, user or purpose."""
    from t2s.cli.envelopes import print_data
    from t2s.config import load_config
    from t2s.ledger import open_ledger
    from t2s.render.formats import write_result
    from t2s.types.query import ResultColumn, ResultSet
    from t2s.workspace import ledger_place

    terminal: Terminal = ctx.obj
    ledger = open_ledger(ledger_place(load_config()))
    try:
        rows = ledger.usage(by, days=days)
    finally:
        ledger.close()
    if json:
        print_data({"by": by, "days": days, "rows": [asdict(row) for row in rows]})
        return 0
    if not rows:
        sys.stderr.write(f"no model was called in the last {days} days\n")
        return 0
    names = (by, "calls", "errors", "input", "output", "cache write", "cache read", "USD", "unpriced")
    lines = [
        (
            row.key,
            row.calls,
            row.errors,
            row.input_tokens,
            row.output_tokens,
            row.cache_write_tokens,
            row.cache_read_tokens,
            round(row.cost_usd, 6),
            row.unpriced,
        )
        for row in rows
    ]
    if format == "chart":
        names, lines = (by, "USD"), [(line[0], line[7]) for line in lines]  # type: ignore[assignment, misc]
    columns = tuple(ResultColumn(name=name) for name in names)
    write_result(ResultSet(columns=columns, rows=lines), format, sys.stdout, color=terminal.color)
    return 0
