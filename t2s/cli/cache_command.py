"""`t2s cache`: what is kept on disk so that it need not be asked for again."""

from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from t2s.cli import options

if TYPE_CHECKING:
    from t2s.caches import DiskCache
    from t2s.config import Config

app = typer.Typer(
    rich_markup_mode=None,
    add_completion=False,
    help="Look after what is kept on disk: models' answers, and schemas with values.",
    no_args_is_help=True,
)

Name = Literal["answers", "schemas"]
Which = Annotated[Name | None, typer.Argument(metavar="[answers|schemas]", help="Only this one.", show_default=False)]
REMEDY = "damaged entries are not used; t2s cache check --repair removes them"
HIT_DAYS = 30
"""The hit rate is that of so many days."""


@app.command(epilog="Example: t2s cache stats --json")
def stats(ctx: typer.Context, json: options.AsJson = False) -> int:
    """Show entries, sizes and limits, and how many calls kept answers made unnecessary."""
    from t2s.cli.envelopes import print_data
    from t2s.config import load_config
    from t2s.render.table import print_facts

    config = load_config()
    facts = {name: _facts(cache) for name, cache in _caches(config, None).items()}
    hits, calls = _hits(config)
    rate = hits / (hits + calls) if hits + calls else None
    if json:
        print_data({"caches": facts, "answers_hits": hits, "answers_asked": hits + calls, "hit_rate": rate})
        return 0
    rows = [
        (name, fact["entries"], _mb(fact["bytes"]), _mb(fact["max_bytes"]), _hours(fact["max_age_s"]), fact["folder"])
        for name, fact in facts.items()
    ]
    print_facts(sys.stdout, ("cache", "entries", "MB", "at most", "hours", "folder"), rows, color=ctx.obj.color)
    told = "nothing was asked" if rate is None else f"{hits:,} of {hits + calls:,} answers were kept ones ({rate:.0%})"
    sys.stderr.write(f"in {HIT_DAYS} days {told}\n")
    return 0


@app.command(epilog="Example: t2s cache clear answers")
def clear(cache: Which = None) -> int:
    """Take everything away; it is asked for or read anew when it is needed."""
    from t2s.config import load_config

    for name, one in _caches(load_config(), cache).items():
        count = one.clear()
        sys.stderr.write(f"{name}: {count:,} {'entry' if count == 1 else 'entries'} removed\n")
    return 0


@app.command(epilog="Example: t2s cache check --repair")
def check(
    cache: Which = None,
    repair: Annotated[bool, typer.Option("--repair", help="Remove what is damaged, expired or left over.")] = False,
    json: options.AsJson = False,
) -> int:
    """Compare every entry with its checksum; exit code 1 where one is damaged and stays."""
    from t2s.config import load_config

    counts: dict[str, Counter[str]] = {}
    damaged: list[str] = []
    for name, one in _caches(load_config(), cache).items():
        counts[name] = Counter()
        for entry in one.entries():
            counts[name][entry.state] += 1
            if entry.state == "damaged" and not repair:
                damaged.append(str(entry.path))
            if entry.state != "good" and repair:
                entry.path.unlink(missing_ok=True)
    if json:
        _print_checked({"caches": {name: dict(count) for name, count in counts.items()}, "damaged": damaged})
        return 1 if damaged else 0
    for name, count in counts.items():
        parts = [f"{number:,} {state}" for state, number in sorted(count.items(), key=lambda item: -item[1])]
        sys.stdout.write(f"{name}: {', '.join(parts) or 'empty'}{', removed all but the good' if repair else ''}\n")
    for path in damaged:
        sys.stdout.write(f"damaged: {path}\n")
    if damaged:
        sys.stderr.write(f"{REMEDY}\n")
    return 1 if damaged else 0


def _print_checked(data: dict[str, Any]) -> None:
    from t2s.cli.envelopes import print_data, print_envelope
    from t2s.render.envelope import error_envelope

    if not data["damaged"]:
        print_data(data)
        return
    said = f"{len(data['damaged'])} damaged"
    print_envelope(
        lambda request_id, ms: error_envelope(
            code="damaged", message=said, suggestion=REMEDY, request_id=request_id, ms=ms, data=data
        )
    )


def _caches(config: Config, name: Name | None) -> dict[str, DiskCache]:
    from t2s.database.cache import schema_cache
    from t2s.workspace.parts import answer_cache, schemas_place

    both = {"answers": answer_cache(config.settings), "schemas": schema_cache(schemas_place())}
    return both if name is None else {name: both[name]}


def _facts(cache: DiskCache) -> dict[str, Any]:
    count, size = cache.size()
    return {
        "entries": count,
        "bytes": size,
        "max_bytes": cache.max_bytes,
        "max_age_s": cache.max_age_s,
        "folder": str(cache.folder),
    }


def _hits(config: Config) -> tuple[int, int]:
    """How often a kept answer was there, and how often a model was asked for one."""
    from t2s.ledger import open_ledger
    from t2s.ledger.savings import savings
    from t2s.workspace import ledger_place

    ledger = open_ledger(ledger_place(config))
    try:
        rows = ledger.usage("purpose", days=HIT_DAYS)
        hits = savings(ledger, days=HIT_DAYS)["cache"].calls
    finally:
        ledger.close()
    return hits, sum(row.calls - row.errors for row in rows if row.key in ("generate", "repair"))


def _mb(size: int) -> str:
    return f"{size / 1e6:,.1f}"


def _hours(seconds: float) -> str:
    return f"{seconds / 3600:g}"
