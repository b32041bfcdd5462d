"""Keep secrets that people paste into questions out of what is stored."""

from __future__ import annotations

import re

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


def redact(text: str) -> str:
    """The text with everything that looks like a key or password as `[redacted]`."""
    return _SECRETS.sub("[redacted]", text)
