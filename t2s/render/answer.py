"""What a person reads of an answer beside its rows: words, SQL, repairs, assumptions, cost, failures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, TextIO

from t2s.render.clean import clean, clean_lines
from t2s.types.query import Answer, Context, Problem
from t2s.types.usage import Usage, in_usd

if TYPE_CHECKING:
    from rich.console import Console

    from t2s.errors import T2SError
    from t2s.types.llm import Request

HEADLINES = {
    "rejected": "no valid SQL was found",
    "failed": "the query failed",
    "abstained": "t2s has no answer to this",
    "clarify": "the question has several readings",
}
"""What is said of an answer that is none, by its status."""

TABLES_TOLD, COLUMNS_TOLD, LEAST_TOLD = 8, 8, 0.1
"""So many linked tables, and so many of their columns that are at least so likely, are told of."""


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


def print_error(error: T2SError, stream: TextIO) -> None:
    """What went wrong in one line, and what to do in another."""
    stream.write(f"t2s: {clean(error.message)}\n")
    if error.hint:
        stream.write(f"     {clean(error.hint)}\n")


def print_answer(answer: Answer, out: Console, *, with_sql: bool = True) -> None:
    """Explanation, SQL and repairs of an answer that was found."""
    if answer.explanation:
        out.print(clean_lines(answer.explanation))
    if with_sql and answer.sql:
        print_sql(answer.sql, out)
    for problem in answer.problems:
        if problem.severity != "warning":
            out.print(f"Repaired: {describe(problem)}", style="yellow")


def print_notes(answer: Answer, out: Console) -> None:
    """What speaks against the answer, and what was taken for granted."""
    for problem in answer.problems:
        if problem.severity == "warning":
            out.print(f"Careful: {describe(problem)}", style="yellow")
    for assumption in answer.assumptions:
        out.print(f"Assumed: {clean(assumption)}", style="yellow")


def print_failure(answer: Answer, out: Console, *, quiet: bool = False) -> None:
    """Why there is no answer, with the SQL that was tried; `quiet` leaves SQL and footer out."""
    reason = answer.clarification.question if answer.clarification else answer.explanation
    told = answer.status in ("abstained", "clarify") and reason
    out.print(f"t2s: {HEADLINES[answer.status]}{': ' + clean(reason) if told else ''}", style="bold")
    if answer.sql and not quiet:
        print_sql(answer.sql, out)
    for problem in answer.problems:
        out.print(f"     {describe(problem)}")
    for choice in answer.clarification.choices if answer.clarification else ():
        out.print(f"     - {clean(choice)}")
    if answer.hint:
        out.print(f"     {clean(answer.hint)}")
    if not quiet:
        out.print(footer(answer), style="dim")


def print_sql(sql: str, out: Console) -> None:
    """SQL, highlighted on a terminal with colours."""
    text = clean_lines(sql)
    if out.is_terminal and not out.no_color:
        from rich.syntax import Syntax

        out.print(Syntax(text, "sql", theme="ansi_dark", background_color="default", word_wrap=True))
    else:
        out.print(text)


def print_why(context: Context, likely: Mapping[str, float], request: Request | None, model: str, out: Console) -> None:
    """Which tables, columns and values were linked, what came to mind, and what was sent (None: nothing), in tokens.

    `likely` says how likely (0..1) the question needs each table and column.
    """
    out.print("Why", style="bold")
    tables = ", ".join(table.full_name for table in context.schema.tables)
    out.print(f"  schema {'whole' if context.whole else 'linked'}: {clean(tables)}")
    for line in _linked(context, likely):
        out.print(f"  linked {line}")
    for match in context.values:
        place = f"{clean(match.table)}.{clean(match.column)}"
        out.print(f"  value  {clean(match.text)} → {place} = {clean(match.value)!r} ({match.score:.2f})")
    for exchange in context.history:
        out.print(f"  before {clean(exchange.question)}")
    for hit in context.recalled.hits:
        out.print(f"  memory {hit.memory.kind} {hit.memory.id[:8]} ({hit.relevance:.2f}): {clean(hit.memory.content)}")
    out.print(f"  privacy {context.privacy}")
    if request is None:
        out.print("  sent   nothing")
        return
    from t2s.llm import estimate_tokens

    parts = [(segment.name, segment.text) for segment in request.system]
    for name, text in [*parts, *((message.role, message.text) for message in request.messages)]:
        out.print(f"  sent   {name}: about {estimate_tokens(text, model):,} tokens")


def _linked(context: Context, likely: Mapping[str, float]) -> Iterator[str]:
    """The likeliest tables, each with its likeliest columns."""
    tables = sorted(context.schema.tables, key=lambda table: -likely.get(table.full_name, 0.0))
    for table in tables[:TABLES_TOLD]:
        scores = {column.name: likely.get(f"{table.full_name}.{column.name}", 0.0) for column in table.columns}
        best = sorted(scores, key=lambda name: -scores[name])[:COLUMNS_TOLD]
        columns = ", ".join(f"{clean(name)} {scores[name]:.2f}" for name in best if scores[name] >= LEAST_TOLD)
        score = f"{clean(table.full_name)} {likely.get(table.full_name, 0.0):.2f}"
        yield f"{score}: {columns}" if columns else score


def describe(problem: Problem) -> str:
    """A problem as one line: where, what, the nearest right name, and what to do."""
    where = f"line {problem.line}, column {problem.column}: " if problem.line and problem.column else ""
    near = f"; did you mean {problem.suggestion}?" if problem.suggestion else ""
    remedy = f"; {problem.remedy}" if problem.remedy else ""
    return clean(f"{where}{problem.message}{near}{remedy}")


def footer(answer: Answer) -> str:
    """How sure the answer is, who gave it, and what it took."""
    parts = []
    if answer.confidence is not None:
        word = "high" if answer.confidence >= 0.8 else "fair" if answer.confidence >= 0.5 else "low"
        parts.append(f"confidence {word} ({answer.confidence:.2f})")
    parts.append(clean(answer.usage.model))
    parts.append(spent(answer.usage))
    parts.append(f"{answer.timings_ms.get('total', 0):.0f} ms")
    return " · ".join(parts)


def spent(usage: Usage) -> str:
    """Tokens and cost as one phrase."""
    if not usage.calls:
        return "no model call"
    sent = usage.input_tokens + usage.cache_write_tokens + usage.cache_read_tokens
    cost = "unpriced" if usage.cost_usd is None else in_usd(usage.cost_usd)
    return f"{sent:,} tokens sent ({usage.cache_read_tokens:,} cached), {usage.output_tokens:,} received · {cost}"
