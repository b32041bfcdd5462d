"""Whether a question asks for something of the past, by the words it uses, in English and Chinese."""

from __future__ import annotations

import re

from t2s.types.memory import Intent

_SIGNS: dict[Intent, re.Pattern[str]] = {
    "history": re.compile(
        r"\b(?:previous(?:ly)?|earlier|before that|last (?:time|question|query|answer)|again|(?:what|which).{0,20}\bI "
        r"(?:ask|asked|say|said|run|ran)|did (?:I|we) (?:ask|look|say|talk)|we (?:discussed|talked)|as (?:I|we) said"
        r"|remember)\b"
        r"|之前|上次|刚才|刚刚|前面|历史|问过|说过|聊过|还记得|再来一次",
        re.IGNORECASE,
    ),
    "preference": re.compile(
        r"\b(?:my (?:usual|preferred|favou?rite|preferences?|style)|as (?:I|we) (?:like|prefer)"
        r"|I (?:prefer|like|always|usually)|the usual way|by default)\b"
        r"|偏好|习惯|我喜欢|我一般|我通常|老样子|照旧|默认",
        re.IGNORECASE,
    ),
    "event": re.compile(
        r"\b(?:what happened|when did (?:I|we|you)|the day (?:I|we)|what did (?:I|we|you) (?:do|decide|change|learn)"
        r"|decided|who (?:taught|told|corrected))\b|发生了什么|什么时候(?:说|问|改|教)|决定了|谁(?:教|改|说)",
        re.IGNORECASE,
    ),
}


def intent_of(question: str) -> Intent:
    """Which memories beyond the always recalled ones a question calls for; `mixed` for several kinds."""
    found = [intent for intent, sign in _SIGNS.items() if sign.search(question)]
    if len(found) > 1:
        return "mixed"
    return found[0] if found else "none"
