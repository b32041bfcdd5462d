"""Options that several commands share, each declared once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

Format = Literal["table", "csv", "json", "jsonl", "markdown", "parquet", "sql", "chart"]


def _databases(incomplete: str) -> list[str]:
    """Named connections, then data files."""
    from t2s.config import load_config
    from t2s.database.connection import DATA_SUFFIXES, DATABASE_SUFFIXES
    from t2s.workspace import SAMPLE, connections

    known = [*connections(load_config()), SAMPLE]
    folder = Path(incomplete) if incomplete.endswith("/") else Path(incomplete).parent
    try:
        entries = sorted(folder.iterdir()) if folder.is_dir() else []
    except OSError:
        entries = []
    files = [f"{path}/" if path.is_dir() else str(path) for path in entries if not path.name.startswith(".")]
    known += [name for name in files if name.endswith(("/", *DATABASE_SUFFIXES, *DATA_SUFFIXES))]
    return [name for name in known if name.startswith(incomplete)]


def _models(incomplete: str) -> list[str]:
    from t2s.llm import known_models
    from t2s.workspace import LOCAL

    return [name for name in (LOCAL, *known_models(), "openai:", "replay:") if name.startswith(incomplete)]


Database = Annotated[
    str | None,
    typer.Option(
        "--db",
        "-d",
        metavar="DB",
        help="A connection's name, a URL, or data files.",
        show_default=False,
        autocompletion=_databases,
    ),
]
Model = Annotated[
    str | None,
    typer.Option(
        "--model",
        "-m",
        metavar="M",
        help="A model's id, local, or openai:MODEL.",
        show_default=False,
        autocompletion=_models,
    ),
]
Resume = Annotated[
    str | None,
    typer.Option("--resume", metavar="ID", help="Go on with a session: its name or id.", show_default=False),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON envelope.")]
OutputFormat = Annotated[Format, typer.Option("--format", "-f", help="How rows are printed.")]
Out = Annotated[Path | None, typer.Option("--out", "-o", metavar="FILE", help="Write there, whole or not at all.")]
Limit = Annotated[
    int | None,
    typer.Option("--limit", "-n", min=0, metavar="N", help="At most N rows; 0 for all.", show_default=False),
]
Timeout = Annotated[
    float | None,
    typer.Option(min=0.001, metavar="S", help="Seconds that a query may take.", show_default=False),
]
Dialect = Literal["sqlite", "duckdb", "postgres", "mysql"]
