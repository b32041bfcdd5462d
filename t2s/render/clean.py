"""Text from elsewhere, made harmless for a terminal."""

from __future__ import annotations

import re

_ESCAPES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor
    r"|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?"  # OSC, DCS, …: titles, links, the clipboard
    r"|\x1b[ -/]*[0-~]?"
    r"|\x9b[0-?]*[ -/]*[@-~]?"
)
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # controls
    "\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\U000e0000-\U000e007f"  # direction, nothing
    "\ud800-\udfff]"  # halves of a pair
)
_VISIBLE = {"\n": "⏎", "\t": "⇥", "\u2028": "⏎", "\u2029": "⏎"}
_BREAKS = re.compile("[\n\t\u2028\u2029]")


def clean(text: str) -> str:
    """One line without escapes, controls, and characters that hide or turn text; line ends are shown as ⏎."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _BREAKS.sub(lambda m: _VISIBLE[m.group()], clean_lines(text.replace("\u2028", "\n").replace("\u2029", "\n")))


def clean_lines(text: str) -> str:
    """The same with line ends and tabs left as they are, for SQL and explanations."""
    return _INVISIBLE.sub("", _ESCAPES.sub("", text)).replace("\u2028", "\n").replace("\u2029", "\n")
