"""Any endpoint that speaks OpenAI's chat completions (Ollama, vLLM, …), by the `openai` SDK."""

from __future__ import annotations

import json
import time
import weakref
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from t2s.errors import ProviderError, ProviderKeyError, ProviderUnavailable
from t2s.llm.attempt import Attempt, AttemptFailed, retried_status, retry_after
from t2s.llm.prices import cost_usd
from t2s.settings import PriceSettings, ProviderSettings
from t2s.types.event import Event, Streamed
from t2s.types.llm import Reply, Request
from t2s.types.usage import Usage

if TYPE_CHECKING:
    import openai

PREFIX = "openai:"


def compatible(settings: ProviderSettings, prices: Mapping[str, PriceSettings]) -> Attempt:
    """An attempt at chat completions; an endpoint that refuses a JSON schema is asked in words instead."""
    try:
        import openai
    except ImportError as e:
        raise ProviderError("the package openai is not installed", hint="pip install 't2s[openai]'") from e

    key = settings.openai_api_key.get_secret_value() if settings.openai_api_key else None
    http = openai.DefaultHttpxClient(timeout=settings.timeout_s)
    client = openai.OpenAI(
        http_client=http,
        api_key=key or "none",  # local endpoints want no key, the SDK wants some text
        base_url=settings.openai_base_url,
        timeout=settings.timeout_s,
        max_retries=0,
    )
    weakref.finalize(client, http.close)  # also where a failure's traceback has kept a connection open
    in_words: set[str] = set()

    def attempt(request: Request, on_event: Callable[[Event], None]) -> Reply:
        start = time.monotonic()
        try:
            try:
                return _streamed(client, request, on_event, prices, start, with_schema=request.model not in in_words)
            except openai.BadRequestError as e:
                if request.model in in_words or ("response_format" not in str(e) and "schema" not in str(e)):
                    raise
                in_words.add(request.model)
                return _streamed(client, request, on_event, prices, start, with_schema=False)
        except (openai.OpenAIError, json.JSONDecodeError) as e:
            raise _failure(e, settings) from e

    return attempt


def _streamed(
    client: openai.OpenAI,
    request: Request,
    on_event: Callable[[Event], None],
    prices: Mapping[str, PriceSettings],
    start: float,
    *,
    with_schema: bool,
) -> Reply:
    texts: list[str] = []
    finish: str | None = None
    used = Usage(model=request.model, calls=1)
    for chunk in client.chat.completions.create(**_arguments(request, with_schema=with_schema)):
        if chunk.usage:
            details = chunk.usage.prompt_tokens_details
            cached = (details.cached_tokens if details else 0) or 0
            used = Usage(
                model=request.model,
                input_tokens=chunk.usage.prompt_tokens - cached,
                cache_read_tokens=cached,
                output_tokens=chunk.usage.completion_tokens,
                calls=1,
            )
        for choice in chunk.choices:
            if choice.delta and choice.delta.content:
                texts.append(choice.delta.content)
                on_event(Streamed(text=choice.delta.content))
            finish = choice.finish_reason or finish
    cost = cost_usd(
        request.model,
        prices,
        input_tokens=used.input_tokens,
        output_tokens=used.output_tokens,
        cache_read_tokens=used.cache_read_tokens,
    )
    used = used + Usage(model=request.model, cost_usd=cost)
    if finish is None:
        raise AttemptFailed(ProviderUnavailable("the model's answer broke off"), retry=True, used=used)
    if finish == "length":
        cut = ProviderError("the answer was cut off at the limit of output tokens")
        raise AttemptFailed(cut, retry=False, used=used)
    if finish == "content_filter":
        raise AttemptFailed(ProviderError("the model refused to answer this question"), retry=False, used=used)
    return Reply(text="".join(texts), stop_reason=finish, usage=used, latency_ms=(time.monotonic() - start) * 1000)


def _arguments(request: Request, *, with_schema: bool) -> dict[str, Any]:
    system = "\n\n".join(segment.text for segment in request.system)
    arguments: dict[str, Any] = {}
    if request.output_schema and with_schema:
        shape = {"name": "answer", "schema": dict(request.output_schema), "strict": True}
        arguments["response_format"] = {"type": "json_schema", "json_schema": shape}
    elif request.output_schema:
        system += (
            f"\n\nAnswer with one JSON object of this schema and nothing else:\n{json.dumps(request.output_schema)}"
        )
    return arguments | {
        "model": request.model.removeprefix(PREFIX),
        "messages": [
            {"role": "system", "content": system},
            *({"role": message.role, "content": message.text} for message in request.messages),
        ],
        "max_tokens": request.max_tokens,
        "stream": True,
        "stream_options": {"include_usage": True},
    }


def _failure(error: Exception, settings: ProviderSettings) -> AttemptFailed:
    import openai

    where = settings.openai_base_url or "the service"
    if isinstance(error, openai.AuthenticationError | openai.PermissionDeniedError):
        bad = ProviderKeyError(f"{where} does not accept the key", hint="is OPENAI_API_KEY right?")
        return AttemptFailed(bad, retry=False)
    if isinstance(error, openai.NotFoundError):
        unknown = ProviderError(f"{where} knows no such model", hint="is the name behind openai: right?")
        return AttemptFailed(unknown, retry=False)
    if isinstance(error, openai.APIStatusError):
        if retried_status(error.status_code):
            down = ProviderUnavailable(f"{where} failed with status {error.status_code}")
            return AttemptFailed(down, retry=True, retry_after_s=retry_after(error.response.headers))
        said = " ".join(error.message.split())[:300]
        return AttemptFailed(ProviderError(f"{where} refused the request: {said}"), retry=False)
    late = isinstance(error, openai.APITimeoutError)
    return AttemptFailed(ProviderUnavailable(f"{where} cannot be reached, or broke off"), retry=True, maybe_paid=late)
