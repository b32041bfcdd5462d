"""Runs added up and judged by the thresholds, and the commands that show it."""

from __future__ import annotations

import csv
import io
import time
from dataclasses import replace
from pathlib import Path

import pytest
from command import data_of, t2s
from runs import made

from t2s.ledger import open_ledger
from t2s.ledger.runs import keep_runs
from t2s.monitor.analyse import Finding, analyse
from t2s.monitor.process import leak_alarm, processes, rises, rss_mb
from t2s.monitor.statistics import counted, latency, statistics
from t2s.settings import AlertSettings
from t2s.types.event import Event, Notice
from t2s.types.run import Run, Step
from t2s.types.usage import Usage

LIMITS = AlertSettings()


def steps(**ms: float) -> tuple[Step, ...]:
    return tuple(Step(stage=stage, start_ms=0, ms=took) for stage, took in ms.items())  # type: ignore[arg-type]


def found(runs: list[Run], subject: str, limits: AlertSettings = LIMITS) -> Finding:
    (finding,) = [finding for finding in analyse(runs, limits) if finding.subject == subject]
    return finding


def test_percentiles_are_by_nearest_rank() -> None:
    times = latency([float(n) for n in range(1, 101)])
    assert (times.p50, times.p95, times.p99) == (50, 95, 99)
    assert latency([7.0]).p99 == 7.0


def test_hours_come_in_order_and_users_by_how_much_they_ask() -> None:
    now = time.mktime((2026, 11, 20, 15, 30, 0, 0, 0, -1))
    runs = [
        made("a", at=now, user="bob", total_ms=100),
        made("b", at=now - 3_600, user="ann", total_ms=300, status="rejected"),
        made("c", at=now - 3_500, user="ann", usage=Usage(model="m", input_tokens=9, cost_usd=None, calls=1)),
    ]
    hours = statistics(runs, "hour")
    assert [(hour.key, hour.questions, hour.failed) for hour in hours] == [("2026-11-20 14:00", 2, 1), ("2026-11-20 15:00", 1, 0)]  # fmt: skip
    users = statistics(runs, "user")
    assert [(user.key, user.tokens, user.unpriced) for user in users] == [("ann", 9, 1), ("bob", 0, 0)]


def test_what_runs_and_what_an_evaluation_asked_does_not_count() -> None:
    assert counted([made("a", status="running"), made("b", origin="eval")]) == []


def test_a_run_that_was_broken_off_says_nothing_of_time() -> None:
    (line,) = statistics([made("a", total_ms=100), made("b", status="broken_off")], "user")
    assert (line.questions, line.failed, line.total.p50) == (2, 1, 100)
    (line,) = statistics([made("b", status="broken_off")], "user")
    assert line.total.p99 == 0


def test_more_than_a_tenth_over_3_s_is_an_alert_that_says_where_the_time_goes() -> None:
    slow = [made(str(n), total_ms=4_000, steps=steps(model=3_800, execute=100)) for n in range(2)]
    quick = [made(f"q{n}", total_ms=100) for n in range(17)]
    finding = found(slow + quick, "slow")
    assert finding.verdict == "alert"
    assert "2 of 19 questions took more than 3 s; 95% of their time is in model" in finding.detail
    assert "faster model" in finding.advice
    assert found([*slow, *quick, made("z")], "slow").verdict == "ok"  # a tenth is not more than a tenth


def test_more_than_a_twentieth_failing_is_an_alert_with_the_most_frequent_first() -> None:
    good = [made(str(n)) for n in range(17)]
    bad = [made("x", status="provider_down"), made("y", status="provider_down"), made("z", status="rejected")]
    finding = found(good + bad, "errors")
    assert finding.verdict == "alert"
    assert finding.detail == "3 of 20 questions failed: 2 provider_down, 1 rejected"
    assert "--model local" in finding.advice


def test_an_honest_no_is_no_failure() -> None:
    runs = [made(str(n), status=status) for n, status in enumerate(["abstained", "clarify", "cancelled", "ok"] * 3)]
    assert found(runs, "errors").verdict == "ok"


def test_tokens_are_judged_by_the_questions_that_asked_a_model() -> None:
    dear = Usage(model="m", input_tokens=2_000, cache_read_tokens=4_000, calls=1)
    runs = [made(str(n), usage=dear) for n in range(5)] + [made(f"c{n}") for n in range(5)]
    finding = found(runs, "tokens")
    assert (finding.verdict, finding.value) == ("alert", 6_000)
    assert "67% of them read from the cache" in finding.detail
    assert found([replace(run, usage=Usage(model="m")) for run in runs], "tokens").verdict == "ok"


def test_a_slow_recall_is_an_alert() -> None:
    recalled = [made(str(n), steps=steps(recall=600)) for n in range(10)]
    finding = found([*recalled, made("x", status="budget")], "recall")
    assert (finding.verdict, finding.value) == ("alert", 600)
    assert "reindex" in finding.advice


def test_few_questions_are_not_judged() -> None:
    verdicts = {finding.verdict for finding in analyse([made("a", status="rejected")], LIMITS)}
    assert verdicts == {"unknown"}
    assert {finding.verdict for finding in analyse([], LIMITS)} == {"unknown"}


def test_thresholds_are_settings() -> None:
    runs = [made(str(n), total_ms=50) for n in range(10)]
    assert found(runs, "slow", AlertSettings(slow_s=0.01)).verdict == "alert"


def test_a_leak_rises_ten_times_in_a_row_by_a_fifth_above_the_limit() -> None:
    def leaking(sizes: list[float]) -> bool:
        runs = [made(str(n), at=n, rss_mb=size) for n, size in enumerate(sizes)]
        (process,) = processes(runs, above_mb=1_000)
        return process.leaks

    rising = [900.0 + 30 * n for n in range(11)]
    assert leaking(rising)
    assert not leaking(rising[1:])  # nine times
    assert not leaking([size / 2 for size in rising])  # small
    assert not leaking([1_500.0 + n for n in range(11)])  # hardly
    assert not leaking([*rising, 1_100.0])  # given back
    assert leaking([5_000.0, *rising])


def test_a_process_that_leaks_says_so_once() -> None:
    events: list[Event] = []
    look = leak_alarm(1_000, events.append)
    for n in range(20):
        look([made(str(n), at=n, rss_mb=900.0 + 30 * n)])
    (notice,) = events
    assert isinstance(notice, Notice)
    assert (
        notice.message == "this process holds 1,200 MB, 33% more than 10 questions ago: it seems to leak; begin it anew"
    )


def test_only_the_last_hundred_snapshots_of_a_process_are_looked_at() -> None:
    runs = [made(str(n), at=n, rss_mb=float(n)) for n in range(150)]
    other = made("o", pid=2, rss_mb=1.0)
    largest, small = processes([*runs, other], above_mb=1_000)
    assert (largest.snapshots, largest.first_mb, largest.last_mb) == (100, 50, 149)
    assert small.snapshots == 1


def test_rises_count_from_the_end() -> None:
    assert [rises(sizes) for sizes in ([], [1.0], [1.0, 2.0, 3.0], [3.0, 1.0, 2.0], [2.0, 1.0])] == [0, 0, 2, 1, 0]


def test_this_process_tells_its_memory() -> None:
    if not Path("/proc/self/statm").exists():
        pytest.skip("this system has no /proc")
    assert 10 < (rss_mb() or 0) < 100_000


def kept(home: Path, runs: list[Run]) -> None:
    ledger = open_ledger(str(home / "t2s" / "ledger.db"))
    keep_runs(ledger, runs)
    ledger.close()


def test_the_report_ends_with_1_where_there_is_an_alert(tmp_path: Path) -> None:
    kept(tmp_path, [made(str(n), total_ms=4_000, steps=steps(execute=3_900)) for n in range(10)])
    run = t2s("monitor", "report")
    assert run.returncode == 1
    assert "alert" in run.stdout
    assert "indexes" in run.stdout
    assert run.stderr == "10 questions in the last 24 hours, 1 alert\n"
    quiet = t2s("monitor", "report", env={"T2S_ALERTS_SLOW_S": "5"})
    assert quiet.returncode == 0
    document = t2s("monitor", "report", "--json")
    assert '"alerts": 1' in document.stdout


def test_the_report_of_nothing_is_no_alert() -> None:
    run = t2s("monitor", "report")
    assert run.returncode == 0
    assert "unknown" in run.stdout


def test_statistics_as_table_csv_and_json(tmp_path: Path) -> None:
    kept(tmp_path, [made("a", total_ms=120), made("b", user="bob", total_ms=80, status="rejected")])
    assert "p95 ms" in t2s("monitor", "stats").stdout
    rows = list(csv.DictReader(io.StringIO(t2s("monitor", "stats", "--by", "user", "--format", "csv").stdout)))
    assert [(row["user"], row["questions"], row["failed"], row["p99 ms"]) for row in rows] == [("ann", "1", "0", "120"), ("bob", "1", "1", "80")]  # fmt: skip
    (line,) = data_of(t2s("monitor", "user", "bob", "--json"))["rows"]
    assert (line["error_share"], line["total"]["p50"]) == (1.0, 80)
    shown = t2s("monitor", "user", "ann")
    assert "in all" in shown.stdout


def test_a_user_who_asked_nothing_is_said_to_have(tmp_path: Path) -> None:
    kept(tmp_path, [made("a")])
    run = t2s("monitor", "user", "nobody")
    assert run.returncode == 2
    assert "'nobody' asked nothing in the last 24 hours" in run.stderr
    assert "ann" in run.stderr


def test_processes_are_shown_and_a_leak_ends_with_1(tmp_path: Path) -> None:
    kept(tmp_path, [made(f"{n:02}", at=time.time() - 60 + n, rss_mb=900.0 + 30 * n) for n in range(11)])
    run = t2s("monitor", "memory")
    assert run.returncode == 1
    assert "yes" in run.stdout
    assert t2s("monitor", "memory", env={"T2S_ALERTS_PROCESS_MB": "2000"}).returncode == 0
