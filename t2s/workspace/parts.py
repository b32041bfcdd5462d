"""The parts of a workspace, each built from the settings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from t2s.config import Config, home, load_config, own_home
from t2s.errors import LedgerError
from t2s.types.event import Event, Notice, ignore
from t2s.types.memory import Owner

if TYPE_CHECKING:
    from t2s.caches import DiskCache
    from t2s.database import Connection
    from t2s.ledger import Limits
    from t2s.ledger.store import Ledger
    from t2s.memory.memories import Memories
    from t2s.settings import Settings
    from t2s.types.database import Database

LOCAL = "local"
"""The model that needs no service."""

SAMPLE = "sample"
"""The database that is there when none is named."""

LOCAL_TABLES = 60
"""The local generator pays nothing for a table, but its time grows with them."""

Listener = Callable[[Event], None]


def connections(config: Config) -> dict[str, Connection]:
    """The named connections of the settings."""
    from t2s.database import Connection

    return {
        name: Connection(name=name, url=entry.url, privacy=entry.privacy or config.settings.privacy, configured=True)
        for name, entry in config.settings.connections.items()
    }


def resolve(config: Config, target: str | None) -> Connection:
    """What `target` names: a connection, a URL or files; without it the default, else the sample."""
    from t2s.database import Connection, resolve_connection
    from t2s.database.sample import sample_path

    named = connections(config)
    wanted = target or config.settings.db or SAMPLE
    if wanted == SAMPLE and SAMPLE not in named:
        url = f"duckdb:///{sample_path(own_home() / 'sample')}"
        return Connection(name=SAMPLE, url=url, privacy=config.settings.privacy, configured=True)
    connection = resolve_connection(wanted, named, cwd=Path.cwd())
    return connection if connection.configured else replace(connection, privacy=config.settings.privacy)


def connect(config: Config, target: str | None) -> Database:
    """Open what `target` names; see `resolve`."""
    from t2s.database import open_database

    return open_database(resolve(config, target), cache_dir=schemas_place())


def schemas_place() -> Path:
    """The folder where schemas are kept."""
    return own_home() / "schemas"


def record(config: Config, on_event: Listener) -> Ledger:
    """Open the ledger; where that fails this process keeps one in memory, and says so."""
    from t2s.ledger import open_ledger

    try:
        return open_ledger(ledger_place(config))
    except LedgerError as e:
        on_event(Notice(message=f"{e.message}; nothing of this session will be kept"))
        return open_ledger(":memory:")


def limits_of(settings: Settings) -> Limits:
    """What the settings allow to spend."""
    from t2s.ledger import Limits, Pace

    budget = settings.budget.model_dump(exclude={"economise", "economical_model", "scarce_share"})
    return Limits(**budget, pace=Pace(**settings.pace.model_dump()))


def answer_cache(settings: Settings) -> DiskCache:
    """Models' answers on disk, for all processes."""
    from t2s.caches import DiskCache

    limits = settings.cache
    folder = home() / "cache"
    return DiskCache(folder=folder, max_age_s=limits.max_age_h * 3600, max_bytes=int(limits.max_mb * 1_000_000))


def chosen_model(config: Config, on_event: Listener) -> str:
    """The model of the settings, else Claude where there is a key, else `local`, said once."""
    from t2s.llm import DEFAULT_MODEL

    settings = config.settings
    if settings.model:
        return settings.model
    if settings.provider.api_key:
        return DEFAULT_MODEL
    on_event(Notice(message="no ANTHROPIC_API_KEY: answering with the local generator"))
    return LOCAL


def open_memories(config: Config, ledger: Ledger, owner: Owner, on_event: Listener) -> Memories:
    """The memory of an owner, over an open ledger."""
    from t2s.memory.embed import build_embedder
    from t2s.memory.index import Index
    from t2s.memory.memories import Memories
    from t2s.memory.search import Searcher

    settings, provider = config.settings.memory, config.settings.provider
    key = provider.openai_api_key
    embedder = build_embedder(
        settings.embedder,
        base_url=provider.openai_base_url,
        api_key=key.get_secret_value() if key else None,
        timeout=settings.embed_timeout_s,
    )
    index = Index(settings.index or str(home() / "index"), home())
    searcher = Searcher(ledger=ledger, embedder=embedder, index=index)
    return Memories(ledger=ledger, searcher=searcher, owner=owner, on_event=on_event)


def archive_place(config: Config) -> str:
    """Where archives go: a folder, or any address that fsspec knows."""
    return config.settings.memory.archive or str(home() / "archive")


@contextmanager
def memories_of(target: str | None, on_event: Listener = ignore) -> Iterator[Memories]:
    """The memory of a database, which is not opened for it; raises `LedgerError` where there is no ledger."""
    from t2s.ledger import open_ledger

    config = load_config()
    connection = resolve(config, target)
    ledger = open_ledger(ledger_place(config))
    owner = Owner(user=config.settings.user, session_id="", datasource=connection.identity)
    memories = open_memories(config, ledger, owner, on_event)
    try:
        yield memories
    finally:
        memories.searcher.index.close()
        ledger.close()


def ledger_place(config: Config) -> str:
    """Where the ledger is: a file, or a server's URL."""
    return config.settings.ledger or str(own_home() / "ledger.db")
