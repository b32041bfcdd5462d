"""Keep secrets that people paste into questions out of what is stored."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_SECRETS = re.compile(
    r"sk-[A-Za-z0-9_-]{16,}"  # Anthropic, OpenAI
    r"|AKIA[0-9A-Z]{16}"
    r"|gh[pousr]_[A-Za-z0-9]{30,}"
    r"|xox[abpr]-[A-Za-z0-9-]{10,}"
    r"|eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]+"  # JWT
    r"|(?<=://)[^/\s:@]+:[^/\s@]+(?=@)"
    r"|(?i:(?<=bearer )[A-Za-z0-9._~+/-]{16,})"
    r"|(?i:\b(?:password|passwd|pwd|secret|api[_-]?key|token)\b\s*[=:]\s*)[^\s,;'\"]{4,}"
)


_SECRET_NAMES = re.compile(r"(?i)passw|pwd|secret|token$|api_?key|credential|webhook|authorization")


def redact(text: str) -> str:
    """The text with everything that looks like a key or password as `[redacted]`."""
    return _SECRETS.sub("[redacted]", text)


def redact_details(details: Mapping[str, Any]) -> dict[str, Any]:
    """Facts with whatever is secret by its name or its looks as `[redacted]`, however deep it lies."""
    return {name: "[redacted]" if _SECRET_NAMES.search(name) else _redacted(value) for name, value in details.items()}


def _redacted(value: Any) -> Any:
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, Mapping):
        return redact_details(value)
    return [_redacted(item) for item in value] if isinstance(value, list | tuple) else value
