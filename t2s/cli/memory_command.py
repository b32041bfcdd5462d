"""`t2s memory`: teach t2s, and look at what it knows."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Annotated

import typer

from t2s.cli import memory_files, memory_upkeep, options
from t2s.cli.memories import did, find_memory, index_now, memory_data, print_memories, with_schema
from t2s.errors import UsageError

if TYPE_CHECKING:
    from t2s.types.memory import Kind

app = typer.Typer(
    rich_markup_mode=None,
    add_completion=False,
    help="Teach t2s, and look after what it remembers.",
    no_args_is_help=True,
)

MIN_RELEVANCE = 0.05
"""What a search finds below it has a few letters in common with the words, and no more."""
SEARCH_TIMEOUT_S = 10.0

Kinds = Annotated[list[str] | None, typer.Option("--kind", help="Only this kind; may be given again.")]
Run = Annotated[
    str | None, typer.Argument(metavar="[RUN]", help="The answer's id; without it the last one.", show_default=False)
]
Why = Annotated[str, typer.Option("--why", metavar="TEXT", help="What was wrong.")]


@app.command(epilog="Example: t2s memory add \"active customer = customers.status = 'active'\" -d shop.duckdb")
def add(
    ctx: typer.Context,
    text: Annotated[
        str | None, typer.Argument(help="TERM = DEFINITION, or how you like answers.", show_default=False)
    ] = None,
    db: options.Database = None,
    note: Annotated[
        str | None, typer.Option(metavar="NAME", help="TEXT is about this table or table.column.", show_default=False)
    ] = None,
    question: Annotated[str | None, typer.Option(metavar="Q", help="A question to know the answer of.")] = None,
    sql: Annotated[str | None, typer.Option(metavar="SQL", help="The SQL that answers it.")] = None,
    wrong: Annotated[str | None, typer.Option(metavar="SQL", help="SQL that does not answer it.")] = None,
    why: Why = "",
    golden: Annotated[bool, typer.Option("--golden", help="You vouch for the SQL.")] = False,
    json: options.AsJson = False,
) -> int:
    """Remember a word of the glossary, a preference, a note on a column, a verified query or a correction."""
    from t2s.cli.envelopes import print_data
    from t2s.config import load_config
    from t2s.memory import remember
    from t2s.render.clean import clean

    if not load_config().settings.memory.conscious:
        raise UsageError("remembering is switched off", hint="set memory.conscious to true")
    now = time.time()
    with with_schema(db) as (memories, schema):
        owner = memories.owner
        if question and wrong:
            memory = remember.correction(owner, question, wrong, sql, why, schema, now=now)
        elif question and sql:
            memory = remember.query(owner, question, sql, schema, state="golden" if golden else "accepted", now=now)
        elif question or sql or wrong:
            raise UsageError("a query to remember needs --question and --sql", hint="or --question and --wrong")
        elif note and text:
            memory = remember.note(owner, note, text, schema, now=now)
        elif text:
            memory = remember.told(owner, text, schema, now=now)
        else:
            raise UsageError("there is nothing to remember", hint="t2s memory add 'TERM = DEFINITION'")
        kept = remember.keep(memories, memory, now)
        did(memories, "remember", kind=kept.kind, content=kept.content)
        index_now(memories)
    if json:
        print_data(memory_data(kept))
    elif not ctx.obj.quiet:
        known = "" if kept.id == memory.id else "known already: "
        sys.stdout.write(f"{known}{kept.kind} {kept.id[:8]}: {clean(' '.join(kept.content.split()))}\n")
    return 0


@app.command(epilog="Example: t2s memory good")
def good(
    ctx: typer.Context,
    run: Run = None,
    db: options.Database = None,
    golden: Annotated[bool, typer.Option("--golden", help="You vouch for it.")] = False,
) -> int:
    """Accept an answer: its SQL is a verified query from now on."""
    from t2s.memory import feedback
    from t2s.render.clean import clean

    with with_schema(db) as (memories, schema):
        turn = feedback.latest_turn(memories, run)
        kept = feedback.accept(memories, turn, schema, state="golden" if golden else "accepted")
        did(memories, "accept", question=turn.question, run_id=turn.run_id)
        index_now(memories)
    sys.stdout.write(f"{kept.state} {kept.id[:8]}: {clean(kept.data['question'])}\n")
    return 0


@app.command(epilog="Example: t2s memory bad --why 'cancelled orders do not count' --sql 'SELECT …'")
def bad(
    ctx: typer.Context,
    run: Run = None,
    db: options.Database = None,
    sql: Annotated[str | None, typer.Option(metavar="SQL", help="The right SQL.")] = None,
    why: Why = "",
) -> int:
    """Correct an answer: its SQL will not answer that question again."""
    from t2s.memory import feedback
    from t2s.render.clean import clean

    with with_schema(db) as (memories, schema):
        turn = feedback.latest_turn(memories, run)
        kept = feedback.correct(memories, turn, schema, right=sql, why=why)
        did(memories, "correct", question=turn.question, run_id=turn.run_id, why=why)
        index_now(memories)
    sys.stdout.write(f"correction {kept.id[:8]}: {clean(kept.data['question'])}\n")
    return 0


@app.command("list", epilog="Example: t2s memory list --kind glossary --kind correction")
def list_(
    ctx: typer.Context,
    db: options.Database = None,
    kind: Kinds = None,
    all_: Annotated[bool, typer.Option("--all", help="Also superseded, merged and expired ones, and tables.")] = False,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1)] = 100,
    json: options.AsJson = False,
) -> int:
    """List what is remembered: your own, and what all know of the database."""
    from t2s.cli.envelopes import print_data
    from t2s.ledger import memories as store
    from t2s.memory.recall import is_table
    from t2s.workspace import memories_of

    with memories_of(db) as memories:
        owner = memories.owner
        seen_by = store.visible(user=owner.user, datasource=owner.datasource)
        known = store.listed(memories.ledger, seen_by, kinds=_kinds(kind), dead_too=all_, limit=None)
    known = tuple(memory for memory in known if all_ or kind or not is_table(memory))
    if json:
        print_data([memory_data(memory) for memory in known[:limit]])
        return 0
    if not known:
        sys.stderr.write("nothing is remembered yet: t2s memory add 'TERM = DEFINITION'\n")
        return 0
    print_memories(known[:limit], ctx.obj)
    if len(known) > limit:
        sys.stderr.write(f"{len(known) - limit} more: --limit {len(known)}\n")
    return 0


def _kinds(words: list[str] | None) -> tuple[Kind, ...]:
    """The kinds of memories that the words name; raises `UsageError`."""
    from t2s.memory.score import BASE

    for word in words or ():
        if word not in BASE:
            raise UsageError(f"there is no kind {word!r} of memories", hint=f"the kinds are {', '.join(BASE)}")
    return tuple(kind for kind in BASE if kind in (words or ()))


@app.command(epilog="Example: t2s memory search 'who counts as active'")
def search(
    ctx: typer.Context,
    text: str,
    db: options.Database = None,
    kind: Kinds = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1)] = 10,
    json: options.AsJson = False,
) -> int:
    """Find memories by words and meaning."""
    from t2s.cli.envelopes import print_data
    from t2s.cli.memories import notice
    from t2s.ledger import memories as store
    from t2s.memory.recall import is_table
    from t2s.types.event import Notice
    from t2s.workspace import memories_of

    with memories_of(db) as memories:
        owner = memories.owner
        seen_by = store.visible(user=owner.user, datasource=owner.datasource)
        scopes = store.scopes(memories.ledger, seen_by, kinds=_kinds(kind))
        found = memories.searcher.search(text, scopes, k=limit, timeout=SEARCH_TIMEOUT_S)
    for missing in found.missing:
        notice(Notice(message=f"not all was searched: {missing}"))
    hits = [(m, score) for m, score in found.memories if score >= MIN_RELEVANCE and (kind or not is_table(m))][:limit]
    if json:
        print_data([{**memory_data(memory), "relevance": round(score, 3)} for memory, score in hits])
        return 0
    print_memories([memory for memory, _ in hits], ctx.obj, [f"{score:.2f}" for _, score in hits])
    if not hits:
        sys.stderr.write("nothing was found\n")
    return 0


@app.command(epilog="Example: t2s memory show 1f3a")
def show(ctx: typer.Context, id_: Annotated[str, typer.Argument(metavar="ID")], db: options.Database = None) -> int:
    """Show one memory with all that is known of it, as JSON."""
    from t2s.cli.envelopes import print_data
    from t2s.workspace import memories_of

    with memories_of(db) as memories:
        print_data(memory_data(find_memory(memories, id_)))
    return 0


@app.command(epilog="Example: t2s memory forget 1f3a")
def forget(
    ctx: typer.Context,
    ids: Annotated[list[str] | None, typer.Argument(metavar="[ID...]", show_default=False)] = None,
    db: options.Database = None,
    everything: Annotated[
        bool, typer.Option("--everything", help="All that is kept of you: memories, sessions, usage, archives.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> int:
    """Forget memories (into the archive), or everything that is kept of you (for good)."""
    from t2s.config import load_config
    from t2s.ledger import memories as store
    from t2s.memory import archive
    from t2s.workspace import archive_place, memories_of

    if everything:
        return memory_files.erase(ctx.obj, db, yes=yes)
    if not ids:
        raise UsageError("which memory?", hint="t2s memory forget ID, or --everything")
    with memories_of(db) as memories:
        known = [find_memory(memories, prefix) for prefix in ids]
        archive.archive(memories.ledger, archive_place(load_config()), known)
        store.remove(memories.ledger, [memory.id for memory in known])
        for memory in known:
            did(memories, "forget", kind=memory.kind, content=memory.content)
        index_now(memories)
    sys.stderr.write(f"{len(known)} forgotten\n")
    return 0


for module in (memory_upkeep, memory_files):
    app.registered_commands += module.app.registered_commands
