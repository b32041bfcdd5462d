"""The model services of a workspace: metered, kept on disk, and exchanged for cheaper ones where money is short."""

from __future__ import annotations

from typing import TYPE_CHECKING

from t2s.errors import LedgerError
from t2s.types.event import Switched
from t2s.workspace.parts import answer_cache

if TYPE_CHECKING:
    from t2s.ledger.savings import Source
    from t2s.types.llm import LLM
    from t2s.types.usage import Usage
    from t2s.workspace import Workspace


def metered(ws: Workspace, run_id: str, model: str) -> LLM:
    """A model's service, every call of which is checked against the budgets and recorded under the run."""
    from t2s.llm import build_llm
    from t2s.llm.replay import Recorded

    settings = ws.config.settings
    llm = build_llm(model, settings.provider, meter=ws.meter(run_id), prices=settings.prices)
    return Recorded(llm, settings.provider.record) if settings.provider.record else llm


def affordable(ws: Workspace, run_id: str) -> LLM:
    """The service that answers questions: a known answer first, the chosen model, the economical one when it must."""
    from t2s.llm.economy import Economical, saves

    settings = ws.config.settings
    llm = metered(ws, run_id, ws.model)
    cheap = settings.budget.economical_model
    if ws.fallback and settings.budget.economise and saves(ws.model, cheap, settings.prices):
        economical = _kept(ws, run_id, metered(ws, run_id, cheap))
        llm = Economical(llm, economical, cheap, lambda: _scarce(ws))
    return _kept(ws, run_id, llm)


def _kept(ws: Workspace, run_id: str, llm: LLM) -> LLM:
    """With its answers kept on disk, where one question has one answer."""
    from t2s.llm.cache import Cached

    settings = ws.config.settings
    if ws.use_cache and settings.cache.answers and settings.candidates == 1:
        return Cached(
            llm, answer_cache(settings), ws.replies, on_hit=lambda used: note_saving(ws, run_id, "cache", used)
        )
    return llm


def note_saving(ws: Workspace, run_id: str, source: Source, used: Usage) -> None:
    """Record that a call was not needed, with what it had cost; where that cannot be kept, nothing is lost but that."""
    from t2s.ledger.savings import note_saved

    try:
        note_saved(
            ws.ledger,
            user=ws.config.settings.user,
            session_id=ws.session_id,
            run_id=run_id,
            model=used.model,
            source=source,
            tokens=used.total_tokens or None,
            cost_usd=used.cost_usd if used.calls else None,
        )
    except LedgerError:
        return


def _scarce(ws: Workspace) -> str | None:
    """What is left, in words, where it is too little for the model that was chosen."""
    from t2s.render.budget import left_in_words

    least = ws.config.settings.budget.scarce_share
    short = [one for one in ws.budgets() if not one.name.startswith("request") and 1 - one.share < least]
    return f"only {left_in_words(short)}" if short else None


def record_switch(ws: Workspace, run_id: str, event: Switched) -> None:
    """Keep on record that another model answered; where that cannot be kept, the answer stands."""
    from t2s.ledger.sessions import record_action

    try:
        record_action(
            ws.ledger,
            user=ws.config.settings.user,
            action="switch",
            run_id=run_id,
            chosen=ws.model,
            model=event.model,
            because=event.because,
            reason=event.message,
        )
    except LedgerError:
        return
