"""The generator that needs no service: reads the question by rules, and says so when it cannot."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from t2s.local.build import render
from t2s.local.choose import choose
from t2s.local.explain import explain
from t2s.local.glossary import amended, taught
from t2s.local.joins import build_graph
from t2s.local.link import Linked, link
from t2s.local.names import index_names
from t2s.local.read import read
from t2s.local.reading import Reading
from t2s.local.scene import Ambiguous, Scene, Unclear
from t2s.local.words import lexicon, tokens
from t2s.types.event import Event
from t2s.types.query import Abstained, Candidate, Clarification, Context, Draft, Rejected
from t2s.types.usage import Usage

BASE_CONFIDENCE = 0.85
"""How often a reading without any doubt is right: measured as 0.77 on databases made by others, more on plain ones."""

MIN_CONFIDENCE = 0.54
"""What is less sure than this is not proposed; below it more answers were wrong than right."""

_HINT = "ask it in other words, with the names of tables and columns, or set ANTHROPIC_API_KEY for a model"


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalGenerator:
    """Rules for English and Chinese; see `t2s.types.generator.Generator`."""

    model: str = "local"

    def generate(
        self, context: Context, *, rejected: tuple[Rejected, ...], n: int, on_event: Callable[[Event], None]
    ) -> tuple[tuple[Draft, ...], Usage]:
        """One draft: a candidate, or an abstention that says what was not understood."""
        lesson = taught(context)
        draft = answer(replace(context, question=lesson.question))
        if isinstance(draft, Candidate):
            draft = amended(draft, lesson, context.schema) or Abstained(
                reason="the words of the glossary do not fit into the query that I see", hint=_HINT
            )
        if isinstance(draft, Candidate) and any(attempt.sql == draft.sql for attempt in rejected):
            draft = Abstained(reason="the one query that I see for this question was refused", hint=_HINT)
        return (draft,), Usage(model=self.model)


def answer(context: Context) -> Draft:
    """The query for a question, or why there is none."""
    if writing := _writes(context.question):
        return Abstained(reason=f"“{writing}” would change data; t2s only reads", hint="ask for what to look up")
    linked = link(context, index_names(context.schema))
    reading = read(linked)
    if reading.unread:
        return _abstained(reading, linked)
    mentions = tuple(
        (item.first, item.tables[0].table) for item in linked.items if item.kind == "table" and item.tables
    )
    scene = Scene(schema=context.schema, graph=build_graph(context.schema), mentions=mentions)
    for item in reading.ties:
        scene.assume(f"“{item.text}” says no more than how the tables belong together", 0.85)
    try:
        plan = choose(scene, reading)
    except Unclear as e:
        return Abstained(reason=str(e), hint=_HINT)
    except Ambiguous as e:
        choices = tuple(context.question.replace(e.text, f"{meaning} {e.text}") for meaning in e.meanings)
        return Clarification(question=f"What is “{e.text}”: {' or '.join(e.meanings)}?", choices=choices)
    confidence = _confidence(linked, scene)
    if confidence < MIN_CONFIDENCE:
        return Abstained(reason=f"I would only be guessing: {'; '.join(scene.assumptions)}", hint=_HINT)
    return Candidate(
        sql=render(plan, context.schema),
        explanation=explain(plan),
        assumptions=tuple(scene.assumptions),
        confidence=confidence,
    )


def _writes(question: str) -> str | None:
    """The first word of the question where it asks to change something."""
    words = [token for token in tokens(question) if token.kind != "mark"]
    polite = {"please", "can", "you", "could", "now", "请", "帮我", "把"}
    first = next((word for word in words if word.text.casefold() not in polite), None)
    if first is not None and first.text.casefold() in lexicon().writes:
        return first.text
    return next((w.text for w in words if w.text in lexicon().writes and not w.text.isascii()), None)


def _abstained(reading: Reading, linked: Linked) -> Abstained:
    unread = [item.text for item in reading.unread if item.kind == "unknown"]
    unread = unread or [item.text for item in reading.unread]
    words = ", ".join(f"“{text}”" for text in dict.fromkeys(unread))
    known = [item.text for item in linked.items if item.kind in ("table", "column", "value", "period", "measure")]
    understood = f"I understood {', '.join(known)}; " if known else ""
    return Abstained(reason=f"I do not understand {words}", hint=understood + _HINT)


def _confidence(linked: Linked, scene: Scene) -> float:
    """How sure each word's reading is, times what had to be assumed."""
    scores = [item.score for item in linked.items if item.kind in ("table", "column")]
    certainty = math.prod(0.6 + 0.4 * min(score, 1.0) for score in scores)
    length = max(len(linked.items) - 6, 0)  # a long question has more to be misread
    return round(BASE_CONFIDENCE * certainty * math.prod(scene.doubts) * 0.98**length, 3)
