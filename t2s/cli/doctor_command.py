"""`t2s doctor`: everything that an answer needs, each with a verdict and a remedy."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import Annotated

import typer

from t2s.cli import options

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command(epilog="Example: t2s doctor --db warehouse --online")
def doctor(
    ctx: typer.Context,
    db: options.Database = None,
    online: Annotated[
        bool, typer.Option("--online", help="Also ask the services: key, model, clock; it costs nothing.")
    ] = False,
    json: options.AsJson = False,
) -> int:
    """Check key, model, database, ledger, memory, clock, disk and more, with remedies.

    Ends with 1 when something failed. Warnings want a look and change nothing.
    """
    from t2s.cli.envelopes import print_data
    from t2s.config import load_config
    from t2s.render.table import print_facts
    from t2s.workspace.health import findings

    found = list(findings(load_config(), db, online=online))
    failed = sum(finding.verdict == "failed" for finding in found)
    if json:
        print_data([asdict(finding) for finding in found])
        return 1 if failed else 0
    rows = [(f.subject, f.verdict, f.detail, f.remedy) for f in found]
    print_facts(sys.stdout, ("subject", "verdict", "detail", "remedy"), rows, color=ctx.obj.color)
    if not ctx.obj.quiet:
        sys.stdout.flush()
        warned = sum(finding.verdict == "warning" for finding in found)
        sys.stderr.write(f"{failed} failed, {warned} warnings\n")
    return 1 if failed else 0
