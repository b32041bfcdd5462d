"""How much a memory matters, and for how long: importance, layers, retention, rank."""

from __future__ import annotations

import re
from dataclasses import replace

from t2s.types.memory import Kind, Layer, Memory

DAY_S = 86_400.0

BASE: dict[Kind, float] = {
    "schema": 0.9,
    "config": 0.85,
    "preference": 0.8,
    "glossary": 0.85,
    "correction": 0.8,
    "query": 0.6,
    "event": 0.6,
    "summary": 0.6,
    "result": 0.5,
    "conversation": 0.4,
}
ALWAYS_LONG: frozenset[Kind] = frozenset({"schema", "config", "preference", "glossary", "correction"})
RETENTION_S: dict[Layer, float] = {"long": 365 * DAY_S, "medium": DAY_S, "short": DAY_S / 24}
PROMOTED_BY_ACCESSES = 5
"""A memory that was used so often moves up a layer."""

_KEYWORDS = re.compile(
    r"\b(?:select|from|where|join|group|order|having|limit|count|sum|avg|distinct|table|column|schema|index|key|view)\b"
    r"|查询|数据库|数据|表|字段|列|索引|主键|外键|分组|排序|连接|统计|汇总|平均|总数",
    re.IGNORECASE,
)
_UP: dict[Layer, Layer] = {"short": "medium", "medium": "long", "long": "long"}


def importance(memory: Memory, now: float) -> float:
    """From 0 to 1: `0.4·base + min(0.05·accesses, 0.2) + 0.2·age + 0.2·quality + 0.2·feedback`, clipped.

    Age is `max(0, 1 − 0.3·days / 365)`.
    """
    days = max(0.0, now - memory.created) / DAY_S
    age = max(0.0, 1 - 0.3 * days / 365)
    used = min(0.05 * memory.accesses, 0.2)
    score = 0.4 * BASE[memory.kind] + used + 0.2 * age + 0.2 * quality(memory.content) + 0.2 * memory.feedback
    return min(1.0, max(0.0, score))


def quality(content: str) -> float:
    """The mean of a score for length and one for words of SQL and schemas, each 0 to 1."""
    length = len(content)
    by_length = 0.3 if length < 20 else 0.6 if length < 100 else 0.8
    by_words = min(0.5, 0.1 * len(_KEYWORDS.findall(content)))
    return (by_length + by_words) / 2


def layer_of(memory: Memory, score: float) -> Layer:
    """Where a memory of this importance belongs; being marked or used often lifts it."""
    if memory.kind in ALWAYS_LONG or memory.marked or score >= 0.8:
        return "long"
    layer: Layer = "medium" if score >= 0.5 else "short"
    return _UP[layer] if memory.accesses >= PROMOTED_BY_ACCESSES else layer


def scored(memory: Memory, now: float) -> Memory:
    """The memory with the importance, layer and end of retention that it has now; it never sinks a layer."""
    score = importance(memory, now)
    order: tuple[Layer, ...] = ("short", "medium", "long")
    layer = max(layer_of(memory, score), memory.layer if memory.expires else "short", key=order.index)
    return replace(memory, importance=score, layer=layer, expires=memory.last_access + RETENTION_S[layer])


def rank(relevance: float, memory: Memory, now: float) -> float:
    """What recall orders by: `0.5·relevance + 0.3·0.5^(days / 30) + 0.2·importance`."""
    days = max(0.0, now - memory.valid_from) / DAY_S
    recency: float = 0.5 ** (days / 30)
    return 0.5 * relevance + 0.3 * recency + 0.2 * memory.importance
