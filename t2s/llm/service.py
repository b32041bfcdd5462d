"""A provider with its policies: each attempt is reserved and settled, failures are retried by one owner."""

from __future__ import annotations

import gc
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

from t2s.errors import ProviderUnavailable
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """An `LLM`: waits between attempts grow from 1 s to 60 s with jitter, or are what Retry-After says."""

    attempt: Attempt
    meter: Meter
    retries: int
    prices: Mapping[str, PriceSettings]
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
        prompt = estimate_request(request)
        most = cost_usd(
            request.model, self.prices, input_tokens=0, cache_write_tokens=prompt, output_tokens=request.max_tokens
        )
        hold = self.meter.reserve(model=request.model, tokens=prompt + request.max_tokens, cost_usd=most)
        start = time.monotonic()
        # what an attempt costs that ends without a word of it: the prompt, as far as it can be told
        used = Usage(model=request.model, input_tokens=prompt, cost_usd=most, calls=1)
        outcome = "cancelled"
        try:
            reply = self.attempt(request, on_event)
            used, outcome = reply.usage, "ok"
            return reply
        except AttemptFailed as e:
            used, outcome = e.used or Usage(model=request.model, calls=1), e.error.code
            raise
        finally:
            ms = (time.monotonic() - start) * 1000
            self.meter.settle(hold, used, purpose=request.purpose, latency_ms=ms, outcome=outcome)
            on_event(Called(purpose=request.purpose, usage=used, latency_ms=ms, outcome=outcome))


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
    if model.startswith(openai_api.PREFIX):
        attempt = openai_api.compatible(settings, prices)
    elif model.startswith(recorded.PREFIX):
        attempt = recorded.replay(Path(model.removeprefix(recorded.PREFIX)))
    else:
        attempt = claude_api.claude(settings, prices)
    return Service(attempt=attempt, meter=meter, retries=settings.retries, prices=prices)


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
