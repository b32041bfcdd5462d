"""What is said to a model of the queries that did not work."""

from __future__ import annotations

import re
from dataclasses import replace

from t2s.types.query import Privacy, Problem, Rejected

_QUOTED = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*\"""")


def sayable(rejected: tuple[Rejected, ...], privacy: Privacy) -> tuple[Rejected, ...]:
    """The same without the values of the data, where these must not leave the machine.

    An engine quotes them in its errors, and a misspelt value's right spelling is one.
    """
    if privacy in ("values", "rows"):
        return rejected
    return tuple(
        replace(attempt, problems=tuple(_discreet(problem, attempt.sql) for problem in attempt.problems))
        for attempt in rejected
    )


def _discreet(problem: Problem, sql: str) -> Problem:
    if problem.code in ("value", "date_format"):
        return replace(problem, suggestion=None, remedy="it is written in another way, or not there")
    if problem.code == "engine":
        return replace(
            problem, message=_QUOTED.sub(lambda m: m.group() if m.group()[1:-1] in sql else "…", problem.message)
        )
    return problem
