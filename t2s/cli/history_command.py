"""`t2s history`: who asked and did what."""

from __future__ import annotations

import json as jsonlib
import sys
import time
from dataclasses import asdict
from datetime import datetime
from typing import Annotated

import typer

from t2s.cli import options

app = typer.Typer(
    rich_markup_mode=None,
    add_completion=False,
    help="Show who asked and did what; 90 days are kept.",
    no_args_is_help=True,
)

Since = Annotated[
    datetime | None,
    typer.Option(formats=["%Y-%m-%d"], metavar="DATE", help="From this day on.", show_default=False),
]
Action = Annotated[str | None, typer.Option(metavar="NAME", help="Only this action, such as ask or remember.")]


@app.command("list", epilog="Example: t2s history list --since 2026-11-01 --action ask")
def list_(
    ctx: typer.Context,
    since: Since = None,
    action: Action = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1)] = 50,
    json: options.AsJson = False,
) -> int:
    """List actions, the latest first."""
    from t2s.cli.envelopes import print_data
    from t2s.ledger.sessions import list_actions
    from t2s.render.table import print_facts
    from t2s.workspace import memories_of

    with memories_of(None) as memories:
        day = since.date() if since else None
        done = list_actions(memories.ledger, user=memories.owner.user, since=day, action=action, limit=limit)
    if json:
        print_data([asdict(entry) for entry in done])
        return 0
    rows = [
        (
            time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(entry.at)),
            entry.action,
            jsonlib.dumps(entry.details, ensure_ascii=False),
        )
        for entry in done
    ]
    print_facts(sys.stdout, ("time", "action", "details"), rows, color=ctx.obj.color)
    return 0


@app.command(epilog="Example: t2s history summary --since 2026-11-01")
def summary(ctx: typer.Context, since: Since = None, json: options.AsJson = False) -> int:
    """Count actions: in all, by name, and on how many days."""
    from t2s.cli.envelopes import print_data
    from t2s.ledger.sessions import list_actions, sum_up
    from t2s.render.table import print_facts
    from t2s.workspace import memories_of

    with memories_of(None) as memories:
        day = since.date() if since else None
        counted = sum_up(list_actions(memories.ledger, user=memories.owner.user, since=day))
    if json:
        print_data(asdict(counted))
        return 0
    print_facts(sys.stdout, ("action", "times"), list(counted.by_action.items()), color=ctx.obj.color)
    sys.stderr.write(f"{counted.total} actions on {counted.days} days\n")
    return 0
