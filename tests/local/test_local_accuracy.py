"""The local generator on questions over databases that it was not trained on."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(("questions", "least"), [("dev.json", 50.0), ("dev_zh.json", 35.0)])
def test_answers_questions_over_unseen_databases(eval_dir: Path, questions: str, least: float) -> None:
    spider = eval_dir / "spider"
    command = [
        sys.executable,
        "scripts/eval_local.py",
        str(spider / questions),
        str(spider / "database"),
        "--every",
        "5",
    ]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    said = re.search(r"all +(\d+)/(\d+) = ([\d.]+)%", run.stdout)
    assert said, run.stdout + run.stderr
    assert int(said[2]) > 90
    assert float(said[3]) >= least, run.stdout
