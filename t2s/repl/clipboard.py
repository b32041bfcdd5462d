"""The clipboard: the desktop's own where there is one, else the terminal's, which works over ssh."""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
from typing import TextIO

_PROGRAMS = (
    (("pbcopy",), ""),
    (("wl-copy",), "WAYLAND_DISPLAY"),
    (("xclip", "-selection", "clipboard"), "DISPLAY"),
    (("clip.exe",), "WSL_DISTRO_NAME"),
)
"""Programs that take the text on standard input, and the variable without which they cannot work."""

MOST_BYTES = 74_994
"""Terminals take no more of OSC 52 (xterm's limit, base64 included, is 100,000)."""


def copy(text: str, terminal: TextIO) -> str:
    """Copy a text; returns how, in words.

    The way of last resort is OSC 52 (xterm's control sequences), which most terminals and tmux pass on.
    """
    for command, variable in _PROGRAMS:
        if shutil.which(command[0]) and (not variable or os.environ.get(variable)) and "SSH_TTY" not in os.environ:
            done = subprocess.run(command, input=text.encode(), capture_output=True, check=False)
            if done.returncode == 0:
                return "are in the clipboard"
    data = text.encode()
    if len(data) > MOST_BYTES:
        return "are too many for the terminal's clipboard: use /export"
    terminal.write(f"\x1b]52;c;{base64.b64encode(data).decode()}\x07")
    terminal.flush()
    return "were handed to the terminal's clipboard"
