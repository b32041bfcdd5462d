"""Commands on the conversation: its model, its cost, its name, and others to go on with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from t2s.errors import ProviderKeyError, UsageError
from t2s.repl import show
from t2s.repl.command import Command
from t2s.repl.memory_commands import words_of

if TYPE_CHECKING:
    from t2s.repl.chat import Chat

OTHER_MODELS = ("openai:", "replay:")


def _model(chat: Chat, argument: str) -> None:
    from t2s.llm import known_models, warm
    from t2s.workspace import LOCAL

    ws = chat.workspace
    if argument:
        known = (LOCAL, *known_models(), *ws.config.settings.prices)
        if argument not in known and not argument.startswith(OTHER_MODELS):
            from t2s.sql import nearest

            near = nearest(argument, known)
            raise UsageError(f"there is no model {argument}", hint=f"did you mean {near}?" if near else "`t2s models`")
        if argument != LOCAL and not argument.startswith(OTHER_MODELS) and not ws.config.settings.provider.api_key:
            raise ProviderKeyError(f"{argument} needs a key", hint="set ANTHROPIC_API_KEY, or stay with local")
        if argument != LOCAL:
            warm(argument)
        ws.model = argument
    show.say(chat.start, f"answering with {ws.model}")


def _cost(chat: Chat, argument: str) -> None:
    from t2s.render.answer import spent

    usage = chat.spent
    out = show.words(chat.start)
    out.print(f"{chat.asked} entries in this session: {spent(usage)}")
    if usage.calls:
        written = f"{usage.cache_write_tokens:,} written to and {usage.cache_read_tokens:,} read from the prompt cache"
        out.print(f"{usage.input_tokens:,} sent, {written}, {usage.output_tokens:,} received, {usage.calls} calls")


def _budget(chat: Chat, argument: str) -> None:
    from t2s.config import load_config

    _run(chat, "budget", argument or f"show --session {chat.opened().session.id}")
    if argument.startswith("set"):
        chat.workspace.config = load_config(chat.start.flags)


def _sessions(chat: Chat, argument: str) -> None:
    _run(chat, "session", argument or "list")


def _usage(chat: Chat, argument: str) -> None:
    _run(chat, "usage", argument)


def _run(chat: Chat, command: str, argument: str) -> None:
    chat.note_code(chat.start.command([command, *words_of(argument)]))


def _resume(chat: Chat, argument: str) -> None:
    from t2s.ledger.sessions import list_sessions

    if not argument:
        ws = chat.workspace
        known = [s for s in list_sessions(ws.ledger, user=ws.config.settings.user) if s.id != ws.session_id and s.turns]
        if not known:
            raise UsageError("there is no other session yet")
        argument = known[0].title or known[0].id
    chat.switch(replace(chat.start, db=None, resume=argument))
    ws = chat.workspace
    show.say(chat.start, f"{ws.session_name} goes on, about {ws.database.name}:")
    for exchange in ws.ledger.history(ws.session_id, 3):
        show.say(chat.start, f"  ? {exchange.question}", style="dim")


def _title(chat: Chat, argument: str) -> None:
    from t2s.ledger.sessions import rename_session

    opened = chat.opened()
    if argument:
        rename_session(opened.workspace.ledger, opened.session, argument)
        opened.workspace.session_name = argument
    show.say(chat.start, f"this session is called {opened.workspace.session_name}")


def _clear(chat: Chat, argument: str) -> None:
    """A new conversation about the same database: nothing of the old one is shown to the model."""
    chat.switch(replace(chat.start, resume=None))
    show.say(chat.start, "a new conversation; /resume goes back to the one before")


def _models(chat: Chat, part: str) -> Iterator[str]:
    from t2s.llm import known_models
    from t2s.workspace import LOCAL

    return (name for name in (LOCAL, *known_models(), *OTHER_MODELS) if name.startswith(part))


def _titles(chat: Chat, part: str) -> Iterator[str]:
    from t2s.ledger.sessions import list_sessions

    if chat.ready is None:
        return
    ws = chat.ready.workspace
    for session in list_sessions(ws.ledger, user=ws.config.settings.user)[:50]:
        if session.title and session.title.startswith(part) and session.id != ws.session_id:
            yield session.title


COMMANDS = (
    Command(name="/model", do=_model, help="Show or change the model.", argument="[MODEL]", offers=_models),
    Command(name="/cost", do=_cost, help="Show tokens and cost of this session."),
    Command(name="/budget", do=_budget, help="Show what may still be spent, or set it.", argument="[set …]"),
    Command(name="/usage", do=_usage, help="Show what was spent, as `t2s usage` does.", argument="[--by …]"),
    Command(name="/sessions", do=_sessions, help="List conversations.", argument="[show|rename|…]"),
    Command(name="/resume", do=_resume, help="Go on with another conversation.", argument="[SESSION]", offers=_titles),
    Command(name="/title", do=_title, help="Show or change this session's name.", argument="[NAME]"),
    Command(name="/clear", do=_clear, help="Begin a new conversation."),
)
