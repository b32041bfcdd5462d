"""Completion while typing: commands and their arguments, tables, columns, values, and SQL's own words."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document

from t2s.render.clean import clean
from t2s.repl.names import MOST, Index, Name, Names
from t2s.repl.script import is_sql
from t2s.types.schema import Table

if TYPE_CHECKING:
    from t2s.repl.chat import Chat
    from t2s.repl.command import Command

KEYWORDS = (
    *("SELECT", "DISTINCT", "FROM", "WHERE", "GROUP BY", "ORDER BY", "HAVING", "LIMIT", "OFFSET", "WITH", "AS"),
    *("JOIN", "LEFT JOIN", "INNER JOIN", "CROSS JOIN", "ON", "USING", "AND", "OR", "NOT", "IN", "EXISTS", "BETWEEN"),
    *("LIKE", "IS NULL", "IS NOT NULL", "CASE", "WHEN", "THEN", "ELSE", "END", "ASC", "DESC", "UNION", "UNION ALL"),
    *("INTERSECT", "EXCEPT", "COUNT(", "SUM(", "AVG(", "MIN(", "MAX(", "ROUND(", "COALESCE(", "CAST(", "LOWER("),
    *("UPPER(", "SUBSTR(", "ABS(", "EXTRACT(", "OVER (", "PARTITION BY", "ROW_NUMBER()", "RANK()"),
)

_WORD = re.compile(r"[@\w.]+\Z")
_TABLES = re.compile(
    r"\b(?:from|join)\s+([\w.]+|\"[^\"]+\"|`[^`]+`)(?:\s+(?:as\s+)?(?!on\b|where\b|join\b|left\b|group\b|order\b)(\w+))?",
    re.IGNORECASE,
)
_WANTS_TABLE = re.compile(r"\b(?:from|join)\s+[\w.]*\Z", re.IGNORECASE)
_IN_VALUE = re.compile(r"([\w.]+)[\"`]?\s*(?:=|<>|!=|like|in\s*\((?:\s*'[^']*'\s*,)*)\s*'([^']*)\Z", re.IGNORECASE)
QUESTION_LETTERS = 2
"""Letters of a word of a question before anything is offered: names are rarer there than words."""


class SchemaCompleter(Completer):
    """Offers what fits where the cursor is; the schema's names once they are known."""

    def __init__(self, chat: Chat, commands: Mapping[str, Command]) -> None:
        self._chat = chat
        self._commands = commands

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        """The completions at the cursor."""
        text = document.text_before_cursor
        if text.startswith(("/", "\\")):
            return self._command(text)
        names = self._chat.names
        if names is None:
            return ()
        return _sql(text, names) if is_sql(document.text) else _question(text, names)

    def _command(self, text: str) -> Iterator[Completion]:
        word, space, argument = text.partition(" ")
        if not space:
            for name, known in self._commands.items():
                if name.startswith(word):
                    yield Completion(name, -len(word), display_meta=known.help)
            return
        command = self._commands.get(word)
        if command is None or command.offers is None:
            return
        for offer in command.offers(self._chat, argument):
            yield Completion(clean(offer), -len(argument))


def _question(text: str, names: Names) -> Iterator[Completion]:
    match = _WORD.search(text)
    word = match.group() if match else ""
    if word.startswith("@"):
        for name in names.tables.find(word[1:]):
            yield _as_completion(name, f"@{name.text}", len(word))
        return
    if word.isascii():
        found = _named(word, names, Index.find) if len(word) >= QUESTION_LETTERS else []
    else:  # between Chinese words there are no spaces
        found = next(filter(None, (_named(word[start:], names, Index.begin) for start in range(len(word)))), [])
    yield from found


def _named(part: str, names: Names, search: Callable[[Index, str, int], list[Name]]) -> list[Completion]:
    """A few tables, columns and values for a part of a name."""
    found = [*search(names.tables, part, 8), *search(names.columns, part, 12), *search(names.values, part, 12)]
    return [_as_completion(name, name.text, len(part)) for name in found]


def _sql(text: str, names: Names) -> Iterator[Completion]:
    if value := _IN_VALUE.search(text):
        yield from _values(value.group(1), value.group(2), text, names)
        return
    match = _WORD.search(text)
    word = match.group() if match else ""
    head, dot, part = word.rpartition(".")
    mentioned = _mentioned(text, names)
    if dot:
        table = mentioned.get(head.casefold()) or names.table(head)
        if table is not None:
            for name in names.columns_of(table, part):
                yield _as_completion(name, names.quoted(name.text), len(part))
            return
    if _WANTS_TABLE.search(text):
        for name in names.tables.find(word):
            yield _as_completion(name, ".".join(map(names.quoted, name.text.split("."))), len(word))
        return
    if not word:
        return
    yield from _words(word, {t.full_name: t for t in mentioned.values()}.values(), names)


def _words(word: str, tables: Iterable[Table], names: Names) -> Iterator[Completion]:
    """Columns of the tables in use, SQL's words, then all other columns and tables."""
    near = [name for table in tables for name in names.columns_of(table, word)]
    for name in near[:MOST]:
        yield _as_completion(name, names.quoted(name.text), len(word))
    for keyword in KEYWORDS:
        if keyword.startswith(word.upper()):
            yield Completion(keyword, -len(word), display_meta="SQL")
    known = {name.text for name in near}
    for name in (*names.columns.find(word, 12), *names.tables.find(word, 8)):
        if name.text not in known:
            yield _as_completion(name, names.quoted(name.text), len(word))


def _values(column: str, part: str, text: str, names: Names) -> Iterator[Completion]:
    """Values of the column that is compared; of every column where it has none that are known."""
    head, _, bare = column.rpartition(".")
    mentioned = _mentioned(text, names)
    tables = [mentioned[head.casefold()]] if head.casefold() in mentioned else list(mentioned.values())
    own = [
        Name(value, "value", f"{table.full_name}.{found.name}")
        for table in tables
        if (found := table.column(bare))
        for value in found.samples
        if part.casefold() in value.casefold()
    ]
    own.sort(key=lambda name: not name.text.casefold().startswith(part.casefold()))
    for name in own[:MOST] or names.values.find(part):
        yield _as_completion(name, name.text.replace("'", "''"), len(part))


def _mentioned(text: str, names: Names) -> dict[str, Table]:
    """The tables of a statement by the names that it gives them."""
    found: dict[str, Table] = {}
    for name, alias in _TABLES.findall(text):
        table = names.table(name.strip('"`'))
        if table is not None:
            found[(alias or table.name).casefold()] = table
    return found


def _as_completion(name: Name, text: str, replaced: int) -> Completion:
    where = {"table": name.where[:40], "column": name.where, "value": f"= {name.where}"}[name.what]
    return Completion(clean(text), -replaced, display=clean(name.text), display_meta=clean(where))
