"""Commands that teach: what was right, what was wrong, what to remember."""

from __future__ import annotations

import shlex
import time
from typing import TYPE_CHECKING

from t2s.errors import UsageError
from t2s.repl import show
from t2s.repl.command import Command

if TYPE_CHECKING:
    from t2s.ledger.sessions import Turn
    from t2s.memory.memories import Memories
    from t2s.repl.chat import Chat


def _good(chat: Chat, argument: str) -> None:
    from t2s.memory import feedback

    memories, turn = _memories(chat), _turn(chat)
    kept = feedback.accept(memories, turn, chat.opened().names.schema, state="golden" if argument else "accepted")
    _did(memories, "accept", question=turn.question)
    show.say(chat.start, f"{kept.state} {kept.id[:8]}: the same question is answered with this from now on")


def _bad(chat: Chat, argument: str) -> None:
    """Learn what was wrong, and offer to try again with that in mind."""
    from t2s.memory import feedback

    memories, turn = _memories(chat), _turn(chat)
    why, right = argument, ""
    if chat.ask_user is not None:
        why = why or chat.ask_user("What was wrong? ").strip()
        right = chat.ask_user("The right SQL, if you have it (empty: none): ").strip()
    if not why and not right:
        raise UsageError(
            "without a reason or the right SQL nothing is learned", hint="/bad cancelled orders count, too"
        )
    kept = feedback.correct(memories, turn, chat.opened().names.schema, right=right or None, why=why)
    _did(memories, "correct", question=turn.question, why=why)
    show.say(chat.start, f"correction {kept.id[:8]} is kept")
    if chat.ask_user is not None and chat.ask_user("Ask again with that in mind? [Y/n] ").strip().casefold() in (
        "",
        "y",
    ):
        chat.ask(turn.question)


def _remember(chat: Chat, argument: str) -> None:
    from t2s.memory import remember

    memories = _memories(chat)
    if not argument:
        raise UsageError("what?", hint="/remember TERM = DEFINITION, or how you like answers")
    now = time.time()
    kept = remember.keep(memories, remember.told(memories.owner, argument, chat.opened().names.schema, now=now), now)
    _did(memories, "remember", kind=kept.kind, content=kept.content)
    show.say(chat.start, f"{kept.kind} {kept.id[:8]}: {kept.content}")


def _forget(chat: Chat, argument: str) -> None:
    if not argument:
        raise UsageError("which memory?", hint="/memory list shows their ids")
    _command(chat, f"forget {argument}")


def _command(chat: Chat, argument: str) -> None:
    """The command line's own command, about this database."""
    words = words_of(argument) or ["list"]
    target = ["--db", chat.start.db] if chat.start.db and "--db" not in words else []
    if words[0] not in _WITHOUT_DB:
        words += target
    chat.note_code(chat.start.command(["memory", *words]))


_WITHOUT_DB = ("tasks", "stats", "growth", "prune", "archive", "restore", "consolidate")


def words_of(text: str) -> list[str]:
    """The words of a line as a shell takes them; raises `UsageError` for an open quote."""
    try:
        return shlex.split(text)
    except ValueError as e:
        raise UsageError(f"{text}: {e}") from e


def _memories(chat: Chat) -> Memories:
    ws = chat.workspace
    if ws.recollection is None:
        raise UsageError("the memory is switched off", hint="set memory.enabled to true")
    return ws.recollection.memories


def _did(memories: Memories, action: str, **details: str) -> None:
    from t2s.ledger.sessions import record_action

    record_action(memories.ledger, user=memories.owner.user, action=action, **details)


def _turn(chat: Chat) -> Turn:
    """The turn of the latest answer."""
    from t2s.memory.feedback import latest_turn
    from t2s.workspace.direct import BY_HAND

    answer = chat.last()
    if answer.usage.model == BY_HAND:
        raise UsageError("that was your own SQL", hint="feedback is for answers; /remember keeps what you say")
    return latest_turn(_memories(chat), answer.run_id)


COMMANDS = (
    Command(name="/good", do=_good, help="The last answer is right: keep it as a verified query.", argument="[golden]"),
    Command(name="/bad", do=_bad, help="The last answer is wrong; it does not come back.", argument="[WHY]"),
    Command(
        name="/remember",
        do=_remember,
        help="Remember what a word means, or how you like answers.",
        argument="TERM = DEFINITION",
    ),
    Command(name="/forget", do=_forget, help="Forget a memory.", argument="ID"),
    Command(name="/memory", do=_command, help="Look after the memory, as `t2s memory` does.", argument="[list …]"),
)
