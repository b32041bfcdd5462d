"""Budget alerts for a chat: `{"text": …}` as Slack and what is compatible with it takes them."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from t2s.errors import LedgerError
from t2s.types.event import Event, Notice
from t2s.types.run import Run

if TYPE_CHECKING:
    from pydantic import SecretStr

    from t2s.ledger.budgets import Budget
    from t2s.ledger.limits import Limits
    from t2s.ledger.store import Ledger
    from t2s.monitor.recorder import Sink

TIMEOUT_S = 3.0


class WebhookFailed(Exception):
    """The alert did not arrive; the text names no address, for that is the secret."""


def budget_alerts(
    ledger: Ledger, limits: Limits, address: SecretStr | None, on_event: Callable[[Event], None]
) -> Sink | None:
    """What looks at the budgets behind each question and sends what is nearly or quite used up; None without address.

    Each limit of a user is told of once a day when it is nearly used up, and once when it refused something.
    """
    if address is None:
        return None
    told: set[str] = set()

    def send(runs: Sequence[Run]) -> None:
        latest = {(run.user, run.session_id, run.status == "budget"): run for run in runs}
        for run in latest.values():
            try:
                _send_due(ledger, limits, address.get_secret_value(), run)
            except (LedgerError, WebhookFailed) as e:
                if str(e) not in told:
                    told.add(str(e))
                    on_event(Notice(message=f"a budget alert was not sent: {e}"))

    return send


def _send_due(ledger: Ledger, limits: Limits, address: str, run: Run) -> None:
    from t2s.ledger.alerts import claim_alert, note_sent
    from t2s.ledger.budgets import budgets_of

    with ledger.reading() as connection:
        budgets = budgets_of(connection, limits, run.user, run.session_id)
    for budget in budgets:
        state = _state(budget, run, limits.warn_share)
        if state and claim_alert(ledger, run.user, f"{budget.name} {state}"):
            post(address, {"text": _text(budget, state, run.user)})
            note_sent(ledger, run.user, f"{budget.name} {state}")


def _state(budget: Budget, run: Run, warn_share: float) -> str | None:
    """`refused` or `near` where there is something to tell; what is too large for one request is not."""
    if budget.name.startswith("request"):
        return None
    if run.status == "budget" and budget.name in run.error:
        return "refused"
    return "near" if budget.share >= warn_share else None


def _text(budget: Budget, state: str, user: str) -> str:
    who = user.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")  # <!channel> would ring everybody
    used, limit = budget.amount(budget.used + budget.held), budget.amount(budget.limit)
    what = f"{budget.share:.0%} of the budget {budget.name} of {who} is used: {used} of {limit}"
    end = "; a question was refused" if state == "refused" else ""
    return f"t2s on {socket.gethostname()}: {what}{end}"


def post(address: str, document: dict[str, Any]) -> None:
    """Send a document as JSON; raises `WebhookFailed` for everything but a 2xx answer in time."""
    from http.client import HTTPException
    from urllib.error import HTTPError
    from urllib.request import HTTPRedirectHandler, Request, build_opener

    class NoRedirect(HTTPRedirectHandler):
        def redirect_request(self, *_: Any) -> None:
            return None

    body = json.dumps(document).encode()
    try:
        request = Request(address, body, {"Content-Type": "application/json", "User-Agent": "t2s"}, method="POST")  # noqa: S310  the setting is http(s) only
        build_opener(NoRedirect).open(request, timeout=TIMEOUT_S).close()
    except HTTPError as e:
        e.close()
        raise WebhookFailed(f"alerts.webhook answers with HTTP {e.code}") from None
    except (OSError, HTTPException, ValueError):  # what these say may hold the address
        raise WebhookFailed("alerts.webhook cannot be reached") from None
