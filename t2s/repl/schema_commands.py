"""Commands on the database: what is in it, and which one it is."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from t2s.repl import show
from t2s.repl.command import Command

if TYPE_CHECKING:
    from t2s.repl.chat import Chat


def _schema(chat: Chat, argument: str) -> None:
    """A table by its name, else whatever has the words in its name, comment or samples; without words all tables."""
    from t2s.render.schema import print_search, print_table, print_tables

    names = chat.opened().names
    color = chat.start.color
    if not argument:
        print_tables(names.schema, sys.stdout, color=color)
    elif (table := names.table(argument)) is not None:
        print_table(table, sys.stdout, color=color)
    elif not print_search(names.schema, argument, sys.stdout, color=color):
        chat.table(argument)  # raises, with the nearest name
    sys.stdout.flush()


def _db(chat: Chat, argument: str) -> None:
    if not argument:
        from t2s.render.clean import clean

        ws = chat.workspace
        show.say(chat.start, f"{clean(ws.database.name)} ({ws.database.dialect}, privacy {ws.database.privacy})")
        chat.start.command(["db", "list"])
        return
    chat.switch(replace(chat.start, db=argument, resume=None))
    names = chat.opened().names
    show.say(chat.start, f"{chat.workspace.database.name}: {len(names.schema.tables)} tables")


def _tables(chat: Chat, part: str) -> Iterator[str]:
    return (name.text for name in chat.names.tables.find(part)) if chat.names else iter(())


def _databases(chat: Chat, part: str) -> Iterator[str]:
    from t2s.repl.answer_commands import paths
    from t2s.workspace import SAMPLE, connections

    if chat.ready is not None:
        known = (*connections(chat.ready.workspace.config), SAMPLE)
        yield from (name for name in known if name.startswith(part))
    if part:
        yield from paths(chat, part)


COMMANDS = (
    Command(
        name="/schema",
        do=_schema,
        help="Show the tables, one table, or what has a word in it.",
        argument="[TABLE|WORDS]",
        aliases=("\\d", "\\dt"),
        offers=_tables,
    ),
    Command(
        name="/db",
        do=_db,
        help="Show or change the database.",
        argument="[DB]",
        aliases=("\\c", "\\l"),
        offers=_databases,
    ),
)
