"""Many requests at half price: Claude's Message Batches, which may take an hour and are collected later."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from t2s.errors import ProviderError, ProviderKeyError, ProviderUnavailable
from t2s.llm.claude import complete_reason, create_client, message_arguments
from t2s.llm.prices import cost_usd
from t2s.settings import PriceSettings, ProviderSettings
from t2s.types.llm import Reply, Request
from t2s.types.usage import Usage

if TYPE_CHECKING:
    import anthropic

DISCOUNT = 0.5
MOST = 100_000
"""Requests in one batch."""
LOOKED_BACK = 20
"""Recent batches among which a lost one is looked for."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """What came of one request: a reply, or why there is none."""

    id: str
    reply: Reply | None
    error: str | None = None


class Bulk:
    """The Message Batches of one account; every method raises `ProviderError` and its kin."""

    def __init__(self, settings: ProviderSettings, prices: Mapping[str, PriceSettings]) -> None:
        self._client = create_client(settings)
        self._prices = prices

    def submit(self, requests: Mapping[str, Request]) -> str:
        """Hand in requests under ids of one's own (at most 64 letters, digits, _ and -); the batch's id."""
        rows: Any = [{"custom_id": id_, "params": message_arguments(request)} for id_, request in requests.items()]
        return str(_translated(lambda: self._client.messages.batches.create(requests=rows)).id)

    def find(self, ids: frozenset[str], since: float) -> str | None:
        """A batch of just these requests that was handed in after `since`; None where there is none.

        For whoever was killed between handing in and noting the batch's id.
        """
        after = datetime.fromtimestamp(since - 60, UTC)
        page = _translated(lambda: self._client.messages.batches.list(limit=LOOKED_BACK))
        for batch in page.data:
            counts = batch.request_counts
            size = counts.processing + counts.succeeded + counts.errored + counts.canceled + counts.expired
            if batch.created_at < after or size != len(ids):
                continue
            if batch.processing_status != "ended" or {c.id for c in self.results(batch.id, "")} == ids:
                return str(batch.id)
        return None

    def ended(self, batch: str) -> bool:
        """Whether the results are there."""
        return bool(_translated(lambda: self._client.messages.batches.retrieve(batch)).processing_status == "ended")

    def results(self, batch: str, model: str) -> Iterator[Collected]:
        """What came of each request, in any order."""
        for row in _translated(lambda: list(self._client.messages.batches.results(batch))):
            outcome: Any = row.result
            if outcome.type == "succeeded":
                yield self._collected(row.custom_id, outcome.message, model)
            else:
                detail = getattr(getattr(getattr(outcome, "error", None), "error", None), "message", "")
                yield Collected(id=row.custom_id, reply=None, error=f"{outcome.type}: {detail}".rstrip(": "))

    def _collected(self, id_: str, message: anthropic.types.Message, model: str) -> Collected:
        counts = {
            "input_tokens": message.usage.input_tokens,
            "output_tokens": message.usage.output_tokens,
            "cache_write_tokens": message.usage.cache_creation_input_tokens or 0,
            "cache_read_tokens": message.usage.cache_read_input_tokens or 0,
        }
        full = cost_usd(model, self._prices, **counts) if model else None
        used = Usage(model=model, calls=1, cost_usd=None if full is None else full * DISCOUNT, **counts)
        text = "".join(block.text for block in message.content if block.type == "text")
        reason = message.stop_reason or ""
        failed = complete_reason(reason)
        reply = Reply(text=text, stop_reason=reason, usage=used, latency_ms=0.0)
        return Collected(id=id_, reply=reply, error=failed)


def _translated(do: Callable[[], T]) -> T:
    import anthropic
    import httpx2

    try:
        return do()
    except anthropic.APIStatusError as e:
        if e.status_code in (401, 403):
            raise ProviderKeyError("Claude does not accept the key") from e
        kind = ProviderUnavailable if e.status_code >= 500 or e.status_code in (408, 409, 429) else ProviderError
        raise kind(f"Claude refused the batch with status {e.status_code}") from e
    except (anthropic.AnthropicError, httpx2.HTTPError, json.JSONDecodeError) as e:
        raise ProviderUnavailable(f"the batch service cannot be reached: {type(e).__name__}") from e
