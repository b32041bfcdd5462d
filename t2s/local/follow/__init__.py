"""Questions that go on from the one before: `and per country?`, `only 2024`, `what are their names?`, 只看上海的.

The SQL of the last answer, whoever wrote it, is read back into a plan, and what the new question says is put into it.
"""

from __future__ import annotations

import math
from dataclasses import replace

from t2s.local.build import render
from t2s.local.explain import explain
from t2s.local.follow.again import bare
from t2s.local.follow.cues import Cues, bared, cues
from t2s.local.follow.merge import merge
from t2s.local.follow.past import read_plan
from t2s.local.follow.scope import Foreign
from t2s.local.joins import build_graph
from t2s.local.link import Linked, link
from t2s.local.names import index_names
from t2s.local.plan import Plan
from t2s.local.read import read
from t2s.local.reading import Reading
from t2s.local.scene import Ambiguous, Scene, Unclear
from t2s.types.query import Abstained, Candidate, Context, Draft

BASE_CONFIDENCE = 0.8
"""How sure a plain change of the last query is."""

UNSAID = 0.85
"""What is left of that where no word says that the question goes on from the last."""

HINT = "ask the whole question in one sentence, or set ANTHROPIC_API_KEY for a model"


def follow(context: Context) -> Draft | None:
    """The draft for a question that goes on from the last of the conversation; None for one that stands alone."""
    if not context.history:
        return None
    index = index_names(context.schema)
    linked, rest = link(context, index), bared(context.question)
    said = cues(context.question, linked)
    if rest != context.question:
        linked = link(replace(context, question=rest), index)
    reading = bare(linked) or read(linked)
    before = context.history[-1]
    if not said.back and (reading.unread or not _hangs_on(reading, said)):
        return None
    try:
        past = read_plan(before.sql, context.schema)
    except Foreign as e:
        return _lost(f"I cannot change the query before this: it has {e}") if said.back else None
    if not said.back and not _of_its_tables(reading, past):
        return None
    if said.weak and _is_of_another(reading, past):
        return None
    if reading.unread:
        words = ", ".join(dict.fromkeys(f"“{item.text}”" for item in reading.unread))
        return _lost(f"this goes on from “{before.question}”, but I do not understand {words}")
    scene = _scene(context, linked)
    try:
        plan = merge(scene, past, reading, said)
    except (Unclear, Ambiguous) as e:
        return _lost(f"this goes on from “{before.question}”, but {e}") if said.back else None
    certainty = math.prod(scene.doubts) * (1.0 if said.back else UNSAID)
    return Candidate(
        sql=render(plan, context.schema),
        explanation=explain(plan),
        assumptions=(f"this goes on from “{before.question}”", *scene.assumptions),
        confidence=round(BASE_CONFIDENCE * certainty, 3),
    )


def _lost(reason: str) -> Abstained:
    return Abstained(reason=reason, hint=HINT)


def _scene(context: Context, linked: Linked) -> Scene:
    mentions = tuple((i.first, i.tables[0].table) for i in linked.items if i.kind == "table" and i.tables)
    return Scene(schema=context.schema, graph=build_graph(context.schema), mentions=mentions)


def _hangs_on(reading: Reading, said: Cues) -> bool:
    """Whether the question names no table of its own, so that another must have been spoken of."""
    items = [*reading.groups, *(a.item for a in reading.amounts), *reading.related, *reading.absent]
    if said.whole or reading.subject or any(item is not None and item.kind == "table" for item in items):
        return False
    return bool(reading.amounts or reading.shown or reading.groups or reading.conditions or reading.ranking)


def _of_its_tables(reading: Reading, past: Plan) -> bool:
    """Whether the columns that are asked for can be those of the tables that the last query reads."""
    tables = {past.base, *(join.table for join in past.joins)}
    items = [*reading.shown, *(a.item for a in reading.amounts if a.item)]
    return all(item.kind == "unit" or any(hit.table in tables for hit in item.columns) for item in items)


def _is_of_another(reading: Reading, past: Plan) -> bool:
    """Whether it names a table that the last query does not read."""
    named = {hit.table for hit in reading.subject.tables} if reading.subject else set()
    return bool(named) and named.isdisjoint({past.base, *(join.table for join in past.joins)})
