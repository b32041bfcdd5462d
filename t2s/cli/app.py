"""The tree of commands; each command's own module is loaded only when it is the one that runs."""

from __future__ import annotations

import os
from difflib import get_close_matches
from importlib import import_module
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException

from t2s.cli import options
from t2s.cli.terminal import Terminal, split_habits
from t2s.errors import Cancelled, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

COMMANDS = {
    "chat": "Talk with a database; `t2s` alone does, too.",
    "ask": "Answer one question with checked SQL and its rows.",
    "sql": "Check, fix, format, transpile, explain or run SQL.",
    "schema": "Show what t2s knows of a database.",
    "db": "Manage named connections.",
    "memory": "Teach t2s, and look after what it remembers.",
    "session": "List, resume, end or delete conversations.",
    "history": "Show who asked and did what.",
    "resume": "Ask a question again that failed or was broken off.",
    "batch": "Generate the SQL of many questions once, lock it, check it in CI.",
    "eval": "Measure how right the answers are, on questions with known answers.",
    "budget": "Show what may still be spent, or set it.",
    "monitor": "Show how fast, dear and right questions were, with findings and alerts.",
    "usage": "Show tokens and cost by session, day, model, user or purpose.",
    "cache": "Look after what is kept on disk: models' answers, and schemas with values.",
    "models": "List models with prices and limits.",
    "config": "Show the settings and where each comes from.",
    "doctor": "Check all that an answer needs, with verdicts and remedies.",
    "completion": "Print the completion script of a shell.",
    "demo": "Answer questions over the built-in sample database.",
}


ASKED_BY_SHELL = "_T2S_COMPLETE"
"""The variable by which the script of `t2s completion` asks what may stand at the cursor."""
_VALUED = ("-d", "--db", "-m", "--model", "--resume")
"""Options of `t2s` itself that a value follows."""


class _LateGroup(TyperGroup):
    """A group whose commands are modules of this room, imported when named."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"t2s.cli.{cmd_name}_command")
        return typer.main.get_command(module.app)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


def run(arguments: Sequence[str]) -> int:
    """Run the command that `arguments` name and return its exit code."""
    habits, rest = split_habits(arguments)
    if ASKED_BY_SHELL in os.environ:
        from typer.completion import completion_init  # type: ignore[attr-defined]

        completion_init()
    app = typer.Typer(
        cls=_LateGroup,
        no_args_is_help=False,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
        epilog="Everywhere: -q quiet, -v verbose, --no-input never asks, --no-color. "
        "Example: t2s ask 'How many orders came from Berlin?' --db shop.duckdb",
    )

    @app.callback(invoke_without_command=True)
    def root(
        ctx: typer.Context, db: options.Database = None, model: options.Model = None, resume: options.Resume = None
    ) -> int | None:
        """Questions in English or Chinese become SQL that is right, safe and cheap."""
        if ctx.invoked_subcommand is not None:
            if db or model or resume:
                raise UsageError("options of a command stand after it", hint=f"t2s {ctx.invoked_subcommand} --db …")
            return None
        from t2s.cli.chat_command import talk

        return talk(ctx.obj, db=db, model=model, resume=resume)

    _require_command(rest)
    try:
        result = app(rest, standalone_mode=False, obj=Terminal.of(habits), prog_name="t2s")
    except typer.Abort as e:
        raise Cancelled("cancelled") from e
    except TyperException as e:
        if type(e).__name__ == "NoArgsIsHelpError":  # a group without a command
            typer.echo(e.ctx.get_help())  # type: ignore[attr-defined]
            return 0
        raise _as_usage_error(e) from e
    if result == Cancelled.exit_code:  # typer turns Ctrl-C into this number and no more
        raise Cancelled("cancelled")
    return result if isinstance(result, int) else 0


def _require_command(arguments: Sequence[str]) -> None:
    """Raise for a first word that is no command, with the nearest one."""
    word = next(
        (
            argument
            for before, argument in zip(("", *arguments), arguments, strict=False)
            if not argument.startswith("-") and before not in _VALUED
        ),
        None,
    )
    if word is None or word in COMMANDS:
        return
    near = get_close_matches(word, COMMANDS, n=1)
    hint = f"did you mean {near[0]}?" if near else "`t2s --help` lists the commands; a question needs `t2s ask`"
    raise UsageError(f"there is no command {word!r}", hint=hint)


def _as_usage_error(error: TyperException) -> UsageError:
    context = getattr(error, "ctx", None)
    message = error.format_message() if hasattr(error, "format_message") else str(error)
    message = message[:1].lower() + message[1:].rstrip(".")
    return UsageError(message, hint=f"see `{context.command_path} --help`" if context else "see `t2s --help`")
