"""`t2s session`: conversations, listed and looked after."""

from __future__ import annotations

import json as jsonlib
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from t2s.cli import options

if TYPE_CHECKING:
    from t2s.ledger.sessions import Session
    from t2s.memory.memories import Memories

app = typer.Typer(
    rich_markup_mode=None,
    add_completion=False,
    help="List, resume, end or delete conversations; `t2s ask --session NAME` begins and continues one.",
    no_args_is_help=True,
)

Name = Annotated[str, typer.Argument(metavar="SESSION", help="Its name, or the beginning of its id.")]


@app.command("list", epilog="Example: t2s session list")
def list_(ctx: typer.Context, json: options.AsJson = False) -> int:
    """List your named conversations, the latest first."""
    from t2s.cli.envelopes import print_data
    from t2s.ledger.sessions import list_sessions
    from t2s.render.table import print_facts
    from t2s.workspace import memories_of

    with memories_of(None) as memories:
        known = list_sessions(memories.ledger, user=memories.owner.user)
    if json:
        print_data([asdict(session) for session in known])
        return 0
    rows = [(s.title, s.id[:8], s.datasource, s.turns, _when(s.last_activity), _state(s)) for s in known]
    headers = ("session", "id", "database", "questions", "last used", "state")
    if not known:
        sys.stderr.write("no conversations yet: t2s ask QUESTION --session NAME\n")
        return 0
    print_facts(sys.stdout, headers, rows, color=ctx.obj.color)
    return 0


@app.command(epilog="Example: t2s session show march")
def show(ctx: typer.Context, session: Name, json: options.AsJson = False) -> int:
    """Show a conversation's questions and the SQL that answered them."""
    from t2s.cli.envelopes import print_data
    from t2s.ledger.sessions import list_turns
    from t2s.render.answer import print_sql
    from t2s.render.clean import clean

    with _found(session) as (memories, found):
        turns = list_turns(memories.ledger, user=found.user, session_id=found.id)[::-1]
    if json:
        print_data({**asdict(found), "turns": [asdict(turn) for turn in turns]})
        return 0
    for turn in turns:
        sys.stdout.write(f"{_when(turn.at)}  {turn.status}  {clean(turn.question)}\n")
        sys.stdout.flush()
        if turn.sql:
            print_sql(turn.sql, ctx.obj.err)
    return 0


@app.command(epilog="Example: t2s session rename march april")
def rename(ctx: typer.Context, session: Name, name: str) -> int:
    """Give a conversation another name."""
    from t2s.cli.terminal import require_text
    from t2s.ledger.sessions import rename_session

    title = require_text(name, "the name")
    with _found(session) as (memories, found):
        rename_session(memories.ledger, found, title)
        _did(memories, "session.rename", found, title=title)
    return 0


@app.command(epilog="Example: t2s session resume march")
def resume(ctx: typer.Context, session: Name) -> int:
    """Open a conversation again that has ended or expired; `t2s ask --session` goes on with it."""
    from t2s.ledger.sessions import resume_session
    from t2s.render.clean import clean

    with _found(session) as (memories, found):
        resume_session(memories.ledger, found)
        _did(memories, "session.resume", found)
    sys.stderr.write(f"go on with: t2s ask QUESTION --session {clean(found.title or found.id)}\n")
    return 0


@app.command(epilog="Example: t2s session end march")
def end(ctx: typer.Context, session: Name) -> int:
    """End a conversation: it is summed up and archived by `t2s memory work`, and its name is free."""
    from dataclasses import replace

    from t2s.config import home
    from t2s.ledger.sessions import end_session
    from t2s.memory.work import plan

    with _found(session) as (memories, found):
        end_session(memories.ledger, found)
        owner = replace(memories.owner, session_id=found.id, datasource=found.datasource)
        for kind in ("summarise", "archive"):
            plan(memories.ledger, home() / "tasks.jsonl", owner, kind)
        _did(memories, "session.end", found)
    return 0


@app.command(epilog="Example: t2s session export march > march.json")
def export(ctx: typer.Context, session: Name) -> int:
    """Write a conversation with what was learned in it, as JSON."""
    from t2s.cli.memories import memory_data
    from t2s.ledger import memories as store
    from t2s.ledger.sessions import list_turns

    with _found(session) as (memories, found):
        turns = list_turns(memories.ledger, user=found.user, session_id=found.id)[::-1]
        known = store.find(memories.ledger, session_id=found.id, user=found.user)
    document = {
        "session": asdict(found),
        "turns": [asdict(turn) for turn in turns],
        "memories": [memory_data(memory) for memory in known],
    }
    sys.stdout.write(jsonlib.dumps(document, ensure_ascii=False, indent=2) + "\n")
    return 0


@app.command(epilog="Example: t2s session delete march --yes")
def delete(
    ctx: typer.Context,
    session: Name,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> int:
    """Delete a conversation with all that was remembered of it, its archive too."""
    from t2s.config import load_config
    from t2s.ledger import archives
    from t2s.ledger import memories as store
    from t2s.ledger.sessions import delete_session
    from t2s.memory.archive import remove
    from t2s.workspace import archive_place

    with _found(session) as (memories, found):
        if not yes and ctx.obj.interactive:
            typer.confirm(f"Delete the conversation {found.title or found.id[:8]}?", abort=True, err=True)
        for entry in archives.list_archives(memories.ledger, found.user):
            if entry.session_id == found.id:
                remove(archive_place(load_config()), entry.path)
                archives.forget_archive(memories.ledger, entry.path)
        own = store.find(memories.ledger, session_id=found.id, user=found.user, dead_too=True)
        store.remove(memories.ledger, [memory.id for memory in own])
        delete_session(memories.ledger, found)
        _did(memories, "session.delete", found)
    return 0


@contextmanager
def _found(name: str) -> Iterator[tuple[Memories, Session]]:
    from t2s.ledger.sessions import get_session
    from t2s.workspace import memories_of

    with memories_of(None) as memories:
        yield memories, get_session(memories.ledger, name, user=memories.owner.user)


def _did(memories: Memories, action: str, session: Session, **details: Any) -> None:
    from t2s.cli.memories import did

    did(memories, action, session=session.title or session.id, **details)


def _when(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(at))


def _state(session: Session) -> str:
    return "ended" if session.ended else "active" if session.active else "inactive"
