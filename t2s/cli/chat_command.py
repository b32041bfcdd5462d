"""`t2s` and `t2s chat`: the REPL."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import typer

from t2s.cli import options
from t2s.errors import T2SError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from t2s.cli.terminal import Terminal

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command(epilog="Example: t2s chat --db shop.duckdb")
def chat(
    ctx: typer.Context,
    db: options.Database = None,
    model: options.Model = None,
    resume: options.Resume = None,
) -> int:
    """Talk with a database: questions, SQL and commands; from a pipe, a line is an entry."""
    return talk(ctx.obj, db=db, model=model, resume=resume)


def talk(terminal: Terminal, *, db: str | None, model: str | None, resume: str | None) -> int:
    """Run the REPL on this terminal."""
    from t2s.config import load_config
    from t2s.repl import Start, run

    flags = {"model": model}
    settings = load_config(flags).settings  # a bad one is told before there is a prompt
    return run(
        Start(
            command=_command,
            db=db,
            resume=resume,
            keys=settings.repl.keys,
            flags=flags,
            interactive=terminal.interactive,
            color=terminal.color,
            quiet=terminal.quiet,
            verbose=terminal.verbose,
        )
    )


def _command(arguments: Sequence[str]) -> int:
    """A command of the command line from within the REPL."""
    from t2s.cli.app import run
    from t2s.cli.report import report

    try:
        return run(arguments)
    except T2SError as e:
        report(e, as_json=False)
        return e.exit_code
    finally:
        sys.stdout.flush()
