"""The README is true: its console examples print what it says, its Python runs, its commands exist."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks() -> list[list[tuple[str, str]]]:
    """Of every console block the commands, each with what stands below it."""
    found = re.findall(r"```console\n(.*?)```", README, re.DOTALL)
    return [[part.partition("\n")[::2] for part in block.split("$ ")[1:]] for block in found]


@pytest.mark.parametrize("block", blocks(), ids=lambda block: block[0][0][:40])
def test_a_console_example_prints_what_the_readme_says(block: list[tuple[str, str]]) -> None:
    for command, output in block:
        words = shlex.split(command)
        assert words[0] == "t2s"
        run = subprocess.run([sys.executable, "-m", *words], capture_output=True, text=True, timeout=60)
        shown = [line.rstrip() for line in run.stdout.splitlines()]
        assert shown == [line.rstrip() for line in output.splitlines()], run.stderr


def test_the_repl_example_shows_what_the_readme_says() -> None:
    (screen,) = re.findall(r"```t2s\n(.*?)```", README, re.DOTALL)
    lines = screen.splitlines()
    entries = [line.partition("> ")[2] for line in lines if line.startswith("sample [values]> ")]
    shown = [line for line in lines if not line.startswith("sample [values]> ")]
    run = subprocess.run(
        [sys.executable, "-m", "t2s", "-q"], input="\n".join(entries), capture_output=True, text=True, timeout=60
    )
    assert [line.rstrip() for line in run.stdout.splitlines()] == shown, run.stderr


def test_the_workflow_for_ci_passes(tmp_path: Path) -> None:
    import yaml

    (text,) = re.findall(r"```yaml\n(name: questions.*?)```", README, re.DOTALL)
    steps = yaml.safe_load(text)["jobs"]["check"]["steps"]
    shutil.copytree(ROOT / "configs", tmp_path / "configs")
    commands = [step["run"] for step in steps if step.get("run", "").startswith("t2s ")]
    assert len(commands) == 2
    for command in commands:
        run = subprocess.run(
            [sys.executable, "-m", *shlex.split(command)], cwd=tmp_path, capture_output=True, text=True, timeout=60
        )
        assert run.returncode == 0, run.stdout + run.stderr


def test_the_python_example_runs(sample: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    exec(code.replace("shop.sqlite", str(sample)), {})
    assert "[(400,)]" in capsys.readouterr().out


def test_every_flag_and_setting_it_names_exists() -> None:
    from t2s.config import leaves
    from t2s.errors import T2SError

    helps = "".join(
        subprocess.run(
            [sys.executable, "-m", "t2s", *words], capture_output=True, text=True, env={**os.environ, "COLUMNS": "200"}
        ).stdout
        for words in (
            ["ask", "--help"],
            ["chat", "--help"],
            ["db", "add", "--help"],
            ["usage", "--help"],
            ["budget", "show", "--help"],
            ["cache", "check", "--help"],
            ["sql", "transpile", "--help"],
            ["memory", "add", "--help"],
            ["memory", "forget", "--help"],
            ["memory", "bad", "--help"],
            ["batch", "run", "--help"],
            ["batch", "check", "--help"],
            ["eval", "--help"],
            ["monitor", "stats", "--help"],
            ["monitor", "metrics", "--help"],
            ["history", "list", "--help"],
            ["history", "runs", "--help"],
            ["doctor", "--help"],
        )
    )
    helps += (ROOT / "scripts" / "train_local.py").read_text(encoding="utf-8")  # whose flags it names, too
    for flag in set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", README)):
        assert flag in helps, flag
    known = {
        *leaves().values(),
        "T2S_HOME",
        "T2S_PASSWORD_",
        "T2S_PACE_",
        "T2S_TEST_EVAL",
        "T2S_TEST_POSTGRES_URL",
        "T2S_TEST_MYSQL_URL",
    }
    for variable in set(re.findall(r"\bT2S_[A-Z_]+", README)):
        assert variable in known, variable
    codes = {kind.exit_code for kind in _tree(T2SError)}
    assert codes <= {int(code) for code in re.findall(r"^\| (\d+) \|", README, re.MULTILINE)}


def _tree(kind: type) -> list[type]:
    return [kind, *(leaf for child in kind.__subclasses__() for leaf in _tree(child))]
