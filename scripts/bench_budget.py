"""Processes that spend one budget together, killed at random: it is never passed, and nothing stays reserved.

    python scripts/bench_budget.py [--processes 16] [--kills 40] [--calls 400] [--ledger URL]

Each process asks a Messages API on loopback until the budget refuses; whoever is killed is started again. What was
spent is what the server has counted, also of the calls whose process did not live to hear of it. Without `--ledger`
the ledger is a SQLite file and, where a PostgreSQL server answers (T2S_TEST_POSTGRES_URL, else on loopback), a database
that is made there and dropped.
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
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

MODEL = "claude-sonnet-5-5"
MOST_OUT = 300
USER = "crowd"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--processes", type=int, default=16)
    parser.add_argument("--kills", type=int, default=40)
    parser.add_argument("--calls", type=int, default=400, help="about so many the budget allows")
    parser.add_argument("--ledger", help="only this one: sqlite, or the URL of a PostgreSQL server")
    parser.add_argument("--spend", nargs=3, metavar=("LEDGER", "SERVER", "USD"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.spend:
        spend(*options.spend)
        return
    for place in [options.ledger] if options.ledger else ["sqlite", *servers()]:
        with new_ledger(place) as ledger:
            compete(ledger, options)


def compete(ledger: str, options: argparse.Namespace) -> None:
    """Let the processes spend, kill them at random, and say what came of it."""
    from claude_server import ClaudeServer, Turn

    chance = random.Random(7)

    def turn(_: dict) -> Turn:
        kind = chance.random()
        text = "word " * chance.randrange(1, MOST_OUT)
        if kind < 0.05:
            return Turn(status=529, error="overloaded_error")
        return Turn(text=text, delay_s=chance.uniform(0, 0.5), cut_after=chance.choice((None, None, None, 6)))

    limit = options.calls * 0.0025
    began = time.monotonic()
    killed = 0
    with ClaudeServer() as server:
        server.default = turn
        start = [sys.executable, __file__, "--spend", ledger, server.url, str(limit)]
        workers = [subprocess.Popen(start) for _ in range(options.processes)]
        while any(worker.poll() is None for worker in workers):
            time.sleep(chance.uniform(0.05, 0.4))
            number = chance.randrange(len(workers))
            if killed < options.kills and workers[number].poll() is None and server.requests:
                workers[number].send_signal(signal.SIGKILL)
                workers[number].wait()
                workers[number] = subprocess.Popen(start)
                killed += 1
        report(ledger, server, limit, options.processes, killed, time.monotonic() - began)


def report(ledger: str, server, limit: float, processes: int, killed: int, seconds: float) -> None:
    from t2s.ledger import Limits, open_ledger
    from t2s.ledger.meter import standing
    from t2s.llm import cost_usd

    spent = 0.0
    for model, told in server.bill:
        names = {"cache_creation_input_tokens": "cache_write_tokens", "cache_read_input_tokens": "cache_read_tokens"}
        spent += cost_usd(model, {}, **{names.get(name, name): count for name, count in told.items()}) or 0.0
    opened = open_ledger(ledger)
    before = held(opened)
    (budget,) = standing(
        opened, Limits(request_tokens=None, day_tokens=None, day_usd=limit), user=USER, session_id=None
    )
    rows = opened.usage("purpose", days=1, user=USER)
    print(
        f"{opened.engine.dialect.name}: {processes} processes, {killed} kills, {len(server.bill)} calls paid, {seconds:.0f} s"
    )
    print(f"  budget ${limit:.4f}; the server counts ${spent:.4f}, the ledger ${budget.used:.4f}", end="")
    print(
        f" (of it ${sum(r.cost_usd for r in rows if r.key == 'killed'):.4f} the most that killed calls may have cost)"
    )
    print(f"  overshoot: ${max(0.0, spent - limit, budget.used - limit):.4f}")
    print(f"  reserved by the dead: {before}, for ever: {held(opened)}")
    opened.close()
    if spent > limit or budget.used > limit or budget.held or budget.used < spent:
        sys.exit("the budget does not hold")


def held(ledger) -> int:
    from sqlalchemy import func, select

    from t2s.ledger.tables import holds

    with ledger.reading() as connection:
        return connection.scalar(select(func.count()).select_from(holds)) or 0


def spend(ledger: str, server: str, usd: str) -> None:
    """Ask until the budget refuses."""
    from dataclasses import replace

    from pydantic import SecretStr

    from t2s.errors import BudgetRefused, ProviderError
    from t2s.ledger import Limits, open_ledger
    from t2s.ledger.meter import LedgerMeter
    from t2s.llm import build_llm
    from t2s.settings import ProviderSettings
    from t2s.types.event import ignore
    from t2s.types.llm import Message, Request, Segment

    opened = open_ledger(ledger)
    session = opened.enter_session(user=USER, datasource="d", name=None)
    limits = Limits(request_tokens=None, day_tokens=None, day_usd=float(usd))
    meter = LedgerMeter(opened, user=USER, session_id=session, run_id="r", limits=limits, on_event=ignore)
    settings = ProviderSettings(api_key=SecretStr("test-key"), base_url=server)
    llm = replace(build_llm(MODEL, settings, meter=meter, prices={}), sleep=lambda _: time.sleep(0.01))
    chance = random.Random(os.getpid())
    while True:
        text = " ".join(chance.choice(("orders", "客户", "SELECT a, b FROM t", "2024-01-31")) for _ in range(100))
        request = Request(
            model=MODEL,
            system=(Segment(name="schema", text="t(a int, b text) " * 20, cached=True),),
            messages=(Message(role="user", text=text),),
            max_tokens=MOST_OUT,
        )
        try:
            llm.complete(request, ignore)
        except BudgetRefused:
            return
        except ProviderError:
            continue


def servers() -> list[str]:
    """The PostgreSQL server, where one answers."""
    import psycopg

    url = os.environ.get("T2S_TEST_POSTGRES_URL", "postgresql://postgres@127.0.0.1:5432/postgres")
    try:
        psycopg.connect(url, connect_timeout=3).close()
    except psycopg.OperationalError:
        print("postgresql: no server answers (T2S_TEST_POSTGRES_URL names one)")
        return []
    return [url]


@contextmanager
def new_ledger(place: str) -> Iterator[str]:
    """Where a ledger of its own may be: in a new folder, or in a new database of the server; removed afterwards."""
    if place == "sqlite":
        with tempfile.TemporaryDirectory() as folder:
            yield f"{folder}/ledger.db"
        return
    import psycopg

    name = f"t2s_bench_{os.getpid()}"
    with psycopg.connect(place, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}")
        try:
            yield place.rpartition("/")[0] + f"/{name}"
        finally:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


if __name__ == "__main__":
    main()
