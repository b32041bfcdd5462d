"""Plain questions by rules, which know what they do not understand."""

from __future__ import annotations

import math
from difflib import get_close_matches

from t2s.local.build import render
from t2s.local.choose import choose
from t2s.local.explain import explain
from t2s.local.joins import build_graph
from t2s.local.link import Linked, link
from t2s.local.names import index_names
from t2s.local.read import read
from t2s.local.reading import Reading
from t2s.local.scene import Ambiguous, Scene, Unclear
from t2s.local.words import lexicon, spoken, tokens
from t2s.types.query import Abstained, Candidate, Clarification, Context, Draft
from t2s.types.schema import Schema

BASE_CONFIDENCE = 0.85
"""How often a reading without any doubt is right: measured as 0.77 on databases made by others, more on plain ones."""

MIN_CONFIDENCE = 0.54
"""What is less sure than this is not proposed; below it more answers were wrong than right."""

NEAR = 0.8
"""So much alike is a name that was misspelt."""

HINT = "ask it in other words, with the names of tables and columns, or set ANTHROPIC_API_KEY for a model"


def answer_by_rules(context: Context) -> Draft:
    """The query for a question, or why there is none."""
    linked = link(context, index_names(context.schema))
    reading = read(linked)
    if reading.unread:
        return _abstained(reading, linked, context.schema)
    mentions = tuple(
        (item.first, item.tables[0].table) for item in linked.items if item.kind == "table" and item.tables
    )
    scene = Scene(schema=context.schema, graph=build_graph(context.schema), mentions=mentions)
    for item in reading.ties:
        scene.assume(f"“{item.text}” says no more than how the tables belong together", 0.85)
    try:
        plan = choose(scene, reading)
    except Unclear as e:
        return Abstained(reason=str(e), hint=HINT)
    except Ambiguous as e:
        choices = tuple(context.question.replace(e.text, f"{meaning} {e.text}") for meaning in e.meanings)
        return Clarification(question=f"What is “{e.text}”: {' or '.join(e.meanings)}?", choices=choices)
    confidence = _confidence(linked, scene)
    if confidence < MIN_CONFIDENCE:
        return Abstained(reason=f"I would only be guessing: {'; '.join(scene.assumptions)}", hint=HINT)
    return Candidate(
        sql=render(plan, context.schema),
        explanation=explain(plan),
        assumptions=tuple(scene.assumptions),
        confidence=confidence,
    )


def writes(question: str) -> str | None:
    """The first word of the question where it asks to change something."""
    words = [token for token in tokens(question) if token.kind != "mark"]
    polite = {"please", "can", "you", "could", "now", "请", "帮我", "把"}
    first = next((word for word in words if word.text.casefold() not in polite), None)
    if first is not None and first.text.casefold() in lexicon().writes:
        return first.text
    return next((w.text for w in words if w.text in lexicon().writes and not w.text.isascii()), None)


def _abstained(reading: Reading, linked: Linked, schema: Schema) -> Abstained:
    unread = [item.text for item in reading.unread if item.kind == "unknown"]
    unread = unread or [item.text for item in reading.unread]
    words = ", ".join(f"“{text}”" for text in dict.fromkeys(unread))
    known = [item.text for item in linked.items if item.kind in ("table", "column", "value", "period", "measure")]
    understood = f"I understood {', '.join(known)}; " if known else ""
    meant = "".join(f"; did you mean {name}?" for name in _near(unread, schema))
    return Abstained(reason=f"I do not understand {words}{meant}", hint=understood + HINT)


def _near(words: list[str], schema: Schema) -> list[str]:
    """The names that the first misspelt word is nearest to, as people say them; none where it is near to none."""
    names = {spoken(name): None for table in schema.tables for name in (table.name, *(c.name for c in table.columns))}
    found = (get_close_matches(word.casefold(), names, n=1, cutoff=NEAR) for word in words)
    return next((near for near in found if near), [])


def _confidence(linked: Linked, scene: Scene) -> float:
    """How sure each word's reading is, times what had to be assumed."""
    scores = [item.score for item in linked.items if item.kind in ("table", "column")]
    certainty = math.prod(0.6 + 0.4 * min(score, 1.0) for score in scores)
    length = max(len(linked.items) - 6, 0)  # a long question has more to be misread
    return round(BASE_CONFIDENCE * certainty * math.prod(scene.doubts) * 0.98**length, 3)
