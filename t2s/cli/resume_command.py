"""`t2s resume`: ask a question again that failed, or whose process was killed."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Annotated

import typer

from t2s.cli import options
from t2s.errors import UsageError

if TYPE_CHECKING:
    from t2s.ledger.store import Ledger
    from t2s.types.run import Run

app = typer.Typer(rich_markup_mode=None, add_completion=False)

BACK_S = 90 * 86_400


@app.command(epilog="Example: t2s resume 1f3a9c20")
def resume(
    ctx: typer.Context,
    run: Annotated[
        str | None, typer.Argument(metavar="[RUN]", help="The beginning of its id; else your latest that failed.")
    ] = None,
    db: options.Database = None,
    model: options.Model = None,
    format: options.OutputFormat = "table",
    out: options.Out = None,
    json: options.AsJson = False,
) -> int:
    """Ask a question again that failed or was broken off, of its database and in its conversation.

    What a model has answered already comes from the cache and costs nothing. A batch goes on with t2s batch resume.
    """
    from t2s.cli.ask_command import ask
    from t2s.config import load_config
    from t2s.ledger import open_ledger
    from t2s.render.clean import clean
    from t2s.workspace import ledger_place

    config = load_config()
    ledger = open_ledger(ledger_place(config))
    try:
        found = _wanted(ledger, run, config.settings.user)
        session = _session(ledger, found)
    finally:
        ledger.close()
    if not ctx.obj.quiet:
        sys.stderr.write(f"{clean(found.question)}\n")
    return ask(
        ctx,
        question=found.question,
        db=db or found.target,
        session=session,
        model=model,
        format=format,
        out=out,
        json=json,
    )


def _wanted(ledger: Ledger, prefix: str | None, user: str) -> Run:
    """The run to do again; raises `UsageError` where it cannot be."""
    from t2s.ledger.runs import get_run

    run = _latest(ledger, user) if prefix is None else get_run(ledger, prefix, user=user)
    if run.origin == "batch":
        raise UsageError("that question was asked by a batch", hint="t2s batch resume FILE goes on with it")
    if run.status == "running":
        raise UsageError("that question is still being answered", hint=f"by process {run.pid} on {run.host}")
    if not run.question:
        raise UsageError("what was asked is not kept any more", hint="questions are kept for 90 days")
    if "[redacted]" in run.question + run.target:
        raise UsageError("a secret in it was not kept", hint="ask it anew: t2s ask … --db …")
    return run


def _latest(ledger: Ledger, user: str) -> Run:
    """The user's latest question that failed."""
    from t2s.ledger.runs import list_runs

    for run in list_runs(ledger, since=time.time() - BACK_S, user=user, failed=True):
        if run.question and run.origin in ("ask", "chat"):
            return run
    raise UsageError("none of your questions failed", hint="`t2s history runs` lists them")


def _session(ledger: Ledger, run: Run) -> str | None:
    """The name of the run's conversation, if it was one."""
    from t2s.ledger.sessions import get_session

    try:
        return get_session(ledger, run.session_id, user=run.user).title
    except UsageError:  # deleted meanwhile
        return None
