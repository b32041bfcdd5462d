"""What the REPL writes: rows on standard output, everything else on standard error."""

from __future__ import annotations

import io
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from t2s.render.clean import clean
from t2s.render.progress import Progress
from t2s.types.usage import in_usd

if TYPE_CHECKING:
    from rich.console import Console

    from t2s.errors import T2SError
    from t2s.repl.chat import Chat
    from t2s.repl.start import Start
    from t2s.types.query import Answer, Clarification, ResultSet


LINE = 72
"""SQL that is longer and all in one line is laid out before it is shown."""


def words(start: Start) -> Console:
    """The console for everything that is not rows."""
    from t2s.render.table import console

    return console(sys.stderr, color=start.color)


def say(start: Start, line: str, style: str = "") -> None:
    """A line on standard error, unless it shall be quiet."""
    if not start.quiet:
        words(start).print(clean(line), style=style)


def sql(start: Start, text: str) -> None:
    """SQL, highlighted."""
    from t2s.render.answer import print_sql

    if not start.quiet:
        print_sql(text, words(start))


def error(start: Start, failure: T2SError) -> None:
    """What went wrong and what to do."""
    from t2s.render.answer import print_error

    print_error(failure, sys.stderr)


@contextmanager
def progress(start: Start, doing: str = "") -> Iterator[Progress]:
    """A listener that shows what is being done until the block ends."""
    shown = Progress(sys.stderr, quiet=start.quiet, verbose=start.verbose, doing=doing)
    try:
        yield shown
    finally:
        shown.close()


def answer(chat: Chat, given: Answer) -> None:
    """All of an answer, the rows where they can be read best: after the SQL and before what was assumed."""
    from t2s.render.answer import exit_code, print_answer, print_failure, print_notes

    start = chat.start
    out = words(start)
    if given.status != "ok":
        print_failure(given, out, quiet=start.quiet)
        if given.sql and start.interactive:
            out.print("     /fix repairs it, /edit opens it in your editor", style="dim")
        chat.note_code(exit_code(given))
        return
    if not start.quiet:
        print_answer(_laid_out(chat, given), out, with_sql=given.sql != given.question)
    if given.result is not None:
        rows(chat, given.result)
    if not start.quiet:
        print_notes(given, out)
        if given.result is not None and given.result.truncated:
            out.print("There are more rows: /export FILE writes all.", style="yellow")
        session = (
            "" if chat.spent.cost_usd is None or not chat.spent.calls else f" · session {in_usd(chat.spent.cost_usd)}"
        )
        out.print(f"{footer_of(chat, given)}{session}", style="dim")
        if start.interactive:
            out.print()


def _laid_out(chat: Chat, given: Answer) -> Answer:
    """The answer with long SQL laid out, one clause a line, where it is all in one."""
    if not given.sql or "\n" in given.sql or len(given.sql) <= LINE:
        return given
    from t2s.sql import format_sql

    return replace(given, sql=format_sql(given.sql, chat.workspace.database.dialect))


def footer_of(chat: Chat, given: Answer) -> str:
    """The footer of an answer, without its time where that is switched off."""
    from t2s.render.answer import footer

    whole = footer(given)
    return whole if chat.timing else whole.rpartition(" · ")[0]


def rows(chat: Chat, result: ResultSet) -> None:
    """Rows as a table on standard output; what is longer than the terminal goes through a pager."""
    from t2s.render.table import write_table, write_turned

    write = write_turned if chat.expanded else write_table
    if not (sys.stdout.isatty() and chat.start.interactive):
        write(result, sys.stdout, color=chat.start.color)
        sys.stdout.flush()
        return
    page = _Page()
    write(result, page, color=chat.start.color)
    _paged(page.getvalue())


def chart(start: Start, result: ResultSet) -> None:
    """The rows as bars, a line or a histogram, by their shape."""
    from t2s.render.chart import write_chart

    write_chart(result, sys.stdout, color=start.color)
    sys.stdout.flush()


def choices(start: Start, clarification: Clarification) -> None:
    """A clarifying question with its numbered choices."""
    out = words(start)
    out.print(clean(clarification.question), style="bold")
    for number, choice in enumerate(clarification.choices, 1):
        out.print(f"  {number}. {clean(choice)}")


class _Page(io.StringIO):
    """Text that is written as for the terminal on which it will be shown."""

    def isatty(self) -> bool:
        return True


def _paged(text: str) -> None:
    """Text on the terminal, by `PAGER` (else less) where it is longer than the screen."""
    pager = os.environ.get("PAGER") or "less"
    program = shutil.which(pager.split()[0])
    if text.count("\n") < shutil.get_terminal_size().lines - 1 or program is None:
        sys.stdout.write(text)
        sys.stdout.flush()
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the pager's
    try:
        env = {"LESS": "-RSFX", **os.environ}
        subprocess.run([program, *pager.split()[1:]], input=text, text=True, env=env, check=False)
    finally:
        signal.signal(signal.SIGINT, before)
