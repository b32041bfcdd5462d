"""A reply's text as the JSON that was asked for."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from t2s.errors import ProviderError
from t2s.types.llm import Reply

_FENCE = re.compile(r"^```(?:json)?\s*\n(.*)\n```\s*$", re.DOTALL)
_KINDS: dict[str, type] = {"string": str, "array": list, "object": dict}


def parse_json(reply: Reply, schema: Mapping[str, Any]) -> dict[str, Any]:
    """The object in a reply, with every property that `schema` requires and of its type.

    Models without structured output wrap it in a fence or leave empty fields out: the one is taken off, the
    others are filled with nothing. Raises `ProviderError` where there is no such object.
    """
    text = reply.text.strip()
    if fenced := _FENCE.match(text):
        text = fenced.group(1)
    try:
        found = json.loads(text)
    except json.JSONDecodeError as e:
        raise ProviderError("the model did not answer with JSON", hint="ask again, or try another model") from e
    if not isinstance(found, dict):
        raise ProviderError("the model did not answer with a JSON object", hint="ask again, or try another model")
    for name, kind in schema["properties"].items():
        value = found.setdefault(name, _KINDS[kind["type"]]())
        if value is None:
            found[name] = _KINDS[kind["type"]]()
        elif not isinstance(value, _KINDS[kind["type"]]):
            raise ProviderError(f"the model's answer has a wrong {name!r}", hint="ask again, or try another model")
    return found
