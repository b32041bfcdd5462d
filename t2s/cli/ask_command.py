"""`t2s ask`: one question, its SQL and its rows."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from t2s.cli import options
from t2s.cli.terminal import Terminal, read_stdin, require_text

if TYPE_CHECKING:
    from t2s.types.query import Answer, Clarification
    from t2s.workspace import Workspace

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command(epilog="Example: t2s ask 'top 5 products by revenue' -d shop.duckdb --format csv > top.csv")
def ask(
    ctx: typer.Context,
    question: Annotated[str, typer.Argument(help="The question; - reads it from standard input.")],
    db: options.Database = None,
    run: Annotated[bool, typer.Option("--run/--no-run", help="Run the SQL, or only print it.")] = True,
    format: options.OutputFormat = "table",
    out: options.Out = None,
    limit: options.Limit = None,
    timeout: options.Timeout = None,
    model: options.Model = None,
    candidates: Annotated[
        int | None, typer.Option(min=1, max=9, metavar="N", help="Ask N times and vote by result.")
    ] = None,
    session: Annotated[str | None, typer.Option(metavar="NAME", help="Continue the conversation of that name.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show prompt, tokens and price; send nothing.")] = False,
    why: Annotated[bool, typer.Option("--why", help="Show what was linked and sent.")] = False,
    no_memory: Annotated[bool, typer.Option("--no-memory", help="Neither recall nor learn anything.")] = False,
    locked: Annotated[bool, typer.Option("--locked", help="Answer from verified SQL only, with no call.")] = False,
    no_cache: Annotated[bool, typer.Option("--no-cache", help="Ask the model anew.")] = False,
    max_cost: Annotated[
        float | None, typer.Option(min=0, metavar="USD", help="Refuse calls that could cost more.")
    ] = None,
    spreadsheet: Annotated[
        bool, typer.Option("--spreadsheet", help="In CSV, disarm cells that a spreadsheet would run.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Take the first choice where t2s would ask back.")] = False,
    json: options.AsJson = False,
) -> int:
    """Answer one question with checked SQL and its rows.

    Rows go to standard output, everything else to standard error.
    """
    from t2s.cli.answer import Output, publish, publish_dry_run
    from t2s.render import Progress
    from t2s.render.answer import print_why
    from t2s.workspace import Workspace

    terminal: Terminal = ctx.obj
    output = Output(format=format, path=out, spreadsheet=spreadsheet, as_json=json).checked()
    text = require_text(read_stdin() if question == "-" else question, "the question")
    flags = {
        "model": model,
        "limit": limit,
        "timeout": timeout,
        "candidates": candidates,
        "budget.request_usd": max_cost,
    }
    progress = Progress(sys.stderr, quiet=terminal.quiet, verbose=terminal.verbose)
    with Workspace.open(
        db,
        session=session,
        flags=flags,
        use_cache=not no_cache,
        use_memory=not no_memory,
        locked=locked,
        on_event=progress,
    ) as ws:
        if dry_run:
            preview = ws.preview(text)
            progress.close()
            return publish_dry_run(preview, output)
        runs = run and format != "sql"
        answer = _with_choices(ws, text, runs, take_first=yes, may_ask=terminal.interactive and not json)
        progress.close()
        if why:
            preview = ws.preview(text)
            print_why(preview.context, preview.likely, preview.request, preview.model, terminal.err)
        return publish(answer, output, terminal)


def _with_choices(ws: Workspace, question: str, run: bool, *, take_first: bool, may_ask: bool) -> Answer:
    """Ask; where the model asks back, put its choices to the user (once) and ask with the one taken."""
    answer = ws.ask(question, run=run)
    if answer.clarification and (take_first or may_ask) and answer.clarification.choices:
        choice = answer.clarification.choices[0] if take_first else _choose(answer.clarification)
        again = ws.ask(f"{question}\n({answer.clarification.question} {choice})", run=run)
        return replace(again, question=question, usage=answer.usage + again.usage)
    return answer


def _choose(clarification: Clarification) -> str:
    from t2s.render import clean

    lines = [clean(clarification.question)]
    lines += [f"  {n}. {clean(choice)}" for n, choice in enumerate(clarification.choices, 1)]
    typer.echo("\n".join(lines), err=True)
    while True:
        said: str = typer.prompt("Which one", err=True).strip()
        if said.isdigit() and 1 <= int(said) <= len(clarification.choices):
            return clarification.choices[int(said) - 1]
        if said and not said.isdigit():
            return said
