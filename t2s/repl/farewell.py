"""The end of a conversation: its memory tasks, what it was worth, and everything given back."""

from __future__ import annotations

import shlex
import time
from collections import Counter
from typing import TYPE_CHECKING

from t2s.errors import T2SError
from t2s.repl import show

if TYPE_CHECKING:
    from t2s.repl.chat import Chat
    from t2s.repl.opening import Opened


def leave(chat: Chat, opened: Opened) -> None:
    """Queue or do what the memory has to do, sum up, close; a session without a question leaves no trace."""
    from t2s.ledger.sessions import delete_session, list_turns

    ws = opened.workspace
    try:
        turns = list_turns(ws.ledger, user=opened.session.user, session_id=ws.session_id, limit=1)
        if not turns:
            delete_session(ws.ledger, opened.session)
        elif chat.asked:
            _summarise(opened)
            if chat.start.interactive:
                _sum_up(chat, opened)
    except T2SError as e:  # the ledger is gone: what was answered was answered
        show.say(chat.start, f"t2s: {e.message}")
    finally:
        ws.close()


def _summarise(opened: Opened) -> None:
    """By rules at once where the model is local; else `t2s memory work` does it, for it costs something."""
    from t2s.config import home
    from t2s.memory.extract import extract_by_rules
    from t2s.memory.work import plan, summarise
    from t2s.workspace import LOCAL

    ws = opened.workspace
    if ws.recollection is None or not ws.config.settings.memory.auto:
        return
    if ws.model == LOCAL:
        summarise(ws.recollection.memories, extract_by_rules)
    else:
        plan(ws.ledger, home() / "tasks.jsonl", ws.recollection.memories.owner, "summarise")


def _sum_up(chat: Chat, opened: Opened) -> None:
    from t2s.render.answer import spent

    minutes = (time.time() - chat.began) / 60
    took = f"{minutes * 60:.0f} s" if minutes < 2 else f"{minutes:.0f} min"
    questions = f"{chat.asked} question{'' if chat.asked == 1 else 's'}"
    parts = [questions, spent(chat.spent), took, _learned(chat, opened)]
    show.say(chat.start, " · ".join(filter(None, parts)), style="dim")
    title = opened.workspace.session_name or opened.session.id[:8]
    show.say(chat.start, f"go on with: t2s --resume {shlex.quote(title)}", style="dim")


def _learned(chat: Chat, opened: Opened) -> str:
    """What was remembered since the beginning, by kind; what only belongs to the conversation is not told."""
    from t2s.ledger import memories as store

    told = ("query", "correction", "glossary", "preference", "schema")
    found = store.find(opened.workspace.ledger, session_id=opened.workspace.session_id, user=opened.session.user)
    counts = Counter(memory.kind for memory in found if memory.created >= chat.began and memory.kind in told)
    listed = ", ".join(f"{number} {kind}" for kind, number in counts.most_common())
    return f"learned {listed}" if listed else ""
