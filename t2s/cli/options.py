"""Options that several commands share, each declared once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

Format = Literal["table", "csv", "json", "jsonl", "markdown", "parquet", "sql", "chart"]

Database = Annotated[
    str | None,
    typer.Option("--db", "-d", metavar="DB", help="A connection's name, a URL, or data files.", show_default=False),
]
Model = Annotated[
    str | None,
    typer.Option("--model", "-m", metavar="M", help="A model's id, local, or openai:MODEL.", show_default=False),
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
