"""Batch against a service on loopback: how close to the ideal, how exact the limits, what kills and crowds do.

    python scripts/bench_batch.py [--questions 1000] [--jobs 32] [--kills 20]

The service answers after 200 ms. Ideal is questions x 200 ms / jobs. Questions are counted where they arrive.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
from claude_server import ClaudeServer, Turn, sql_answer

DELAY_S = 0.2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--questions", type=int, default=1_000)
    parser.add_argument("--jobs", type=int, default=32)
    parser.add_argument("--kills", type=int, default=20)
    options = parser.parse_args()
    for experiment in (throughput, rate, kills, crowd):
        with tempfile.TemporaryDirectory() as name, ClaudeServer() as server:
            arrivals: list[float] = []

            def answer(_: object, arrivals: list[float] = arrivals) -> Turn:
                arrivals.append(time.time())
                return Turn(text=sql_answer("SELECT COUNT(*) AS n FROM customers"), delay_s=DELAY_S)

            server.default = answer
            print(experiment(Path(name), server, arrivals, options), flush=True)


def shop(folder: Path, count: int, name: str = "many") -> Path:
    with sqlite3.connect(folder / "shop.db") as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS customers (id INTEGER PRIMARY KEY, name TEXT)")
    path = folder / name / f"{name}.jsonl"
    path.parent.mkdir()
    path.write_text("\n".join(json.dumps({"name": f"q{n}", "question": f"{name} {n}"}) for n in range(count)))
    return path


def environment(folder: Path, server: ClaudeServer, **more: str) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"], "HOME": str(folder), "T2S_HOME": str(folder / "home"), "T2S_MODEL": "claude-haiku-5-5",
        "ANTHROPIC_API_KEY": "sk-ant-none", "ANTHROPIC_BASE_URL": server.url, "T2S_PACE_AT_ONCE": "none",
        "T2S_PACE_AT_ONCE_USER": "none", "T2S_PACE_REQUESTS_PER_MINUTE": "none", "T2S_BUDGET_DAY_TOKENS": "1000000000", **more,
    }  # fmt: skip


def run(folder: Path, path: Path, jobs: int, env: dict[str, str]) -> subprocess.Popen[bytes]:
    command = [
        sys.executable,
        "-m",
        "t2s",
        "batch",
        "run",
        str(path),
        "-d",
        str(folder / "shop.db"),
        "-j",
        str(jobs),
        "-q",
    ]
    return subprocess.Popen(command, env=env, stderr=subprocess.DEVNULL)


def throughput(folder: Path, server: ClaudeServer, arrivals: list[float], options: argparse.Namespace) -> str:
    path = shop(folder, options.questions)
    begin, peak = time.perf_counter(), 0
    process = run(folder, path, options.jobs, environment(folder, server))
    while process.poll() is None:
        peak = max(peak, memory_of_children(process.pid))
        time.sleep(0.05)
    seconds = time.perf_counter() - begin
    span = max(arrivals) - min(arrivals) + DELAY_S
    ideal = options.questions * DELAY_S / options.jobs
    return (
        f"throughput: {options.questions} questions, {options.jobs} at once: {seconds:.1f} s in all, {span:.1f} s from first to last call, "
        f"ideal {ideal:.1f} s: {ideal / span:.0%} of it; {len(server.requests)} calls; peak memory {peak / 1e6:.0f} MB"
    )


def memory_of_children(pid: int) -> int:
    total = 0
    for line in subprocess.run(["ps", "-eo", "pid,ppid,rss"], capture_output=True, text=True).stdout.splitlines()[1:]:
        own, parent, kilobytes = map(int, line.split())
        total += kilobytes * 1024 if pid in (own, parent) else 0
    return total


def rate(folder: Path, server: ClaudeServer, arrivals: list[float], options: argparse.Namespace) -> str:
    limit = 30
    path = shop(folder, 75)
    run(folder, path, 16, environment(folder, server, T2S_PACE_REQUESTS_PER_MINUTE=str(limit))).wait()
    times = sorted(arrivals)
    worst = max(sum(1 for other in times if at <= other < at + 60) for at in times)
    trace = Counter(int((at - times[0]) // 60) for at in times)
    return f"rate: limit {limit} a minute: {worst} calls in the busiest 60 s; by minute {[trace[m] for m in sorted(trace)]}"


def kills(folder: Path, server: ClaudeServer, arrivals: list[float], options: argparse.Namespace) -> str:
    count, chance = 400, random.Random(7)
    path, env = shop(folder, count), environment(folder, server)
    for _ in range(options.kills):
        process = run(folder, path, 8, env)
        time.sleep(chance.uniform(0.1, 2.5))
        process.send_signal(signal.SIGKILL)
        process.wait()
    run(folder, path, 8, env).wait()
    asked = Counter(str(body["messages"][-1]["content"]).rpartition("Question: ")[2] for body in server.requests)
    twice = sum(times > 1 for times in asked.values())
    there = len(list((path.parent / "sql").iterdir()))
    return f"kills: {options.kills} kill -9 in a run of {count}: {twice} questions paid for twice, {count - there} lost"


def crowd(folder: Path, server: ClaudeServer, arrivals: list[float], options: argparse.Namespace) -> str:
    budget = 60_000
    env = environment(folder, server, T2S_BUDGET_DAY_TOKENS=str(budget))
    paths = [shop(folder, 20, f"part{n}") for n in range(16)]
    threads = [threading.Thread(target=lambda path=path: run(folder, path, 4, env).wait()) for path in paths]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with sqlite3.connect(folder / "home" / "ledger.db") as ledger:
        sums = "SUM(input_tokens + output_tokens + cache_write_tokens + cache_read_tokens)"
        used = ledger.execute(f"SELECT {sums} FROM usage").fetchone()[0] or 0
        held = ledger.execute("SELECT COUNT(*) FROM holds").fetchone()[0]
    return f"crowd: 16 processes on {budget} tokens: {used} used, overshoot {max(0, used - budget)}, {held} still held"


if __name__ == "__main__":
    main()
