"""The REPL's time to its first prompt, to the first keystroke taken, and the work of a keystroke at 10,000 tables.

    python scripts/bench_repl.py [--tables 10000] [--runs 5]

The first is measured on a real pseudo-terminal with an empty home; the last by asking the completer what it would
offer after each letter of a few entries, its index being made before (its time and memory are printed, too).
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
import tracemalloc
from types import SimpleNamespace

import pexpect
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document

from t2s.repl.commands import BY_NAME
from t2s.repl.complete import SchemaCompleter
from t2s.repl.names import Names
from t2s.types.schema import Column, Schema, Table

ENTRIES = (
    "how many customer_orders_7 were shipped to Berlin?",
    "revenue of @invoice",
    "SELECT o.order_id, o.amount_7 FROM customer_orders_77 o WHERE o.status_3 = 'act",
    "SELECT zzz_unknown FROM nowhere",
    "每个客户的订单数 customer",
    "/schema customer_ord",
)
SUBJECTS = ("customer", "invoice", "shipment", "employee", "payment", "product", "contract", "ticket")
THINGS = ("orders", "lines", "history", "notes", "prices")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--tables", type=int, default=10_000)
    options.add_argument("--runs", type=int, default=5)
    chosen = options.parse_args()
    prompts, letters = zip(*(first_prompt() for _ in range(chosen.runs)), strict=True)
    print(f"first prompt:        median {statistics.median(prompts):4.0f} ms, worst {max(prompts):4.0f} ms")
    print(f"first letter echoed: median {statistics.median(letters):4.0f} ms, worst {max(letters):4.0f} ms")
    keystrokes(chosen.tables)


def first_prompt() -> tuple[float, float]:
    """Milliseconds from the start of the process to its prompt, and to a letter that was typed being shown."""
    with tempfile.TemporaryDirectory() as home:
        env = {**os.environ, "T2S_HOME": home, "T2S_MODEL": "local", "TERM": "xterm", "PROMPT_TOOLKIT_NO_CPR": "1"}
        start = time.perf_counter()
        child = pexpect.spawn(sys.executable, ["-m", "t2s"], env=env, encoding="utf-8", timeout=30)
        child.expect(">")
        prompt = time.perf_counter()
        child.send("x")
        child.expect("x")
        letter = time.perf_counter()
        child.sendintr()
        child.sendeof()
        child.expect(pexpect.EOF)
    return (prompt - start) * 1000, (letter - start) * 1000


def keystrokes(tables: int) -> None:
    """Milliseconds of the completer for each letter of the entries, over a made-up schema."""
    schema = made_up(tables)
    tracemalloc.start()
    start = time.perf_counter()
    names = Names.of(schema)
    for index in (names.tables, names.columns, names.values):
        index.find("zz")
    made = (time.perf_counter() - start) * 1000
    held = tracemalloc.get_traced_memory()[0] / 2**20
    tracemalloc.stop()
    completer = SchemaCompleter(SimpleNamespace(names=names), BY_NAME)  # type: ignore[arg-type]
    took = []
    for entry in ENTRIES:
        for end in range(1, len(entry) + 1):
            start = time.perf_counter()
            list(completer.get_completions(Document(entry[:end]), CompleteEvent(text_inserted=True)))
            took.append((time.perf_counter() - start) * 1000)
    took.sort()
    columns = sum(len(table.columns) for table in schema.tables)
    print(f"index of {tables:,} tables with {columns:,} columns: {made:.0f} ms (traced), {held:.0f} MB")
    print(
        f"a keystroke's completion: p50 {took[len(took) // 2]:.2f} ms, p95 {took[int(len(took) * 0.95)]:.2f} ms, "
        f"worst {took[-1]:.2f} ms of {len(took)}"
    )


def made_up(tables: int) -> Schema:
    """A schema of so many tables with twelve columns each, a tenth of them with sample values."""
    listed = []
    for number in range(tables):
        subject = SUBJECTS[number % len(SUBJECTS)]
        thing = THINGS[number % len(THINGS)]
        columns = [Column(name=f"{subject}_id", type="INTEGER"), Column(name=f"{thing}_{number}", type="VARCHAR")]
        columns += [Column(name=f"amount_{number % 500}_{i}", type="DECIMAL") for i in range(8)]
        columns.append(Column(name=f"status_{number % 50}", type="VARCHAR", samples=("active", "closed", "waiting")))
        columns.append(Column(name=f"city_{number % 90}", type="VARCHAR", samples=(f"Berlin {number}", "Paris")))
        listed.append(Table(name=f"{subject}_{thing}_{number}", columns=tuple(columns)))
    return Schema(dialect="postgres", tables=tuple(listed), fingerprint="made up")


if __name__ == "__main__":
    main()
