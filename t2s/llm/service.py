"""A provider with its policies: each attempt is reserved and settled, failures are retried by one owner."""

from __future__ import annotations

import gc
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from threading import Thread

from t2s.errors import BudgetRefused, ProviderUnavailable, Throttled
from t2s.llm import claude as claude_api
from t2s.llm import compatible as openai_api
from t2s.llm import replay as recorded
from t2s.llm.attempt import Attempt, AttemptFailed
from t2s.llm.prices import cost_usd
from t2s.llm.tokens import estimate_request
from t2s.settings import PriceSettings, ProviderSettings
from t2s.types.event import Called, Event, Notice
from t2s.types.llm import LLM, Meter, Reply, Request
from t2s.types.usage import Usage

FIRST_WAIT_S = 1.0
LONGEST_WAIT_S = 60.0
COUNT_MARGIN = 0.01
"""The service calls its own count an estimate, too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """An `LLM`: waits between attempts grow from 1 s to 60 s with jitter, or are what Retry-After says."""

    attempt: Attempt
    meter: Meter
    retries: int
    prices: Mapping[str, PriceSettings]
    count: Callable[[Request], int | None] | None = None
    """The service's own free count of a prompt's tokens, where it has one; None where it does not answer."""
    sleep: Callable[[float], None] = time.sleep

    def complete(self, request: Request, on_event: Callable[[Event], None]) -> Reply:
        """The first reply that comes; raises the last failure, or `BudgetRefused` before an attempt."""
        failed = 0
        while True:
            try:
                return self._metered(request, on_event)
            except AttemptFailed as e:
                failed += 1
                wait = _wait(failed, e.retry_after_s)
                if not e.retry or failed > self.retries:
                    raise _told(e, failed) from e
                if wait > LONGEST_WAIT_S:
                    raise ProviderUnavailable(
                        f"{e.error.message}; it asks to wait {wait:.0f} s", hint="try again then, or --model local"
                    ) from e
                on_event(Notice(message=f"{e.error.message}; trying again in {wait:.1f} s"))
                self.sleep(wait)

    def _metered(self, request: Request, on_event: Callable[[Event], None]) -> Reply:
        hold, prompt, most = self._reserved(request)
        start = time.monotonic()
        # an attempt that ends without a word of its cost counts as the most, for limits have to hold
        used = Usage(model=request.model, input_tokens=prompt, output_tokens=request.max_tokens, cost_usd=most, calls=1)
        outcome = "cancelled"
        try:
            reply = self.attempt(request, on_event)
            used, outcome = reply.usage, "ok"
            return reply
        except AttemptFailed as e:
            outcome = e.error.code
            if e.used is not None or not e.maybe_paid:
                used = e.used or Usage(model=request.model, calls=1)
            raise
        finally:
            ms = (time.monotonic() - start) * 1000
            self.meter.settle(hold, used, purpose=request.purpose, latency_ms=ms, outcome=outcome)
            on_event(Called(purpose=request.purpose, usage=used, latency_ms=ms, outcome=outcome))

    def _reserved(self, request: Request) -> tuple[str, int, float | None]:
        """A hold for an attempt, with the tokens of its prompt and the USD that it may cost at most.

        Where the budget might do after all, were the prompt only known exactly, the service counts it, which is free.
        """
        estimate = estimate_request(request)
        least, most = self.meter.span(request.model, estimate)
        try:
            return self._hold(request, estimate, most)
        except BudgetRefused as e:
            if self.count is None or isinstance(e, Throttled) or not self._fits(request, least):
                raise
            counted = self.count(request)
            if counted is None:
                raise
            return self._hold(request, estimate, ceil(counted * (1 + COUNT_MARGIN)))

    def _hold(self, request: Request, estimate: int, prompt: int) -> tuple[str, int, float | None]:
        tokens, cost = prompt + request.max_tokens, self._cost(request, prompt)
        hold = self.meter.reserve(model=request.model, tokens=tokens, cost_usd=cost, estimate=estimate)
        return hold, prompt, cost

    def _fits(self, request: Request, prompt: int) -> bool:
        return self.meter.fits(tokens=prompt + request.max_tokens, cost_usd=self._cost(request, prompt))

    def _cost(self, request: Request, prompt: int) -> float | None:
        return cost_usd(
            request.model, self.prices, input_tokens=0, cache_write_tokens=prompt, output_tokens=request.max_tokens
        )


def _wait(failed: int, retry_after_s: float | None) -> float:
    if retry_after_s is not None:
        return retry_after_s
    longest: float = min(FIRST_WAIT_S * 2.0 ** (failed - 1), LONGEST_WAIT_S)
    return longest * random.uniform(0.5, 1.0)  # noqa: S311  jitter, not a secret


def _told(failure: AttemptFailed, attempts: int) -> Exception:
    error = failure.error
    if attempts == 1:
        return error
    return type(error)(f"{error.message} ({attempts} attempts)", hint=error.hint or "try again later")


def build_llm(model: str, settings: ProviderSettings, *, meter: Meter, prices: Mapping[str, PriceSettings]) -> LLM:
    """The service that answers for a model: `openai:MODEL`, `replay:FILE`, else Claude.

    Raises `ProviderKeyError` where there is no key for it.
    """
    count = None
    if model.startswith(openai_api.PREFIX):
        attempt = openai_api.compatible(settings, prices)
    elif model.startswith(recorded.PREFIX):
        attempt = recorded.replay(Path(model.removeprefix(recorded.PREFIX)))
    else:
        attempt = claude_api.claude(settings, prices)
        count = claude_api.counter(settings)
    return Service(attempt=attempt, meter=meter, retries=settings.retries, prices=prices, count=count)


def warm(model: str) -> None:
    """Begin to import the model's SDK in the background: it takes a second, a schema loads meanwhile."""
    name = "openai" if model.startswith(openai_api.PREFIX) else "anthropic"
    if not model.startswith(recorded.PREFIX):
        Thread(target=_import, args=(name,), daemon=True).start()


def _import(name: str) -> None:
    gc.disable()  # thousands of new objects and no garbage
    try:
        __import__(name)
    except ImportError:  # the attempt will say so
        pass
    finally:
        gc.enable()
