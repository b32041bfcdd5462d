"""Schemas on disk: valid while the database says that it is still the same."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from t2s.types.schema import Column, ForeignKey, Schema, Table

FORMAT = 2
MAX_AGE_S = 24 * 3600
"""Row estimates and samples of an unchanged structure are taken anew after a day."""


def fingerprint(tables: tuple[Table, ...]) -> str:
    """A hash over names, types, keys and comments; not over row estimates and samples."""
    parts = [
        (t.full_name, t.kind, t.comment, t.primary_key, t.unique_keys)
        + tuple((c.name, c.type, c.nullable, c.comment) for c in t.columns)
        + tuple((k.columns, k.target_table, k.target_columns) for k in t.foreign_keys)
        for t in sorted(tables, key=lambda t: t.full_name)
    ]
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]


def load(folder: Path | None, key: str, version: str | None) -> Schema | None:
    """The schema kept under `key` if it is whole, of this version and not too old (None: whatever it is)."""
    if folder is None:
        return None
    try:
        kept = json.loads(_file(folder, key).read_text(encoding="utf-8"))
        body = kept["schema"]
        right = kept["version"] == version and time.time() - kept["at"] < MAX_AGE_S
        fresh = kept["format"] == FORMAT and (version is None or right)
        return _schema(body) if fresh and kept["checksum"] == _checksum(body) else None
    except (OSError, ValueError, KeyError, TypeError):  # not there, or not whole: introspect again
        return None


def save(folder: Path | None, key: str, version: str, schema: Schema) -> None:
    """Keep a schema, whole or not at all; a folder that cannot be written costs speed, nothing else."""
    if folder is None:
        return
    body = asdict(schema)
    kept = {
        "format": FORMAT,
        "version": version,
        "at": time.time(),
        "checksum": _checksum(body),
        "schema": body,
    }
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, temporary = tempfile.mkstemp(dir=folder, suffix=".tmp")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(kept, file, ensure_ascii=False)
        Path(temporary).replace(_file(folder, key))
    except OSError:
        return


def _file(folder: Path, key: str) -> Path:
    return folder / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.json"


def _checksum(body: Any) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


def _schema(body: dict[str, Any]) -> Schema:
    return Schema(
        dialect=body["dialect"],
        fingerprint=body["fingerprint"],
        functions=tuple(body["functions"]),
        tables=tuple(_table(table) for table in body["tables"]),
    )


def _table(body: dict[str, Any]) -> Table:
    return Table(
        **{
            **body,
            "columns": tuple(Column(**{**c, "samples": tuple(c["samples"])}) for c in body["columns"]),
            "primary_key": tuple(body["primary_key"]),
            "unique_keys": tuple(tuple(key) for key in body["unique_keys"]),
            "foreign_keys": tuple(
                ForeignKey(
                    columns=tuple(key["columns"]),
                    target_table=key["target_table"],
                    target_columns=tuple(key["target_columns"]),
                )
                for key in body["foreign_keys"]
            ),
        }
    )
