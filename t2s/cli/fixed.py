"""What the user sees of SQL that was put right: the SQL, what was wrong with it, and a diff."""

from __future__ import annotations

import difflib
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from t2s.cli.envelopes import print_data, print_envelope
from t2s.cli.terminal import Terminal
from t2s.render.answer import describe, exit_code, footer, print_failure
from t2s.render.clean import clean_lines
from t2s.render.envelope import error_envelope
from t2s.types.query import Answer


def publish_fix(
    before: str, answer: Answer, file: Path | None, terminal: Terminal, *, write: bool, as_json: bool
) -> int:
    """Print the SQL, or write it to its file; returns the exit code, which is 0 where the SQL is right now."""
    code = exit_code(answer)
    after = answer.sql if code == 0 and answer.sql else before
    diff = "".join(_diff(before, after, str(file or "sql")))
    if write and file is not None and diff:
        file.write_text(after.rstrip("\n") + "\n", encoding="utf-8")
    if as_json:
        _print_json(before, after, diff, answer, code)
        return code
    if code != 0:
        print_failure(answer, terminal.err, quiet=True)
        return code
    if not terminal.quiet:
        _tell(diff, answer, terminal)
    if not write:
        sys.stdout.write((clean_lines(after) if sys.stdout.isatty() else after) + "\n")
    return 0


def _tell(diff: str, answer: Answer, terminal: Terminal) -> None:
    for problem in answer.problems:
        word = "careful" if problem.severity == "warning" else "fixed"
        terminal.err.print(f"{word}: {describe(problem)}", style="yellow")
    for line in clean_lines(diff).splitlines():
        style = "red" if line.startswith("-") else "green" if line.startswith("+") else "dim"
        terminal.err.print(line, style=style)
    if not diff:
        terminal.err.print("nothing to fix")
    if answer.usage.calls:
        terminal.err.print(footer(answer), style="dim")


def _diff(before: str, after: str, name: str) -> list[str]:
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), name, f"{name} (fixed)", n=2, lineterm="")
    return [f"{line}\n" for line in lines]


def _print_json(before: str, after: str, diff: str, answer: Answer, code: int) -> None:
    data: dict[str, Any] = {
        "sql": after,
        "changed": before != after,
        "diff": diff,
        "problems": [asdict(problem) for problem in answer.problems],
        "usage": asdict(answer.usage),
    }
    if code == 0:
        print_data(data)
        return
    said = "; ".join(map(describe, answer.problems)) or answer.explanation
    kind = {6: "guard", 4: "timeout"}.get(code, "rejected")
    print_envelope(
        lambda request_id, ms: error_envelope(
            code=kind, message=said, suggestion=answer.hint, request_id=request_id, ms=ms, data=data
        )
    )
