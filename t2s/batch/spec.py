"""The file of questions: YAML, JSON Lines or CSV, with what is expected of each answer."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, ValidationError, field_validator, model_validator

from t2s.documents import places, read_yaml
from t2s.errors import UsageError

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$")]
Text = Annotated[str, Field(min_length=1)]
Count = Annotated[int, Field(ge=0)]
Kind = Literal["number", "text", "date", "boolean"]
_PARAMETER = re.compile(r"\{(\w+)\}")


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Bounds(_Part):
    """How many rows there may be."""

    min: Count | None = None
    max: Count | None = None


class Expect(_Part):
    """What must hold of a result; everything left out may be anything."""

    columns: tuple[str, ...] | None = None
    types: dict[str, Kind] = {}
    rows: Bounds | None = None
    unique: tuple[str, ...] = ()
    not_null: tuple[str, ...] = ()
    fingerprint: str | None = None
    max_seconds: PositiveFloat | None = None

    @field_validator("rows", mode="before")
    @classmethod
    def _exactly(cls, value: Any) -> Any:
        return {"min": value, "max": value} if isinstance(value, int) and not isinstance(value, bool) else value


class Query(_Part):
    """One question; `{name}` in it stands for the parameter of that name."""

    name: Name
    question: Text
    tags: tuple[str, ...] = ()
    parameters: dict[str, str | int | float] = {}
    model: str | None = None
    expect: Expect = Expect()

    @model_validator(mode="after")
    def _parameters_given(self) -> Query:
        missing = set(_PARAMETER.findall(self.question)) - set(self.parameters)
        if missing:
            raise ValueError(f"the question's {{{min(missing)}}} is not among its parameters")
        return self

    @property
    def asked(self) -> str:
        """The question with its parameters put in."""
        return _PARAMETER.sub(lambda match: str(self.parameters[match.group(1)]), self.question)

    @property
    def hash(self) -> str:
        """Changes with what is asked, and with nothing else."""
        return hashlib.sha256(self.asked.encode("utf-8", "surrogatepass")).hexdigest()[:32]


class Defaults(_Part):
    """What holds for every query that does not say otherwise."""

    model: str | None = None
    tags: tuple[str, ...] = ()
    max_seconds: PositiveFloat | None = None


class Spec(_Part):
    """A file of questions."""

    version: Literal[1]
    datasource: str | None = None
    defaults: Defaults = Defaults()
    queries: tuple[Query, ...]

    @model_validator(mode="after")
    def _names_differ(self) -> Spec:
        seen: set[str] = set()
        for query in self.queries:
            if query.name.casefold() in seen:  # some file systems do not tell cases apart
                raise ValueError(f"two queries are named {query.name}")
            seen.add(query.name.casefold())
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecFile:
    """A spec and where it came from; `lines` are the queries' places in the file, counted from 1."""

    path: Path
    spec: Spec
    lines: dict[str, int]

    @property
    def lock_path(self) -> Path:
        """The lock beside the spec."""
        return self.path.with_suffix(".lock")

    def sql_path(self, name: str) -> Path:
        """The file that holds a query's SQL."""
        return self.path.parent / "sql" / f"{name}.sql"

    def datasource(self) -> str | None:
        """The datasource as a path from here, where it is a file beside the spec."""
        named = self.spec.datasource
        beside = self.path.parent / named if named else None
        return str(beside) if beside is not None and "://" not in str(named) and beside.exists() else named


def read_spec(path: Path) -> SpecFile:
    """Read a file of questions by its suffix; raises `UsageError` with file, line and column."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as e:
        raise UsageError(
            f"cannot read {path}: {getattr(e, 'strerror', None) or e}", hint="t2s batch init FILE writes a first one"
        ) from e
    suffix = path.suffix.casefold()
    if suffix in (".jsonl", ".ndjson"):
        return _from_rows(
            path, [(n, _json(path, n, line)) for n, line in enumerate(text.splitlines(), 1) if line.strip()]
        )
    if suffix == ".csv":
        return _from_rows(path, [(n, _csv_row(row)) for n, row in enumerate(csv.DictReader(io.StringIO(text)), 2)])
    spec = read_yaml(text, str(path), Spec, hint="t2s batch init writes a commented example and its JSON Schema")
    found = places(text, ("queries",))
    return SpecFile(path=path, spec=spec, lines={q.name: at[0] for q, at in zip(spec.queries, found, strict=True)})


def select(file: SpecFile, *, names: tuple[str, ...], tags: tuple[str, ...]) -> tuple[Query, ...]:
    """The queries that are named, or have one of the tags; all where neither is given. None is an error."""
    known = {query.name for query in file.spec.queries}
    for name in names:
        if name not in known:
            raise UsageError(f"{file.path} has no query {name!r}", hint=f"it has {', '.join(sorted(known)[:8])}")
    chosen = tuple(
        query
        for query in file.spec.queries
        if (not names and not tags) or query.name in names or set(tags) & {*query.tags, *file.spec.defaults.tags}
    )
    if not chosen:
        what = f"with the tag {', '.join(tags)}" if tags else "at all"
        raise UsageError(f"{file.path} has no queries {what}")
    return chosen


def _from_rows(path: Path, rows: list[tuple[int, dict[str, Any]]]) -> SpecFile:
    """A spec of nothing but queries, one a line."""
    queries, lines = [], {}
    for line, row in rows:
        try:
            query = Query.model_validate(row)
        except ValidationError as e:
            first = e.errors()[0]
            field = ".".join(map(str, first["loc"])) or "the query"
            raise UsageError(f"{path}:{line}:1: {field}: {first['msg']}") from e
        if query.name in lines:
            raise UsageError(f"{path}:{line}:1: two queries are named {query.name}")
        queries.append(query)
        lines[query.name] = line
    return SpecFile(path=path, spec=Spec(version=1, queries=tuple(queries)), lines=lines)


def _json(path: Path, number: int, line: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except json.JSONDecodeError as e:
        raise UsageError(f"{path}:{number}:{e.colno}: {e.msg}") from e
    if not isinstance(row, dict):
        raise UsageError(f"{path}:{number}:1: a query is an object with name and question")
    return row


def _csv_row(row: dict[str, Any]) -> dict[str, Any]:
    """Name and question; tags are parted by spaces."""
    found = {key: value for key, value in row.items() if value not in (None, "")}
    return {**found, "tags": found["tags"].split()} if "tags" in found else found
