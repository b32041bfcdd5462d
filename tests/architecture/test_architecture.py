"""The shape of the code: small modules, late imports, nothing undeclared."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
MODULES = sorted((ROOT / "t2s").rglob("*.py"))
HEAVY = {"anthropic", "openai", "sqlalchemy", "sqlglot", "duckdb", "pydantic", "rich", "typer", "plotext", "tiktoken", "openpyxl", "psycopg", "pymysql"}  # fmt: skip


def loaded(*arguments: str) -> set[str]:
    """The heavy packages in `sys.modules` after a command."""
    program = (
        "import sys\n"
        "from t2s.cli import main\n"
        f"sys.argv = ['t2s', *{list(arguments)!r}]\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        f"print('LOADED', *sorted(set(sys.modules) & {HEAVY!r}), file=sys.stderr)\n"
    )
    env = {**os.environ, "T2S_MODEL": "local"}
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=env, timeout=60)
    return set(run.stderr.rpartition("LOADED")[2].split())


@pytest.mark.parametrize(
    ("arguments", "allowed"),
    [
        (["--version"], set()),
        (["--help"], {"typer", "pydantic"}),
        (["config", "path"], {"typer", "pydantic"}),
        (["sql", "format", "SELECT 1"], {"typer", "pydantic", "sqlglot"}),
        (["ask", "how many customers are there?"], {"typer", "pydantic", "sqlglot", "duckdb", "sqlalchemy", "rich"}),
    ],
)
def test_a_command_imports_what_it_needs_and_no_more(arguments: list[str], allowed: set[str]) -> None:
    assert loaded(*arguments) <= allowed


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_is_small_and_says_what_it_is_for(module: Path) -> None:
    text = module.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 350
    assert ast.get_docstring(ast.parse(text))


def test_every_direct_import_is_declared() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = project["dependencies"] + [d for extra in project["optional-dependencies"].values() for d in extra]
    declared = {re.split(r"[\[<>=;, ]", d)[0].replace("-", "_").casefold() for d in wanted} | {
        "t2s",
        "dotenv",
        "opentelemetry",
        "pydantic_core",
        "yaml",
    }
    found = set()
    for module in MODULES:
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                found.add(node.module.split(".")[0])
    assert found - set(sys.stdlib_module_names) - declared == set()


def test_the_example_settings_load(monkeypatch: pytest.MonkeyPatch) -> None:
    from t2s.config import load_config

    files = sorted((ROOT / "configs").glob("*.toml"))
    assert len(files) == 3
    for file in files:
        monkeypatch.setenv("T2S_CONFIG", str(file))
        assert load_config().sources
