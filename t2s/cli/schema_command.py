"""`t2s schema`: what t2s knows of a database, and what it would send of it."""

from __future__ import annotations

import sys
from contextlib import closing
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from t2s.cli import options
from t2s.cli.terminal import Terminal
from t2s.errors import UsageError

if TYPE_CHECKING:
    from t2s.types.schema import Schema, Table

app = typer.Typer(
    rich_markup_mode=None, add_completion=False, help="Show what t2s knows of a database.", no_args_is_help=True
)


@app.command(epilog="Example: t2s schema show orders --db shop.duckdb")
def show(
    ctx: typer.Context,
    table: Annotated[str | None, typer.Argument(help="One table; without it all of them.", show_default=False)] = None,
    db: options.Database = None,
    json: options.AsJson = False,
) -> int:
    """Show the tables, or the columns of one."""
    from t2s.cli.envelopes import print_data
    from t2s.render.schema import print_table, print_tables

    terminal: Terminal = ctx.obj
    schema = _schema(db)
    if table is not None:
        found = _find(schema, table)
        if json:
            print_data(asdict(found))
        else:
            print_table(found, sys.stdout, color=terminal.color)
        return 0
    if json:
        print_data(asdict(schema))
        return 0
    print_tables(schema, sys.stdout, color=terminal.color)
    return 0


@app.command(epilog="Example: t2s schema search price")
def search(ctx: typer.Context, text: str, db: options.Database = None, json: options.AsJson = False) -> int:
    """Find tables and columns by a part of their name, comment or samples."""
    from t2s.cli.envelopes import print_data
    from t2s.render.schema import SEARCH_HEADERS, print_search, search_rows

    terminal: Terminal = ctx.obj
    schema = _schema(db)
    if json:
        found = search_rows(schema, text)
        print_data([dict(zip(SEARCH_HEADERS, row, strict=True)) for row in found])
        return 0 if found else 1
    return 0 if print_search(schema, text, sys.stdout, color=terminal.color) else 1


@app.command(epilog="Example: t2s schema link 'revenue by city' --model claude-sonnet-5-5")
def link(ctx: typer.Context, question: str, db: options.Database = None, model: options.Model = None) -> int:
    """Show what a question would send: its part of the schema and the values it names."""
    from t2s.pipeline.prompt import schema_text
    from t2s.render.answer import print_why
    from t2s.render.clean import clean_lines
    from t2s.render.progress import Progress
    from t2s.workspace import Workspace

    terminal: Terminal = ctx.obj
    progress = Progress(sys.stderr, quiet=terminal.quiet, verbose=terminal.verbose)
    with Workspace.open(db, flags={"model": model}, on_event=progress) as ws:
        preview = ws.preview(question)
    progress.close()
    text = schema_text(preview.context.schema, preview.context.privacy)
    sys.stdout.write((clean_lines(text) if sys.stdout.isatty() else text) + "\n")
    print_why(preview.context, preview.likely, preview.request, preview.model, terminal.err)
    return 0


@app.command(epilog="Example: t2s schema refresh --db warehouse")
def refresh(db: options.Database = None, json: options.AsJson = False) -> int:
    """Introspect anew, say what has changed since the last time, and which memories no longer fit."""
    from t2s.cli.envelopes import print_data
    from t2s.config import load_config
    from t2s.memory.learn import learn_schema
    from t2s.memory.stale import review
    from t2s.pipeline.prompt import table_text
    from t2s.render.clean import clean
    from t2s.workspace import connect, memories_of

    with closing(connect(load_config(), db)) as database:
        before = database.last_schema()
        after = database.schema(refresh=True)
        privacy = database.privacy
    with memories_of(db) as memories:
        stale = [" ".join(memory.content.split()) for memory in review(memories, after)]
        learn_schema(memories, after, lambda table: table_text(table, privacy))
    changes = _changes(before, after) if before else []
    if json:
        print_data(
            {"tables": len(after.tables), "fingerprint": after.fingerprint, "changes": changes, "stale_memories": stale}
        )
        return 0
    for change in [*changes, *(f"! stale: {memory}" for memory in stale)]:
        sys.stdout.write(clean(change) + "\n")
    seen = "seen for the first time" if before is None else "no change" if not changes else f"{len(changes)} changes"
    sys.stderr.write(f"{len(after.tables)} tables, {seen}\n")
    return 0


@app.command(epilog="Example: t2s schema diff staging --db production")
def diff(
    ctx: typer.Context,
    other: Annotated[str, typer.Argument(help="The database to compare with: a name, a URL, or data files.")],
    db: options.Database = None,
    json: options.AsJson = False,
) -> int:
    """Say what OTHER has more, less, or in another type; the exit code is 1 where they differ."""
    from t2s.cli.envelopes import print_data, print_envelope
    from t2s.render.clean import clean
    from t2s.render.envelope import error_envelope

    changes = _changes(_schema(db), _schema(other))
    told = f"{len(changes)} differences" if changes else "no difference"
    if json and not changes:
        print_data({"changes": []})
    elif json:
        print_envelope(
            lambda request_id, ms: error_envelope(
                code="different",
                message=told,
                suggestion=None,
                request_id=request_id,
                ms=ms,
                data={"changes": changes},
            )
        )
    for change in () if json else changes:
        sys.stdout.write(clean(change) + "\n")
    if not ctx.obj.quiet and not json:
        sys.stderr.write(f"{told}\n")
    return 1 if changes else 0


def _schema(target: str | None) -> Schema:
    from t2s.config import load_config
    from t2s.workspace import connect

    with closing(connect(load_config(), target)) as database:
        return database.schema()


def _find(schema: Schema, name: str) -> Table:
    found = schema.table(name)
    if found is None:
        from t2s.sql import nearest

        near = nearest(name, (t.full_name for t in schema.tables))
        raise UsageError(f"there is no table {name}", hint=f"did you mean {near}?" if near else "`t2s schema show`")
    return found


def _changes(before: Schema, after: Schema) -> list[str]:
    """Tables and columns that came, went, or have another type."""
    old = {(t.full_name, c.name): c.type for t in before.tables for c in t.columns}
    new = {(t.full_name, c.name): c.type for t in after.tables for c in t.columns}
    gone = {t.full_name for t in before.tables} - {t.full_name for t in after.tables}
    came = {t.full_name for t in after.tables} - {t.full_name for t in before.tables}
    lines = [f"- table {name}" for name in sorted(gone)] + [f"+ table {name}" for name in sorted(came)]
    for (table, column), kind in sorted(old.items() | new.items()):
        where = f"{table}.{column}"
        if table in gone | came:
            continue
        if (table, column) not in new:
            lines.append(f"- column {where}")
        elif (table, column) not in old:
            lines.append(f"+ column {where} {kind}")
        elif old[table, column] != new[table, column] and kind == new[table, column]:
            lines.append(f"~ column {where} {old[table, column]} → {kind}")
    return lines
