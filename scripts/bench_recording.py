"""What all recording adds to a question: budgets reserved and settled, the turn, the run, its figures.

    python scripts/bench_recording.py [--rounds 100]

The same question is asked of a Messages API on loopback with everything recorded and with nothing recorded, by turns.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

QUESTION = "how many orders were there in 2024?"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=100)
    options = parser.parse_args()
    from claude_server import ClaudeServer

    from t2s.workspace import Workspace

    with tempfile.TemporaryDirectory() as folder, ClaudeServer() as server:
        server.always_sql("SELECT count(*) FROM orders WHERE year(ordered_on) = 2024")
        os.environ |= {"T2S_HOME": folder, "ANTHROPIC_API_KEY": "test-key", "ANTHROPIC_BASE_URL": server.url}
        flags = {
            "model": "claude-haiku-5-5",
            "budget.day_tokens": 10**9,
            "budget.day_usd": 1000,
            "pace.requests_per_minute": "off",
        }
        with Workspace.open(flags=flags, use_cache=False, use_memory=False) as ws:
            ws.ask(QUESTION)
            recorded, bare = [], []
            for _ in range(options.rounds):
                recorded.append(took(ws))
                with unrecorded(ws):
                    bare.append(took(ws))
    print(f"{'median of ' + str(options.rounds) + ', ms':24}{'recorded':>10}{'not':>10}{'added':>10}")
    for name, position in (("until the answer", 0), ("of it processor time", 1)):
        with_all, without = (statistics.median(times[position] for times in all_) for all_ in (recorded, bare))
        print(f"{name:24}{with_all:10.1f}{without:10.1f}{with_all - without:10.1f}")


def took(ws) -> tuple[float, float]:
    """The milliseconds of a question by the clock, and those of the processor that are its own thread's."""
    began, worked = time.perf_counter(), time.thread_time()
    ws.ask(QUESTION)
    return (time.perf_counter() - began) * 1000, (time.thread_time() - worked) * 1000


class _Nothing:
    """A meter that allows everything and records nothing."""

    def span(self, model: str, estimate: int) -> tuple[int, int]:
        return estimate, estimate

    def reserve(self, **_: object) -> str:
        return ""

    def settle(self, *_: object, **__: object) -> None:
        return

    def budgets(self) -> tuple[()]:
        return ()


@contextmanager
def unrecorded(ws) -> Iterator[None]:
    """Nothing of what is asked is recorded."""
    with (
        mock.patch.object(type(ws), "meter", lambda *_: _Nothing()),
        mock.patch.object(type(ws.ledger), "record_turn", lambda *_, **__: None),
        mock.patch.object(type(ws.recorder), "put", lambda *_: None),
    ):
        yield


if __name__ == "__main__":
    main()
