"""`t2s history`: who asked and did what, and how each question went."""

from __future__ import annotations

import json as jsonlib
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from t2s.cli import options
from t2s.cli.audit import audit
from t2s.errors import UsageError

if TYPE_CHECKING:
    from t2s.ledger.sessions import Action
    from t2s.ledger.store import Ledger
    from t2s.types.run import Run

app = typer.Typer(
    rich_markup_mode=None,
    add_completion=False,
    help="Show who asked and did what; 90 days are kept, secrets are not.",
    no_args_is_help=True,
)

Since = Annotated[
    datetime | None,
    typer.Option(formats=["%Y-%m-%d"], metavar="DATE", help="From this day on.", show_default=False),
]
Until = Annotated[
    datetime | None,
    typer.Option(formats=["%Y-%m-%d"], metavar="DATE", help="Up to this day, itself included.", show_default=False),
]
Name = Annotated[
    str | None, typer.Option("--action", metavar="NAME", help="Such as ask, accept, db.add, or session for session.… .")
]
User = Annotated[str | None, typer.Option("--user", metavar="NAME", help="Another user than you; all for everybody.")]


@app.command("list", epilog="Example: t2s history list --since 2026-11-01 --action ask")
def list_(
    ctx: typer.Context,
    since: Since = None,
    until: Until = None,
    action: Name = None,
    user: User = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, metavar="N", help="At most N.")] = 50,
    json: options.AsJson = False,
) -> int:
    """List actions, the latest first."""
    from t2s.cli.envelopes import print_data
    from t2s.render.table import print_facts

    done = _found(since, until, action, user, limit)
    if json:
        print_data([asdict(entry) for entry in done])
        return 0
    if not done:
        sys.stderr.write("no action in the history is like that\n")
        return 0
    rows = [(_when(entry.at), entry.user, entry.action, _in_words(entry)) for entry in done]
    print_facts(sys.stdout, ("time", "user", "action", "details"), rows, color=ctx.obj.color)
    return 0


@app.command(epilog="Example: t2s history summary --since 2026-11-01")
def summary(
    ctx: typer.Context,
    since: Since = None,
    until: Until = None,
    action: Name = None,
    user: User = None,
    json: options.AsJson = False,
) -> int:
    """Count actions: in all, by name, and on how many days."""
    from t2s.cli.envelopes import print_data
    from t2s.ledger.sessions import sum_up
    from t2s.render.table import print_facts

    counted = sum_up(_found(since, until, action, user, None))
    if json:
        print_data(asdict(counted))
        return 0
    print_facts(sys.stdout, ("action", "times"), list(counted.by_action.items()), color=ctx.obj.color)
    sys.stdout.flush()
    most = f"; the most common is {counted.most_common}" if counted.most_common else ""
    sys.stderr.write(f"{counted.total} actions on {counted.days} days{most}\n")
    return 0


@app.command(epilog="Example: t2s history export --user all --format csv --out audit.csv")
def export(
    ctx: typer.Context,
    since: Since = None,
    until: Until = None,
    action: Name = None,
    user: User = None,
    format: Annotated[Literal["csv", "json"], typer.Option("--format", "-f", help="The form.")] = "csv",
    out: options.Out = None,
) -> int:
    """Write all actions, the latest first, for another program."""
    from t2s.render.files import whole_file

    done = _found(since, until, action, user, None)
    text = _as_json(done) if format == "json" else _as_csv(done)
    if out is None:
        sys.stdout.write(text)
    else:
        with whole_file(out) as temporary:
            temporary.write_text(text, encoding="utf-8")
        sys.stderr.write(f"{len(done)} actions written to {out}\n")
    audit("history.export", count=len(done), **({"of": user} if user else {}))
    return 0


@app.command(epilog="Example: t2s history runs --failed")
def runs(
    ctx: typer.Context,
    since: Since = None,
    until: Until = None,
    user: User = None,
    failed: Annotated[bool, typer.Option("--failed", help="Only those that failed or were broken off.")] = False,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, metavar="N", help="At most N.")] = 50,
    json: options.AsJson = False,
) -> int:
    """List questions with what came of them, the latest first."""
    from t2s.cli.envelopes import print_data
    from t2s.ledger.runs import list_runs
    from t2s.render.table import print_facts

    with _opened() as (ledger, me):
        first = _second(since) if since else time.time() - 90 * 86_400
        last = _second(until) + 86_400 if until else None
        found = list_runs(ledger, since=first, until=last, user=_user(user, me), failed=failed, limit=limit)
    if json:
        print_data([run_data(run) for run in found])
        return 0
    if not found:
        sys.stderr.write("no question in the history is like that\n")
        return 0
    rows = [
        (run.run_id[:8], _when(run.at), run.user, run.status, round(run.total_ms), run.usage.model, run.question)
        for run in found
    ]
    headers = ("run", "time", "user", "status", "ms", "model", "question")
    print_facts(sys.stdout, headers, rows, color=ctx.obj.color)
    return 0


@app.command(epilog="Example: t2s history show 1f3a9c20")
def show(
    ctx: typer.Context,
    run: Annotated[str, typer.Argument(metavar="RUN", help="The beginning of its id.")],
    json: options.AsJson = False,
) -> int:
    """Show a question's steps, how long each took, and how it ended."""
    from t2s.cli.envelopes import print_data
    from t2s.ledger.runs import get_run
    from t2s.render.clean import clean
    from t2s.render.table import print_facts

    with _opened() as (ledger, me):
        found = get_run(ledger, run, user=me)
    if json:
        print_data(run_data(found))
        return 0
    sys.stdout.write(f"{_when(found.at)}  {found.status}  {clean(found.question)}\n\n")
    sys.stdout.flush()
    rows = [
        (s.stage, round(s.start_ms), round(s.ms), state) for s, state in zip(found.steps, _states(found), strict=True)
    ]
    print_facts(sys.stdout, ("step", "began ms", "took ms", "state"), rows, color=ctx.obj.color)
    usage = found.usage
    cost = "unpriced" if usage.cost_usd is None else f"${usage.cost_usd:.4f}"
    sys.stdout.write(f"\n{clean(usage.model)}: {usage.calls} calls, {usage.total_tokens:,} tokens, {cost}\n")
    if found.error:
        sys.stdout.write(f"{clean(found.error)}\n")
    if found.failed and not ctx.obj.quiet:
        sys.stdout.flush()
        sys.stderr.write(f"ask it again with: t2s resume {found.run_id[:8]}\n")
    return 0


def run_data(run: Run) -> dict[str, Any]:
    """A run as JSON has it."""
    document = asdict(run)
    del document["calls"]
    steps = [{**asdict(step), "state": state} for step, state in zip(run.steps, _states(run), strict=True)]
    return {**document, "failed": run.failed, "steps": steps}


def _states(run: Run) -> list[str]:
    """How each step ended: where a run failed, its last step before it was recorded did."""
    own = [step.stage != "remember" for step in run.steps]
    last = max((n for n, counts in enumerate(own) if counts), default=-1)
    return ["failed" if run.failed and n == last else "done" for n in range(len(own))]


def _found(
    since: datetime | None, until: datetime | None, action: str | None, user: str | None, limit: int | None
) -> Sequence[Action]:
    from t2s.ledger.sessions import list_actions

    if since and until and until < since:
        raise UsageError(f"--until {until:%Y-%m-%d} is before --since {since:%Y-%m-%d}")
    with _opened() as (ledger, me):
        return list_actions(
            ledger,
            user=_user(user, me),
            since=since.date() if since else None,
            until=until.date() if until else None,
            action=action,
            limit=limit,
        )


@contextmanager
def _opened() -> Iterator[tuple[Ledger, str]]:
    """The ledger and the user's name."""
    from t2s.config import load_config
    from t2s.ledger import open_ledger
    from t2s.workspace import ledger_place

    config = load_config()
    ledger = open_ledger(ledger_place(config))
    try:
        yield ledger, config.settings.user
    finally:
        ledger.close()


def _user(said: str | None, me: str) -> str | None:
    return None if said == "all" else said or me


def _as_json(done: Sequence[Action]) -> str:
    return (
        jsonlib.dumps([{**asdict(entry), "time": _iso(entry.at)} for entry in done], ensure_ascii=False, indent=2)
        + "\n"
    )


def _as_csv(done: Sequence[Action]) -> str:
    import csv
    import io

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("time", "user", "action", "details"))
    writer.writerows((_iso(entry.at), entry.user, entry.action, _details(entry)) for entry in done)
    return text.getvalue()


def _in_words(entry: Action) -> str:
    """The details for a reader; a run is named as other commands take it."""
    told = {("run" if name == "run_id" else name): value for name, value in entry.details.items()}
    told = {name: str(value)[:8] if name == "run" else value for name, value in told.items()}
    return ", ".join(f"{name}: {value}" for name, value in told.items() if value not in (None, ""))


def _details(entry: Action) -> str:
    return jsonlib.dumps(entry.details, ensure_ascii=False)


def _second(day: datetime) -> float:
    return time.mktime(day.timetuple())


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at).astimezone().isoformat(timespec="seconds")


def _when(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at))
