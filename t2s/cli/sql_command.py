"""`t2s sql`: check, fix, format, transpile, explain and run SQL that is there already."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from t2s.cli import options
from t2s.cli.audit import audit
from t2s.cli.terminal import Terminal, read_stdin, require_text
from t2s.errors import UsageError

if TYPE_CHECKING:
    from t2s.types.database import Database
    from t2s.types.query import Rejected, Valid

app = typer.Typer(
    rich_markup_mode=None,
    add_completion=False,
    help="Check, fix, format, transpile, explain or run SQL.",
    no_args_is_help=True,
)

Source = Annotated[str, typer.Argument(metavar="SQL", help="SQL, a file that holds it, or - for standard input.")]
DialectOption = Annotated[options.Dialect, typer.Option("--dialect", help="The engine's SQL.")]


@app.command(epilog="Example: t2s sql check query.sql --db shop.duckdb")
def check(ctx: typer.Context, sql: Source, db: options.Database = None, json: options.AsJson = False) -> int:
    """Check that SQL is harmless, fits the schema, and is taken by the engine; say what is doubtful in it."""
    from t2s.cli.envelopes import print_data, print_envelope
    from t2s.pipeline.sanity import doubts
    from t2s.render.answer import describe
    from t2s.render.envelope import error_envelope
    from t2s.types.query import Rejected

    text = _read(sql)
    with _open(db) as database:
        verdict = _check(text, database)
        doubted = () if isinstance(verdict, Rejected) else doubts(text, "", None, database.schema(), database)
    code = _code(verdict)
    problems = getattr(verdict, "problems", ())
    data = {**asdict(verdict), "doubts": [asdict(problem) for problem in doubted]}
    if json and code == 0:
        print_data(data)
    elif json:
        message = "; ".join(map(describe, problems))
        kind = "guard" if code == 6 else "rejected"
        print_envelope(
            lambda request_id, ms: error_envelope(
                code=kind, message=message, suggestion=None, request_id=request_id, ms=ms, data=data
            )
        )
    for problem in () if json else problems:
        sys.stdout.write(f"{describe(problem)}\n")
    for problem in () if json else doubted:
        sys.stderr.write(f"careful: {describe(problem)}\n")
    if code == 0 and not json and not ctx.obj.quiet:
        sys.stderr.write(f"ok: reads {', '.join(data['tables']) or 'no table'}\n")
    return code


@app.command(epilog="Example: t2s sql fix query.sql --db shop.duckdb --write")
def fix(
    ctx: typer.Context,
    sql: Source,
    db: options.Database = None,
    model: options.Model = None,
    write: Annotated[bool, typer.Option("--write", "-w", help="Write the file anew, if anything changed.")] = False,
    json: options.AsJson = False,
) -> int:
    """Put SQL right: misspelt names and values at once, all else by asking the model.

    The SQL goes to standard output, what was wrong and a diff to standard error.
    """
    from t2s.cli.fixed import publish_fix
    from t2s.render import Progress
    from t2s.workspace import Workspace
    from t2s.workspace.fixing import fix as fix_sql

    text = _read(sql)
    file = Path(sql) if sql != "-" and text != sql.strip() else None
    if write and file is None:
        raise UsageError("--write wants a file", hint="t2s sql fix query.sql --write")
    progress = Progress(sys.stderr, quiet=ctx.obj.quiet, verbose=ctx.obj.verbose)
    with Workspace.open(db, flags={"model": model}, use_memory=False, on_event=progress) as ws:
        answer = fix_sql(ws, text)
        progress.close()
    return publish_fix(text, answer, file, ctx.obj, write=write, as_json=json)


@app.command("format", epilog="Example: t2s sql format - --dialect postgres < query.sql")
def format_(sql: Source, dialect: DialectOption = "duckdb") -> int:
    """Lay SQL out, one clause a line."""
    from t2s.sql import format_sql

    sys.stdout.write(format_sql(_read(sql), dialect) + "\n")
    return 0


@app.command(epilog="Example: t2s sql transpile 'SELECT 1::text' --from postgres --to mysql")
def transpile(
    sql: Source,
    source: Annotated[options.Dialect, typer.Option("--from", help="The engine it was written for.")],
    target: Annotated[options.Dialect, typer.Option("--to", help="The engine it is wanted for.")],
) -> int:
    """Say the same in another engine's SQL."""
    from t2s.sql import transpile as transpile_sql

    sys.stdout.write(transpile_sql(_read(sql), source, target) + "\n")
    return 0


@app.command(epilog="Example: t2s sql explain 'SELECT count(*) FROM orders'")
def explain(sql: Source, db: options.Database = None) -> int:
    """Show the engine's plan without running the query."""
    from t2s.render.clean import clean_lines
    from t2s.workspace.direct import checked

    with _open(db) as database:
        text = checked(_read(sql), database)
        plan = database.explain(text)
    sys.stdout.write((clean_lines(plan) if sys.stdout.isatty() else plan) + "\n")
    return 0


@app.command(epilog="Example: t2s sql run 'SELECT * FROM orders' --format csv --limit 0 > orders.csv")
def run(
    ctx: typer.Context,
    sql: Source,
    db: options.Database = None,
    format: options.OutputFormat = "table",
    out: options.Out = None,
    limit: options.Limit = None,
    timeout: options.Timeout = None,
    json: options.AsJson = False,
) -> int:
    """Run SQL under the same guard and limits as answers."""
    from t2s.cli.answer import Output, write_rows
    from t2s.cli.envelopes import print_data
    from t2s.config import load_config
    from t2s.render.envelope import result_data
    from t2s.workspace.direct import checked

    terminal: Terminal = ctx.obj
    output = Output(format=format, path=out, spreadsheet=False, as_json=json).checked()
    settings = load_config({"limit": limit, "timeout": timeout}).settings
    with _open(db) as database:
        text = checked(_read(sql), database)
        result = database.run(text, limit=settings.limit or None, timeout=settings.timeout)
    if json:
        print_data({"sql": text, "result": result_data(result)})
    else:
        write_rows(result, output, terminal)
    audit("sql", sql=text, database=database.identity, rows=len(result.rows))
    return 0


def _read(argument: str) -> str:
    """SQL from standard input, from a file, or as it stands."""
    try:
        if argument == "-":
            text = read_stdin()
        elif len(argument) < 1_000 and "\n" not in argument and Path(argument).is_file():
            text = Path(argument).read_text(encoding="utf-8")
        else:
            text = argument
    except (OSError, UnicodeDecodeError) as e:
        raise UsageError(f"cannot read {argument}: {e}") from e
    if argument.endswith(".sql") and text == argument:
        raise UsageError(f"no such file: {argument}")
    return require_text(text, "the SQL")


@contextmanager
def _open(target: str | None) -> Iterator[Database]:
    from t2s.config import load_config
    from t2s.workspace import connect

    with closing(connect(load_config(), target)) as database:
        yield database


def _check(sql: str, database: Database) -> Valid | Rejected:
    from t2s.pipeline.check import check as check_sql

    return check_sql(sql, database.schema(), database)


def _code(verdict: Valid | Rejected) -> int:
    from t2s.types.query import Valid

    if isinstance(verdict, Valid):
        return 0
    return 6 if verdict.by_guard else 1
