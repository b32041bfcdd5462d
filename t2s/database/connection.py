"""What a user calls a database, and opening it."""

from __future__ import annotations

import glob
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from t2s.errors import DatabaseUnavailable, UsageError
from t2s.types.query import Privacy

if TYPE_CHECKING:
    from t2s.types.database import Database

DATABASE_SUFFIXES = {".db": "sqlite", ".sqlite": "sqlite", ".sqlite3": "sqlite", ".duckdb": "duckdb"}
DATA_SUFFIXES = (".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".parquet", ".xlsx")

_SCHEMES = {
    "sqlite": "sqlite",
    "duckdb": "duckdb",
    "postgres": "postgres",
    "postgresql": "postgres",
    "mysql": "mysql",
    "mariadb": "mysql",
    "files": "files",
}
_PASSWORD = re.compile(r"(?<=://)([^/@:]*):[^@]*@|((?:password|passwd|pwd)=)[^&\s]+", re.IGNORECASE)
_LOGIN = re.compile(r"(?<=://)[^/@]*@|\?.*$")
_SQLITE_MAGIC = b"SQLite format 3\x00"


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """A database by name; `url` is `sqlite:///p`, `duckdb:///p`, `postgresql://…`, `mysql://…` or `files:…`."""

    name: str
    url: str = field(repr=False)  # it may hold a password
    privacy: Privacy = "values"
    configured: bool = False

    @property
    def identity(self) -> str:
        """What memories of the database are kept under: its configured name, else its address without a login."""
        return self.name if self.configured else _LOGIN.sub("", masked(self.url))


def masked(url: str) -> str:
    """The URL as it may be shown: without any password."""
    return _PASSWORD.sub(lambda m: f"{m.group(1)}@" if m.group(1) is not None else f"{m.group(2)}***", url)


def resolve_connection(target: str, connections: Mapping[str, Connection], *, cwd: Path) -> Connection:
    """The connection that `target` means: a name, a URL, or a file, folder or glob.

    Raises `DatabaseUnavailable` for what does not exist and `UsageError` for what makes no sense.
    """
    if target in connections:
        return connections[target]
    scheme, colon, rest = target.partition(":")
    if colon and scheme.partition("+")[0] in _SCHEMES:
        if scheme in ("sqlite", "duckdb") and not rest.startswith("///"):
            raise UsageError(f"{target}: a file's URL has three slashes: {scheme}:///path")
        return Connection(name=masked(target), url=target)
    if "://" in target:
        known = ", ".join(["sqlite", "duckdb", "postgresql", "mysql"])
        raise UsageError(f"{masked(target)}: t2s does not speak {scheme}", hint=f"it speaks {known}, and data files")
    return Connection(name=target, url=_file_url(target, connections, cwd))


def _file_url(target: str, connections: Mapping[str, Connection], cwd: Path) -> str:
    path = cwd / Path(target).expanduser()
    if path.is_dir():
        return f"files:{path}"
    if path.exists():
        if path.suffix.casefold() in DATA_SUFFIXES:
            return f"files:{path}"
        kind = _kind_of(path)
        if kind is None:
            raise DatabaseUnavailable(
                f"{target} is not a database and not a data file",
                hint=f"known files: {' '.join([*DATABASE_SUFFIXES, *DATA_SUFFIXES])}",
            )
        return f"{kind}:///{path}"
    if glob.has_magic(target):
        if glob.glob(str(path), recursive=True):  # noqa: PTH207  the pattern may be absolute
            return f"files:{path}"
        raise DatabaseUnavailable(f"no file matches {target}")
    raise _no_such(target, path, connections)


def _kind_of(path: Path) -> str | None:
    """The engine of a database file: by its first bytes, else by its name."""
    try:
        with path.open("rb") as file:
            head = file.read(16)
    except OSError as e:
        raise DatabaseUnavailable(f"cannot read {path}: {e.strerror}") from e
    if head == _SQLITE_MAGIC:
        return "sqlite"
    if head[8:12] == b"DUCK":
        return "duckdb"
    return DATABASE_SUFFIXES.get(path.suffix.casefold())


def _no_such(target: str, path: Path, connections: Mapping[str, Connection]) -> DatabaseUnavailable:
    looks_like_file = "/" in target or "." in target
    siblings = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
    near = get_close_matches(target, connections, n=1) or get_close_matches(path.name, siblings, n=1)
    hint = f"did you mean {near[0]}?" if near else "`t2s db list` shows the named connections"
    what = "no such file" if looks_like_file else "no connection or file of that name"
    return DatabaseUnavailable(f"{what}: {target}", hint=hint)


def open_database(connection: Connection, *, cache_dir: Path | None) -> Database:
    """Open a database for reading; schemas are kept in `cache_dir` (None: nowhere).

    Raises `DatabaseUnavailable` that says what is wrong: no such file, server down, wrong password, …
    """
    scheme, _, rest = connection.url.partition(":")
    match _SCHEMES.get(scheme.partition("+")[0]):
        case "sqlite":
            from t2s.database.sqlite import SQLite

            return SQLite(connection, _path(rest), cache_dir)
        case "duckdb":
            from t2s.database.duck import DuckDB

            return DuckDB(connection, _path(rest), cache_dir)
        case "files":
            from t2s.database.files import Files

            return Files(connection, rest, cache_dir)
        case "postgres":
            from t2s.database.postgres import PostgreSQL

            return PostgreSQL(connection, cache_dir)
        case "mysql":
            from t2s.database.mysql import MySQL

            return MySQL(connection, cache_dir)
    raise UsageError(f"{connection.name}: t2s does not speak {scheme}", hint="sqlite, duckdb, postgresql, mysql, files")


def _path(rest: str) -> Path:
    path = Path(unquote(rest.removeprefix("///"))).expanduser()
    if not path.exists():
        raise DatabaseUnavailable(f"no such file: {path}")
    if path.is_dir():
        raise DatabaseUnavailable(f"{path} is a folder, not a database", hint="give the folder itself to --db")
    return path
