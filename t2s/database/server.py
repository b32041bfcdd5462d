"""What the two servers share: reading a URL, and keys from rows of a catalogue."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from t2s.database.connection import Connection, masked
from t2s.database.passwords import find_password
from t2s.errors import UsageError
from t2s.types.schema import Column, Dialect, ForeignKey, Table

CONNECT_TIMEOUT_S = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """The parts of a server's URL; `options` are what stood behind the question mark."""

    host: str
    port: int
    database: str
    user: str
    password: str | None = field(repr=False)
    options: Mapping[str, str]

    @property
    def server(self) -> str:
        """Host and port, for messages."""
        return f"{self.host}:{self.port}"


def address(connection: Connection, dialect: Dialect, *, port: int, user: str) -> Address:
    """The address in a connection's URL, with a password from wherever there is one."""
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        url = make_url(connection.url)
        port = url.port or port
    except (ArgumentError, ValueError) as e:
        raise UsageError(f"{masked(connection.url)} is not a URL: scheme://user@host:port/database") from e
    name = url.username or user
    host = url.host or "localhost"
    database = url.database or ""
    password = url.password or find_password(
        connection.name, dialect, host=host, port=port, database=database, user=name
    )
    options = {key: value if isinstance(value, str) else value[-1] for key, value in url.query.items()}
    return Address(host=host, port=port, database=database, user=name, password=password, options=options)


Key = tuple[str, str]
"""A table by its schema and name."""


def assemble(
    columns: Iterable[tuple[Any, ...]],
    keys: Iterable[tuple[Any, ...]],
    references: Iterable[tuple[Any, ...]],
    default: str,
) -> tuple[Table, ...]:
    """Tables from rows of a catalogue.

    `columns`: schema, table, is view, table comment, row estimate, column, type, nullable, column comment.
    `keys`: schema, table, constraint, is primary, column. `references`: schema, table, constraint, column,
    target schema, target table, target column. Each in order of position; `default` is the schema that
    needs no name.
    """
    heads: dict[Key, tuple[bool, str | None, int | None]] = {}
    listed: dict[Key, list[Column]] = defaultdict(list)
    for schema, table, view, about, rows, name, kind, nullable, comment in columns:
        heads[schema, table] = (bool(view), about or None, None if rows is None or rows < 0 else int(rows))
        listed[schema, table].append(Column(name=name, type=kind, nullable=bool(nullable), comment=comment or None))
    primary: dict[Key, list[str]] = defaultdict(list)
    unique: dict[Key, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for schema, table, constraint, is_primary, name in keys:
        (primary[schema, table] if is_primary else unique[schema, table][constraint]).append(name)
    foreign = _foreign(references, default)
    return tuple(
        Table(
            name=table,
            namespace=None if schema == default else schema,
            kind="view" if view else "table",
            columns=tuple(listed[schema, table]),
            primary_key=tuple(primary[schema, table]),
            unique_keys=tuple(tuple(names) for names in unique[schema, table].values()),
            foreign_keys=foreign.get((schema, table), ()),
            comment=about,
            row_estimate=rows,
        )
        for (schema, table), (view, about, rows) in heads.items()
    )


def _foreign(rows: Iterable[tuple[Any, ...]], default: str) -> dict[Key, tuple[ForeignKey, ...]]:
    grouped: dict[tuple[str, str, str, str], list[tuple[str, str]]] = defaultdict(list)
    for schema, table, constraint, name, target_schema, target, target_name in rows:
        full = target if target_schema == default else f"{target_schema}.{target}"
        grouped[schema, table, constraint, full].append((name, target_name))
    found: dict[Key, list[ForeignKey]] = defaultdict(list)
    for (schema, table, _, full), pairs in grouped.items():
        sources, targets = zip(*pairs, strict=True)
        found[schema, table].append(ForeignKey(columns=sources, target_table=full, target_columns=targets))
    return {key: tuple(listed) for key, listed in found.items()}
