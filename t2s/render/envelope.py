"""The one JSON shape that every command prints with `--json`."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from t2s.errors import T2SError
from t2s.render.values import as_json
from t2s.types.query import Answer, ResultSet

_STAGES = ("recall", "link", "model", "repair", "check", "execute", "total")


def envelope(data: Any, *, request_id: str, ms: float) -> dict[str, Any]:
    """Success and what came of it."""
    return {"success": True, "data": data, "metadata": _metadata(request_id, ms)}


def error_envelope(
    *, code: str, message: str, suggestion: str | None, request_id: str, ms: float, data: Any = None
) -> dict[str, Any]:
    """Failure, why, and what to do; `data` where there is something to show all the same."""
    error: dict[str, Any] = {"code": code, "message": message, "details": {}, "suggestion": suggestion}
    whole: dict[str, Any] = {"success": False, "error": error, "metadata": _metadata(request_id, ms)}
    return whole if data is None else {**whole, "data": data}


def error_of(error: T2SError, *, request_id: str, ms: float) -> dict[str, Any]:
    """The envelope of an exception."""
    return error_envelope(code=error.code, message=error.message, suggestion=error.hint, request_id=request_id, ms=ms)


def _metadata(request_id: str, ms: float) -> dict[str, Any]:
    return {
        "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "request_id": request_id,
        "processing_time_ms": round(ms, 1),
    }


def answer_data(answer: Answer) -> dict[str, Any]:
    """An answer as the JSON of `t2s ask --json`."""
    return {
        "question": answer.question,
        "sql": answer.sql,
        "status": answer.status,
        "explanation": answer.explanation,
        "assumptions": list(answer.assumptions),
        "tables": list(answer.tables),
        "confidence": answer.confidence,
        "clarification": None
        if answer.clarification is None
        else {"question": answer.clarification.question, "choices": list(answer.clarification.choices)},
        "problems": [asdict(problem) for problem in answer.problems],
        "result": None if answer.result is None else result_data(answer.result),
        "usage": asdict(answer.usage),
        "timings_ms": {stage: round(answer.timings_ms.get(stage, 0.0), 1) for stage in _STAGES},
        "session_id": answer.session_id,
        "run_id": answer.run_id,
    }


def result_data(result: ResultSet) -> dict[str, Any]:
    """A result as JSON: rows as arrays in the order of the columns."""
    return {
        "columns": [column.name for column in result.columns],
        "rows": [[as_json(value) for value in row] for row in result.rows],
        "row_count": len(result.rows),
        "truncated": result.truncated,
    }
