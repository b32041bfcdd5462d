"""`t2s db`: named connections in the config file."""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from t2s.cli import options
from t2s.cli.audit import audit
from t2s.cli.config_file import read_document, write_document
from t2s.cli.terminal import Terminal
from t2s.errors import UsageError

app = typer.Typer(rich_markup_mode=None, add_completion=False, help="Manage named connections.", no_args_is_help=True)


@app.command(epilog="Example: t2s db add shop postgresql://reader@localhost/shop --default")
def add(
    name: Annotated[str, typer.Argument(help="What to call it.")],
    target: Annotated[str, typer.Argument(help="A URL without a password, or a path of data files.")],
    privacy: Annotated[
        str | None, typer.Option(help="What may leave the machine: schema, profile, values or rows.")
    ] = None,
    default: Annotated[bool, typer.Option("--default", help="Use it where no --db is given.")] = False,
) -> int:
    """Name a connection."""
    from t2s.config import config_path
    from t2s.database.connection import masked, resolve_connection

    if not name.replace("-", "_").isidentifier():
        raise UsageError(f"{name!r} is no name for a connection", hint="letters, digits, - and _")
    if masked(target) != target:
        raise UsageError(
            "passwords do not belong in the config file",
            hint=f"leave it out and set T2S_PASSWORD_{name.upper().replace('-', '_')}, a keyring entry or ~/.pgpass",
        )
    url = resolve_connection(target, {}, cwd=Path.cwd()).url
    path = config_path()
    document = read_document(path)
    entry = {"url": url} | ({"privacy": privacy} if privacy else {})
    document.setdefault("connections", {})[name] = entry
    if default:
        document["db"] = name
    write_document(path, document)
    audit("db.add", name=name, url=url)
    sys.stderr.write(f"{name} is in {path}\n")
    return 0


@app.command("list", epilog="Example: t2s db list --json")
def list_(ctx: typer.Context, json: options.AsJson = False) -> int:
    """List the named connections."""
    from t2s.cli.envelopes import print_data
    from t2s.config import load_config
    from t2s.database.connection import masked
    from t2s.render.table import print_facts
    from t2s.workspace import connections

    terminal: Terminal = ctx.obj
    config = load_config()
    rows = [
        (name, masked(c.url), c.privacy, "default" if name == config.settings.db else "")
        for name, c in connections(config).items()
    ]
    headers = ("name", "url", "privacy", "default")
    if json:
        print_data([dict(zip(headers, row, strict=True)) for row in rows])
    elif rows:
        print_facts(sys.stdout, headers, rows, color=terminal.color)
    else:
        sys.stderr.write("no connections yet: t2s db add NAME URL\n")
    return 0


@app.command(epilog="Example: t2s db remove shop --yes")
def remove(
    ctx: typer.Context,
    name: str,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> int:
    """Forget a named connection; the database itself is not touched."""
    from t2s.config import config_path

    path = config_path()
    document = read_document(path)
    known = document.get("connections", {})
    if name not in known:
        from t2s.sql import nearest

        near = nearest(name, known)
        raise UsageError(f"there is no connection {name}", hint=f"did you mean {near}?" if near else "`t2s db list`")
    if not yes and ctx.obj.interactive:
        typer.confirm(f"Forget the connection {name}?", abort=True, err=True)
    del known[name]
    if document.get("db") == name:
        del document["db"]
    write_document(path, document)
    audit("db.remove", name=name)
    return 0


@app.command(epilog="Example: t2s db test shop")
def test(
    target: Annotated[str | None, typer.Argument(metavar="DB", show_default=False)] = None,
    json: options.AsJson = False,
) -> int:
    """Open a database and count its tables."""
    from t2s.cli.envelopes import print_data
    from t2s.config import load_config
    from t2s.render.clean import clean
    from t2s.workspace import connect

    with closing(connect(load_config(), target)) as database:
        tables = len(database.schema().tables)
        if json:
            print_data({"name": database.name, "dialect": database.dialect, "tables": tables})
        else:
            sys.stdout.write(f"ok: {clean(database.name)} is {database.dialect} with {tables} tables\n")
    return 0
