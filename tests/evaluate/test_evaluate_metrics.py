"""Outcomes summed up: shares, calibration, conversations, cost; and kept in a journal."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from t2s.evaluate.cases import DataSet
from t2s.evaluate.journal import Head, begin, keep, read_journal
from t2s.evaluate.metrics import Share, summarise
from t2s.evaluate.outcome import Outcome
from t2s.evaluate.report import REPORTS, Evaluation, document

GOLD = ("SELECT 1 FROM t",)


def outcome(state: str, number: int = 0, **more: object) -> Outcome:
    known = {"id": f"{state}{number}", "model": "m", "place": f"f:{number}", "db": "d", "question": "q", "gold": GOLD}
    return Outcome(**{**known, "state": state, **more})  # type: ignore[arg-type]


def test_shares_say_of_how_many() -> None:
    found = summarise(
        "m",
        [
            outcome("right", 1, hardness="easy", confidence=0.9, calls=1, cost_usd=0.5, input_tokens=10, ms=10),
            outcome("wrong", 2, hardness="extra", confidence=0.9, calls=1, cost_usd=0.25, output_tokens=2, ms=30),
            outcome("abstained", 3, hardness="easy", calls=0, ms=1),
            outcome("invalid", 4, hardness="easy", calls=2, ms=20),
            outcome("abstained", 5, gold=()),
            outcome("wrong", 6, gold=(), confidence=0.2, calls=1, ms=40),
            outcome("unjudged", 7, cost_usd=9.0),
        ],
    )
    assert (found.questions, found.unjudged) == (7, 1)
    assert found.accuracy == Share(count=1, of=4)
    assert found.by_hardness["easy"] == Share(count=1, of=3)
    assert found.precision == Share(count=1, of=3)
    assert found.surer_half == Share(count=1, of=1)
    assert found.answered == Share(count=3, of=6)
    assert found.valid_sql == Share(count=3, of=4)
    assert found.unanswerable_declined == Share(count=1, of=2)
    assert (found.cost_usd, found.calls, found.from_cache) == (0.75, 5, 2)
    assert (found.tokens["input"], found.tokens_per_question) == (10, 2.0)
    assert (found.p50_ms, found.p95_ms) == (30, 40)  # what was known already took no time worth counting
    # (2·|0.9 − 0.5| + 1·|0.2 − 0|) ÷ 3
    assert found.calibration_error == pytest.approx(1 / 3)
    assert [(one.low, one.count) for one in found.reliability] == [(0.2, 1), (0.9, 2)]


def test_one_call_without_a_price_leaves_the_cost_unknown() -> None:
    assert summarise("m", [outcome("right"), outcome("wrong", cost_usd=None)]).cost_usd is None


def test_a_conversation_counts_when_all_of_it_is_right() -> None:
    def talk(name: str, *states: str) -> list[Outcome]:
        return [outcome(state, n, conversation=name) for n, state in enumerate(states)]

    found = summarise(
        "m", [*talk("a", "right", "right"), *talk("b", "right", "wrong"), *talk("c", "unjudged", "right")]
    )
    assert found.conversations == Share(count=2, of=3)
    assert found.by_turn == (Share(count=2, of=2), Share(count=2, of=3))


def test_nothing_at_all_is_summed_up_and_reported(tmp_path: Path) -> None:
    summary = summarise("m", [])
    empty = Evaluation(dataset=DataSet(path=tmp_path / "x", kind="own", cases=()), summaries=(summary,), outcomes=())
    assert all(report(empty) for report in REPORTS.values())
    assert document(empty)["models"][0]["accuracy"] == {"count": 0, "of": 0, "share": None}


def test_a_journal_gives_back_what_was_kept_but_for_a_line_cut_in_the_middle(tmp_path: Path) -> None:
    path, head = tmp_path / "new" / "journal.jsonl", Head(run="r", settings="s", questions=3)
    assert read_journal(path) is None
    begin(path, head)
    first, second = outcome("right", sql="SELECT '\ud800'", mistakes=("tables",)), outcome("wrong", cost_usd=None)
    keep(path, first)
    keep(path, second)
    keep(path, replace(second, reason="again"))
    with path.open("a") as file:
        file.write(json.dumps({"id": "half"})[:5])
    assert read_journal(path) == (head, (first, replace(second, reason="again")))
    path.write_text("not a head\n")
    assert read_journal(path) is None
