"""Everything that an answer needs, looked at part by part: each with a verdict and a remedy."""

from __future__ import annotations

import os
import shutil
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from t2s.config import config_path, home
from t2s.errors import IndexUnavailable, T2SError
from t2s.types.event import ignore
from t2s.types.memory import Owner
from t2s.workspace.parts import LOCAL, archive_place, chosen_model, connect, ledger_place, open_memories

if TYPE_CHECKING:
    from t2s.config import Config
    from t2s.ledger.store import Ledger
    from t2s.llm.lookup import Known
    from t2s.memory.memories import Memories

OLD_PRICES_DAYS = 60
LITTLE_DISK_MB = 200
CLOCK_OFF_S = 60.0
FAR_BEHIND = 1_000
"""Changes that the index has not taken over yet; a few are usual."""

Verdict = Literal["ok", "warning", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What was looked at, how it is, and what to do about it."""

    subject: str
    verdict: Verdict = "ok"
    detail: str
    remedy: str = ""


def findings(config: Config, target: str | None, *, online: bool) -> Iterator[Finding]:
    """Every part in turn; with `online` the services are asked, too, which costs nothing."""
    model = chosen_model(config, ignore)
    yield _settings(config)
    yield _key(config, model)
    yield _model(config, model)
    known: Known | None = None
    if online and model != LOCAL and not model.startswith("replay:"):
        finding, known = _service(config, model)
        yield finding
    yield _prices()
    yield _tried("database", lambda: _database(config, target))
    yield from _of_ledger(config, online=online)
    yield _archive(config)
    yield _clock(known)
    yield _disk()
    yield _permissions(config)
    yield _telemetry()


def _tried(subject: str, look: Callable[[], Finding]) -> Finding:
    try:
        return look()
    except T2SError as e:
        return Finding(subject=subject, verdict="failed", detail=e.message, remedy=e.hint or "")


def _settings(config: Config) -> Finding:
    if config.warnings:
        detail, remedy = "; ".join(config.warnings), "t2s config show lists all settings"
        return Finding(subject="settings", verdict="warning", detail=detail, remedy=remedy)
    found = "" if config.path.exists() else " (not there: defaults)"
    return Finding(subject="settings", detail=f"{config.path}{found}")


def _key(config: Config, model: str) -> Finding:
    """Where the key comes from, never what it is."""
    if model == LOCAL or model.startswith("replay:"):
        remedy = "" if config.settings.model else "set ANTHROPIC_API_KEY for a model service"
        return Finding(subject="key", detail=f"{model.partition(':')[0]} needs none", remedy=remedy)
    compatible = model.startswith("openai:")
    setting, variable = ("openai_api_key", "OPENAI_API_KEY") if compatible else ("api_key", "ANTHROPIC_API_KEY")
    key = getattr(config.settings.provider, setting)
    if key is None or not key.get_secret_value().strip():
        verdict: Verdict = "warning" if compatible else "failed"
        own = ", which a service of your own need not have" if compatible else ""
        return Finding(subject="key", verdict=verdict, detail=f"no key{own}", remedy=f"set {variable}")
    source = config.sources.get(f"provider.{setting}", "default")
    if source == str(config.path):
        remedy = f"keys do not belong in the config file: set {variable}"
        return Finding(subject="key", verdict="warning", detail=f"it stands in {source}", remedy=remedy)
    return Finding(subject="key", detail=f"from {source}")


def _model(config: Config, model: str) -> Finding:
    """The chosen model and the economical one; one that ends is named with its end."""
    from t2s.llm import model_info
    from t2s.llm.prices import price_of

    ending = [
        (name, info.ends)
        for name in dict.fromkeys((model, config.settings.budget.economical_model))
        if (info := model_info(name)) is not None and info.ends is not None
    ]
    if ending:
        gone = any(name == model and ends < date.today() for name, ends in ending)
        told = "; ".join(f"{name} {'ended' if ends < date.today() else 'ends'} on {ends}" for name, ends in ending)
        verdict: Verdict = "failed" if gone else "warning"
        return Finding(subject="model", verdict=verdict, detail=told, remedy="choose another: t2s models")
    free = model == LOCAL or model.startswith("replay:")
    if not free and price_of(model, 0, config.settings.prices) is None:
        remedy = f'give it a price: [prices."{model}"]'
        return Finding(subject="model", verdict="warning", detail=f"{model} has no known price", remedy=remedy)
    return Finding(subject="model", detail=model)


def _service(config: Config, model: str) -> tuple[Finding, Known | None]:
    from t2s.llm.lookup import look_up

    try:
        known = look_up(model, config.settings.provider)
    except T2SError as e:
        return Finding(subject="service", verdict="failed", detail=e.message, remedy=e.hint or ""), None
    if known.ends is not None:
        remedy, detail = "choose another: t2s models", f"{model} ends on {known.ends}, says the service"
        return Finding(subject="service", verdict="warning", detail=detail, remedy=remedy), known
    return Finding(subject="service", detail=f"it takes the key and knows {model}"), known


def _prices() -> Finding:
    from t2s.llm.prices import prices_checked

    age = (date.today() - prices_checked()).days
    old = age > OLD_PRICES_DAYS
    return Finding(
        subject="prices",
        verdict="warning" if old else "ok",
        detail=f"checked on {prices_checked()}, {age} {'day' if age == 1 else 'days'} ago",
        remedy="update t2s, or set prices of your own" if old else "",
    )


def _database(config: Config, target: str | None) -> Finding:
    with closing(connect(config, target)) as database:
        tables = len(database.schema().tables)
        detail = f"{database.name}: {database.dialect}, {tables} tables, privacy {database.privacy}"
        if risk := database.risk():
            return Finding(subject="database", verdict="warning", detail=f"{detail}; {risk[0]}", remedy=risk[1])
    return Finding(subject="database", detail=detail)


def _of_ledger(config: Config, *, online: bool) -> Iterator[Finding]:
    """The ledger and what hangs on it."""
    from t2s.ledger import open_ledger

    try:
        ledger = open_ledger(ledger_place(config))
    except T2SError as e:
        remedy = e.hint or "t2s goes on without it, and keeps nothing; T2S_LEDGER names another place"
        yield Finding(subject="ledger", verdict="failed", detail=e.message, remedy=remedy)
        return
    with closing(ledger):
        yield from _examined(ledger)
        owner = Owner(user=config.settings.user, session_id="", datasource="")
        memories = open_memories(config, ledger, owner, ignore)
        try:
            yield _tried("embedder", lambda: _embedder(memories, online=online))
            yield _tried("store", lambda: _store(memories))
        finally:
            memories.searcher.index.close()


def _examined(ledger: Ledger) -> Iterator[Finding]:
    from t2s.ledger.health import examine

    try:
        health = examine(ledger)
    except T2SError as e:
        yield Finding(subject="ledger", verdict="failed", detail=e.message, remedy="restore it from a backup")
        return
    size = f", {health.size_mb:,.1f} MB" if health.size_mb is not None else ""
    if health.problem:
        detail = f"{ledger.place} is damaged: {health.problem}"
        yield Finding(subject="ledger", verdict="failed", detail=detail, remedy="restore it from a backup")
    elif health.ahead_s > CLOCK_OFF_S:
        detail = f"{ledger.place}: this machine's clock is {health.ahead_s:,.0f} s off what the ledger has seen"
        yield Finding(subject="ledger", verdict="warning", detail=detail, remedy="set the clock: budgets go by its day")
    else:
        yield Finding(subject="ledger", detail=f"{ledger.place}{size}")
    if health.dead_tasks:
        detail, remedy = f"{health.dead_tasks} tasks have failed for good", "t2s memory tasks shows why"
        yield Finding(subject="tasks", verdict="warning", detail=detail, remedy=remedy)
    else:
        yield Finding(subject="tasks", detail="none has failed for good")


def _embedder(memories: Memories, *, online: bool) -> Finding:
    embedder = memories.searcher.embedder
    if embedder.name.startswith("openai:") and not online:
        return Finding(subject="embedder", detail=f"{embedder.name} (not asked: --online does)")
    (vector,) = embedder.embed(["How many orders are there?"])
    return Finding(subject="embedder", detail=f"{embedder.name}, {len(vector)} dimensions")


def _store(memories: Memories) -> Finding:
    index, embedder = memories.searcher.index, memories.searcher.embedder
    if "://" not in index.place and not Path(index.place).exists():
        return Finding(subject="store", detail=f"{index.place} is made when there is something to keep")
    try:
        behind = index.behind(memories.ledger, embedder.name)
    except IndexUnavailable as e:
        detail = f"{e.message}; memories are found in the ledger meanwhile"
        return Finding(subject="store", verdict="warning", detail=detail, remedy=e.hint or "t2s memory reindex")
    if behind is None:
        detail = f"{index.place} is not made for {embedder.name}"
        return Finding(subject="store", verdict="warning", detail=detail, remedy="t2s memory reindex")
    verdict: Verdict = "warning" if behind > FAR_BEHIND else "ok"
    remedy = "t2s memory reindex" if verdict == "warning" else ""
    return Finding(subject="store", verdict=verdict, detail=f"{index.place}, {behind:,} changes behind", remedy=remedy)


def _archive(config: Config) -> Finding:
    """Whether what expires can be written away; in a place that is not a folder of this machine nothing is tried."""
    from t2s.database.connection import masked

    place = archive_place(config)
    if "://" in place and not place.startswith("file://"):
        from importlib.util import find_spec

        needed = {"s3": "s3fs", "gs": "gcsfs", "gcs": "gcsfs", "abfs": "adlfs", "az": "adlfs"}.get(
            place.split("://")[0]
        )
        if needed and find_spec(needed) is None:
            remedy = f"pip install {needed}"
            return Finding(subject="archive", verdict="failed", detail=f"{masked(place)} wants {needed}", remedy=remedy)
        return Finding(subject="archive", detail=f"{masked(place)} (not tried)")
    folder = Path(place.removeprefix("file://"))
    there = _nearest(folder)
    if not there.is_dir() or not os.access(there, os.W_OK):
        detail, remedy = f"{folder} cannot be written", "memory.archive names another place"
        return Finding(subject="archive", verdict="failed", detail=detail, remedy=remedy)
    return Finding(subject="archive", detail=str(folder))


def _clock(known: Known | None) -> Finding:
    """Against the service's clock where it was asked, else only whether the day is possible at all."""
    from t2s.llm.prices import prices_checked

    zone = time.strftime("%Y-%m-%d %H:%M %Z")
    if date.today() < prices_checked():
        detail, remedy = f"{zone} is before this t2s was made", "set the clock: budgets go by its day"
        return Finding(subject="clock", verdict="failed", detail=detail, remedy=remedy)
    if known is None or known.at is None:
        return Finding(subject="clock", detail=zone)
    off = time.time() - known.at.timestamp()
    if abs(off) > CLOCK_OFF_S:
        detail = f"{zone} is {abs(off):,.0f} s {'ahead of' if off > 0 else 'behind'} the service's clock"
        return Finding(subject="clock", verdict="warning", detail=detail, remedy="set the clock")
    return Finding(subject="clock", detail=f"{zone}, as the service's")


def _disk() -> Finding:
    free = shutil.disk_usage(_nearest(home())).free // 1_000_000
    if free < LITTLE_DISK_MB:
        remedy = "make room, or set T2S_HOME"
        return Finding(subject="disk", verdict="warning", detail=f"{home()}: {free:,} MB free", remedy=remedy)
    return Finding(subject="disk", detail=f"{home()}: {free:,} MB free")


def _permissions(config: Config) -> Finding:
    """What holds questions or keys is its owner's alone."""
    private = [home(), config_path()]
    if any(path.endswith("api_key") and source.endswith(".env") for path, source in config.sources.items()):
        private.append(Path.cwd() / ".env")
    if "://" not in ledger_place(config):
        private.append(Path(ledger_place(config)))
    foreign = [path for path in private if path.exists() and not os.access(path, os.R_OK | os.W_OK)]
    if foreign:
        detail = f"{', '.join(map(str, foreign))} cannot be read and written"
        return Finding(subject="permissions", verdict="failed", detail=detail, remedy="whose are they? ls -l")
    within = _open_to_others(home())
    bare = [p for p in private if p.exists() and _open_to_others(p) and (within or home() not in p.parents)]
    if bare:
        remedy = f"chmod go= {' '.join(map(str, bare))}"
        detail = f"others can read {', '.join(map(str, bare))}"
        return Finding(subject="permissions", verdict="warning", detail=detail, remedy=remedy)
    return Finding(subject="permissions", detail="nobody else can read what is kept")


def _telemetry() -> Finding:
    from t2s.monitor.telemetry import telemetry

    said: list[str] = []
    wanted = telemetry(lambda event: said.append(getattr(event, "message", "")))
    if said:
        return Finding(subject="telemetry", verdict="warning", detail=said[0], remedy="or unset OTEL_*")
    return Finding(subject="telemetry", detail="goes to the collector that OTEL_* names" if wanted else "not wanted")


def _open_to_others(path: Path) -> bool:
    return path.exists() and bool(stat.S_IMODE(path.stat().st_mode) & (stat.S_IRWXG | stat.S_IRWXO))


def _nearest(path: Path) -> Path:
    """The path, or the nearest folder above that is there."""
    while not path.exists() and path != path.parent:
        path = path.parent
    return path
