"""The part of `t2s memory` that goes out to files: knowledge, archives, all that is kept of a user."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from t2s.cli import options
from t2s.cli.memories import did, find_memory, index_now, with_schema
from t2s.cli.terminal import read_stdin
from t2s.errors import MemoryRefused, UsageError

if TYPE_CHECKING:
    from t2s.cli.terminal import Terminal

app = typer.Typer()


@app.command(epilog="Example: t2s memory export knowledge.yaml -d shop.duckdb")
def export(
    ctx: typer.Context,
    file: Annotated[Path | None, typer.Argument(help="Without one, standard output.", show_default=False)] = None,
    db: options.Database = None,
    everything: Annotated[
        bool, typer.Option("--everything", help="All that is kept of you, as JSON, instead of what a team shares.")
    ] = False,
) -> int:
    """Write the glossary, notes, verified queries and corrections as YAML that people read and keep in git."""
    import json

    from t2s.ledger.personal import export_user
    from t2s.memory import knowledge
    from t2s.render.files import require_writable, whole_file
    from t2s.workspace import memories_of

    if file is not None:
        require_writable(file)
    with memories_of(db) as memories:
        if everything:
            document = export_user(memories.ledger, memories.owner.user)
            text = json.dumps(document, ensure_ascii=False, indent=1) + "\n"
        else:
            text = knowledge.export(memories)
        did(memories, "export", everything=everything)
    if file is None:
        sys.stdout.write(text)
        return 0
    with whole_file(file) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return 0


@app.command("import", epilog="Example: t2s memory import knowledge.yaml -d shop.duckdb")
def import_(
    ctx: typer.Context,
    file: Annotated[str, typer.Argument(help="What `memory export` writes; - reads standard input.")],
    db: options.Database = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Where the file says otherwise, believe the file.")
    ] = False,
    json: options.AsJson = False,
) -> int:
    """Learn what a file of knowledge says; importing it again changes nothing.

    Ends with 1 where an entry contradicts what is known, or does not fit the schema.
    """
    from dataclasses import asdict

    from t2s.cli.envelopes import print_data
    from t2s.memory import knowledge
    from t2s.render.clean import clean

    loaded = knowledge.load(_read(file), file)
    with with_schema(db) as (memories, schema):
        came = knowledge.learn(memories, loaded, schema, replacing=replace)
        did(memories, "import", added=came.added, conflicts=len(came.conflicts), refused=len(came.refused))
        index_now(memories)
    if json:
        print_data(asdict(came))
    else:
        for line in came.conflicts:
            sys.stdout.write(f"conflict: {clean(line)}\n")
        for line in came.refused:
            sys.stdout.write(f"refused: {clean(line)}\n")
        hint = "; --replace believes the file" if came.conflicts else ""
        sys.stderr.write(
            f"{came.added} learned, {came.known} known already, {len(came.conflicts)} conflicts, "
            f"{len(came.refused)} refused{hint}\n"
        )
    return 1 if came.conflicts or came.refused else 0


@app.command(epilog="Example: t2s memory archive --verify")
def archive(
    ctx: typer.Context,
    session: Annotated[str | None, typer.Argument(metavar="[SESSION]", show_default=False)] = None,
    verify: Annotated[bool, typer.Option("--verify", help="Read every file and check its checksum.")] = False,
) -> int:
    """Write a session with its memories into the archive; without one, list what is there."""
    from t2s.config import load_config
    from t2s.errors import ArchiveError
    from t2s.ledger import archives
    from t2s.ledger.sessions import get_session
    from t2s.memory import archive as archiver
    from t2s.render.table import print_facts
    from t2s.workspace import archive_place, memories_of

    place, damaged = archive_place(load_config()), 0
    with memories_of(None) as memories:
        if session:
            found = get_session(memories.ledger, session, user=memories.owner.user)
            sys.stdout.write(archiver.archive_session(memories.ledger, place, found) + "\n")
            did(memories, "archive", session=found.id)
            return 0
        rows = []
        for entry in archives.list_archives(memories.ledger, memories.owner.user):
            state = ""
            if verify:
                try:
                    archiver.read(place, entry.path)
                    state = "ok"
                except ArchiveError as e:
                    state, damaged = e.message, damaged + 1
            rows.append((entry.path, entry.memories, state))
    print_facts(sys.stdout, ("file", "memories", "checked"), rows, color=ctx.obj.color)
    return 1 if damaged else 0


@app.command(epilog="Example: t2s memory restore alice/shop/2026/11/20/1f3a.json.gz")
def restore(
    ctx: typer.Context,
    what: Annotated[str, typer.Argument(metavar="FILE|ID", help="A file of the archive, or a merged memory.")],
    db: options.Database = None,
) -> int:
    """Put back what is in a file of the archive, or a memory that was merged into another."""
    from t2s.config import load_config
    from t2s.memory import archive as archiver
    from t2s.memory import retain
    from t2s.workspace import archive_place, memories_of

    with memories_of(db) as memories:
        if what.endswith(".json.gz"):
            restored, known = archiver.restore(memories.ledger, memories.searcher, archive_place(load_config()), what)
        else:
            memory = find_memory(memories, what)
            if memory.merged_into is None:
                raise MemoryRefused(f"memory {memory.id[:8]} was not merged into another")
            retain.part(memories.ledger, memory)
            restored, known = 1, 0
        did(memories, "restore", what=what, count=restored)
        index_now(memories)
    sys.stderr.write(f"{restored} restored, {known} were there\n")
    return 0


def erase(terminal: Terminal, db: str | None, *, yes: bool) -> int:
    """Take away everything that is kept of the user: ledger, archives, cached answers, index."""
    import shutil

    from t2s.config import home, load_config
    from t2s.ledger import archives
    from t2s.ledger.personal import erase_user
    from t2s.memory.archive import remove
    from t2s.workspace import archive_place, memories_of

    with memories_of(db) as memories:
        user = memories.owner.user
        if not yes:
            if not terminal.interactive:
                raise UsageError("this cannot be undone", hint="say so with --yes")
            typer.confirm(f"Forget everything of {user}, also sessions, usage and archives?", abort=True, err=True)
        for entry in archives.list_archives(memories.ledger, user):
            remove(archive_place(load_config()), entry.path)
        removed = erase_user(memories.ledger, user)
        shutil.rmtree(home() / "cache", ignore_errors=True)
        memories.searcher.index.rebuild(memories.ledger, memories.searcher.embedder.name)
    sys.stderr.write(", ".join(f"{count} {table}" for table, count in removed.items()) + " removed\n")
    return 0


def _read(file: str) -> str:
    if file == "-":
        return read_stdin()
    try:
        return Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as e:
        raise UsageError(f"cannot read {file}: {getattr(e, 'strerror', None) or e}") from e
