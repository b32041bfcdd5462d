"""Every command of the REPL by its names, and running one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from t2s.errors import UsageError
from t2s.repl import answer_commands, memory_commands, schema_commands, session_commands, show
from t2s.repl.command import Command

if TYPE_CHECKING:
    from collections.abc import Iterator

    from t2s.repl.chat import Chat


def run_command(chat: Chat, text: str) -> None:
    """Run the command that a line begins with; raises `UsageError` with the nearest one."""
    word, _, rest = text.partition(" ")
    command = BY_NAME.get(word)
    if command is None:
        from t2s.sql import nearest

        near = nearest(word, BY_NAME)
        raise UsageError(f"there is no command {word}", hint=f"did you mean {near}?" if near else "/help lists them")
    command.do(chat, rest.strip())


def _help(chat: Chat, argument: str) -> None:
    """Print every command, or one."""
    out = show.words(chat.start)
    if argument:
        word = argument if argument.startswith(("/", "\\")) else f"/{argument}"
        command = BY_NAME.get(word)
        if command is None:
            raise UsageError(f"there is no command {word}", hint="/help lists them")
        aliases = f"   also {' '.join(command.aliases)}" if command.aliases else ""
        out.print(f"{command.name} {command.argument}{aliases}\n{command.help}")
        return
    out.print("A line is a question, or SQL where it begins with SELECT or WITH; @table keeps a table in view.")
    for command in COMMANDS:
        usage = f"{command.name} {command.argument}"
        out.print(f"  {usage:<26} {command.help}{'  (' + ' '.join(command.aliases) + ')' if command.aliases else ''}")
    out.print("Keys: Tab completes, ↑ and Ctrl-R search the history, Alt-Enter begins a line,")
    out.print("Ctrl-X Ctrl-E opens the editor, Ctrl-C stops what runs or empties the line.")


def _quit(chat: Chat, argument: str) -> None:
    chat.left = True


def _offered(chat: Chat, part: str) -> Iterator[str]:
    return (name for name in BY_NAME if name.lstrip("/\\").startswith(part.lstrip("/\\")))


COMMANDS = (
    Command(name="/help", do=_help, help="Show the commands.", argument="[COMMAND]", aliases=("\\?",), offers=_offered),
    *schema_commands.COMMANDS,
    *answer_commands.COMMANDS,
    *memory_commands.COMMANDS,
    *session_commands.COMMANDS,
    Command(name="/quit", do=_quit, help="Leave; Ctrl-D does, too.", aliases=("\\q", "/exit")),
)

BY_NAME = {name: command for command in COMMANDS for name in (command.name, *command.aliases)}
