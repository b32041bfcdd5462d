"""How the REPL was started."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """What the command line said: the database, the session to go on with, settings, and the kind of terminal.

    `command` runs a command of the command line by its words and returns its exit code.
    """

    command: Callable[[Sequence[str]], int]
    db: str | None = None
    resume: str | None = None
    keys: Literal["emacs", "vi"] = "emacs"
    flags: Mapping[str, object]
    interactive: bool
    color: bool
    quiet: bool
    verbose: bool
