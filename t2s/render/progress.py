"""What happens meanwhile, on standard error."""

from __future__ import annotations

import shutil
import threading
import time
from typing import TextIO

from t2s.render.clean import clean
from t2s.types.event import Called, Event, Finished, Notice, Stage, Started, Streamed

_DOING: dict[Stage, str] = {
    "recall": "recalling",
    "link": "reading the schema",
    "model": "asking",
    "check": "checking",
    "repair": "repairing",
    "execute": "running",
    "remember": "remembering",
}
FRAME_S = 0.1
SAID = 200
"""Characters kept of what a model is saying."""
PATIENCE_S = 0.4
"""Nothing is shown of what is done before that."""


class Progress:
    """A listener: on a terminal one line that says the stage and its seconds; notices as lines anywhere.

    With `verbose`, each stage and each call to a model leaves a line with its time.
    """

    def __init__(self, stream: TextIO, *, quiet: bool = False, verbose: bool = False, doing: str = "") -> None:
        self._stream = stream
        self._quiet = quiet
        self._verbose = verbose
        self._doing = doing
        self._said = ""
        self._began = time.monotonic()
        self._shown = False
        self._lock = threading.Lock()
        self._done = threading.Event()
        if stream.isatty() and not quiet:
            threading.Thread(target=self._turn, daemon=True).start()

    def __call__(self, event: Event) -> None:
        """Take note of an event."""
        match event:
            case Started(stage=stage):
                self._doing, self._said = _DOING[stage], ""
            case Streamed(text=text):
                self._said = (self._said + text)[-SAID:]
            case Notice(message=message) if not self._quiet:
                self._say(f"t2s: {clean(message)}")
            case Finished(stage=stage, ms=ms) if self._verbose:
                self._say(f"t2s: {_DOING[stage]}: {ms:.0f} ms")
            case Called(purpose=purpose, usage=usage, latency_ms=ms, outcome=outcome) if self._verbose:
                self._say(f"t2s: {clean(usage.model)} ({purpose}): {outcome}, {usage.total_tokens} tokens, {ms:.0f} ms")

    def _say(self, line: str) -> None:
        with self._lock:
            self._wipe()
            self._stream.write(f"{line}\n")
            self._stream.flush()

    def close(self) -> None:
        """Wipe the line; nothing is shown from here on."""
        self._done.set()
        with self._lock:
            self._wipe()

    def _turn(self) -> None:
        while not self._done.wait(FRAME_S):
            seconds = time.monotonic() - self._began
            if self._doing and seconds > PATIENCE_S:
                with self._lock:
                    if not self._done.is_set():
                        self._stream.write(f"\r\x1b[K{self._line(seconds)}")
                        self._stream.flush()
                        self._shown = True

    def _line(self, seconds: float) -> str:
        """What is done, for how long, and the end of what the model is saying, as far as the terminal is wide."""
        line = f"{self._doing} … {seconds:.1f} s"
        room = shutil.get_terminal_size().columns - len(line) - 4
        said = " ".join(clean(self._said.replace("\\n", " ").replace('\\"', '"')).split())
        return f"{line}  …{_ending(said, room)}" if said and room > 0 else line

    def _wipe(self) -> None:
        if self._shown:
            self._stream.write("\r\x1b[K")
            self._stream.flush()
            self._shown = False


def _ending(text: str, width: int) -> str:
    """The end of a text that is at most so many cells wide."""
    from rich.cells import cell_len

    while cell_len(text) > width:
        text = text[1:]
    return text
