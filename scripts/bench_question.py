"""Print what t2s itself adds to a question once everything is loaded, by stage, without a model's own time.

The model is a server on loopback that answers at once; the local generator is measured beside it.
Usage: .venv/bin/python scripts/bench_question.py [ROUNDS]
"""

from __future__ import annotations

import os
import resource
import statistics
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

QUESTION = "how many orders were there in 2024?"


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    from claude_server import ClaudeServer

    from t2s.workspace import Workspace

    with tempfile.TemporaryDirectory() as folder, ClaudeServer() as server:
        server.always_sql("SELECT count(*) FROM orders WHERE year(ordered_on) = 2024")
        os.environ |= {"T2S_HOME": folder, "ANTHROPIC_API_KEY": "test-key", "ANTHROPIC_BASE_URL": server.url}
        os.environ |= {"T2S_BUDGET_DAY_TOKENS": "100000000", "T2S_PACE_REQUESTS_PER_MINUTE": "none"}
        print(
            f"{'median of ' + str(rounds) + ', ms':24}{'total':>8}{'link':>8}{'model':>8}{'check':>8}{'run':>8}{'ledger':>8}"
        )
        for model in ("claude-haiku-5-5", "local"):
            with Workspace.open(flags={"model": model}, use_cache=False) as ws:
                ws.ask(QUESTION)
                walls, answers = [], []
                for _ in range(rounds):
                    start = time.perf_counter()
                    answers.append(ws.ask(QUESTION))
                    walls.append((time.perf_counter() - start) * 1000)
            stages = {
                s: statistics.median(a.timings_ms.get(s, 0) for a in answers)
                for s in ("link", "model", "check", "execute")
            }
            wall = statistics.median(walls)
            rest = wall - sum(stages.values())
            print(f"{model:24}{wall:8.1f}" + "".join(f"{ms:8.1f}" for ms in stages.values()) + f"{rest:8.1f}")
    print(f"memory at the peak: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


if __name__ == "__main__":
    main()
