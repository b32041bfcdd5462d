"""`t2s batch`: questions in a file, generated once, locked, checked without a model."""

from __future__ import annotations

import json as jsonlib
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from t2s.cli import options
from t2s.cli.audit import audit
from t2s.errors import Cancelled, T2SError, UsageError

if TYPE_CHECKING:
    from t2s.cli.batch_worker import Order
    from t2s.cli.terminal import Terminal

app = typer.Typer(
    rich_markup_mode=None,
    add_completion=False,
    help="Generate the SQL of many questions once, lock it, and check it without a model.",
    no_args_is_help=True,
)

File = Annotated[Path, typer.Argument(metavar="FILE", help="Questions: YAML, JSON Lines or CSV.")]
Names = Annotated[list[str] | None, typer.Option("--only", metavar="NAME", help="Only this query; may be given again.")]
Tags = Annotated[list[str] | None, typer.Option("--tag", metavar="TAG", help="Only queries with this tag.")]
Jobs = Annotated[int, typer.Option("--jobs", "-j", min=1, max=256, metavar="N", help="So many at once.")]


@app.command(epilog="Example: t2s batch init questions.yaml --db shop.duckdb")
def init(ctx: typer.Context, file: File, db: options.Database = None) -> int:
    """Write a first, commented file of questions, and the JSON Schema that editors complete it by."""
    from t2s.batch.spec import Spec
    from t2s.render.files import whole_file

    schema = file.with_name("t2s-batch.schema.json")
    if file.exists():
        raise UsageError(f"{file} is there already", hint="t2s batch run FILE")
    with whole_file(schema) as temporary:
        temporary.write_text(jsonlib.dumps(Spec.model_json_schema(), indent=1) + "\n", encoding="utf-8")
    with whole_file(file) as temporary:
        temporary.write_text(_TEMPLATE.format(schema=schema.name, datasource=db or "sample"), encoding="utf-8")
    sys.stderr.write(f"{file} and {schema} written; next: t2s batch run {file}\n")
    return 0


@app.command(epilog="Example: t2s batch run questions.yaml --jobs 8 --max-cost 2")
def run(
    ctx: typer.Context,
    file: File,
    db: options.Database = None,
    only: Names = None,
    tag: Tags = None,
    jobs: Jobs = 4,
    model: options.Model = None,
    max_cost: Annotated[
        float | None, typer.Option(min=0, metavar="USD", help="Stop before more is spent today.")
    ] = None,
    bulk: Annotated[bool, typer.Option("--bulk", help="By Message Batches: half the price, up to a day.")] = False,
    again: Annotated[bool, typer.Option("--again", help="Generate also what stands.")] = False,
    accept: Annotated[
        bool, typer.Option("--accept", help="Take over SQL edited by hand; nothing is generated.")
    ] = False,
    locked: Annotated[
        bool, typer.Option("--locked", help="Call no model: fail where anything is to be generated.")
    ] = False,
    json: options.AsJson = False,
) -> int:
    """Generate what is new or changed, and write its SQL and the lock.

    A run that was killed goes on where it was, and pays for nothing twice.
    """
    from t2s.cli.batch_worker import Order

    chosen = {"names": tuple(only or ()), "tags": tuple(tag or ())}
    if accept:
        return _accept(file, db, **chosen)
    if locked:
        return _require_locked(file, **chosen)
    flags = {"model": model, "budget.day_usd": max_cost}
    order = Order(file=str(file.resolve()), again=again, bulk=bulk, db=db, jobs=jobs, flags=flags, **chosen)
    return _follow(order, ctx.obj, as_json=json)


@app.command(epilog="Example: t2s batch resume questions.yaml")
def resume(
    ctx: typer.Context,
    file: File,
    db: options.Database = None,
    jobs: Jobs = 4,
    model: options.Model = None,
    json: options.AsJson = False,
) -> int:
    """Finish a run that was broken off, and collect what `--bulk` has handed in."""
    from t2s.batch.spec import read_spec
    from t2s.cli.batch_bulk import state_of

    return run(ctx, file, db=db, jobs=jobs, model=model, bulk=state_of(read_spec(file)).exists(), json=json)


@app.command(epilog="Example: t2s batch check questions.yaml --run --report junit --out report.xml")
def check(
    ctx: typer.Context,
    file: File,
    db: options.Database = None,
    only: Names = None,
    tag: Tags = None,
    run: Annotated[bool, typer.Option("--run", help="Also run the SQL and look at the results.")] = False,
    report: Annotated[
        Literal["text", "json", "junit", "sarif", "gitlab", "github"] | None,
        typer.Option(help="The findings' form; on GitHub Actions github, else text.", show_default=False),
    ] = None,
    out: options.Out = None,
) -> int:
    """Check without any model call that every question has its SQL, and that it still fits.

    Ends with 1 where there is an error. Warnings want a look and change nothing.
    """
    from t2s.batch.check import check as check_queries
    from t2s.batch.lock import read_lock
    from t2s.batch.report import REPORTS, errors
    from t2s.batch.spec import read_spec, select
    from t2s.config import load_config
    from t2s.render.clean import clean_lines
    from t2s.render.files import whole_file
    from t2s.workspace import connect

    spec = read_spec(file)
    chosen = select(spec, names=tuple(only or ()), tags=tuple(tag or ()))
    database = connect(load_config(), db or spec.datasource())
    try:
        found = check_queries(spec, chosen, read_lock(spec.lock_path), database, run=run)
    finally:
        database.close()
    form = report or ("github" if os.environ.get("GITHUB_ACTIONS") == "true" else "text")
    text = REPORTS[form](found, [query.name for query in chosen])
    if out is not None:
        with whole_file(out) as temporary:
            temporary.write_text(text, encoding="utf-8")
    else:
        sys.stdout.write(clean_lines(text) if form == "text" else text)
    if not ctx.obj.quiet:
        warned = len(found) - errors(found)
        sys.stderr.write(f"{len(chosen)} queries checked: {errors(found)} errors, {warned} warnings\n")
    return 1 if errors(found) else 0


def _accept(file: Path, db: str | None, *, names: tuple[str, ...], tags: tuple[str, ...]) -> int:
    from t2s.batch.lock import read_lock
    from t2s.batch.plan import accept_edits
    from t2s.batch.spec import read_spec, select
    from t2s.config import load_config
    from t2s.workspace import connect

    spec = read_spec(file)
    chosen = select(spec, names=names, tags=tags)
    database = connect(load_config(), db or spec.datasource())
    try:
        accept_edits(spec, chosen, read_lock(spec.lock_path), database.schema())
    finally:
        database.close()
    sys.stderr.write(f"{spec.lock_path} written\n")
    return 0


def _require_locked(file: Path, *, names: tuple[str, ...], tags: tuple[str, ...]) -> int:
    from t2s.batch.lock import read_lock
    from t2s.batch.plan import plan
    from t2s.batch.spec import read_spec, select

    spec = read_spec(file)
    wanted = plan(spec, select(spec, names=names, tags=tags), read_lock(spec.lock_path), again=frozenset())
    for query in wanted.todo:
        sys.stdout.write(f"{file}:{spec.lines.get(query.name, 1)}: {query.name} is to be generated\n")
    if wanted.todo:
        sys.stderr.write(f"t2s: {len(wanted.todo)} queries are not locked, and --locked calls no model\n")
    return 1 if wanted.todo else 0


def _follow(order: Order, terminal: Terminal, *, as_json: bool) -> int:
    """Have a worker do the order, and show what it tells."""
    from t2s.cli.envelopes import print_data

    worker = subprocess.Popen(
        [sys.executable, "-m", "t2s.cli.batch_worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        encoding="utf-8",
    )
    assert worker.stdin is not None
    worker.stdin.write(jsonlib.dumps(asdict(order)) + "\n")
    worker.stdin.flush()
    audit("batch", file=order.file, model=str(order.flags.get("model") or "") or None)
    with worker:
        try:
            result = _shown(worker, terminal)
        except KeyboardInterrupt:
            worker.stdin.close()
            sys.stderr.write(
                "\nt2s: stopping; calls under way are waited for, since they are paid (Ctrl-C: not here)\n"
            )
            _shown(worker, terminal)
            raise Cancelled("cancelled; what was answered is kept") from None
        worker.stdin.close()
    if as_json:
        print_data(result)
    return _told(result)


def _shown(worker: subprocess.Popen[str], terminal: Terminal) -> dict[str, Any]:
    """Show the worker's lines until its result comes; raises the error that it ended with."""
    from t2s.render.clean import clean

    total = count = 0
    for line in _lines(worker):
        if "plan" in line:
            total = line["plan"]["todo"]
            if not terminal.quiet:
                sys.stderr.write(f"{total} to generate, {line['plan']['kept']} stand\n")
        elif "done" in line and not terminal.quiet:
            count += 1
            done = line["done"]
            if sys.stderr.isatty():
                sys.stderr.write(f"\r\x1b[K{_bar(count, total)} {count}/{total} {clean(done['name'])}")
                sys.stderr.write("\n" if count == total else "")
            else:
                state = f"failed: {clean(done['error'])}" if done["error"] else "ok"
                sys.stderr.write(f"[{count}/{total}] {clean(done['name'])}: {state}\n")
            sys.stderr.flush()
        elif "notice" in line:
            sys.stderr.write(f"t2s: {clean(line['notice'])}\n")
        elif "error" in line:
            error = line["error"]
            failure = T2SError(error["message"], hint=error["hint"])
            failure.code, failure.exit_code = error["code"], error["exit_code"]  # type: ignore[misc]
            raise failure
        elif "result" in line:
            return dict(line["result"])
    raise T2SError("the worker of the run ended without a word", hint="t2s batch resume goes on; -v shows more")


def _lines(worker: subprocess.Popen[str]) -> Iterator[dict[str, Any]]:
    assert worker.stdout is not None
    for line in worker.stdout:
        yield jsonlib.loads(line)


def _bar(count: int, total: int, width: int = 24) -> str:
    full = count * width // max(1, total)
    return f"[{'#' * full}{'.' * (width - full)}]"


def _told(result: dict[str, Any]) -> int:
    """Say what came of a run; its exit code."""
    from t2s.render.clean import clean

    for failure in result["failed"]:
        sys.stderr.write(f"t2s: {clean(failure['name'])}: {clean(failure['error'])}\n")
    cost = "unpriced" if result["cost_usd"] is None else f"${result['cost_usd']:.4f}"
    sys.stderr.write(f"{result['done']} generated, {result['kept']} stood, {len(result['failed'])} failed; {cost}\n")
    if result.get("waiting"):
        sys.stderr.write(f"{result['waiting']} are with the service: t2s batch resume collects them\n")
    if result.get("refused"):
        return 7
    return 1 if result["failed"] else 0


_TEMPLATE = """\
# yaml-language-server: $schema={schema}
# Questions whose SQL is generated once and pinned. `t2s batch run` writes sql/NAME.sql and the lock beside this
# file; keep all of them in git. `t2s batch check --run` proves in CI, without a model, that they still hold.
version: 1
datasource: {datasource} # a connection, a URL, or a file beside this one

defaults:
  max_seconds: 30
  # model: claude-haiku-5-5
  # tags: [nightly]

queries:
  - name: customers_per_country
    question: How many customers are there per country?
    # tags: [marketing]
    expect: # everything that is left out may be anything
      rows: {{min: 1}}
      not_null: [country]
      unique: [country]
      # columns: [country, count]
      # types: {{count: number}}
      # fingerprint: 0123456789abcdef

  - name: orders_of_a_year
    question: How many orders were there in {{year}}?
    parameters: {{year: 2024}}
    expect:
      rows: 1
"""
