"""SQL as text: laid out, in another dialect, told apart, found among words."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from t2s.errors import UsageError
from t2s.sql.parse import parse
from t2s.types.query import Problem
from t2s.types.schema import Dialect

if TYPE_CHECKING:
    from sqlglot import exp

_FENCE = re.compile(r"```(?:\w+)?\s*\n(.*?)```", re.DOTALL)


def format_sql(sql: str, dialect: Dialect) -> str:
    """The same statement, laid out; comments are kept. Raises `UsageError` where it cannot be parsed."""
    return _tree(sql, dialect).sql(dialect=dialect, pretty=True, max_text_width=100)


def transpile(sql: str, read: Dialect, write: Dialect) -> str:
    """The statement in another engine's words. Raises `UsageError` where that engine has none for a part."""
    from sqlglot.errors import ErrorLevel, UnsupportedError

    try:
        return _tree(sql, read).sql(dialect=write, pretty=True, max_text_width=100, unsupported_level=ErrorLevel.RAISE)
    except UnsupportedError as e:
        raise UsageError(f"{write} cannot say this: {e}") from e


def fingerprint(sql: str, dialect: Dialect) -> str:
    """A hash that is equal for the same tree, however it is laid out, commented, or cased.

    Raises `UsageError` where it cannot be parsed.
    """
    from sqlglot.optimizer.normalize_identifiers import normalize_identifiers

    tree = normalize_identifiers(_tree(sql, dialect), dialect=dialect)
    return hashlib.sha256(tree.sql(dialect=dialect, comments=False, identify=True).encode()).hexdigest()


def extract_sql(text: str) -> str:
    """The SQL of a model that wrapped it in a fence; else the text as it is.

    Nothing else is cut away: from `DELETE FROM t` that could make a query.
    """
    fenced = _FENCE.search(text)
    return (fenced.group(1) if fenced else text).strip()


def _tree(sql: str, dialect: Dialect) -> exp.Expr:
    tree = parse(sql, dialect)
    if isinstance(tree, Problem):
        where = f"line {tree.line}, column {tree.column}: " if tree.line and tree.column else ""
        raise UsageError(f"{where}{tree.message}")
    return tree
