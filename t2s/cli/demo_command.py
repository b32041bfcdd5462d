"""`t2s demo`: questions over the built-in sample, with no key and no network."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from t2s.cli.terminal import Terminal

app = typer.Typer(rich_markup_mode=None, add_completion=False)

QUESTIONS = (
    "What are the top 5 products by revenue in 2024?",
    "How many orders were there per month in 2025?",
    "每个国家有多少客户?",
)


@app.command(epilog="Example: t2s demo 'Which city has the most customers?'")
def demo(
    ctx: typer.Context,
    question: Annotated[str | None, typer.Argument(help="Your own question.", show_default=False)] = None,
) -> int:
    """Answer questions over the sample database of a shop."""
    from t2s.cli.answer import Output, publish
    from t2s.config import own_home
    from t2s.database.sample import sample_path
    from t2s.workspace import LOCAL, Workspace

    terminal: Terminal = ctx.obj
    output = Output(format="table", path=None, spreadsheet=False, as_json=False)
    worst = 0
    with Workspace.open(str(sample_path(own_home() / "sample")), flags={"model": LOCAL}) as ws:
        for number, text in enumerate((question,) if question else QUESTIONS):
            if number:
                sys.stdout.write("\n")
            sys.stdout.write(f"? {text}\n")
            sys.stdout.flush()
            worst = max(worst, publish(ws.ask(text), output, terminal))
            sys.stdout.flush()
    if not question:
        sys.stderr.write("\nYour turn: t2s ask 'Which city has the most customers?'   (--db for your own data)\n")
    return worst
