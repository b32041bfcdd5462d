"""`t2s monitor`: how questions went, what stands out, and the same for machines."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from t2s.cli import options
from t2s.errors import UsageError

if TYPE_CHECKING:
    from t2s.config import Config
    from t2s.ledger.store import Ledger
    from t2s.monitor.statistics import Statistics
    from t2s.types.run import Run

app = typer.Typer(
    rich_markup_mode=None,
    add_completion=False,
    help="Show how fast, dear and right questions were; what evaluations asked is left out.",
    no_args_is_help=True,
)

EVER_DAYS = 36_500
SCRAPED_HOURS = 1
"""What is scraped every minute tells of late, not of yesterday."""

Hours = Annotated[float, typer.Option(min=0.01, metavar="N", help="The last N hours.")]


@app.command(epilog="Example: t2s monitor stats --by model --hours 168")
def stats(
    ctx: typer.Context,
    by: Annotated[
        Literal["hour", "day", "user", "model", "database", "origin"], typer.Option(help="What to add up by.")
    ] = "hour",
    hours: Hours = 24,
    format: Annotated[Literal["table", "csv"], typer.Option("--format", "-f", help="How rows are printed.")] = "table",
    json: options.AsJson = False,
) -> int:
    """Show times, failures, tokens and cost by hour or else."""
    from t2s.cli.envelopes import print_data
    from t2s.monitor.statistics import statistics

    with _recent(hours) as (_, _, runs):
        found = statistics(runs, by)
    if json:
        print_data({"by": by, "hours": hours, "rows": [_plain(line) for line in found]})
        return 0
    if not found:
        return _nothing(hours)
    headers = (by, "questions", "failed", "p50 ms", "p95 ms", "p99 ms", "tokens", "USD", "unpriced")
    rows = [
        (line.key, line.questions, line.failed, *_ms(line), line.tokens, round(line.cost_usd, 6), line.unpriced)
        for line in found
    ]
    _print(ctx, headers, rows, format)
    return 0


@app.command(epilog="Example: t2s monitor user ann")
def user(
    ctx: typer.Context,
    name: Annotated[str | None, typer.Argument(metavar="[USER]", help="Only this one, by stage.")] = None,
    hours: Hours = 24,
    format: Annotated[Literal["table", "csv"], typer.Option("--format", "-f", help="How rows are printed.")] = "table",
    json: options.AsJson = False,
) -> int:
    """Show what each user took; of one, where the time went."""
    from t2s.cli.envelopes import print_data
    from t2s.monitor.statistics import statistics

    with _recent(hours) as (_, _, runs):
        users = statistics(runs, "user")
    chosen = [line for line in users if name in (None, line.key)]
    if name is not None and not chosen:
        known = ", ".join(line.key for line in users[:10])
        hint = f"asked have: {known}" if known else "--hours looks further back"
        raise UsageError(f"{name!r} asked nothing in the last {hours:g} hours", hint=hint)
    if json:
        print_data({"hours": hours, "rows": [_plain(line) for line in chosen]})
        return 0
    if not chosen:
        return _nothing(hours)
    if name is not None:
        parts = {**chosen[0].parts, "in all": chosen[0].total}
        rows: list[tuple[Any, ...]] = [(part, *map(_whole, (t.p50, t.p95, t.p99))) for part, t in parts.items()]
        _print(ctx, ("stage", "p50 ms", "p95 ms", "p99 ms"), rows, format)
        return 0
    headers = ("user", "questions", "failed", "p50 ms", "p95 ms", "p99 ms", "tokens", "USD", "used", "made", "last")
    rows = [
        (
            *(line.key, line.questions, line.failed, *_ms(line), line.tokens, round(line.cost_usd, 6)),
            *(line.memories_used, line.memories_made, _when(line.last)),
        )
        for line in chosen
    ]
    _print(ctx, headers, rows, format)
    return 0


@app.command(epilog="Example: t2s monitor report --hours 1 || mail -s 't2s' team@example.org")
def report(ctx: typer.Context, hours: Hours = 24, json: options.AsJson = False) -> int:
    """Say what stands out, and what to do about it.

    The exit code is 1 where a threshold is passed. The thresholds are settings: t2s config show lists them as alerts.….
    """
    from t2s.cli.envelopes import print_data
    from t2s.monitor.analyse import analyse
    from t2s.render.table import print_facts

    with _recent(hours) as (config, _, runs):
        findings = analyse(runs, config.settings.alerts)
    alerts = sum(finding.verdict == "alert" for finding in findings)
    if json:
        found = [asdict(finding) for finding in findings]
        print_data({"hours": hours, "questions": len(runs), "alerts": alerts, "findings": found})
        return 1 if alerts else 0
    rows = [(f.subject, f.verdict, f.detail, f.advice) for f in findings]
    print_facts(sys.stdout, ("subject", "verdict", "detail", "advice"), rows, color=ctx.obj.color)
    if not ctx.obj.quiet:
        sys.stdout.flush()
        told = f"{alerts} alert{'' if alerts == 1 else 's'}" if alerts else "no alert"
        least = config.settings.alerts.min_questions
        told += f"; fewer than {least} (alerts.min_questions) are not judged" if len(runs) < least else ""
        sys.stderr.write(f"{len(runs)} questions in the last {hours:g} hours, {told}\n")
    return 1 if alerts else 0


@app.command(epilog="Example: t2s monitor memory --json")
def memory(ctx: typer.Context, hours: Hours = 24, json: options.AsJson = False) -> int:
    """Show what processes hold, and how memories grow.

    The exit code is 1 where a process leaks: its memory rose 10 times in a row, by a fifth, above alerts.process_mb.
    """
    from t2s.cli.envelopes import print_data
    from t2s.ledger.memories import made_since
    from t2s.monitor.process import processes
    from t2s.render.table import print_facts

    with _recent(hours) as (config, ledger, runs):
        known = processes(runs, above_mb=config.settings.alerts.process_mb)
        alive = _alive(ledger)
        made = Counter(layer for _, layer in made_since(ledger, time.time() - hours * 3_600))
    code = 1 if any(process.leaks for process in known) else 0
    layers = [(layer, made[layer], alive[layer]) for layer in ("long", "medium", "short")]
    if json:
        knowledge = [{"layer": layer, "made": new, "alive": all_} for layer, new, all_ in layers]
        print_data({"hours": hours, "processes": [asdict(process) for process in known], "knowledge": knowledge})
        return code
    rows = [
        (
            *(str(p.pid), p.host, p.snapshots, _whole(p.first_mb), _whole(p.last_mb), _whole(p.most_mb)),
            *(p.rising, f"{p.growth:.0%}", "yes" if p.leaks else "no", _when(p.last_seen)),
        )
        for p in known
    ]
    headers = ("process", "host", "questions", "first MB", "last MB", "most MB", "rising", "growth", "leaks", "last")
    if rows:
        print_facts(sys.stdout, headers, rows, color=ctx.obj.color)
        sys.stdout.write("\n")
        sys.stdout.flush()
    print_facts(sys.stdout, ("memories", f"made in {hours:g} h", "alive"), layers, color=ctx.obj.color)
    return code


@app.command(epilog="Example: t2s monitor metrics --textfile /var/lib/node_exporter/textfile")
def metrics(
    ctx: typer.Context,
    textfile: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Write t2s.prom there, whole or not at all.", show_default=False),
    ] = None,
) -> int:
    """Print all figures as Prometheus reads them.

    With --textfile they go where its textfile collector looks. Counters count from the first day; t2s_alert and the
    processes tell of the last hour.
    """
    from t2s.monitor.prometheus import FILE
    from t2s.render.files import whole_file

    text = _exposition()
    if textfile is None:
        sys.stdout.write(text)
        return 0
    if not textfile.is_dir():
        raise UsageError(
            f"there is no folder {textfile}", hint="node_exporter names it: --collector.textfile.directory"
        )
    with whole_file(textfile / FILE) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return 0


def _exposition() -> str:
    from t2s.ledger.runs import BOUNDS_S, close_broken, total_runs
    from t2s.monitor.analyse import analyse
    from t2s.monitor.process import processes
    from t2s.monitor.prometheus import exposition, of_now, of_runs, of_usage

    with _recent(SCRAPED_HOURS) as (config, ledger, runs):
        close_broken(ledger)
        alive, totals = _alive(ledger), total_runs(ledger)
        usage = ledger.usage("model", days=EVER_DAYS)
    limits = config.settings.alerts
    now = of_now(alive, processes(runs, above_mb=limits.process_mb), analyse(runs, limits))
    return exposition((*of_runs(totals, BOUNDS_S), *of_usage(usage), *now))


def _alive(ledger: Ledger) -> Counter[str]:
    """How many live memories there are in each layer."""
    from t2s.ledger.memories import counts

    alive = Counter[str]()
    for _, _, layer, count in counts(ledger):
        alive[layer] += count
    return alive


@contextmanager
def _recent(hours: float) -> Iterator[tuple[Config, Ledger, list[Run]]]:
    """The settings, the ledger, and what was asked in the last hours."""
    from t2s.config import load_config
    from t2s.ledger import open_ledger
    from t2s.ledger.runs import list_runs
    from t2s.monitor.statistics import counted
    from t2s.workspace import ledger_place

    config = load_config()
    ledger = open_ledger(ledger_place(config))
    try:
        yield config, ledger, counted(list_runs(ledger, since=time.time() - hours * 3_600))
    finally:
        ledger.close()


def _nothing(hours: float) -> int:
    sys.stderr.write(f"nothing was asked in the last {hours:g} hours\n")
    return 0


def _print(ctx: typer.Context, headers: Sequence[str], rows: Sequence[tuple[Any, ...]], format: str) -> None:
    from t2s.render.formats import write_result
    from t2s.render.table import print_facts
    from t2s.types.query import ResultColumn, ResultSet

    if format == "table":
        print_facts(sys.stdout, headers, rows, color=ctx.obj.color)
        return
    columns = tuple(ResultColumn(name=header) for header in headers)
    write_result(ResultSet(columns=columns, rows=rows), format, sys.stdout, color=ctx.obj.color)


def _plain(line: Statistics) -> dict[str, Any]:
    return {**asdict(line), "error_share": line.error_share}


def _ms(line: Statistics) -> tuple[int, int, int]:
    return _whole(line.total.p50), _whole(line.total.p95), _whole(line.total.p99)


def _whole(value: float) -> int:
    return round(value)


def _when(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(at))
