"""Writers of one memory, killed at random and restarted: nothing acknowledged is lost, nothing is there twice.

    python scripts/crash_memory.py [--processes 8] [--writes 250] [--kills 40] [--ledger URL]

Each process saves its memories one by one, notes each that was acknowledged, and brings the Chroma index up to date
after every 25. Whoever is killed is started again and goes on behind its last note, repeating at most one write.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from dataclasses import replace
from pathlib import Path

SPACE = uuid.UUID("00000000-0000-0000-0000-00000000c4a5")


def memories_at(folder: Path, ledger: str):
    from t2s.ledger import open_ledger
    from t2s.memory.embed import Lexical
    from t2s.memory.index import Index
    from t2s.memory.memories import Memories
    from t2s.memory.search import Searcher
    from t2s.types.event import ignore
    from t2s.types.memory import Owner

    kept = open_ledger(ledger)
    searcher = Searcher(ledger=kept, embedder=Lexical(), index=Index(str(folder / "index"), folder))
    return Memories(
        ledger=kept, searcher=searcher, owner=Owner(user="u", session_id="s", datasource="d"), on_event=ignore
    )


def text_of(writer: int, number: int) -> str:
    return f"preference of writer{writer}: item{number} goes to shelf{writer * 1000 + number}"


def write(folder: Path, ledger: str, writer: int, writes: int) -> None:
    from t2s.memory import remember
    from t2s.memory.memories import save

    memories = memories_at(folder, ledger)
    notes = folder / f"acknowledged-{writer}"
    done = len(notes.read_text().splitlines()) if notes.exists() else 0
    with notes.open("a") as file:
        for number in range(done, writes):
            now = time.time()
            memory = remember.preference(memories.owner, text_of(writer, number), now=now)
            memory = replace(memory, id=str(uuid.uuid5(SPACE, memory.content)))
            print(save(memories, memory, now).id, file=file, flush=True)
            if number % 25 == 24:
                memories.searcher.index.update(memories.ledger, "lexical-1")
    memories.searcher.index.update(memories.ledger, "lexical-1")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--processes", type=int, default=8)
    parser.add_argument("--writes", type=int, default=250)
    parser.add_argument("--kills", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--ledger", help="a PostgreSQL URL instead of a SQLite file")
    parser.add_argument("--as-writer", nargs=2, metavar=("FOLDER", "NUMBER"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.as_writer:
        write(Path(options.as_writer[0]), options.ledger, int(options.as_writer[1]), options.writes)
        return 0
    with tempfile.TemporaryDirectory() as name:
        return experiment(Path(name), options)


def experiment(folder: Path, options: argparse.Namespace) -> int:
    ledger = options.ledger or str(folder / "ledger.db")
    memories_at(folder, ledger).ledger.close()
    chance = random.Random(options.seed)
    begin = time.perf_counter()

    def start(writer: int) -> subprocess.Popen[bytes]:
        command = [sys.executable, __file__, "--as-writer", str(folder), str(writer)]
        return subprocess.Popen([*command, "--writes", str(options.writes), "--ledger", ledger], env=os.environ)

    running = {writer: start(writer) for writer in range(options.processes)}
    killed = 0
    while running:
        time.sleep(chance.uniform(0.05, 0.6))
        for writer, process in list(running.items()):
            if process.poll() == 0:
                del running[writer]
            elif process.poll() is not None:
                running[writer] = start(writer)
        if running and killed < options.kills:
            victim = chance.choice(list(running.values()))
            victim.send_signal(signal.SIGKILL)
            victim.wait()
            killed += 1
    return report(folder, ledger, options, killed, time.perf_counter() - begin)


def report(folder: Path, ledger: str, options: argparse.Namespace, killed: int, seconds: float) -> int:
    from t2s.ledger import memories as store

    acknowledged = [line for file in folder.glob("acknowledged-*") for line in file.read_text().splitlines()]
    memories = memories_at(folder, ledger)
    index = memories.searcher.index
    index.update(memories.ledger, "lexical-1")
    kept = [memory.id for memory in store.find(memories.ledger)]
    indexed = index.ids()
    scope = memories.owner.scope("preference")
    by_search = by_index = 0
    for writer in range(options.processes):
        for number in range(options.writes):
            text = text_of(writer, number)
            wanted = str(uuid.uuid5(SPACE, text))
            found = memories.searcher.search(text, [scope], k=1, timeout=30).memories
            by_search += bool(found) and found[0][0].id == wanted
            if number % 10 == 0:
                by_index += wanted in index.nearest(
                    memories.searcher.embedder.embed([text])[0], [scope], "lexical-1", 3
                )
    wanted = options.processes * options.writes
    expected = {"acknowledged": wanted, "in the ledger": wanted, "in the index": wanted, "found by search": wanted}
    seen = {
        "acknowledged": len(set(acknowledged)),
        "in the ledger": len(kept) if set(kept) == set(acknowledged) else -1,
        "in the index": len(indexed) if set(indexed) == set(acknowledged) else -1,
        "found by search": by_search,
    }
    print(f"{options.processes} processes x {options.writes} writes, {killed} killed, {seconds:.0f} s")
    for what, count in seen.items():
        print(f"  {what:16} {count}")
    print(f"  found by Chroma  {by_index} of {sum(1 for _ in range(0, options.writes, 10)) * options.processes}")
    memories.ledger.close()
    return 0 if seen == expected else 1


if __name__ == "__main__":
    sys.exit(main())
