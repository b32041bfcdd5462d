"""What this process's terminal is like, and the habits that hold for every command."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from t2s.errors import UsageError

if TYPE_CHECKING:
    from rich.console import Console

HABITS = {
    "-q": "quiet",
    "--quiet": "quiet",
    "-v": "verbose",
    "--verbose": "verbose",
    "--no-input": "no_input",
    "--no-color": "no_color",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Terminal:
    """How to speak to the user: `interactive` when it is all right to ask something."""

    quiet: bool
    verbose: bool
    interactive: bool
    color: bool

    @classmethod
    def of(cls, habits: frozenset[str]) -> Terminal:
        """As the flags, the streams and NO_COLOR say."""
        return cls(
            quiet="quiet" in habits,
            verbose="verbose" in habits,
            interactive="no_input" not in habits and sys.stdin.isatty() and sys.stderr.isatty(),
            color="no_color" not in habits and not os.environ.get("NO_COLOR"),
        )

    @property
    def err(self) -> Console:
        """Standard error, for everything that is not data."""
        from t2s.render.table import console

        return console(sys.stderr, color=self.color)


def read_stdin() -> str:
    """All of standard input as text; raises `UsageError` for what is none."""
    try:
        return sys.stdin.read()
    except UnicodeDecodeError as e:
        raise UsageError(f"standard input is not UTF-8 text (byte {e.start})") from e


def require_text(text: str, what: str) -> str:
    """The text, or `UsageError` where it is empty or its bytes were no UTF-8."""
    if not text.strip():
        raise UsageError(f"{what} is empty", hint="t2s ask 'How many orders are there?'")
    try:
        text.encode()
    except UnicodeEncodeError as e:
        raise UsageError(f"{what} is not UTF-8 text (character {e.start + 1})") from e
    return text.strip()


def split_habits(arguments: Sequence[str]) -> tuple[frozenset[str], list[str]]:
    """Take the flags that every command understands out of the arguments, wherever they stand before `--`."""
    habits: set[str] = set()
    rest: list[str] = []
    for position, argument in enumerate(arguments):
        if argument == "--":
            rest += arguments[position:]
            break
        if argument in HABITS:
            habits.add(HABITS[argument])
        else:
            rest.append(argument)
    return frozenset(habits), rest
