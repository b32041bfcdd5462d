"""The command line: `main` is the one owner of errors, exit codes and standard error."""

from __future__ import annotations

import io
import os
import sys
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from t2s.errors import T2SError


def main() -> None:
    """Run the command line of this process and exit with its code."""
    if sys.argv[1:] in (["--version"], ["-V"]):  # asked by scripts all the time: nothing else is loaded
        from t2s import __version__

        print(f"t2s {__version__}")  # noqa: T201  the one line of output
        raise SystemExit(0)
    sys.exit(_guarded(sys.argv[1:]))


def _guarded(arguments: list[str]) -> int:
    """Run a command; whatever goes wrong becomes one clear message and the exit code of its kind."""
    _ready_streams()
    from t2s.errors import Cancelled, T2SError

    try:
        from t2s.cli.app import run

        code = run(arguments)
        sys.stdout.flush()
    except T2SError as e:
        return _report(e, arguments)
    except KeyboardInterrupt:
        return _report(Cancelled("cancelled"), arguments)
    except BrokenPipeError:  # the reader has seen enough, as in `t2s … | head`
        _silence(sys.stdout)
        return 0
    except Exception as e:
        return _report(_bug(e), arguments)
    return code


def _ready_streams() -> None:
    """UTF-8 everywhere; a stream that the shell closed is one that nobody reads or that is empty."""
    sys.stdin = sys.stdin or open(os.devnull, encoding="utf-8")  # noqa: PTH123, SIM115  open until the end
    sys.stdout = sys.stdout or open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
    sys.stderr = sys.stderr or open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
    for stream, errors in (
        (sys.stdin, "strict"),
        (sys.stdout, "backslashreplace"),  # a lone surrogate in a value must not end the program
        (sys.stderr, "backslashreplace"),
    ):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors=errors)


def _report(error: T2SError, arguments: list[str]) -> int:
    from t2s.cli.report import report

    try:
        report(error, as_json="--json" in arguments)
    except BrokenPipeError:
        _silence(sys.stderr)
    return error.exit_code


def _bug(error: Exception) -> T2SError:
    """An error that nobody foresaw; the traceback is shown only to who asks for it."""
    from t2s.errors import T2SError

    if os.environ.get("T2S_TRACEBACK"):
        raise error
    return T2SError(
        f"internal error: {type(error).__name__}: {error}",
        hint="this is a bug in t2s; T2S_TRACEBACK=1 shows where",
    )


def _silence(stream: TextIO) -> None:
    """Send what is still buffered for a closed pipe nowhere, so that the interpreter's exit is quiet."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
