"""`t2s usage`: what was spent, by what one asks for, and what was not."""

from __future__ import annotations

import sys
from dataclasses import asdict
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from t2s.cli import options
from t2s.cli.terminal import Terminal
from t2s.types.usage import in_usd

if TYPE_CHECKING:
    from collections.abc import Mapping

    from t2s.ledger.spending import Spending
    from t2s.ledger.store import UsageRow
    from t2s.settings import PriceSettings

app = typer.Typer(rich_markup_mode=None, add_completion=False)

COLUMNS = {
    "calls": "calls",
    "errors": "errors",
    "input_tokens": "input",
    "output_tokens": "output",
    "cache_write_tokens": "cache write",
    "cache_read_tokens": "cache read",
    "cost_usd": "USD",
    "unpriced": "unpriced",
}
"""What is told of each key, and how it is called in a table."""


@app.command(epilog="Example: t2s usage --by model --days 7 --format csv")
def usage(
    ctx: typer.Context,
    by: Annotated[
        Literal["session", "day", "model", "user", "purpose"], typer.Option(help="What to add up by.")
    ] = "day",
    days: Annotated[int, typer.Option(min=1, max=36_500, help="So many days; today is one of them.")] = 30,
    user: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only this user's; without, everybody's.", show_default=False)
    ] = None,
    format: Annotated[Literal["table", "chart", "csv", "json", "markdown"], typer.Option("--format", "-f")] = "table",
    json: options.AsJson = False,
) -> int:
    """Show tokens and cost by session, day, model, user or purpose; what was saved; what the month will cost."""
    from t2s.config import load_config
    from t2s.ledger import open_ledger
    from t2s.ledger.spending import spending
    from t2s.workspace import ledger_place

    terminal: Terminal = ctx.obj
    config = load_config()
    ledger = open_ledger(ledger_place(config))
    try:
        spent = spending(ledger, by, days=days, user=user)
    finally:
        ledger.close()
    prices = config.settings.prices
    if json:
        from t2s.cli.envelopes import print_data

        print_data({"by": by, "days": days, "user": user, **_document(spent, prices)})
        return 0
    if spent.rows or format not in ("table", "chart"):
        _print_rows(spent, by, format, terminal)
    else:
        sys.stderr.write(f"no model was called in the last {days} days\n")
    if format == "table" and not terminal.quiet:
        sys.stderr.write("".join(f"{line}\n" for line in _summary(spent, prices)))
    return 0


def _print_rows(spent: Spending, by: str, format: str, terminal: Terminal) -> None:
    from t2s.render.formats import write_result
    from t2s.types.query import ResultColumn, ResultSet

    names = [by, *(["title"] if by == "session" else []), *COLUMNS.values()]
    rows = [_row(row, spent, titled=by == "session") for row in spent.rows]
    if format == "table" and not any(row.unpriced for row in spent.rows):  # rarely told of, and the lines are long
        names, rows = names[:-1], [row[:-1] for row in rows]
    if by == "model":
        names.append("estimate off")
        rows = [(*row, _off(str(row[0]), spent)) for row in rows]
    if format == "chart":
        names, rows = [by, "USD"], [(_label(row.key, by, spent), _exact(row.cost_usd)) for row in spent.rows]
    result = ResultSet(columns=tuple(ResultColumn(name=name) for name in names), rows=rows)
    write_result(result, format, sys.stdout, color=terminal.color)


def _row(row: UsageRow, spent: Spending, *, titled: bool) -> tuple[Any, ...]:
    values = [_exact(value) if name == "cost_usd" else value for name in COLUMNS for value in (getattr(row, name),)]
    return (row.key, *([spent.titles.get(row.key, "")] if titled else []), *values)


def _exact(amount: float) -> Decimal:
    """USD to a millionth, never written as a power of ten."""
    return Decimal(f"{amount:.6f}")


def _label(key: str, by: str, spent: Spending) -> str:
    """A key as short as one knows it by."""
    return spent.titles.get(key, key[:8]) if by == "session" else key


def _off(model: str, spent: Spending) -> str:
    """By how much the estimates of a model's prompts are off on average."""
    known = spent.estimates.get(model)
    return f"{known.error:.1%}" if known and known.calls > 1 else ""


def _document(spent: Spending, prices: Mapping[str, PriceSettings]) -> dict[str, Any]:
    return {
        "rows": [
            asdict(row) | ({"title": spent.titles[row.key]} if row.key in spent.titles else {}) for row in spent.rows
        ],
        "saved": {
            "prompt_cache": {"cost_usd": _by_prompt_cache(spent, prices)},
            **{source: {"calls": one.calls, "cost_usd": one.cost_usd} for source, one in spent.saved.items()},
        },
        "estimates": {
            model: {"calls": known.calls, "ratio": known.ratio, "mean_error": known.error}
            for model, known in spent.estimates.items()
        },
        "forecast": asdict(spent.forecast),
    }


def _by_prompt_cache(spent: Spending, prices: Mapping[str, PriceSettings]) -> float:
    """What the providers' prompt caches have saved, of the models with a price."""
    from t2s.llm.prices import saved_by_prompt_cache

    return sum(
        saved_by_prompt_cache(row.key, prices, write_tokens=row.cache_write_tokens, read_tokens=row.cache_read_tokens)
        or 0.0
        for row in spent.models
    )


def _summary(spent: Spending, prices: Mapping[str, PriceSettings]) -> list[str]:
    """What was saved, and what the month will cost."""
    lines = []
    if spent.models:
        lines.append(f"prompt caching saved {_usd(_by_prompt_cache(spent, prices))}")
    cache, memory = spent.saved["cache"], spent.saved["memory"]
    if cache.calls:
        lines.append(f"kept answers saved {_calls(cache.calls)}, {_usd(cache.cost_usd)}")
    if memory.calls:
        lines.append(f"verified queries saved {_calls(memory.calls)}, about {_usd(memory.cost_usd)}")
    if spent.models:
        end = spent.forecast.by_end
        ahead = "too early to say more" if end is None else f"about {_usd(end)} by its end"
        lines.append(f"this month: {_usd(spent.forecast.so_far)} so far, {ahead}")
    return lines


def _calls(count: int) -> str:
    return f"{count:,} call{'' if count == 1 else 's'}"


def _usd(amount: float | None) -> str:
    if amount is None:
        return "an unknown price"
    return in_usd(amount)
