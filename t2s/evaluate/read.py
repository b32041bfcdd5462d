"""Data sets as others publish them, and our own; which of them a file is, is seen from what stands in it."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterator
from itertools import combinations
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError, model_validator

from t2s.documents import places, read_yaml
from t2s.errors import UsageError
from t2s.evaluate.cases import Case, DataSet

Text = Annotated[str, Field(min_length=1)]
Item = TypeVar("Item", bound=BaseModel)
KNOWN = "Spider, BIRD, SParC and CoSQL (JSON), defog (CSV), or our own YAML: see the README"

_STATEMENT = re.compile(r"(?:'[^']*'|[^;'])+")
_FROM = re.compile(r"'[^']*'|\b(from)\b", re.IGNORECASE)
_SPLIT = re.compile(r"([<>!]) =")
_BRACES = re.compile(r"\{([^{}]+)\}")


class _Foreign(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class _Turn(_Foreign):
    question: Text = Field(validation_alias=AliasChoices("question", "utterance"))
    query: Text


class _Spider(_Turn):
    db_id: Text


class _Bird(_Foreign):
    question: Text
    SQL: Text
    db_id: Text
    evidence: str = ""


class _Conversation(_Foreign):
    db_id: Text = Field(validation_alias=AliasChoices("db_id", "database_id"))
    turns: Annotated[tuple[_Turn, ...], Field(min_length=1)] = Field(
        validation_alias=AliasChoices("turns", "interaction")
    )


class _Defog(_Foreign):
    question: Text
    query: Text
    db_name: Text
    instructions: str = ""


class Labelled(BaseModel):
    """One question of our own format; `sql` is one query or a list of which any is right."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    question: Text
    db: Text
    sql: tuple[Text, ...] = ()
    evidence: str = ""
    ordered: bool | None = None
    unanswerable: Literal[True] | None = None

    @model_validator(mode="before")
    @classmethod
    def _one_or_several(cls, value: Any) -> Any:
        if isinstance(value, dict) and isinstance(value.get("sql"), str):
            return {**value, "sql": [value["sql"]]}
        return value

    @model_validator(mode="after")
    def _known_answer(self) -> Labelled:
        if bool(self.sql) == bool(self.unanswerable):
            raise ValueError("give its sql, or unanswerable: true")
        return self


class _Own(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    questions: Annotated[tuple[Labelled, ...], Field(min_length=1)]


def read_dataset(path: Path) -> DataSet:
    """The questions of a file; raises `UsageError` that begins with the file and line of what is wrong."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as e:
        raise UsageError(f"cannot read {path}: {getattr(e, 'strerror', None) or e}") from e
    if not text.strip():
        raise UsageError(f"{path}:1: the file is empty", hint=f"t2s reads {KNOWN}")
    if text.lstrip().startswith(("[", "{")):
        return _json(path, text)
    header = next(csv.reader(io.StringIO(text)), [])
    return _csv(path, text, header) if len(header) > 1 and "question" in header else _yaml(path, text)


def accepted(query: str) -> tuple[str, ...]:
    """The queries that a defog field accepts: parted by `;`, and for `{a,b}` each choice of its columns.

    `GROUP BY {}` groups by the same choice. Source: defog-ai/sql-eval, README and `eval/eval.py`.
    """
    found: list[str] = []
    for part in _STATEMENT.findall(query):
        statement = part.strip()
        braces = _BRACES.search(statement)
        if braces is None:
            found += [statement] if statement else []
            continue
        names = [name.strip() for name in braces[1].split(",")]
        for size in range(1, len(names) + 1):
            for chosen in combinations(names, size):
                columns = ", ".join(chosen)
                found.append(statement[: braces.start()] + columns + statement[braces.end() :].replace("{}", columns))
    return tuple(dict.fromkeys(found))


def _json(path: Path, text: str) -> DataSet:
    items = list(_items(path, text))
    first = items[0][1] if items else None
    if not isinstance(first, dict):
        raise UsageError(f"{path}:1: this is no list of questions", hint=f"t2s reads {KNOWN}")
    kind: tuple[str, Callable[[Path, int, Any, int], Iterator[Case]]]
    if {"turns", "interaction"} & set(first):
        kind = "conversations", _turns
    elif "SQL" in first:
        kind = "BIRD", _bird
    elif "query" in first:
        kind = "Spider", _spider
    else:
        line = items[0][0]
        raise UsageError(f"{path}:{line}: there is no query, SQL or turns here", hint=f"t2s reads {KNOWN}")
    name, cases = kind
    found = (case for number, (line, item) in enumerate(items, 1) for case in cases(path, line, item, number))
    return DataSet(path=path, kind=name, cases=tuple(found))


def _items(path: Path, text: str) -> Iterator[tuple[int, Any]]:
    """Each item of a JSON list with the line that it begins on."""
    decoder, at = json.JSONDecoder(), _blank(text, 0)
    if text[at] != "[":
        raise UsageError(f"{path}:1: this is no list of questions", hint=f"t2s reads {KNOWN}")
    at = _blank(text, at + 1)
    while at < len(text) and text[at] != "]":
        try:
            item, end = decoder.raw_decode(text, at)
        except json.JSONDecodeError as e:
            raise UsageError(f"{path}:{e.lineno}: {e.msg}") from e
        yield text.count("\n", 0, at) + 1, item
        at = _blank(text, end)
        if text[at : at + 1] == ",":
            at = _blank(text, at + 1)
        elif text[at : at + 1] != "]":
            raise UsageError(f"{path}:{text.count(chr(10), 0, at) + 1}: the list is not closed")
    if at >= len(text):
        raise UsageError(f"{path}:{text.count(chr(10)) + 1}: the list is not closed")


def _blank(text: str, at: int) -> int:
    while at < len(text) and text[at] in " \t\r\n":
        at += 1
    return at


def _spider(path: Path, line: int, item: Any, _: int) -> Iterator[Case]:
    read = _valid(_Spider, item, path, line)
    yield Case(place=f"{path}:{line}", db=read.db_id, question=read.question, gold=_gold((read.query,)))


def _bird(path: Path, line: int, item: Any, _: int) -> Iterator[Case]:
    read = _valid(_Bird, item, path, line)
    yield Case(
        place=f"{path}:{line}", db=read.db_id, question=read.question, gold=_gold((read.SQL,)), evidence=read.evidence
    )


def _turns(path: Path, line: int, item: Any, number: int) -> Iterator[Case]:
    read = _valid(_Conversation, item, path, line)
    for position, turn in enumerate(read.turns, 1):
        yield Case(
            place=f"{path}:{line} turn {position}",
            db=read.db_id,
            question=turn.question,
            gold=_gold((turn.query,)),
            conversation=f"{read.db_id} {number}",
        )


def _csv(path: Path, text: str, header: list[str]) -> DataSet:
    missing = {"question", "query", "db_name"} - set(header)
    if missing:
        raise UsageError(f"{path}:1: there is no column {min(missing)}", hint=f"t2s reads {KNOWN}")
    reader = csv.DictReader(io.StringIO(text))
    cases = []
    line = 2
    for row in reader:
        read = _valid(_Defog, {key: value for key, value in row.items() if value is not None}, path, line)
        gold = _gold(accepted(read.query))
        # what a question without an answer is to be met with is the model's to know, not the business's
        evidence = read.instructions.strip() if gold else ""
        cases.append(
            Case(place=f"{path}:{line}", db=read.db_name, question=read.question, gold=gold, evidence=evidence)
        )
        line = reader.line_num + 1
    return DataSet(path=path, kind="defog", cases=tuple(cases))


def _yaml(path: Path, text: str) -> DataSet:
    read = read_yaml(text, str(path), _Own, hint="each of the questions has question, db, and sql or unanswerable")
    cases = tuple(
        Case(
            place=f"{path}:{line}",
            db=item.db,
            question=item.question,
            gold=item.sql,
            evidence=item.evidence,
            ordered=item.ordered,
        )
        for item, (line, _) in zip(read.questions, places(text, ("questions",)), strict=True)
    )
    return DataSet(path=path, kind="own", cases=cases)


def _gold(queries: tuple[str, ...]) -> tuple[str, ...]:
    """The queries, with `> =` and its like as one word, as the public evaluator does it.

    None where they read no table: such a query is a refusal in words.
    """
    if not any(match[1] for query in queries for match in _FROM.finditer(query)):
        return ()
    return tuple(_SPLIT.sub(r"\1=", query) for query in queries)


def _valid(model: type[Item], item: Any, path: Path, line: int) -> Item:
    try:
        return model.model_validate(item)
    except ValidationError as e:
        first = e.errors()[0]
        field = ".".join(map(str, first["loc"])) or "the question"
        raise UsageError(f"{path}:{line}: {field}: {first['msg']}") from e
