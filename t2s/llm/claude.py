"""Claude by the `anthropic` SDK, streamed, with the stable part of the prompt cached."""

from __future__ import annotations

import json
import time
import weakref
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from t2s.errors import ProviderError, ProviderKeyError, ProviderUnavailable
from t2s.llm.attempt import Attempt, AttemptFailed, retried_status, retry_after
from t2s.llm.prices import cost_usd, model_info
from t2s.settings import PriceSettings, ProviderSettings
from t2s.types.event import Event, Streamed
from t2s.types.llm import Reply, Request
from t2s.types.usage import Usage

if TYPE_CHECKING:
    import anthropic

_COMPLETE = {"end_turn", "stop_sequence"}
_INCOMPLETE = {
    "max_tokens": "the answer was cut off at the limit of output tokens",
    "model_context_window_exceeded": "the prompt and answer do not fit the model's context",
    "pause_turn": "the model paused in mid-answer",
    "tool_use": "the model wanted to call a tool that it was not given",
}

COUNT_TIMEOUT_S = 5.0


def claude(settings: ProviderSettings, prices: Mapping[str, PriceSettings]) -> Attempt:
    """An attempt at the Messages API; retries are the caller's, the SDK's own are switched off."""
    import anthropic

    client = create_client(settings)

    def attempt(request: Request, on_event: Callable[[Event], None]) -> Reply:
        import httpx2

        start = time.monotonic()
        tally = _Tally(request.model, prices)
        try:
            return _streamed(client, request, on_event, tally, start, settings.timeout_s)
        except (anthropic.AnthropicError, httpx2.HTTPError, json.JSONDecodeError, TypeError) as e:
            raise _failure(e, tally, settings) from e

    return attempt


def counter(settings: ProviderSettings) -> Callable[[Request], int | None]:
    """The service's own count of a prompt's tokens, which costs nothing; None where it cannot be had."""
    client = create_client(settings)

    def count(request: Request) -> int | None:
        import anthropic
        import httpx2

        arguments = message_arguments(request)
        del arguments["max_tokens"]
        try:
            counted = client.messages.count_tokens(**arguments, timeout=COUNT_TIMEOUT_S).input_tokens
        except (anthropic.AnthropicError, httpx2.HTTPError, json.JSONDecodeError, TypeError, AttributeError):
            return None
        return counted if isinstance(counted, int) else None

    return count


def create_client(settings: ProviderSettings) -> anthropic.Anthropic:
    """A client of the Messages API, one for each key and address; raises `ProviderKeyError` where there is no key."""
    key = settings.api_key.get_secret_value() if settings.api_key else None
    if not key:
        raise ProviderKeyError("there is no key for Claude", hint="set ANTHROPIC_API_KEY, or use --model local")
    return _client(key, settings.base_url, settings.timeout_s)


@lru_cache(maxsize=4)  # making one takes 20 ms, and the next question finds the connection open
def _client(key: str, base_url: str | None, timeout_s: float) -> anthropic.Anthropic:
    import anthropic
    import httpx2

    limits = httpx2.Limits(max_connections=256, max_keepalive_connections=64, keepalive_expiry=300)
    http = anthropic.DefaultHttpxClient(timeout=timeout_s, limits=limits)
    client = anthropic.Anthropic(api_key=key, base_url=base_url, timeout=timeout_s, max_retries=0, http_client=http)
    weakref.finalize(client, http.close)  # also where a failure's traceback has kept a connection open
    return client


class _Tally:
    """What a stream has told of its usage so far."""

    def __init__(self, model: str, prices: Mapping[str, PriceSettings]) -> None:
        self.model = model
        self.prices = prices
        self.counts: dict[str, int] = {}

    def add(self, usage: Any) -> None:
        """Later figures of a stream replace the earlier ones; what they leave out stays."""
        for ours, theirs in _USAGE.items():
            value = getattr(usage, theirs, None)
            if isinstance(value, int):
                self.counts[ours] = value

    def usage(self) -> Usage | None:
        """The usage, or None where nothing was told."""
        if not self.counts:
            return None
        cost = cost_usd(self.model, self.prices, **{"input_tokens": 0, "output_tokens": 0, **self.counts})
        return Usage(model=self.model, calls=1, cost_usd=cost, **self.counts)


_USAGE = {
    "input_tokens": "input_tokens",
    "output_tokens": "output_tokens",
    "cache_write_tokens": "cache_creation_input_tokens",
    "cache_read_tokens": "cache_read_input_tokens",
}


def _streamed(
    client: anthropic.Anthropic,
    request: Request,
    on_event: Callable[[Event], None],
    tally: _Tally,
    start: float,
    timeout_s: float,
) -> Reply:
    texts: list[str] = []
    stop_reason: str | None = None
    with client.messages.create(**message_arguments(request), stream=True) as stream:
        for event in stream:
            if time.monotonic() - start > timeout_s:  # the SDK's timeout is for each read, not for the whole
                raise AttemptFailed(
                    ProviderUnavailable(f"the model took longer than {timeout_s:g} s"), retry=True, used=tally.usage()
                )
            kind = getattr(event, "type", None)
            if kind == "message_start":
                tally.add(event.message.usage)
            elif kind == "content_block_delta" and event.delta.type == "text_delta":
                texts.append(event.delta.text)
                on_event(Streamed(text=event.delta.text))
            elif kind == "message_delta":
                stop_reason = event.delta.stop_reason or stop_reason
                tally.add(event.usage)
    used = tally.usage()
    if used is None or stop_reason is None:
        broken = ProviderUnavailable("the model's answer broke off")
        raise AttemptFailed(broken, retry=True, used=used)
    if stop_reason not in _COMPLETE:
        raise AttemptFailed(_stopped(stop_reason), retry=False, used=used)
    return Reply(text="".join(texts), stop_reason=stop_reason, usage=used, latency_ms=(time.monotonic() - start) * 1000)


def complete_reason(reason: str) -> str | None:
    """Why a message that stopped for this reason is not complete; None where it is."""
    return None if reason in _COMPLETE else _stopped(reason).message


def message_arguments(request: Request) -> dict[str, Any]:
    """A request in the words of the Messages API."""
    info = model_info(request.model)
    output: dict[str, Any] = {}
    if request.effort and (info is None or info.effort):
        output["effort"] = request.effort
    if request.output_schema:
        output["format"] = {"type": "json_schema", "schema": dict(request.output_schema)}
    arguments: dict[str, Any] = {
        "model": request.model,
        "max_tokens": request.max_tokens,
        "system": [
            {"type": "text", "text": segment.text}
            | ({"cache_control": {"type": "ephemeral"}} if segment.cached else {})
            for segment in request.system
        ],
        "messages": [{"role": message.role, "content": message.text} for message in request.messages],
    }
    return arguments | ({"output_config": output} if output else {})


def _stopped(reason: str) -> ProviderError:
    if reason == "refusal":
        return ProviderError("the model refused to answer this question", hint="word it differently")
    message = _INCOMPLETE.get(reason, f"the model stopped for an unknown reason ({reason})")
    hint = "raise T2S_PROVIDER_MAX_OUTPUT_TOKENS" if reason == "max_tokens" else "ask something smaller"
    return ProviderError(message, hint=hint)


def _failure(error: Exception, tally: _Tally, settings: ProviderSettings) -> AttemptFailed:
    import anthropic

    used = tally.usage()
    if isinstance(error, anthropic.APIStatusError):
        return _refused(error, used)
    if isinstance(error, anthropic.APITimeoutError) or "Timeout" in type(error).__name__:
        slow = ProviderUnavailable(f"the model did not answer within {settings.timeout_s:g} s")
        return AttemptFailed(slow, retry=True, used=used, maybe_paid=True)
    where = settings.base_url or "the service"
    if isinstance(error, anthropic.APIConnectionError) or type(error).__module__.startswith("httpx"):
        message = "the model's answer broke off" if used else f"{where} cannot be reached"
        return AttemptFailed(ProviderUnavailable(message), retry=True, used=used)
    strange = ProviderUnavailable(f"{where} did not answer as the Messages API does")
    return AttemptFailed(strange, retry=True, used=used)


def _refused(error: anthropic.APIStatusError, used: Usage | None) -> AttemptFailed:
    """What a status means; an `error` event in mid-stream comes with status 200 and its kind in the body."""
    status, kind, said = error.status_code, *_body(error.body)
    if status == 200:
        status = {"overloaded_error": 529, "api_error": 500, "rate_limit_error": 429}.get(kind, 400)
    if status in (401, 403):
        bad = ProviderKeyError("Claude does not accept the key", hint="is ANTHROPIC_API_KEY right and still valid?")
        return AttemptFailed(bad, retry=False, used=used)
    if status == 402 or "spend" in kind or "billing" in kind:
        spent = ProviderError(f"Claude's account does not pay for this call: {said}", hint="see the account's limits")
        return AttemptFailed(spent, retry=False, used=used)
    if status == 404:
        unknown = ProviderError(f"Claude knows no such model: {said}", hint="`t2s models` lists those with a price")
        return AttemptFailed(unknown, retry=False, used=used)
    if retried_status(status):
        words = {429: "Claude's rate limit is reached", 529: "Claude is overloaded"}
        down = ProviderUnavailable(words.get(status, f"Claude failed with status {status}"))
        return AttemptFailed(down, retry=True, retry_after_s=retry_after(error.response.headers), used=used)
    return AttemptFailed(ProviderError(f"Claude refused the request: {said}"), retry=False, used=used)


def _body(body: object) -> tuple[str, str]:
    """The kind and the message in an error's body, as far as there are any."""
    inner = body.get("error", body) if isinstance(body, dict) else {}
    if not isinstance(inner, dict):
        return "", str(inner)[:300]
    return str(inner.get("type") or ""), " ".join(str(inner.get("message") or "no reason given").split())[:300]
