"""What this process's terminal is like, and the habits that hold for every command."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass

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
