"""The REPL: questions, SQL and commands, one after the other, in one conversation.

Importing this loads nothing heavy; the prompt stands before the database is open.
"""

from __future__ import annotations

import sys

from t2s.repl.chat import Chat
from t2s.repl.start import Start

__all__ = ["Start", "run"]


def run(start: Start) -> int:
    """Talk until the input ends; returns 0, or for piped input the exit code of the first entry that failed."""
    chat = Chat(start)
    try:
        if start.interactive:
            from t2s.repl.prompt import prompted

            entries = prompted(chat)
        else:
            from t2s.repl.script import entries_of

            entries = entries_of(sys.stdin)
        for entry in entries:
            chat.enter(entry)
            if chat.left:
                break
    finally:
        chat.close()
    return chat.code
