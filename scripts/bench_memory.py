"""How long recall takes at 1,000, 10,000 and 100,000 memories, and what the memory adds to one question.

    python scripts/bench_memory.py [--sizes 1000 10000 100000]

All memories are verified queries of one datasource, so that every search has all of them in its scope: the worst
case. The first recall of a process loads the vectors; the others find them open.
"""

from __future__ import annotations

import argparse
import random
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path

WORDS = """customers orders products returns employees revenue price country city month year category brand store
supplier invoice payment discount shipment refund stock warehouse region channel segment campaign ticket contract""".split()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    options = parser.parse_args()
    print("memories    open ms    p50 ms    p95 ms   MB on disk")
    for size in options.sizes:
        with tempfile.TemporaryDirectory() as folder:
            measure(Path(folder), size)
    start_up()


def question(chance: random.Random, number: int) -> str:
    return f"{chance.choice(WORDS)} of {chance.choice(WORDS)} per {chance.choice(WORDS)} in {2000 + number % 26}"


def measure(folder: Path, size: int) -> None:
    from t2s.ledger import memories as store
    from t2s.ledger import open_ledger
    from t2s.memory.embed import Lexical
    from t2s.memory.index import Index
    from t2s.memory.memories import Memories, searchable
    from t2s.memory.recall import recall
    from t2s.memory.search import Searcher
    from t2s.types.event import ignore
    from t2s.types.memory import Memory, Owner

    chance = random.Random(size)
    ledger = open_ledger(str(folder / "ledger.db"))
    searcher = Searcher(ledger=ledger, embedder=Lexical(), index=Index(str(folder / "index"), folder))
    owner = Owner(user="u", session_id="s", datasource="d")
    now = time.time()

    def memory(number: int) -> Memory:
        text = question(chance, number)
        return Memory(
            id=str(uuid.UUID(int=number)), kind="query", scope=owner.scope("query"), key=str(number), state="golden",
            content=f"{text}\nSELECT {number} FROM {text.split()[0]}", user="u", session_id="s", datasource="d",
            created=now, last_access=now, valid_from=now, data={"question": text, "sql": f"SELECT {number}"},
        )  # fmt: skip

    for start in range(0, size, 1_000):
        batch = [memory(number) for number in range(start, min(size, start + 1_000))]
        store.add_all(ledger, [(each, searchable(searcher, each)) for each in batch])
    searcher.index.update(ledger, searcher.embedder.name)
    memories = Memories(ledger=ledger, searcher=searcher, owner=owner, on_event=ignore)

    def once(number: int, timeout: float = 2.0) -> float:
        begin = time.perf_counter()
        found = recall(
            memories,
            question(chance, number),
            count=5,
            max_tokens=1_000,
            glossary_tokens=1_000,
            estimate=lambda t: len(t) // 4,
            timeout=timeout,
        )
        assert found.hits and not found.missing, found
        return (time.perf_counter() - begin) * 1_000

    begin = time.perf_counter()
    searcher.search("open", [owner.scope("query")], k=1, timeout=60)
    opening = (time.perf_counter() - begin) * 1_000
    times = sorted(once(number) for number in range(200))
    disk = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 1e6
    print(f"{size:8,} {opening:10.0f} {statistics.median(times):9.1f} {times[189]:9.1f} {disk:12.0f}", flush=True)
    searcher.index.close()
    ledger.close()


def start_up() -> None:
    """`ask` with and without the memory, over the sample, each the best of five alternating runs."""
    with tempfile.TemporaryDirectory() as home:
        times: dict[str, list[float]] = {"with memory": [], "--no-memory": []}
        for number in range(6):
            for name, flags in (("with memory", []), ("--no-memory", ["--no-memory"])):
                begin = time.perf_counter()
                command = [sys.executable, "-m", "t2s", "ask", "how many customers are there?", "-q", *flags]
                environment = {"T2S_HOME": home, "T2S_MODEL": "local", "PATH": "/usr/bin:/bin", "HOME": home}
                subprocess.run(command, env=environment, check=True, capture_output=True)
                if number:  # the first one makes the sample and learns its tables
                    times[name].append((time.perf_counter() - begin) * 1_000)
        for name, values in times.items():
            print(f"ask, {name:12} {min(values):6.0f} ms")


if __name__ == "__main__":
    main()
