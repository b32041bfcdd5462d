"""Misspelt names and values put right where there is no doubt what was meant."""

from __future__ import annotations

import re
from collections.abc import Iterable

from t2s.sql.names import surely
from t2s.types.query import Problem
from t2s.types.schema import Schema

_TOKEN = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|`(?:[^`]|``)*`|\w+""")
_PLAIN = re.compile(r"[A-Za-z_]\w*")


def mend(sql: str, problems: Iterable[Problem], schema: Schema) -> str | None:
    """The SQL with every problem's misspelling corrected; None where one of them leaves a doubt.

    Only the wrong words are replaced, from the last to the first; all else stays as it was written.
    """
    edits = []
    for problem in problems:
        at = _offset(sql, problem.line, problem.column)
        token = _TOKEN.match(sql, at) if at is not None else None
        right = _right(problem, token.group(), schema) if token else None
        if token is None or right is None:
            return None
        edits.append((*token.span(), right))
    for start, end, right in sorted(set(edits), reverse=True):
        sql = sql[:start] + right + sql[end:]
    return sql if edits else None


def _right(problem: Problem, token: str, schema: Schema) -> str | None:
    """What must stand in the place of a token."""
    suggestion = problem.suggestion
    written = _unquoted(token)
    if suggestion is None:
        return None
    if problem.code == "value":
        return "'" + suggestion.replace("'", "''") + "'" if surely(written, [suggestion]) else None
    names: Iterable[str]
    if problem.code == "unknown_table":
        names = (t.full_name for t in schema.tables)
    elif problem.code == "unknown_column":
        names = (c.name for t in schema.tables for c in t.columns)
    else:
        return None
    if surely(written, names) != suggestion:
        return None
    return _quoted(suggestion, token, schema)


def _quoted(name: str, token: str, schema: Schema) -> str:
    """A name as the token was written, in quotes where it needs them."""
    mark = token[0] if token[0] in '"`' else '"' if schema.dialect != "mysql" else "`"
    folds = schema.dialect == "postgres" and name != name.lower()
    if token[0] in '"`' or folds or not _PLAIN.fullmatch(name):
        return mark + name.replace(mark, mark * 2) + mark
    return name


def _unquoted(token: str) -> str:
    mark = token[0]
    return token[1:-1].replace(mark * 2, mark) if mark in "'\"`" else token


def _offset(sql: str, line: int | None, column: int | None) -> int | None:
    """Where in the text a line and column (from 1) are."""
    if line is None or column is None:
        return None
    lines = sql.splitlines(keepends=True)
    return sum(map(len, lines[: line - 1])) + column - 1 if line <= len(lines) else None
