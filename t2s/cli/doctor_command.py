"""`t2s doctor`: everything that an answer needs, each with a verdict and a remedy."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import date
from typing import TYPE_CHECKING, Literal

import typer

from t2s.cli import options
from t2s.cli.terminal import Terminal
from t2s.errors import T2SError

if TYPE_CHECKING:
    from t2s.config import Config

app = typer.Typer(rich_markup_mode=None, add_completion=False)

OLD_PRICES_DAYS = 60
LITTLE_DISK_MB = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What was looked at, how it is, and what to do about it."""

    subject: str
    verdict: Literal["ok", "warning", "failed"]
    detail: str
    remedy: str = ""


@app.command(epilog="Example: t2s doctor --db warehouse --json")
def doctor(ctx: typer.Context, db: options.Database = None, json: options.AsJson = False) -> int:
    """Check key, database, ledger and disk, with remedies; exit code 1 when something failed."""
    from t2s.cli.envelopes import print_data
    from t2s.config import load_config
    from t2s.render.table import print_facts

    terminal: Terminal = ctx.obj
    config = load_config()
    findings = [
        _settings(config),
        _tried("model", lambda: _model(config)),
        _prices(),
        _tried("database", lambda: _database(config, db)),
        _tried("ledger", lambda: _ledger(config)),
        _disk(),
    ]
    if json:
        print_data([asdict(finding) for finding in findings])
    else:
        rows = [(f.subject, f.verdict, f.detail, f.remedy) for f in findings]
        print_facts(sys.stdout, ("subject", "verdict", "detail", "remedy"), rows, color=terminal.color)
    return 1 if any(finding.verdict == "failed" for finding in findings) else 0


def _tried(subject: str, look: Callable[[], Finding]) -> Finding:
    try:
        return look()
    except T2SError as e:
        return Finding(subject=subject, verdict="failed", detail=e.message, remedy=e.hint or "")


def _settings(config: Config) -> Finding:
    if config.warnings:
        return Finding(subject="settings", verdict="warning", detail="; ".join(config.warnings))
    found = "" if config.path.exists() else " (not there: defaults)"
    return Finding(subject="settings", verdict="ok", detail=f"{config.path}{found}")


def _model(config: Config) -> Finding:
    from t2s.llm import model_info
    from t2s.types.event import ignore
    from t2s.workspace import LOCAL, chosen_model

    model = chosen_model(config, ignore)
    if model == LOCAL:
        remedy = "" if config.settings.model else "set ANTHROPIC_API_KEY for a model service"
        return Finding(subject="model", verdict="ok", detail="local: no key needed", remedy=remedy)
    if ":" in model:
        return Finding(subject="model", verdict="ok", detail=model)
    if not config.settings.provider.api_key:
        return Finding(subject="model", verdict="failed", detail=f"{model}: no key", remedy="set ANTHROPIC_API_KEY")
    info = model_info(model)
    if info is None:
        remedy = f'give it a price: [prices."{model}"]'
        return Finding(subject="model", verdict="warning", detail=f"{model} has no known price", remedy=remedy)
    if info.ends:
        remedy = "choose another: t2s models"
        return Finding(subject="model", verdict="warning", detail=f"{model} ends on {info.ends}", remedy=remedy)
    return Finding(subject="model", verdict="ok", detail=f"{model}, with a key")


def _prices() -> Finding:
    from t2s.llm.prices import prices_checked

    age = (date.today() - prices_checked()).days
    verdict: Literal["ok", "warning"] = "warning" if age > OLD_PRICES_DAYS else "ok"
    remedy = "update t2s" if verdict == "warning" else ""
    return Finding(subject="prices", verdict=verdict, detail=f"checked {prices_checked()}", remedy=remedy)


def _database(config: Config, target: str | None) -> Finding:
    from t2s.workspace import connect

    with closing(connect(config, target)) as database:
        tables = len(database.schema().tables)
        detail = f"{database.name}: {database.dialect}, {tables} tables, privacy {database.privacy}"
        if risk := database.risk():
            return Finding(subject="database", verdict="warning", detail=f"{detail}; {risk[0]}", remedy=risk[1])
    return Finding(subject="database", verdict="ok", detail=detail)


def _ledger(config: Config) -> Finding:
    from t2s.config import home
    from t2s.ledger import open_ledger

    with closing(open_ledger(config.settings.ledger or str(home() / "ledger.db"))) as ledger:
        return Finding(subject="ledger", verdict="ok", detail=ledger.place)


def _disk() -> Finding:
    from t2s.config import home

    place = home()
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free // 1_000_000
    if free < LITTLE_DISK_MB:
        remedy = "make room, or set T2S_HOME"
        return Finding(subject="disk", verdict="warning", detail=f"{free:,} MB free", remedy=remedy)
    return Finding(subject="disk", verdict="ok", detail=f"{home()}: {free:,} MB free")
