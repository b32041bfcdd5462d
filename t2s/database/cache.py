"""Schemas and values on disk: valid while the database says that it is still the same."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from t2s.caches import DiskCache
from t2s.types.schema import Column, ForeignKey, Profile, Schema, Table

FORMAT = 4
MAX_AGE_S = 24 * 3600
"""Row estimates, samples and values of an unchanged structure are taken anew after a day."""
KEPT_S = 30 * 24 * 3600
MAX_BYTES = 200_000_000

Texts = Mapping[tuple[str, str], tuple[str, ...]]
"""The values of (table, column)."""


def fingerprint(tables: tuple[Table, ...]) -> str:
    """A hash over names, types, keys and comments; not over row estimates, samples and profiles."""
    parts = [
        (t.full_name, t.kind, t.comment, t.primary_key, t.unique_keys)
        + tuple((c.name, c.type, c.nullable, c.comment) for c in t.columns)
        + tuple((k.columns, k.target_table, k.target_columns) for k in t.foreign_keys)
        for t in sorted(tables, key=lambda t: t.full_name)
    ]
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]


def load(folder: Path | None, key: str, version: str | None) -> Schema | None:
    """The schema kept under `key` if it is whole, of this version and not too old (None: whatever it is)."""
    body = _kept(folder, key, version)
    try:
        return None if body is None else _schema(body)
    except (KeyError, TypeError, ValueError):  # not of this form: introspect again
        return None


def save(folder: Path | None, key: str, version: str, schema: Schema) -> None:
    """Keep a schema, whole or not at all; a folder that cannot be written costs speed, nothing else."""
    _keep(folder, key, version, asdict(schema))


def load_texts(folder: Path | None, key: str, version: str) -> Texts:
    """The values of text columns kept under `key`, as far as they were read; see `load`."""
    try:
        return {(table, column): tuple(values) for table, column, values in _kept(folder, key, version) or ()}
    except (TypeError, ValueError):
        return {}


def save_texts(folder: Path | None, key: str, version: str, texts: Texts) -> None:
    """Keep values of text columns; see `save`."""
    _keep(folder, key, version, [[table, column, list(values)] for (table, column), values in texts.items()])


def forget(folder: Path | None, key: str) -> None:
    """Keep nothing under `key` any more."""
    if folder is not None:
        schema_cache(folder).remove([FORMAT, key])


def _kept(folder: Path | None, key: str, version: str | None) -> Any:
    if folder is None:
        return None
    at, kept = schema_cache(folder).kept([FORMAT, key])
    if kept is None or (version is not None and (kept["version"] != version or time.time() - at > MAX_AGE_S)):
        return None
    return kept["body"]


def _keep(folder: Path | None, key: str, version: str, body: Any) -> None:
    if folder is not None:
        schema_cache(folder).put([FORMAT, key], {"version": version, "body": body})


def schema_cache(folder: Path) -> DiskCache:
    """Schemas and values on disk; an old schema is still of use for completion while the database is away."""
    return DiskCache(folder=folder, max_age_s=KEPT_S, max_bytes=MAX_BYTES)


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
            "columns": tuple(_column(column) for column in body["columns"]),
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


def _column(body: dict[str, Any]) -> Column:
    profile = body["profile"]
    if profile is not None:
        ends = profile["range"]
        profile = Profile(**{**profile, "range": ends and (ends[0], ends[1]), "common": tuple(profile["common"])})
    return Column(**{**body, "samples": tuple(body["samples"]), "profile": profile})
