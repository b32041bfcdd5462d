"""The economical model in the place of the usual one, once little is left of a budget; always said."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from t2s.errors import BudgetSpent
from t2s.llm.compatible import PREFIX as OPENAI
from t2s.llm.prices import price_of
from t2s.llm.replay import PREFIX as RECORDED
from t2s.settings import PriceSettings
from t2s.types.event import Event, Switched
from t2s.types.llm import LLM, Reply, Request


class Economical:
    """An `LLM` that asks `economical` where `scarce` says that little is left, or `usual` would pass a budget."""

    def __init__(self, usual: LLM, economical: LLM, model: str, scarce: Callable[[], str | None]) -> None:
        """`model` is the economical one's name; `scarce` gives in words what is left, where that is little."""
        self._usual = usual
        self._economical = economical
        self._model = model
        self._scarce = scarce
        self._said = False

    def complete(self, request: Request, on_event: Callable[[Event], None]) -> Reply:
        """The reply of the one that is affordable; raises `BudgetSpent` where neither is."""
        reason = self._scarce()
        if reason is None:
            try:
                return self._usual.complete(request, on_event)
            except BudgetSpent as e:
                reason = e.message
        if not self._said:
            self._said = True
            message = f"{reason}; answering with {self._model}"
            on_event(Switched(message=message, model=self._model, because="budget"))
        return self._economical.complete(replace(request, model=self._model), on_event)


def saves(usual: str, economical: str, prices: Mapping[str, PriceSettings]) -> bool:
    """Whether the economical model is cheaper and of the same service: what is sent goes to no other company."""
    if usual.startswith(RECORDED) or usual.startswith(OPENAI) is not economical.startswith(OPENAI):
        return False
    dear, cheap = price_of(usual, 0, prices), price_of(economical, 0, prices)
    return dear is not None and cheap is not None and cheap.input + cheap.output < dear.input + dear.output
