"""Put SQL right that somebody wrote."""

from __future__ import annotations

import uuid
from dataclasses import replace

from t2s.types.memory import Recalled
from t2s.types.query import Answer, Context
from t2s.types.schema import Schema
from t2s.workspace import LOCAL, Workspace

TASK = "Correct this query, and change nothing else about it."
HINT = "what is left wants a model: set ANTHROPIC_API_KEY, or name one with --model"


def fix(ws: Workspace, sql: str) -> Answer:
    """The SQL with what is wrong put right: misspellings here, all else by the model where there is one.

    `problems` of the answer are what was put right, and, as warnings, what speaks against it still. Without a result:
    one row at most is read. Raises what `Workspace.ask` does.
    """
    from t2s.pipeline import Options, ask
    from t2s.pipeline.generate import GivenGenerator

    run_id = str(uuid.uuid4())
    model = None if ws.model == LOCAL else ws.generators(run_id)[0]

    def shown(_: str, schema: Schema, recalled: Recalled) -> Context:
        return replace(ws.context(sql, schema, recalled), question=TASK, known=None, history=(), earlier="")

    settings = ws.config.settings
    answer = ask(
        TASK,
        database=ws.database,
        generators=(GivenGenerator(sql=sql, following=model, hint=HINT),),
        recalled=lambda _, __: Recalled(),
        linked=shown,
        options=Options(limit=1, timeout=settings.timeout, repairs=settings.repairs),
        session_id=ws.session_id,
        run_id=run_id,
        on_event=ws.on_event,
    )
    if answer.status == "abstained":  # the generator gave up on the SQL: that is what is wrong
        hint = None if any(problem.code == "guard" for problem in answer.problems) else answer.hint
        return replace(answer, status="rejected", sql=sql, hint=hint)
    return replace(answer, result=None)
