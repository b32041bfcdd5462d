"""Running t2s as a shell would, and reading what it says."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

LOCAL = {"T2S_MODEL": "local"}


def t2s(*arguments: str, env: dict[str, str] | None = None, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Run t2s as a shell would."""
    return subprocess.run(
        [sys.executable, "-m", "t2s", *arguments],
        env={**os.environ, **LOCAL, **(env or {})},
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
    )


def write_shop(path: Path) -> None:
    """A SQLite database of three customers, two of them from Germany."""
    with sqlite3.connect(path) as connection:
        connection.executescript(
            "CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT, country TEXT);"
            "INSERT INTO customers VALUES (1, 'Ann', 'Germany'), (2, 'Bo', 'France'), (3, 'Cy', 'Germany');"
        )


def data_of(run: subprocess.CompletedProcess[str]) -> Any:
    """The data of a JSON envelope, after looking at the rest of it."""
    document = json.loads(run.stdout)
    assert document["success"] is (run.returncode == 0)
    assert set(document["metadata"]) == {"timestamp", "request_id", "processing_time_ms"}
    assert ("error" in document) is not document["success"]
    return document.get("data")
