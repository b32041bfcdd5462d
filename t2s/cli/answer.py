"""What the user sees of an answer: rows on standard output, everything else on standard error."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from t2s.cli.envelopes import print_data, print_envelope
from t2s.cli.terminal import Terminal
from t2s.errors import UsageError
from t2s.render.answer import (
    HEADLINES,
    describe,
    exit_code,
    footer,
    print_answer,
    print_failure,
    print_notes,
)
from t2s.render.clean import clean_lines
from t2s.render.envelope import answer_data, envelope, error_envelope
from t2s.render.files import require_writable, whole_file
from t2s.render.formats import disarmed, write_file, write_result
from t2s.types.query import Answer, ResultSet

if TYPE_CHECKING:
    from collections.abc import Iterator

    from t2s.workspace import Preview


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """Where rows go and how they look there."""

    format: str
    path: Path | None
    spreadsheet: bool
    as_json: bool

    def checked(self) -> Output:
        """The same, or `UsageError` where it makes no sense; asked before anything is paid for."""
        if self.format == "parquet" and self.path is None:
            raise UsageError("parquet is not text", hint="name a file with --out")
        if self.path is not None:
            require_writable(self.path)
        return self


def publish(answer: Answer, output: Output, terminal: Terminal) -> int:
    """Print an answer in the way that was asked for; returns the exit code."""
    if output.as_json:
        _print_json(answer)
    if answer.status != "ok":
        if not output.as_json:
            print_failure(answer, terminal.err, quiet=terminal.quiet)
        return exit_code(answer)
    if not output.as_json and not terminal.quiet:
        print_answer(answer, terminal.err, with_sql=output.format != "sql" and answer.result is not None)
        print_notes(answer, terminal.err)
        terminal.err.print(footer(answer), style="dim")
    if not output.as_json or output.path is not None:
        _write(answer, output, terminal)
    return 0


def _write(answer: Answer, output: Output, terminal: Terminal) -> None:
    if answer.result is None or output.format == "sql":
        with _stream(output.path) as stream:
            sql = answer.sql or ""
            stream.write((clean_lines(sql) if stream.isatty() else sql) + "\n")
        return
    write_rows(answer.result, output, terminal)


def write_rows(result: ResultSet, output: Output, terminal: Terminal) -> None:
    """Write rows to the file or to standard output."""
    shown = disarmed(result) if output.spreadsheet else result
    if output.path is not None:
        write_file(shown, output.format, output.path)
    else:
        write_result(shown, output.format, sys.stdout, color=terminal.color)
    if result.truncated and not terminal.quiet:
        sys.stdout.flush()
        terminal.err.print("These rows are the first of more; --limit 0 gives all.", style="yellow")


@contextmanager
def _stream(path: Path | None) -> Iterator[TextIO]:
    if path is None:
        yield sys.stdout
        return
    with whole_file(path) as temporary, temporary.open("w", encoding="utf-8", errors="backslashreplace") as stream:
        yield stream


def _print_json(answer: Answer) -> None:
    data = answer_data(answer)
    if answer.status == "ok":
        print_envelope(lambda request_id, ms: envelope(data, request_id=request_id, ms=ms))
        return
    code = {6: "guard", 4: "timeout"}.get(exit_code(answer), answer.status)
    said = "; ".join(map(describe, answer.problems)) or answer.explanation
    if answer.clarification:
        said = answer.clarification.question
    headline = HEADLINES[answer.status]
    print_envelope(
        lambda request_id, ms: error_envelope(
            code=code,
            message=f"{headline}: {said}" if said else headline,
            suggestion=answer.hint,
            request_id=request_id,
            ms=ms,
            data=data,
        )
    )


def publish_dry_run(preview: Preview, output: Output) -> int:
    """Print the prompt, its tokens and its greatest price."""
    if output.as_json:
        print_data(
            {
                "model": preview.model,
                "tokens": preview.tokens,
                "max_cost_usd": preview.max_cost_usd,
                "request": asdict(preview.request) if preview.request else None,
            }
        )
        return 0
    if preview.request is None:
        sys.stdout.write("Nothing would be sent: the local generator answers on this machine.\n")
        return 0
    for segment in preview.request.system:
        mark = " (cached)" if segment.cached else ""
        sys.stdout.write(f"── system: {segment.name}{mark}\n{_safe(segment.text)}\n")
    for message in preview.request.messages:
        sys.stdout.write(f"── {message.role}\n{_safe(message.text)}\n")
    cost = "unpriced" if preview.max_cost_usd is None else f"at most ${preview.max_cost_usd:.4f}"
    most = preview.request.max_tokens
    sys.stderr.write(f"{preview.model}: about {preview.tokens:,} tokens sent, at most {most:,} received, {cost}\n")
    return 0


def _safe(text: str) -> str:
    return clean_lines(text) if sys.stdout.isatty() else text
