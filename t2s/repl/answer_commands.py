"""Commands on the latest answer: its SQL, its rows, why it is so."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from t2s.errors import UsageError
from t2s.repl import show
from t2s.repl.command import Command

if TYPE_CHECKING:
    from t2s.repl.chat import Chat

COPIES = ("sql", "csv", "json", "markdown")


def _sql(chat: Chat, argument: str) -> None:
    """The SQL is data here: it goes to standard output."""
    from t2s.render.answer import print_sql
    from t2s.render.table import console

    print_sql(chat.last_sql(), console(sys.stdout, color=chat.start.color))


def _run(chat: Chat, argument: str) -> None:
    chat.run_sql(argument or chat.last_sql())


def _edit(chat: Chat, argument: str) -> None:
    latest = chat.failure or chat.state.answer
    before = argument or (latest.sql if latest else None) or ""
    after = _edited(before)
    if after.strip() and after != before:
        chat.enter(after)
    else:
        show.say(chat.start, "nothing was changed, nothing is run")


def _edited(text: str) -> str:
    """A text as it leaves the user's editor: `VISUAL`, `EDITOR`, else vi."""
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    with tempfile.TemporaryDirectory(prefix="t2s-") as folder:
        path = Path(folder) / "query.sql"
        path.write_text(text, encoding="utf-8")
        try:
            code = subprocess.run([*shlex.split(editor), str(path)], check=False).returncode
            changed = path.read_text(encoding="utf-8")
        except (OSError, ValueError) as e:
            raise UsageError(f"cannot open the editor {editor!r}: {e}", hint="set EDITOR") from e
    if code:
        raise UsageError(f"the editor {editor!r} ended with {code}; nothing is run")
    return changed.strip()


def _fix(chat: Chat, argument: str) -> None:
    """Put the SQL right that did not work, and run it."""
    from t2s.render.answer import describe, exit_code, print_failure
    from t2s.workspace.fixing import fix

    failed = chat.failure or chat.state.answer
    if not argument and (failed is None or not failed.sql):
        raise UsageError("there is nothing to fix", hint="/fix SQL, or /fix after a query that failed")
    sql = argument or (failed.sql if failed else None) or ""
    ws = chat.workspace
    fixed = chat.working(lambda: fix(ws, sql))
    chat.spent += fixed.usage
    out = show.words(chat.start)
    if fixed.status != "ok" or not fixed.sql:
        print_failure(fixed, out, quiet=True)
        chat.note_code(exit_code(fixed) or 1)
        return
    for problem in fixed.problems:
        out.print(f"{'Careful' if problem.severity == 'warning' else 'Fixed'}: {describe(problem)}", style="yellow")
    if fixed.sql == sql:
        show.say(chat.start, "nothing to fix")
    else:
        show.sql(chat.start, fixed.sql)
        chat.run_sql(fixed.sql)


def _explain(chat: Chat, argument: str) -> None:
    from t2s.render.clean import clean_lines
    from t2s.workspace.direct import checked

    sql, database = argument or chat.last_sql(), chat.workspace.database
    plan = chat.working(lambda: database.explain(checked(sql, database)))
    sys.stdout.write(clean_lines(plan) + "\n")
    sys.stdout.flush()


def _why(chat: Chat, argument: str) -> None:
    from t2s.render.answer import print_why
    from t2s.workspace.preview import preview_of

    ws = chat.workspace
    if ws.latest is None or not ws.latest.question:
        raise UsageError("no question was asked yet")
    preview = preview_of(ws.latest, ws.model, ws.config.settings, ws.ledger)
    print_why(preview.context, preview.likely, preview.request, preview.model, show.words(chat.start))


def _chart(chat: Chat, argument: str) -> None:
    show.chart(chat.start, chat.result_of_last())


def _export(chat: Chat, argument: str) -> None:
    """Write all rows, also those that the limit kept off the screen."""
    from t2s.render.files import require_writable
    from t2s.render.formats import SUFFIXES, write_file

    if not argument:
        raise UsageError("where to?", hint=f"/export FILE, which ends in one of {' '.join(SUFFIXES)}")
    path = Path(argument).expanduser()
    wanted = SUFFIXES.get(path.suffix.casefold())
    if wanted is None:
        raise UsageError(f"{argument}: the name tells the format", hint=f"one of {' '.join(SUFFIXES)}")
    require_writable(path)
    result = chat.result_of_last()
    if result.truncated:
        ws, sql = chat.workspace, chat.last_sql()
        result = chat.working(lambda: ws.database.run(sql, limit=None, timeout=ws.config.settings.timeout))
    write_file(result, wanted, path)
    show.say(chat.start, f"{path} has all rows: {len(result.rows):,}")


def _copy(chat: Chat, argument: str) -> None:
    import io

    from t2s.render.formats import write_result
    from t2s.repl.clipboard import copy

    wanted = argument or "sql"
    if wanted not in COPIES:
        raise UsageError(f"cannot copy {wanted!r}", hint=f"one of {' '.join(COPIES)}")
    if wanted == "sql":
        text = chat.last_sql()
    else:
        page = io.StringIO()
        write_result(chat.result_of_last(), wanted, page)
        text = page.getvalue()
    way = copy(text, sys.stderr)
    show.say(chat.start, f"{wanted} of {len(text):,} characters {way}")


def _undo(chat: Chat, argument: str) -> None:
    """Bring back the state before; a question that is undone is no part of the conversation any more."""
    from t2s.ledger.sessions import undo_turn

    if not chat.before:
        raise UsageError("there is nothing to undo")
    undone, ws = chat.state, chat.workspace
    chat.state = chat.before.pop()
    ws.pinned = chat.state.pinned
    was, now = undone.answer, chat.state.answer
    if was is not None and was.run_id != (now.run_id if now else ""):
        undo_turn(ws.ledger, was.run_id)
        if ws.recollection is not None:
            ws.recollection.unlearn(was)
        show.say(chat.start, f"undone: {was.question}")
    else:
        show.say(chat.start, f"undone; tables kept in view: {', '.join(ws.pinned) or 'none'}")


def _expand(chat: Chat, argument: str) -> None:
    chat.expanded = not chat.expanded
    show.say(chat.start, f"rows are shown {'as lines' if chat.expanded else 'as a table'}")


def _timing(chat: Chat, argument: str) -> None:
    chat.timing = not chat.timing
    show.say(chat.start, f"times are {'shown' if chat.timing else 'not shown'}")


def paths(chat: Chat, part: str) -> Iterator[str]:
    """Files and folders that begin so."""
    folder, name = os.path.split(part)
    try:
        entries = sorted(os.scandir(Path(folder or ".").expanduser()), key=lambda entry: entry.name)
    except OSError:
        return
    for entry in entries:
        if entry.name.startswith(name) and not entry.name.startswith("."):
            yield str(Path(folder) / entry.name) + ("/" if entry.is_dir() else "")


def _copies(chat: Chat, part: str) -> Iterator[str]:
    return (name for name in COPIES if name.startswith(part))


COMMANDS = (
    Command(name="/sql", do=_sql, help="Show the last SQL."),
    Command(name="/run", do=_run, help="Run the last SQL again, or the given.", argument="[SQL]", aliases=("\\g",)),
    Command(name="/edit", do=_edit, help="Edit the last SQL and run it.", argument="[TEXT]", aliases=("\\e",)),
    Command(name="/fix", do=_fix, help="Put SQL right that failed, and run it.", argument="[SQL]"),
    Command(name="/explain", do=_explain, help="Show the engine's plan.", argument="[SQL]"),
    Command(name="/why", do=_why, help="Show tables, values, memories and tokens behind the last answer."),
    Command(name="/chart", do=_chart, help="Draw the last rows."),
    Command(name="/export", do=_export, help="Write all rows to a file.", argument="FILE", offers=paths),
    Command(name="/copy", do=_copy, help="Copy SQL or rows.", argument="[sql|csv|json|markdown]", offers=_copies),
    Command(name="/undo", do=_undo, help="Go back to before the last answer."),
    Command(name="/expand", do=_expand, help="Show rows as lines, or as a table again.", aliases=("\\x",)),
    Command(name="/timing", do=_timing, help="Show times, or do not.", aliases=("\\timing",)),
)
