"""Entries from a pipe or a file: a line is one, and SQL goes on until it ends."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

_SQL = re.compile(
    r"\s*(?:select\b(?!\s+(?:all\s+)?(?:the|those|every)\s)"
    r"|with(?:\s*$|\s+(?:recursive\s+)?(?:\w+|\"[^\"]+\"|`[^`]+`)\s*(?:\([^)]*\)\s*)?as\b))",
    re.IGNORECASE,
)
_GOES_ON = re.compile(
    r"\s+\S|[),;]|(?:from|where|join|left|right|inner|cross|full|group|order|having|limit|offset|union"
    r"|intersect|except|window|qualify)\b"
    r"|(?:and|or|on)\b.*(?:[=<>]|\b(?:in|like|is|between|exists)\b)",
    re.IGNORECASE,
)
_QUOTED = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|`[^`]*`|--[^\n]*|/\*.*?\*/", re.DOTALL)


def is_sql(text: str) -> bool:
    """Whether an entry is SQL: it begins with SELECT, or with WITH and the name of a query ("With whom …" does not)."""
    return _SQL.match(text) is not None


def is_open(sql: str) -> bool:
    """Whether SQL cannot be whole yet: a quote, a comment or a parenthesis is not closed, or it ends in a comma."""
    rest = _QUOTED.sub("''", sql)
    if rest.rstrip().endswith(";"):
        return False
    bare = rest.replace("''", "")
    if any(mark in bare for mark in ("'", '"', "`", "/*")):
        return True
    return rest.count("(") > rest.count(")") or bare.rstrip().endswith(",")


def entries_of(lines: Iterable[str]) -> Iterator[str]:
    """The entries of a script; blank lines and comments (`#`, `--`) are none."""
    held = ""
    for raw in lines:
        line = raw.rstrip("\r\n")
        if held:
            if line.strip() and (is_open(held) or _GOES_ON.match(line)):
                held += "\n" + line
                if _ends(held):
                    yield held
                    held = ""
                continue
            yield held
            held = ""
        if not line.strip() or line.lstrip().startswith(("#", "--")):
            continue
        if is_sql(line) and not _ends(line):
            held = line
        else:
            yield line
    if held:
        yield held


def _ends(sql: str) -> bool:
    return _QUOTED.sub("''", sql).rstrip().endswith(";")
