"""The weights as a file: compressed JSON."""

from __future__ import annotations

import gzip
import json
import zlib
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

from t2s.errors import ConfigError
from t2s.local.parser.model import Model
from t2s.local.parser.query import Condition, Expression, Query
from t2s.local.parser.shapes import Linear, Shape
from t2s.local.parser.trees import Trees

VERSION = 2
"""Counts up whenever the features change that the weights are for."""

FILE = Path(__file__).with_name("weights.json.gz")


@cache
def load(file: Path | None = None) -> Model:
    """The model in a file, by default the one that ships with t2s; raises `ConfigError` where there is none."""
    if file is None:
        return parse(FILE.read_bytes())
    try:
        return parse(file.read_bytes())
    except OSError as e:
        problem = e.strerror or "not compressed by gzip"
    except (EOFError, zlib.error, ValueError, KeyError, TypeError, IndexError):
        problem = "they are of another version of t2s, or no weights"
    hint = "`scripts/train_local.py` makes weights; without local.weights those that ship are used"
    raise ConfigError(f"cannot use local.weights {file}: {problem}", hint=hint)


def dump(model: Model) -> bytes:
    """A model as the content of a file; equal models give equal bytes."""
    data = {
        "version": VERSION,
        "roles": {role: trees.trees for role, trees in model.roles.items()},
        "shapes": [[_bare(asdict(shape.query)), shape.weight] for shape in model.shapes],
        "parts": [[part.classes, part.bias, part.weights] for part in model.parts],
        "ranker": model.ranker.trees if model.ranker else (),
        "sureness": model.sureness.trees if model.sureness else (),
    }
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return gzip.compress(text.encode(), compresslevel=9, mtime=0)


def parse(content: bytes) -> Model:
    """The model in the content of a file."""
    data = json.loads(gzip.decompress(content))
    if data["version"] != VERSION:
        raise ValueError(f"weights of version {data['version']}, not {VERSION}")
    queries = [(_query(query), weight) for query, weight in data["shapes"]]
    return Model(
        roles={role: Trees(tuple(map(tuple, trees))) for role, trees in data["roles"].items()},
        shapes=tuple(Shape(query, query.parts, weight) for query, weight in queries),
        parts=tuple(Linear(tuple(names), tuple(bias), weights) for names, bias, weights in data["parts"]),
        ranker=Trees(tuple(map(tuple, data["ranker"]))),
        sureness=Trees(tuple(map(tuple, data["sureness"]))),
    )


def _bare(query: Any) -> Any:
    """A query without its names, constants and defaults."""
    if isinstance(query, dict):
        kept = {key: _bare(value) for key, value in query.items() if key not in ("tables", "values") and value}
        if "group" in kept:
            kept["group"] = [["", ""] for _ in query["group"]]
        if "column" in query:
            kept["column"] = query["column"] is not None
        return kept
    return [_bare(item) for item in query] if isinstance(query, list | tuple) else query


def _query(data: dict[str, Any]) -> Query:
    def expression(item: dict[str, Any]) -> Expression:
        slot = ("", "") if item["column"] else None
        return Expression(item.get("function", ""), slot, bool(item.get("distinct")))

    def condition(item: dict[str, Any]) -> Condition:
        inner = _query(item["query"]) if "query" in item else None
        return Condition(expression(item["left"]), item["operator"], (), inner)

    return Query(
        select=tuple(map(expression, data["select"])),
        distinct=bool(data.get("distinct")),
        where=tuple(map(condition, data.get("where", ()))),
        any_of=bool(data.get("any_of")),
        group=tuple(("", "") for _ in data.get("group", ())),
        having=tuple(map(condition, data.get("having", ()))),
        order=tuple(map(expression, data.get("order", ()))),
        descending=bool(data.get("descending")),
        limit=data.get("limit"),
        operation=data.get("operation", ""),
        other=_query(data["other"]) if "other" in data else None,
    )
