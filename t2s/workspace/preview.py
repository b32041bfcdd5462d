"""What a question would send, and what that could cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from t2s.types.query import Context
from t2s.workspace.parts import LOCAL

if TYPE_CHECKING:
    from t2s.ledger.store import Ledger
    from t2s.settings import Settings
    from t2s.types.llm import Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What a question would send: nothing where `request` is None, for then it is answered on this machine.

    `likely` says how likely (0..1) the question needs each table and column of the context's schema.
    """

    context: Context
    model: str
    request: Request | None
    tokens: int
    max_cost_usd: float | None
    likely: Mapping[str, float]


def preview_of(context: Context, model: str, settings: Settings, ledger: Ledger) -> Preview:
    """What the model would be sent of a context, with its tokens as earlier calls let expect, and the greatest cost."""
    from t2s.ledger.calibration import calibration_of
    from t2s.llm import cost_usd, estimate_request
    from t2s.pipeline.link import likelihoods, memories_of
    from t2s.pipeline.prompt import build_request

    likely = context.likely or likelihoods(
        context.question, context.schema, context.values, memories_of(context.recalled)
    )
    if model == LOCAL:
        return Preview(context=context, model=LOCAL, request=None, tokens=0, max_cost_usd=0.0, likely=likely)
    provider = settings.provider
    request = build_request(context, (), model=model, max_tokens=provider.max_output_tokens, effort=provider.effort)
    known, estimate = calibration_of(ledger, model), estimate_request(request)
    _, most = known.span(estimate)
    cost = cost_usd(model, settings.prices, input_tokens=0, cache_write_tokens=most, output_tokens=request.max_tokens)
    return Preview(
        context=context,
        model=model,
        request=request,
        tokens=known.expected(estimate),
        max_cost_usd=cost,
        likely=likely,
    )
