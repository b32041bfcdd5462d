"""`t2s budget`: what may be spent, what is left of it, and other limits."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from t2s.cli import options
from t2s.errors import UsageError
from t2s.types.usage import in_usd

if TYPE_CHECKING:
    from t2s.ledger.budgets import Budget

app = typer.Typer(rich_markup_mode=None, add_completion=False, help="Show what may still be spent, or set it.")

Span = Literal["request", "session", "day"]

_AMOUNT = re.compile(r"(\$)?([\d,]*\.?\d+)\s*([km])?\s*(usd|\$|dollars?|tokens?|t)?", re.IGNORECASE)
_TIMES = {"": 1, "k": 1_000, "m": 1_000_000}
LEAST_TOKENS = 1_000
"""A bare number below that could as well be USD."""


@app.callback(invoke_without_command=True, epilog="Example: t2s budget set day 2usd")
def budget(ctx: typer.Context, json: options.AsJson = False) -> int | None:
    """Show what may still be spent, or set it; alone it shows."""
    return show(ctx, json=json) if ctx.invoked_subcommand is None else None


@app.command(epilog="Example: t2s budget show --json")
def show(
    ctx: typer.Context,
    session: Annotated[
        str | None, typer.Option(metavar="SESSION", help="Of this conversation.", show_default=False)
    ] = None,
    user: Annotated[str | None, typer.Option(metavar="NAME", help="Of another user.", show_default=False)] = None,
    json: options.AsJson = False,
) -> int:
    """Show each limit: what is used, what calls under way have reserved, what is left."""
    from t2s.cli.envelopes import print_data
    from t2s.config import load_config
    from t2s.ledger import open_ledger
    from t2s.ledger.meter import standing
    from t2s.ledger.sessions import get_session
    from t2s.render.table import print_facts
    from t2s.workspace import ledger_place, limits_of

    settings = load_config().settings
    whose = user or settings.user
    ledger = open_ledger(ledger_place(load_config()))
    try:
        session_id = get_session(ledger, session, user=whose).id if session else None
        budgets = standing(ledger, limits_of(settings), user=whose, session_id=session_id)
    finally:
        ledger.close()
    if json:
        print_data({"user": whose, "session": session_id, "budgets": [_document(one) for one in budgets]})
        return 0
    if not budgets:
        sys.stderr.write("nothing limits what may be spent: t2s budget set day 2usd\n")
        return 0
    print_facts(
        sys.stdout,
        ("budget", "limit", "used", "reserved", "left", "used %"),
        [_row(one, known=session_id is not None) for one in budgets],
        color=ctx.obj.color,
    )
    if not ctx.obj.quiet:
        sys.stderr.write(f"{_outlook(whose)}\n")
    return 0


@app.command("set", epilog="Example: t2s budget set day 500k; t2s budget set session 0.50usd; t2s budget set day off")
def set_(
    ctx: typer.Context,
    span: Annotated[Span, typer.Argument(help="What it limits.")],
    amount: Annotated[list[str], typer.Argument(help="2usd, $0.50, 500k, 20000tokens; off takes the limits away.")],
) -> int:
    """Set a limit in the config file."""
    from t2s.cli.config_file import read_document, write_document
    from t2s.config import config_path, leaves, load_config

    values = _values(" ".join(amount).strip())
    path = config_path()
    document = read_document(path)
    section = document.setdefault("budget", {})
    for unit, value in values.items():
        section[f"{span}_{unit}"] = value
    write_document(path, document)
    sources = load_config().sources
    for unit, value in values.items():
        name = f"budget.{span}_{unit}"
        sys.stderr.write(f"{name} = {value} in {path}\n")
        if sources.get(name) != str(path):
            sys.stderr.write(f"t2s: {leaves()[name]} is set, too, and overrules it\n")
    return 0


def _values(amount: str) -> dict[str, Any]:
    """What the config file shall say for each unit; raises `UsageError` for what is no amount."""
    hint = "2usd, $0.50, 500k, 20000tokens, or off"
    if amount.casefold() in ("off", "none"):
        return {"tokens": "none", "usd": "none"}
    found = _AMOUNT.fullmatch(amount)
    if found is None:
        raise UsageError(f"{amount!r} is no amount", hint=hint)
    dollar, digits, thousands, unit = (part or "" for part in found.groups())
    number = float(digits.replace(",", "")) * _TIMES[thousands.casefold()]
    in_usd = bool(dollar) or unit.casefold().startswith(("usd", "$", "dollar"))
    if in_usd and unit.casefold().startswith("t"):
        raise UsageError(f"{amount!r} is in USD and in tokens", hint=hint)
    if in_usd:
        return {"usd": number}
    if not unit and not thousands and number < LEAST_TOKENS:
        raise UsageError(f"{amount} of what?", hint=f"{amount}usd or {amount}tokens")
    if number < 1 or number != int(number):
        raise UsageError(f"{amount!r} is no number of tokens", hint=hint)
    return {"tokens": int(number)}


def _document(one: Budget) -> dict[str, Any]:
    span, _, unit = one.name.partition("_")
    number = float if one.in_usd else int
    return {
        "name": one.name,
        "span": span,
        "unit": unit,
        "limit": number(one.limit),
        "used": number(one.used),
        "reserved": number(one.held),
        "left": number(one.left),
        "percent": round(one.share * 100, 1),
    }


def _row(one: Budget, *, known: bool) -> tuple[Any, ...]:
    """A line of the table; of a request, and of a session that nobody named, nothing is used."""
    limit = f"${one.limit:,.2f}" if round(one.limit, 2) == one.limit else in_usd(one.limit)
    amount = limit if one.in_usd else f"{one.limit:,.0f} tokens"
    if one.name.startswith("request") or (one.name.startswith("session") and not known):
        return one.name, amount, "", "", "each", ""
    numbers = [in_usd(n) if one.in_usd else f"{n:,.0f}" for n in (one.used, one.held, one.left)]
    return one.name, amount, *numbers, f"{one.share:.0%}"


def _outlook(user: str) -> str:
    """What happens when little is left."""
    from t2s.config import load_config

    settings = load_config().settings.budget
    if not settings.economise:
        return f"of {user}, today; a call that would pass a limit is refused (budget.economise is off)"
    return (
        f"of {user}, today; below {settings.scarce_share:.0%} left {settings.economical_model} answers, "
        "then the local generator (budget.economise)"
    )
