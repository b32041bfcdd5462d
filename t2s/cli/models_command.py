"""`t2s models`: the models with known prices."""

from __future__ import annotations

import sys
from dataclasses import asdict
from datetime import date

import typer

from t2s.cli import options
from t2s.cli.terminal import Terminal

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command(epilog="Example: t2s models --json")
def models(ctx: typer.Context, json: options.AsJson = False) -> int:
    """List models with prices in USD per million tokens, and limits."""
    from t2s.cli.envelopes import print_data
    from t2s.config import load_config
    from t2s.llm import known_models
    from t2s.llm.prices import price_of, prices_checked
    from t2s.render.table import print_facts

    terminal: Terminal = ctx.obj
    overrides = load_config().settings.prices
    known = known_models()
    rows = []
    for name in [*known, *(name for name in overrides if name not in known)]:
        price = price_of(name, 0, overrides)
        info = known.get(name)
        notes = [info.note] if info and info.note else []
        if info and info.ends:
            notes.append(f"{'ended' if info.ends < date.today() else 'ends'} {info.ends}")
        if info and info.long_above and name not in overrides:
            notes.append(f"dearer above {info.long_above:,} tokens")
        if name in overrides:
            notes.append("own price")
        rows.append((name, price, info.context if info else None, "; ".join(notes)))
    if json:
        print_data(
            {
                "checked": prices_checked().isoformat(),
                "models": [
                    {"name": name, "price": asdict(price) if price else None, "context": context, "note": note}
                    for name, price, context, note in rows
                ],
            }
        )
        return 0
    print_facts(
        sys.stdout,
        ("model", "input", "output", "cache write", "cache read", "context", "note"),
        [(n, p.input, p.output, p.cache_write, p.cache_read, c, note) for n, p, c, note in rows if p],
        color=terminal.color,
    )
    sys.stderr.write(f"prices checked {prices_checked()}; also: local (free), openai:MODEL, replay:FILE\n")
    return 0
