"""Where a password comes from when the URL has none: the environment, a keyring, `~/.pgpass`."""

from __future__ import annotations

import os
import re
from pathlib import Path

from t2s.types.schema import Dialect


def find_password(name: str, dialect: Dialect, *, host: str, port: int, database: str, user: str) -> str | None:
    """`T2S_PASSWORD_<NAME>`, then the client's own variable, a keyring's entry, `~/.pgpass`; else None."""
    own = os.environ.get("T2S_PASSWORD_" + re.sub(r"\W", "_", name).upper())
    usual = os.environ.get("PGPASSWORD" if dialect == "postgres" else "MYSQL_PWD")
    found = own or usual or _from_keyring(name)
    if found is None and dialect == "postgres":
        return _from_pgpass((host, str(port), database, user))
    return found


def _from_keyring(name: str) -> str | None:
    try:
        import keyring
    except ImportError:  # an extra that need not be there
        return None
    try:
        found: str | None = keyring.get_password("t2s", name)
    except Exception:
        return None
    return found


def _from_pgpass(wanted: tuple[str, str, str, str]) -> str | None:
    """As libpq reads it: the first line whose four fields match or are `*`; not when others can read the file."""
    path = Path(os.environ.get("PGPASSFILE") or Path.home() / ".pgpass")
    try:
        if path.stat().st_mode & 0o077:
            return None
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return None
    for line in lines:
        if line.startswith("#"):
            continue
        fields = [re.sub(r"\\(.)", r"\1", field) for field in re.split(r"(?<!\\):", line, maxsplit=4)]
        if len(fields) == 5 and all(f in ("*", w) for f, w in zip(fields, wanted, strict=False)):
            return fields[4]
    return None
