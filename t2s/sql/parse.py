"""Text to tree, once, with every way of failing made a `Problem`."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING

from t2s.types.query import Problem
from t2s.types.schema import Dialect

if TYPE_CHECKING:
    from sqlglot import exp

MAX_LENGTH = 200_000
"""Characters; no question needs a longer query, and the parser's time grows with it."""

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u0085\u00a0\u2028\u2029\ufeff]")
_ANSI = re.compile(r"\x1b\[[0-9;]*m")


def parse(sql: str, dialect: Dialect) -> exp.Expr | Problem:
    """The tree of the one statement in `sql`, or what is wrong with it."""
    import sqlglot
    from sqlglot import exp
    from sqlglot.errors import ParseError, TokenError

    logging.getLogger("sqlglot").setLevel(logging.CRITICAL)  # a fallback to Command is refused, not logged
    if problem := _unreadable(sql, dialect):
        return problem
    try:
        statements = [s for s in sqlglot.parse(sql, read=dialect) if not isinstance(s, exp.Semicolon | None)]
    except ParseError as e:
        first = e.errors[0] if e.errors else {}
        return Problem(
            code="syntax",
            message=_one_line(str(first.get("description") or e)),
            line=first.get("line"),
            column=_first_column(first.get("col"), first.get("highlight")),
        )
    except TokenError as e:
        return Problem(code="syntax", message=_one_line(str(e)))
    except RecursionError:
        return Problem(code="syntax", message="the query is nested too deeply")
    if not statements:
        return Problem(code="syntax", message="there is no SQL")
    if len(statements) > 1:
        return Problem(code="guard", message=f"only one statement may run; there are {len(statements)}")
    return statements[0]


def place(node: exp.Expr) -> tuple[int | None, int | None]:
    """Line and first column (from 1) of the first name or literal at or below a node, where known."""
    for child in node.walk():
        if "line" in child.meta and "start" in child.meta:
            width = child.meta["end"] - child.meta["start"]
            return child.meta["line"], max(1, child.meta["col"] - width)
    return None, None


def _unreadable(sql: str, dialect: Dialect) -> Problem | None:
    """Text that this parser and an engine might read differently is not parsed at all."""
    if len(sql) > MAX_LENGTH:
        return Problem(code="syntax", message=f"the query is longer than {MAX_LENGTH:,} characters")
    if found := _CONTROL.search(sql):
        line = sql.count("\n", 0, found.start()) + 1
        return Problem(code="guard", message=f"there is an invisible character (U+{ord(found.group()):04X})", line=line)
    if dialect == "mysql" and (at := sql.find("/*!") if "/*!" in sql else sql.find("/*M!")) >= 0:
        line = sql.count("\n", 0, at) + 1
        return Problem(code="guard", message="MySQL executes /*! comments", line=line)
    if dialect == "mysql" and "/*+" in sql:
        return Problem(code="guard", message="optimizer hints can change settings")
    return None


def _first_column(last: int | None, text: str | None) -> int | None:
    return max(1, last - len(text or " ") + 1) if last else None


def _one_line(text: str) -> str:
    line = " ".join(_ANSI.sub("", text).split())
    return line if len(line) <= 200 else line[:199] + "…"
