"""What a command of the REPL is."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from t2s.repl.chat import Chat


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A word that begins with `/`, what it does with the rest of the line, and its names in psql.

    `offers` completes an argument from its first letters.
    """

    name: str
    do: Callable[[Chat, str], None]
    help: str
    argument: str = ""
    aliases: tuple[str, ...] = ()
    offers: Callable[[Chat, str], Iterable[str]] | None = None
