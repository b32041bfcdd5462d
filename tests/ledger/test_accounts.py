"""The programs that prove budgets and records, with fewer processes and calls than they take by themselves."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from conftest import ROOT


def run(script: str, *arguments: str) -> str:
    """What a program prints, if it succeeds."""
    command = [sys.executable, str(ROOT / "scripts" / script), *arguments]
    done = subprocess.run(command, env=dict(os.environ), capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_processes_killed_at_random_never_pass_a_budget_that_the_server_counts(
    kind: str, request: pytest.FixtureRequest
) -> None:
    place = "sqlite" if kind == "sqlite" else request.getfixturevalue("postgres_url")
    said = run("bench_budget.py", "--processes", "4", "--kills", "4", "--calls", "30", "--ledger", place)
    assert "overshoot: $0.0000" in said
    assert "for ever: 0" in said


def test_the_ledger_adds_up_to_what_the_server_counts_whatever_fails() -> None:
    said = run("compare_usage.py", "--calls", "80", "--threads", "4")
    lines = [line.split() for line in said.splitlines() if "_tokens" in line]
    assert [line[-1] for line in lines] == ["0"] * 4
    assert all(int(line[1].replace(",", "")) > 0 for line in lines)
