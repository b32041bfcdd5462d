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
from t2s.render.clean import clean, clean_lines
from t2s.render.envelope import answer_data, envelope, error_envelope
from t2s.render.files import require_writable, whole_file
from t2s.render.formats import disarmed, write_result
from t2s.render.table import console
from t2s.types.query import Answer, Problem, ResultSet

if TYPE_CHECKING:
    from collections.abc import Iterator

    from t2s.workspace import Preview

_HEADLINES = {
    "rejected": "no valid SQL was found",
    "failed": "the query failed",
    "abstained": "t2s has no answer to this",
    "clarify": "the question has several readings",
}


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


def exit_code(answer: Answer) -> int:
    """The one place where a status becomes an exit code."""
    if answer.status == "ok":
        return 0
    if answer.status == "clarify":
        return 8
    codes = {problem.code for problem in answer.problems}
    if answer.status == "rejected" and "guard" in codes:
        return 6
    return 4 if answer.status == "failed" and "timeout" in codes else 1


def publish(answer: Answer, output: Output, terminal: Terminal) -> int:
    """Print an answer in the way that was asked for; returns the exit code."""
    if output.as_json:
        _print_json(answer)
    if answer.status != "ok":
        if not output.as_json:
            _tell_failure(answer, terminal)
        return exit_code(answer)
    if not output.as_json and not terminal.quiet:
        _tell(answer, terminal, with_sql=output.format != "sql" and answer.result is not None)
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
    if output.format == "parquet" and output.path is not None:
        from t2s.database.parquet import write_parquet
        from t2s.render.values import unique_names

        with whole_file(output.path) as temporary:
            write_parquet(shown, unique_names(shown), temporary)
        return
    with _stream(output.path) as stream:
        write_result(shown, output.format, stream, color=terminal.color)


@contextmanager
def _stream(path: Path | None) -> Iterator[TextIO]:
    if path is None:
        yield sys.stdout
        return
    with whole_file(path) as temporary, temporary.open("w", encoding="utf-8", errors="backslashreplace") as stream:
        yield stream


def _tell(answer: Answer, terminal: Terminal, *, with_sql: bool) -> None:
    """Explanation, SQL, repairs, assumptions and the footer."""
    err = console(sys.stderr, color=terminal.color)
    if answer.explanation:
        err.print(clean_lines(answer.explanation))
    if with_sql and answer.sql:
        print_sql(answer.sql, terminal)
    for problem in answer.problems:
        err.print(f"Repaired: {describe(problem)}", style="yellow")
    for assumption in answer.assumptions:
        err.print(f"Assumed: {clean(assumption)}", style="yellow")
    err.print(_footer(answer), style="dim")


def _tell_failure(answer: Answer, terminal: Terminal) -> None:
    err = console(sys.stderr, color=terminal.color)
    reason = answer.clarification.question if answer.clarification else answer.explanation
    told = answer.status in ("abstained", "clarify") and reason
    err.print(f"t2s: {_HEADLINES[answer.status]}{': ' + clean(reason) if told else ''}", style="bold")
    if answer.sql and not terminal.quiet:
        print_sql(answer.sql, terminal)
    for problem in answer.problems:
        err.print(f"     {describe(problem)}")
    for choice in answer.clarification.choices if answer.clarification else ():
        err.print(f"     - {clean(choice)}")
    if answer.hint:
        err.print(f"     {clean(answer.hint)}")
    if not terminal.quiet:
        err.print(_footer(answer), style="dim")


def print_sql(sql: str, terminal: Terminal) -> None:
    """SQL on standard error, highlighted on a terminal with colours."""
    text = clean_lines(sql)
    err = console(sys.stderr, color=terminal.color)
    if terminal.color and sys.stderr.isatty():
        from rich.syntax import Syntax

        err.print(Syntax(text, "sql", theme="ansi_dark", background_color="default", word_wrap=True))
    else:
        err.print(text)


def describe(problem: Problem) -> str:
    """A problem as one line: where, what, and the nearest right name."""
    where = f"line {problem.line}, column {problem.column}: " if problem.line and problem.column else ""
    near = f"; did you mean {problem.suggestion}?" if problem.suggestion else ""
    return clean(f"{where}{problem.message}{near}")


def _footer(answer: Answer) -> str:
    parts = []
    if answer.confidence is not None:
        word = "high" if answer.confidence >= 0.8 else "fair" if answer.confidence >= 0.5 else "low"
        parts.append(f"confidence {word} ({answer.confidence:.2f})")
    usage = answer.usage
    parts.append(clean(usage.model))
    if usage.calls:
        sent = usage.input_tokens + usage.cache_write_tokens + usage.cache_read_tokens
        parts.append(f"{sent:,} tokens sent ({usage.cache_read_tokens:,} cached), {usage.output_tokens:,} received")
        parts.append("unpriced" if usage.cost_usd is None else f"${usage.cost_usd:.4f}")
    else:
        parts.append("no model call")
    parts.append(f"{answer.timings_ms.get('total', 0):.0f} ms")
    return " · ".join(parts)


def _print_json(answer: Answer) -> None:
    data = answer_data(answer)
    if answer.status == "ok":
        print_envelope(lambda request_id, ms: envelope(data, request_id=request_id, ms=ms))
        return
    code = {6: "guard", 4: "timeout"}.get(exit_code(answer), answer.status)
    said = "; ".join(map(describe, answer.problems)) or answer.explanation
    if answer.clarification:
        said = answer.clarification.question
    headline = _HEADLINES[answer.status]
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


def publish_why(preview: Preview, terminal: Terminal) -> None:
    """Say which tables and values were linked, and what that costs."""
    context = preview.context
    err = console(sys.stderr, color=terminal.color)
    err.print("Why", style="bold")
    tables = ", ".join(table.full_name for table in context.schema.tables)
    err.print(f"  schema {'whole' if context.whole else 'linked'}: {clean(tables)}")
    for match in context.values:
        err.print(f"  value  {clean(match.text)} → {clean(match.table)}.{clean(match.column)} = {clean(match.value)!r}")
    for exchange in context.history:
        err.print(f"  before {clean(exchange.question)}")
    err.print(f"  privacy {context.privacy}")
    if preview.request is None:
        err.print("  sent   nothing")
        return
    from t2s.llm import estimate_tokens

    for segment in preview.request.system:
        err.print(f"  sent   {segment.name}: about {estimate_tokens(segment.text, preview.model):,} tokens")
    for message in preview.request.messages:
        err.print(f"  sent   {message.role}: about {estimate_tokens(message.text, preview.model):,} tokens")


def _safe(text: str) -> str:
    return clean_lines(text) if sys.stdout.isatty() else text
