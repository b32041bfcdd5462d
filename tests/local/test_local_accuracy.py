"""The local generator on questions over databases that it was not trained on."""

from __future__ import annotations

from pathlib import Path

import pytest
from command import data_of, t2s


@pytest.mark.parametrize(("questions", "least"), [("dev.json", 0.5), ("dev_zh.json", 0.35)])
def test_answers_questions_over_unseen_databases(eval_dir: Path, questions: str, least: float) -> None:
    command = ["eval", str(eval_dir / "spider" / questions), "--limit", "100", "--jobs", "2", "--json"]
    (model,) = data_of(t2s(*command, env={"T2S_LOCAL_MIN_CONFIDENCE": "0"}))["models"]
    assert model["accuracy"]["of"] > 90
    assert model["accuracy"]["share"] >= least
    assert model["valid_sql"]["share"] > 0.95
