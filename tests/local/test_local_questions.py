"""Questions as newcomers type them, judged by what comes back."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from t2s.types.query import Candidate, Clarification

HERE = Path(__file__).parent
MIN_ANSWERED = 0.9
"""The share of the questions that must be answered; the others may be declined, never answered wrongly."""


def pairs(name: str) -> list[tuple[str, str]]:
    lines = [line.strip() for line in (HERE / name).read_text(encoding="utf-8").splitlines()]
    lines = [line for line in lines if line and not line.startswith("#")]
    return list(zip(lines[::2], lines[1::2], strict=True))


FILES = {"shop_english.txt": "shop", "shop_chinese.txt": "shop", "chinook.txt": "chinook"}
CASES = [(name, question, gold) for name in FILES for question, gold in pairs(name)]


@pytest.mark.parametrize(("name", "question", "gold"), CASES, ids=[f"{c[0]}: {c[1]}" for c in CASES])
def test_what_is_answered_is_right(request: pytest.FixtureRequest, name: str, question: str, gold: str) -> None:
    bench = request.getfixturevalue(FILES[name])
    draft = bench.ask(question)
    if isinstance(draft, Candidate):
        ours, theirs = bench.rows(draft.sql), bench.rows(gold)
        ordered = "ORDER BY" in gold and "LIMIT" not in gold
        assert (ours == theirs) if ordered else (Counter(ours) == Counter(theirs)), draft.sql
        assert draft.explanation.endswith(".")
        assert draft.confidence is not None
        assert 0 < draft.confidence <= 1
    elif isinstance(draft, Clarification):
        assert draft.question
        assert len(draft.choices) > 1
    else:
        assert draft.reason
        assert draft.hint


@pytest.mark.parametrize("name", FILES)
def test_most_questions_are_answered(request: pytest.FixtureRequest, name: str) -> None:
    bench = request.getfixturevalue(FILES[name])
    questions = pairs(name)
    answered = [question for question, _ in questions if isinstance(bench.ask(question), Candidate)]
    assert len(answered) >= MIN_ANSWERED * len(questions), set(dict(questions)) - set(answered)
