"""The generator as its callers see it: the seam, its speed, what it imports, its assumptions."""

from __future__ import annotations

import gzip
import subprocess
import sys
from pathlib import Path

import pytest

from t2s.errors import ConfigError
from t2s.local import LocalGenerator
from t2s.local.parser.weights import FILE
from t2s.types.event import ignore
from t2s.types.generator import Generator
from t2s.types.query import Candidate
from t2s.types.usage import Usage

ROOT = Path(__file__).parents[2]


def test_keeps_the_seam(shop) -> None:
    generator: Generator = LocalGenerator()
    events = []
    context = shop.context("How many orders are there?")
    drafts, usage = generator.generate(context, rejected=(), n=3, on_event=events.append)
    assert generator.model == "local"
    assert usage == Usage(model="local")
    assert usage.calls == 0
    assert len(drafts) == 1
    assert events == []


def test_the_same_question_has_the_same_answer(shop) -> None:
    context = shop.context("Top 5 customers by revenue in 2024")
    drafts = {LocalGenerator().generate(context, rejected=(), n=1, on_event=ignore)[0] for _ in range(5)}
    assert len(drafts) == 1


def test_says_what_it_assumed(shop) -> None:
    draft = shop.ask("Revenue per month in 2024")
    assert isinstance(draft, Candidate)
    said = " ".join(draft.assumptions)
    assert "quantity × unit_price × (1 - discount)" in said
    assert "orders.ordered_on" in said
    assert "2024" in draft.explanation


def test_is_surer_of_what_needs_no_assumptions(shop) -> None:
    plain = shop.ask("How many orders are there?")
    assumed = shop.ask("Revenue per month in 2024")
    assert plain.confidence > assumed.confidence


def test_importing_it_loads_nothing_heavy() -> None:
    code = "import sys, t2s.local; print(sorted({'sqlglot', 'duckdb', 'sqlalchemy', 'pydantic'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"


def test_a_team_s_own_weights_are_used(shop, tmp_path: Path) -> None:
    own = tmp_path / "own.json.gz"
    own.write_bytes(FILE.read_bytes())
    context = shop.context("Which city has the most customers?")
    shipped, _ = LocalGenerator().generate(context, rejected=(), n=1, on_event=ignore)
    assert LocalGenerator(weights=own).generate(context, rejected=(), n=1, on_event=ignore)[0] == shipped


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "No such file"),
        (b"", "no weights"),
        (b"no gzip", "not compressed"),
        (FILE.read_bytes()[:5_000], "no weights"),
        (gzip.compress(b'{"shapes": []}', mtime=0), "no weights"),
    ],
    ids=["missing", "empty", "something else", "cut off", "of another form"],
)
def test_what_are_no_weights_is_said(shop, tmp_path: Path, content: bytes | None, problem: str) -> None:
    own = tmp_path / "own.json.gz"
    if content is not None:
        own.write_bytes(content)
    context = shop.context("Which city has the most customers?")
    with pytest.raises(ConfigError, match=problem):
        LocalGenerator(weights=own).generate(context, rejected=(), n=1, on_event=ignore)
