"""The text for Prometheus, read by its own client library."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from command import t2s
from prometheus_client.parser import text_string_to_metric_families
from runs import made

from t2s.ledger import open_ledger
from t2s.ledger.limits import Limits
from t2s.ledger.meter import LedgerMeter
from t2s.ledger.runs import keep_runs
from t2s.types.event import ignore
from t2s.types.usage import Usage


def samples(text: str) -> dict[tuple[str, ...], float]:
    """Every sample by its name and labels, after the parser has accepted all of it."""
    return {
        (sample.name, *(f"{name}={value}" for name, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


@pytest.fixture
def asked(tmp_path: Path) -> None:
    ledger = open_ledger(str(tmp_path / "t2s" / "ledger.db"))
    meter = LedgerMeter(ledger, user="ann", session_id="s", run_id="r", limits=Limits(), on_event=ignore)
    hold = meter.reserve(model="m", tokens=100, cost_usd=None)
    used = Usage(model='we"ird\\model\n', input_tokens=7, output_tokens=3, cost_usd=0.25, calls=1)
    meter.settle(hold, used, purpose="generate", latency_ms=5, outcome="ok")
    one = made("a", total_ms=120, usage=used, memories_used=2, rss_mb=100.0)
    keep_runs(ledger, [one, made("b", total_ms=4_000, status="rejected", usage=used)])
    ledger.close()


@pytest.mark.usefixtures("asked")
def test_prometheus_reads_what_is_printed() -> None:
    run = t2s("monitor", "metrics")
    assert run.returncode == 0, run.stderr
    found = samples(run.stdout)
    model = 'model=we"ird\\model\n'
    assert found["t2s_questions_total", model, "status=ok"] == 1
    assert found["t2s_questions_failed_total", model, "status=rejected"] == 1
    assert found["t2s_question_seconds_bucket", "le=0.25", model] == 1
    assert found["t2s_question_seconds_bucket", "le=5", model] == 2
    assert found["t2s_question_seconds_bucket", "le=+Inf", model] == 2
    assert found["t2s_question_seconds_count", model] == 2
    assert found["t2s_question_seconds_sum", model] == pytest.approx(4.12)
    assert found["t2s_tokens_total", "kind=input", model] == 7
    assert found["t2s_cost_usd_total", model] == 0.25
    assert found["t2s_memories_used_total",] == 2
    assert found["t2s_process_resident_bytes",] == 100e6
    assert found["t2s_alert", "subject=slow"] == 0


def test_a_killed_process_is_counted_once(tmp_path: Path) -> None:
    ledger = open_ledger(str(tmp_path / "t2s" / "ledger.db"))
    keep_runs(ledger, [made("a", status="running", at=0.0), made("b", status="running")])
    ledger.close()
    for _ in range(2):
        found = samples(t2s("monitor", "metrics").stdout)
        assert found["t2s_questions_total", "model=", "status=broken_off"] == 1  # of the other nothing is known yet


def test_there_is_something_to_scrape_before_the_first_question() -> None:
    found = samples(t2s("monitor", "metrics").stdout)
    assert found["t2s_alert", "subject=errors"] == 0


@pytest.mark.usefixtures("asked")
def test_the_textfile_is_whole_and_readable_by_the_collector(tmp_path: Path) -> None:
    folder = tmp_path / "textfile"
    folder.mkdir()
    for _ in range(2):  # the second replaces the first
        assert t2s("monitor", "metrics", "--textfile", str(folder)).returncode == 0
    assert [path.name for path in folder.iterdir()] == ["t2s.prom"]
    mask = os.umask(0)
    os.umask(mask)
    assert (folder / "t2s.prom").stat().st_mode & 0o777 == 0o666 & ~mask
    assert samples((folder / "t2s.prom").read_text(encoding="utf-8"))


def test_a_folder_that_is_not_there_is_said() -> None:
    run = t2s("monitor", "metrics", "--textfile", "/nowhere/at/all")
    assert run.returncode == 2
    assert "there is no folder /nowhere/at/all" in run.stderr
