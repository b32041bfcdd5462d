"""The prompt: a line editor with history, completion and a bar that says where one is."""

from __future__ import annotations

import hashlib
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from prompt_toolkit import PromptSession
from prompt_toolkit.auto_suggest import AutoSuggestFromHistory
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.document import Document
from prompt_toolkit.enums import EditingMode
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.lexers import Lexer, PygmentsLexer
from prompt_toolkit.output import ColorDepth, Output, create_output
from prompt_toolkit.shortcuts import CompleteStyle
from prompt_toolkit.styles import Style
from pygments.lexers.sql import SqlLexer

from t2s.config import home
from t2s.ledger.redact import redact
from t2s.render.clean import clean
from t2s.repl.commands import BY_NAME
from t2s.repl.complete import SchemaCompleter
from t2s.repl.script import is_open, is_sql
from t2s.types.usage import in_usd

if TYPE_CHECKING:
    from collections.abc import Callable

    from t2s.repl.chat import Chat

STYLE = Style.from_dict(
    {
        "bottom-toolbar": "noreverse",
        "bottom-toolbar.text": "ansibrightblack",
        "prompt": "bold",
        "privacy": "ansibrightblack",
        "command": "bold",
        "table": "bold",
        "pygments.keyword": "ansiblue bold",
        "pygments.literal.string": "ansigreen",
        "pygments.literal.number": "ansimagenta",
        "pygments.comment": "ansibrightblack",
    }
)
"""Only the terminal's own colours, which are readable on its background, be it dark or light."""

MENU_LINES = 8
SESSION = 24
"""Characters of a session's name in the bar."""


def prompted(chat: Chat) -> Iterator[str]:
    """What the user enters, until Ctrl-D."""
    chat.ask_user = _ask_user
    output = create_output(stdout=sys.stderr) if not sys.stdout.isatty() else None
    session: PromptSession[str] | None = None
    history_of: str | None = None
    while True:
        name = chat.start.db or ""
        if session is None or history_of != name:
            session, history_of = _session(chat, output), name
        try:
            text = session.prompt(lambda: _before(chat))
        except KeyboardInterrupt:  # empties the line
            continue
        except EOFError:
            return
        if text.strip():
            yield text


def _session(chat: Chat, output: Output | None) -> PromptSession[str]:
    session: PromptSession[str] = PromptSession(
        history=_history(chat),
        completer=SchemaCompleter(chat, BY_NAME),
        complete_while_typing=True,
        complete_style=CompleteStyle.COLUMN,
        reserve_space_for_menu=MENU_LINES,
        auto_suggest=AutoSuggestFromHistory(),
        lexer=EntryLexer(),
        style=STYLE,
        include_default_pygments_style=False,
        color_depth=None if chat.start.color else ColorDepth.DEPTH_1_BIT,
        bottom_toolbar=lambda: _bar(chat),
        key_bindings=_bindings(),
        multiline=True,
        prompt_continuation=lambda width, number, wrapped: " " * width,
        editing_mode=EditingMode.VI if chat.start.keys == "vi" else EditingMode.EMACS,
        enable_open_in_editor=True,
        tempfile_suffix=".sql",
        output=output,
    )
    # the imports of an opening database would hold up the first prompt
    session.app.after_render += lambda _: chat.open()
    chat.redraw = session.app.invalidate
    return session


def _ask_user(question: str) -> str:
    """A line of the user's, without history; Ctrl-C and Ctrl-D break off what it was asked for."""
    return PromptSession[str]().prompt(question)


def _bindings() -> KeyBindings:
    """Enter ends an entry, and only begins a new line in SQL that cannot be whole yet; Alt-Enter always does."""
    bindings = KeyBindings()

    @bindings.add("enter")
    def _(event: KeyPressEvent) -> None:
        buffer: Buffer = event.current_buffer
        if is_sql(buffer.text) and is_open(buffer.text) and buffer.document.is_cursor_at_the_end:
            buffer.newline()
        else:
            buffer.validate_and_handle()

    @bindings.add("escape", "enter")
    def _(event: KeyPressEvent) -> None:
        event.current_buffer.newline()

    return bindings


def _before(chat: Chat) -> StyleAndTextTuples:
    """The database and what of it may leave the machine."""
    ready = chat.ready
    if ready is None:
        return [("class:prompt", f"{_short(chat.start.db or 't2s')}> ")]
    database = ready.workspace.database
    return [
        ("class:prompt", _short(database.name)),
        ("class:privacy", f" [{database.privacy}]"),
        ("class:prompt", "> "),
    ]


def _bar(chat: Chat) -> str:
    """Model, tokens and cost of the session, what is left of the budget; as much as the terminal is wide."""
    ready = chat.ready
    if ready is None:
        return " opening …" if chat.opening_goes_on else " not connected: asking tries again, /db DB opens another"
    used = chat.spent
    parts = [ready.workspace.model]
    if used.calls:
        cost = "unpriced" if used.cost_usd is None else in_usd(used.cost_usd)
        parts += [f"{used.total_tokens:,} tokens", cost]
    parts += [chat.budget_left(), (ready.workspace.session_name or "")[:SESSION], "/help"]
    return " " + " · ".join(map(clean, filter(None, parts)))


def _short(name: str) -> str:
    """A database's name for the prompt: of a path only the file."""
    text = clean(name)
    return re.sub(r"^.*[/\\](?=[^/\\])", "", text)[:30]


def _history(chat: Chat) -> History:
    """What was entered before on the same database."""
    name = chat.start.db or "default"
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    path = home() / "entries" / digest
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600))
    except OSError:  # a home that cannot be written
        return InMemoryHistory()
    return SafeHistory(path)


class SafeHistory(FileHistory):
    """A history that keeps no passwords and no keys."""

    def __init__(self, path: Path) -> None:
        super().__init__(str(path))

    def store_string(self, string: str) -> None:
        """Keep an entry, redacted."""
        from t2s.database.connection import masked

        super().store_string(redact(masked(string)))


class EntryLexer(Lexer):
    """SQL in colours, commands and tables stressed, questions as they are."""

    def __init__(self) -> None:
        self._sql = PygmentsLexer(SqlLexer)

    def lex_document(self, document: Document) -> Callable[[int], StyleAndTextTuples]:
        """The styled fragments of each line."""
        if is_sql(document.text):
            return self._sql.lex_document(document)
        lines = document.lines
        return lambda number: _styled(lines[number]) if number < len(lines) else []


def _styled(line: str) -> StyleAndTextTuples:
    if line.startswith(("/", "\\")):
        word, space, rest = line.partition(" ")
        return [("class:command", word), ("", space + rest)]
    return [("class:table" if part.startswith("@") else "", part) for part in re.split(r"(@[\w.]+)", line)]
