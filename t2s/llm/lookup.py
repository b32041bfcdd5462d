"""Ask a model's service, for nothing, whether it takes the key and knows the model."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from t2s.errors import ProviderError, ProviderKeyError, ProviderUnavailable
from t2s.llm.compatible import PREFIX
from t2s.settings import ProviderSettings

TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the service says of a model: when it ends, and what time it is there; None for what it does not say."""

    ends: date | None
    at: datetime | None


def look_up(model: str, settings: ProviderSettings) -> Known:
    """Raises `ProviderKeyError`, `ProviderUnavailable`, or `ProviderError` where the model is not known."""
    return _compatible(model, settings) if model.startswith(PREFIX) else _claude(model, settings)


def _claude(model: str, settings: ProviderSettings) -> Known:
    import anthropic
    import httpx2

    from t2s.llm.claude import create_client

    client = create_client(settings)
    try:
        raw = client.models.with_raw_response.retrieve(model, timeout=TIMEOUT_S)
        found = raw.parse()
    except (anthropic.AnthropicError, httpx2.HTTPError, ValueError, TypeError) as e:
        raise _told(e, model, "ANTHROPIC_API_KEY") from e
    ends = getattr(found, "retires_at", None)
    return Known(ends=ends.date() if isinstance(ends, datetime) else None, at=_time(raw.headers.get("date")))


def _compatible(model: str, settings: ProviderSettings) -> Known:
    import httpx2

    from t2s.llm.embeddings import OPENAI

    key = settings.openai_api_key.get_secret_value() if settings.openai_api_key else None
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    address = (settings.openai_base_url or OPENAI).rstrip("/")
    try:
        reply = httpx2.get(f"{address}/models", headers=headers, timeout=TIMEOUT_S)
        reply.raise_for_status()
        names = {str(row["id"]) for row in reply.json()["data"]}
    except httpx2.HTTPStatusError as e:
        raise _told(e.response, model, "OPENAI_API_KEY") from e
    except (httpx2.HTTPError, ValueError, KeyError, TypeError) as e:
        raise _told(e, model, "OPENAI_API_KEY") from e
    name = model.removeprefix(PREFIX)
    if name not in names:
        raise ProviderError(f"the service does not know {name}", hint=f"it has: {', '.join(sorted(names)[:5])}")
    return Known(ends=None, at=_time(reply.headers.get("date")))


def _told(error: Any, model: str, variable: str) -> ProviderError:
    status = getattr(error, "status_code", None)
    if status in (401, 403):
        return ProviderKeyError("the service does not take the key", hint=f"set {variable} to one that is valid")
    if status == 404:
        return ProviderError(f"the service does not know {model}", hint="t2s models lists those that are known")
    what = f"answers with HTTP {status}" if status else f"cannot be reached ({type(error).__name__})"
    return ProviderUnavailable(f"the service {what}", hint="look at the network, or --model local")


def _time(header: str | None) -> datetime | None:
    try:
        return parsedate_to_datetime(header) if header else None
    except ValueError:
        return None
