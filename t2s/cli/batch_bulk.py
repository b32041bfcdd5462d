"""The way of `t2s batch run --bulk`: hand all in at half price, note that durably, collect when it is done."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from t2s.batch.lock import append
from t2s.batch.plan import done_of, journal_of
from t2s.batch.spec import Query, SpecFile
from t2s.errors import ProviderError, UsageError
from t2s.types.query import Answer, Candidate, Rejected
from t2s.types.usage import Usage

if TYPE_CHECKING:
    from t2s.llm.bulk import Bulk, Collected
    from t2s.types.llm import Request
    from t2s.types.query import Draft
    from t2s.workspace import Workspace

LONGEST_WAIT_S = 60.0


def state_of(file: SpecFile) -> Path:
    """Where it is noted that a batch is with the service."""
    return file.path.with_suffix(".bulk")


def generate_in_bulk(
    ws: Workspace,
    file: SpecFile,
    todo: tuple[Query, ...],
    *,
    stopped: Callable[[float], bool],
    tell: Callable[..., None],
) -> dict[str, Any]:
    """Hand in what is to be done, or collect what was; `stopped` waits so many seconds and says whether to end."""
    from t2s.llm.bulk import Bulk

    if not ws.model.startswith("claude-"):
        raise UsageError(f"--bulk wants a Claude model, not {ws.model}", hint="set ANTHROPIC_API_KEY, or leave it out")
    settings = ws.config.settings
    bulk = Bulk(settings.provider, settings.prices)
    state = _state(file) or _handed_in(ws, bulk, file, todo)
    if state["batch"] is None:  # killed while it was handed in
        state = {**state, "batch": bulk.find(frozenset(state["ids"]), state["at"])}
        if state["batch"] is None:
            for id_ in state["ids"]:
                ws.meter("").correct(_run_id(file, id_), Usage(model=state["model"]), outcome="cancelled")
            state = _handed_in(ws, bulk, file, todo)
        _note(file, state)
    tell(notice=f"batch {state['batch']} is with the service: {len(state['ids'])} questions")
    wait = 0.5
    while not bulk.ended(state["batch"]):
        if stopped(wait):
            return {"done": 0, "failed": [], "cost_usd": 0.0, "waiting": len(state["ids"])}
        wait = min(wait * 1.5, LONGEST_WAIT_S)
    return _collected(ws, bulk, file, state, tell)


def _handed_in(ws: Workspace, bulk: Bulk, file: SpecFile, todo: tuple[Query, ...]) -> dict[str, Any]:
    """Reserve what all may cost, note what is handed in, hand it in, note its id; in this order."""
    requests: dict[str, Request] = {}
    for query in todo:
        request = ws.preview(query.asked).request
        assert request is not None  # the model is a service
        requests[query.hash] = request
    for id_, request in requests.items():
        _take(ws, _run_id(file, id_), request)
    state = {"ids": sorted(requests), "at": time.time(), "batch": None, "model": ws.model}
    _note(file, state)
    state["batch"] = bulk.submit(requests)
    _note(file, state)
    return state


def _take(ws: Workspace, run_id: str, request: Request) -> None:
    """Count the most that a request can cost as spent, until its real cost is known."""
    from t2s.ledger.meter import SUBMITTED
    from t2s.llm import cost_usd, estimate_request
    from t2s.llm.bulk import DISCOUNT

    tokens = estimate_request(request)
    prices = ws.config.settings.prices
    full = cost_usd(request.model, prices, input_tokens=0, cache_write_tokens=tokens, output_tokens=request.max_tokens)
    most = None if full is None else full * DISCOUNT
    meter = ws.meter(run_id)
    hold = meter.reserve(model=request.model, tokens=tokens + request.max_tokens, cost_usd=most)
    used = Usage(model=request.model, input_tokens=tokens, output_tokens=request.max_tokens, cost_usd=most, calls=1)
    meter.settle(hold, used, purpose="bulk", latency_ms=0.0, outcome=SUBMITTED)


def _collected(
    ws: Workspace, bulk: Bulk, file: SpecFile, state: dict[str, Any], tell: Callable[..., None]
) -> dict[str, Any]:
    from t2s.pipeline.prompt import prompt_version

    schema = ws.database.schema()
    version = prompt_version(schema.dialect)
    results = []
    for collected in bulk.results(state["batch"], state["model"]):
        used = collected.reply.usage if collected.reply else Usage(model=state["model"])
        outcome = "ok" if collected.error is None else "provider"
        ws.meter("").correct(_run_id(file, collected.id), used, outcome=outcome)
        for query in file.spec.queries:
            if query.hash != collected.id:  # another one, or changed meanwhile
                continue
            done = done_of(query, _answer(ws, query, collected), schema, version)
            if done.sql is not None:
                append(journal_of(file), done)
            results.append(done)
            tell(done={"name": done.name, "error": done.error, "cost_usd": done.cost_usd})
    state_of(file).unlink()
    costs = [done.cost_usd for done in results]
    return {
        "done": sum(done.sql is not None for done in results),
        "failed": [{"name": done.name, "error": done.error} for done in results if done.sql is None],
        "cost_usd": None if None in costs else sum(cost or 0.0 for cost in costs),
    }


def _answer(ws: Workspace, query: Query, collected: Collected) -> Answer:
    """The answer that a reply amounts to, checked; there are no repairs in bulk."""
    from t2s.pipeline.check import check
    from t2s.pipeline.confidence import Evidence, confidence
    from t2s.pipeline.generate import draft_of

    used = collected.reply.usage if collected.reply else Usage(model="")
    failed = Answer(question=query.asked, status="failed", explanation=collected.error or "", usage=used)
    if collected.reply is None or collected.error is not None:
        return failed
    try:
        draft: Draft = draft_of(collected.reply)
    except ProviderError as e:
        return replace(failed, explanation=e.message)
    if not isinstance(draft, Candidate):
        return replace(failed, explanation=getattr(draft, "reason", "") or getattr(draft, "question", ""))
    verdict = check(draft.sql, ws.database.schema(), ws.database)
    if isinstance(verdict, Rejected):
        return replace(failed, status="rejected", sql=draft.sql, problems=verdict.problems)
    return Answer(
        question=query.asked,
        status="ok",
        sql=verdict.sql,
        explanation=draft.explanation,
        tables=verdict.tables,
        confidence=confidence(Evidence(own=draft.confidence, assumptions=len(draft.assumptions), unseen=1)),
        usage=used,
    )


def _run_id(file: SpecFile, id_: str) -> str:
    """The same for the same question of the same file, so that what was taken for it is found again."""
    import uuid

    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{file.path}#{id_}"))


def _state(file: SpecFile) -> dict[str, Any] | None:
    try:
        found = json.loads(state_of(file).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except ValueError as e:
        raise UsageError(f"{state_of(file)} is damaged", hint="remove it to hand the questions in anew") from e
    return dict(found)


def _note(file: SpecFile, state: dict[str, Any]) -> None:
    from t2s.render.files import whole_file

    with whole_file(state_of(file)) as temporary:
        temporary.write_text(json.dumps(state), encoding="utf-8")
