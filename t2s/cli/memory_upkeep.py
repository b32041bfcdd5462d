"""The part of `t2s memory` that keeps the memory in order."""

from __future__ import annotations

import sys
import time
from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from t2s.cli import options
from t2s.cli.memories import did, find_memory, index_now, notice

if TYPE_CHECKING:
    from t2s.memory.extract import Extractor

app = typer.Typer()


@app.command(epilog="Example: t2s memory stats --json")
def stats(ctx: typer.Context, db: options.Database = None, json: options.AsJson = False) -> int:
    """Count memories by kind and layer, and tell how far the index is behind."""
    from t2s.cli.envelopes import print_data
    from t2s.errors import IndexUnavailable
    from t2s.ledger import memories as store
    from t2s.render.table import print_facts
    from t2s.workspace import memories_of

    with memories_of(db) as memories:
        owner, searcher = memories.owner, memories.searcher
        seen_by = store.visible(user=owner.user, datasource=owner.datasource)
        known = store.listed(memories.ledger, seen_by, kinds=(), dead_too=False, limit=None)
        try:
            behind = searcher.index.behind(memories.ledger, searcher.embedder.name)
        except IndexUnavailable:
            behind = None
    rows = [(*key, count) for key, count in sorted(Counter((m.kind, m.layer) for m in known).items())]
    stale = sum(memory.stale is not None for memory in known)
    if json:
        kinds = [{"kind": kind, "layer": layer, "memories": count} for kind, layer, count in rows]
        print_data({"memories": kinds, "stale": stale, "embedder": searcher.embedder.name, "index_behind": behind})
        return 0
    print_facts(sys.stdout, ("kind", "layer", "memories"), rows, color=ctx.obj.color)
    told = "to be made" if behind is None else "up to date" if behind == 0 else f"{behind} changes behind"
    sys.stderr.write(f"{len(known)} memories, {stale} stale; embedder {searcher.embedder.name}; index {told}\n")
    return 0


@app.command(epilog="Example: t2s memory growth")
def growth(ctx: typer.Context, db: options.Database = None, json: options.AsJson = False) -> int:
    """Show how many memories were made on each day."""
    from t2s.cli.envelopes import print_data
    from t2s.ledger import memories as store
    from t2s.memory import retain
    from t2s.render.table import print_facts
    from t2s.workspace import memories_of

    with memories_of(db) as memories:
        seen_by = store.visible(user=memories.owner.user, datasource=memories.owner.datasource)
        days = retain.growth(store.listed(memories.ledger, seen_by, kinds=(), dead_too=True, limit=None))
    if json:
        print_data([{"day": day, **layers} for day, layers in days])
        return 0
    rows = [(day, layers["long"], layers["medium"], layers["short"], sum(layers.values())) for day, layers in days]
    print_facts(sys.stdout, ("day", "long", "medium", "short", "in all"), rows, color=ctx.obj.color)
    return 0


@app.command(epilog="Example: t2s memory promote 1f3a")
def promote(
    ctx: typer.Context,
    ids: Annotated[list[str] | None, typer.Argument(metavar="[ID...]", show_default=False)] = None,
    db: options.Database = None,
) -> int:
    """Keep these memories for long; without one, move up whatever has earned it."""
    from t2s.ledger import memories as store
    from t2s.memory import retain
    from t2s.workspace import memories_of

    with memories_of(db) as memories:
        if ids:
            moved = tuple(retain.mark(memories.ledger, find_memory(memories, prefix)) for prefix in ids)
        else:
            moved = retain.promote(memories.ledger, store.find(memories.ledger, user=memories.owner.user))
        did(memories, "promote", count=len(moved))
    sys.stderr.write(f"{len(moved)} promoted\n")
    return 0


@app.command(epilog="Example: t2s memory consolidate")
def consolidate(ctx: typer.Context, db: options.Database = None) -> int:
    """Merge memories that say the same; `memory restore ID` takes that back."""
    from t2s.memory import retain
    from t2s.memory.memories import embed_missing
    from t2s.render.clean import clean
    from t2s.workspace import memories_of

    with memories_of(db) as memories:
        embed_missing(memories)
        merged = retain.consolidate(memories.ledger, memories.searcher.embedder.name)
        did(memories, "consolidate", count=len(merged))
        index_now(memories)
    for memory, into in merged:
        sys.stdout.write(f"{memory.id[:8]} into {into.id[:8]}: {clean(' '.join(memory.content.split())[:100])}\n")
    sys.stderr.write(f"{len(merged)} merged\n")
    return 0


@app.command(epilog="Example: t2s memory prune")
def prune(ctx: typer.Context, db: options.Database = None) -> int:
    """Move what is past its retention, or too much, into the archive."""
    from t2s.config import load_config
    from t2s.memory import archive, retain
    from t2s.workspace import archive_place, memories_of

    with memories_of(db) as memories:
        place = archive_place(load_config())
        old, surplus = retain.prune(memories.ledger, lambda known: archive.archive(memories.ledger, place, known))
        did(memories, "prune", expired=old, surplus=surplus)
        index_now(memories)
    sys.stderr.write(f"{old} expired and {surplus} surplus memories archived\n")
    return 0


@app.command(epilog="Example: t2s memory reindex")
def reindex(ctx: typer.Context, db: options.Database = None) -> int:
    """Embed what the embedder has not seen, and make the index anew from the ledger."""
    from t2s.memory.memories import embed_missing
    from t2s.workspace import memories_of

    with memories_of(db) as memories:
        made = embed_missing(memories, limit=1_000_000)
        count = memories.searcher.index.rebuild(memories.ledger, memories.searcher.embedder.name)
    sys.stderr.write(f"{count} memories in the index, {made} embedded anew\n")
    return 0


@app.command(epilog="Example: t2s memory tasks --retry 5c")
def tasks(
    ctx: typer.Context,
    retry: Annotated[str | None, typer.Option(metavar="ID", help="Make a failed task due again.")] = None,
    json: options.AsJson = False,
) -> int:
    """List the memory's tasks, those that failed for good too."""
    from t2s.cli.envelopes import print_data
    from t2s.ledger import tasks as queue
    from t2s.render.table import print_facts
    from t2s.workspace import memories_of

    with memories_of(None) as memories:
        user = memories.owner.user
        if retry:
            queue.retry(memories.ledger, user, retry)
        known = queue.listed(memories.ledger, user=user)
    if json:
        print_data([asdict(task) for task in known])
        return 0
    rows = [
        (t.id[:8], t.kind, t.status, t.attempts, time.strftime("%Y-%m-%d %H:%M", time.localtime(t.created)), t.error)
        for t in known
    ]
    if not rows:
        sys.stderr.write("no tasks\n")
        return 0
    print_facts(sys.stdout, ("id", "kind", "status", "attempts", "made", "error"), rows, color=ctx.obj.color)
    return 0


@app.command(epilog="Example: t2s memory work --model local")
def work(ctx: typer.Context, db: options.Database = None, model: options.Model = None) -> int:
    """Do the tasks that are due: summaries, preferences, archives, embeddings; by the model where there is one."""
    from t2s.config import home
    from t2s.memory import work as worker
    from t2s.memory.memories import embed_missing
    from t2s.workspace import Workspace, archive_place

    failed = done = 0
    with Workspace.open(db, flags={"model": model}, on_event=notice) as ws:
        if ws.recollection is None:
            sys.stderr.write("the memory is switched off\n")
            return 0
        memories = ws.recollection.memories
        worker.take_spooled(memories.ledger, home() / "tasks.jsonl")
        embed_missing(memories)
        for task in worker.work(memories, extract=_extractor(ws), archive=archive_place(ws.config)):
            done += task.status == "completed"
            failed += task.status != "completed"
            sys.stdout.write(f"{task.id[:8]} {task.kind} {task.status}{': ' + task.error if task.error else ''}\n")
        index_now(memories)
    sys.stderr.write(f"{done} done, {failed} failed\n")
    return 1 if failed else 0


def _extractor(ws: object) -> Extractor:
    """By the workspace's model, or by rules where that is the local one."""
    import uuid

    from t2s.memory.extract import extract_by_model, extract_by_rules
    from t2s.workspace import LOCAL, Workspace

    assert isinstance(ws, Workspace)
    if ws.model == LOCAL:
        return extract_by_rules
    settings = ws.config.settings.provider
    return extract_by_model(ws.llm(str(uuid.uuid4())), ws.model, settings.max_output_tokens)
