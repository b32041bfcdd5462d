"""Print how long t2s takes to start, as multiples of a bare interpreter, and what is left in it.

Everything is measured in one run, the commands in turn, so that a noisy machine troubles all of them alike.
Usage: .venv/bin/python scripts/bench_startup.py [ROUNDS]
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

T2S = [sys.executable, "-m", "t2s"]
QUESTION = "how many orders were there in 2024?"


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    from claude_server import ClaudeServer

    with tempfile.TemporaryDirectory() as folder, ClaudeServer() as server:
        server.always_sql("SELECT count(*) FROM orders")
        local = {**os.environ, "T2S_HOME": folder, "T2S_MODEL": "local"}
        claude = {
            **os.environ,
            "T2S_HOME": folder,
            "ANTHROPIC_API_KEY": "test-key",
            "ANTHROPIC_BASE_URL": server.url,
        }
        commands = {
            "bare interpreter": ([sys.executable, "-c", "pass"], local),
            "t2s --version": ([*T2S, "--version"], local),
            "t2s --help": ([*T2S, "--help"], local),
            "t2s ask, local": ([*T2S, "ask", QUESTION], local),
            "t2s ask, loopback Claude": ([*T2S, "ask", "--no-cache", QUESTION], claude),
        }
        for command, env in commands.values():  # the sample is built and the schema cached once
            subprocess.run(command, env=env, check=True, capture_output=True)
        times: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(rounds):
            for name, (command, env) in commands.items():
                start = time.perf_counter()
                subprocess.run(command, env=env, check=True, capture_output=True)
                times[name].append(time.perf_counter() - start)
        bare = statistics.median(times["bare interpreter"])
        print(f"{'median of ' + str(rounds):28}    ms      ×")
        for name, seconds in times.items():
            median = statistics.median(seconds)
            print(f"{name:28} {median * 1000:5.0f} {median / bare:6.1f}")
        print("\nWhat is left in `t2s ask` (cumulative ms of the heaviest imports):")
        print(heaviest([*T2S, "ask", QUESTION], local))


def heaviest(command: list[str], env: dict[str, str]) -> str:
    """The ten heaviest top-level packages by their own import time, in ms."""
    run = subprocess.run([sys.executable, "-X", "importtime", *command[1:]], env=env, capture_output=True, text=True)
    own: dict[str, float] = {}
    for line in run.stderr.splitlines():
        if line.startswith("import time:") and line.count("|") == 2:
            micros, _, module = line.removeprefix("import time:").split("|")
            if micros.strip().isdigit():
                package = module.strip().split(".")[0]
                own[package] = own.get(package, 0) + int(micros) / 1000
    top = sorted(own.items(), key=lambda item: -item[1])[:10]
    return "\n".join(f"  {package:24} {ms:6.0f}" for package, ms in top)


if __name__ == "__main__":
    main()
