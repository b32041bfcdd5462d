"""`t2s config`: the settings, where each comes from, and a first file."""

from __future__ import annotations

import sys
from typing import Any

import typer

from t2s.cli import options
from t2s.cli.terminal import Terminal
from t2s.errors import UsageError

app = typer.Typer(
    rich_markup_mode=None,
    add_completion=False,
    help="Show the settings and where each comes from.",
    no_args_is_help=True,
)

FIRST_FILE = """\
# Settings of t2s; `t2s config show` lists them all. Keys and passwords do not belong here.

# db = "shop"            # the connection that is used without --db
# model = "local"        # or a model of `t2s models`
# privacy = "values"     # schema | profile | values | rows: what may leave the machine

# [connections.shop]
# url = "postgresql://reader@localhost:5432/shop"

# [budget]
# day_usd = 2.0
"""


@app.command(epilog="Example: t2s config show --json")
def show(ctx: typer.Context, json: options.AsJson = False) -> int:
    """Show every setting, its value, and where it comes from."""
    from t2s.cli.envelopes import print_data
    from t2s.config import leaves, load_config
    from t2s.database.connection import masked
    from t2s.render.table import print_facts

    terminal: Terminal = ctx.obj
    config = load_config()
    rows: list[tuple[str, Any, str, str]] = []
    for path, variable in leaves().items():
        value: Any = config.settings
        for part in path.split("."):
            value = getattr(value, part)
        text = None if value is None else masked(str(value))
        rows.append((path, text, config.sources.get(path, "default"), variable))
    for name, entry in config.settings.connections.items():
        path = f"connections.{name}"
        rows.append((path, masked(entry.url), config.sources.get(path, "default"), ""))
    rows += [(key, "set", config.sources[key], "") for key in (f"prices.{name}" for name in config.settings.prices)]
    headers = ("setting", "value", "source", "variable")
    if json:
        print_data([dict(zip(headers, row, strict=True)) for row in rows])
    else:
        print_facts(sys.stdout, headers, rows, color=terminal.color)
    for warning in config.warnings:
        sys.stderr.write(f"t2s: {warning}\n")
    return 0


@app.command(epilog="Example: $EDITOR $(t2s config path)")
def path() -> int:
    """Print where the config file is or would be."""
    from t2s.config import config_path

    sys.stdout.write(f"{config_path()}\n")
    return 0


@app.command(epilog="Example: t2s config init")
def init() -> int:
    """Write a first config file, all of it commented out; an existing one is left alone."""
    from t2s.config import config_path

    target = config_path()
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        with target.open("x", encoding="utf-8") as file:
            file.write(FIRST_FILE)
    except FileExistsError:
        raise UsageError(f"{target} is there already", hint="`t2s config show` shows what it sets") from None
    except OSError as e:
        raise UsageError(f"cannot write {target}: {e.strerror}") from e
    target.chmod(0o600)
    sys.stderr.write(f"wrote {target}\n")
    return 0
