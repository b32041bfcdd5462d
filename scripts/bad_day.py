"""Make up a day of bad traffic, and print what t2s monitor, Prometheus, a collector and a chat's webhook say of it.

Questions go the real way to a Messages API on loopback that is slow, fails, or answers wrong SQL; one process is killed
in mid-question; recalling waits for a slow embeddings service; a budget runs out. What needs time to have passed is put
into the ledger afterwards: the questions are spread over the day, and a process that leaks is written down.
Usage: .venv/bin/python scripts/bad_day.py
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "tests" / "monitor")]

TABLES = 110
KINDS = ["well"] * 24 + ["slow"] * 9 + ["wrong"] * 3 + ["overloaded"] * 5 + ["declined"] * 2
RIGHT = "SELECT count(*) AS n FROM t1"


def main() -> None:
    from claude_server import ClaudeServer
    from collector import Collector

    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server, collector = stack.enter_context(ClaudeServer()), stack.enter_context(Collector())
        texts: list[str] = []
        webhook = stack.enter_context(serving(lambda body: texts.append(body["text"]) or b""))
        embeddings = stack.enter_context(serving(slow_vectors))
        server.default = bad_service
        os.environ |= {
            "T2S_HOME": str(folder / "home"),
            "T2S_CONFIG": str(write_config(folder)),
            "T2S_DB": str(make_database(folder)),
            "T2S_ALERTS_WEBHOOK": f"{webhook}/services/T0/B0/secret",
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
            "ANTHROPIC_API_KEY": "sk-ant-made-up-0123456789",
            "ANTHROPIC_BASE_URL": server.url,
            "OPENAI_BASE_URL": embeddings,
            "NO_COLOR": "1",
        }
        print(f"{len(KINDS)} questions of ann and bob, one process killed, then a budget that runs out …", flush=True)
        ask_everything()
        kill_one()
        run_out_of_budget()
        let_time_pass(folder / "home" / "ledger.db")
        for command in (
            "monitor stats --by hour",
            "monitor stats --by model",
            "monitor user",
            "monitor user bob",
            "monitor memory",
            "history summary --user all",
            "history runs --failed --user all --limit 8",
            "monitor report",
        ):
            show(command)
        show_metrics(folder)
        print("\nthe webhook got:", *texts, sep="\n  ")
        names = Counter(span.name for span in collector.spans())
        print(f"\nthe collector got {names.total()} spans: {dict(names.most_common())}")
        print(f"and the metrics {', '.join(sorted(collector.metrics()))}")


def bad_service(body: dict[str, Any]) -> Any:
    """How the service takes a question, by the word in it."""
    from claude_server import Turn, sql_answer

    asked = json.dumps(body["messages"])
    if "slow" in asked or "killed" in asked:
        return Turn(text=sql_answer(RIGHT), delay_s=3.3 if "slow" in asked else 60.0)
    if "wrong" in asked:
        return Turn(text=sql_answer("SELECT no_such_column FROM t1"))
    if "overloaded" in asked:
        return Turn(status=529, error="overloaded_error")
    if "declined" in asked:
        return Turn(text=sql_answer("", outcome="unanswerable", explanation="that is not in this database"))
    return Turn(text=sql_answer(RIGHT))


def ask_everything() -> None:
    from t2s.database.shared import Shared
    from t2s.errors import T2SError
    from t2s.workspace import Workspace

    for user, kinds in (("ann", KINDS[::2]), ("bob", KINDS[1::2])):
        with Workspace.open(session=f"{user}'s day", flags={"user": user}, use_cache=False) as ws:
            ws.fallback = False
            ws.database = Shared(ws.database)
            ws.prepare()

            def one(numbered: tuple[int, str], ws: Workspace = ws) -> None:
                try:
                    ws.ask(f"question {numbered[0]}, {numbered[1]}: how many rows has t1?")
                except T2SError:
                    return

            with ThreadPoolExecutor(8) as pool:
                list(pool.map(one, enumerate(kinds)))


def kill_one() -> None:
    """A process that is killed while the model is at work."""
    from t2s.ledger import open_ledger
    from t2s.ledger.runs import list_runs

    asking = subprocess.Popen(
        [sys.executable, "-m", "t2s", "ask", "this one is killed"],
        env={**os.environ, "T2S_USER": "bob"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    ledger = open_ledger(os.environ["T2S_HOME"] + "/ledger.db")
    while not any(run.status == "running" for run in list_runs(ledger, since=0)):
        time.sleep(0.1)
    asking.kill()
    asking.wait()
    ledger.close()


def run_out_of_budget() -> None:
    from t2s.errors import BudgetRefused
    from t2s.ledger import open_ledger
    from t2s.workspace import Workspace

    ledger = open_ledger(os.environ["T2S_HOME"] + "/ledger.db")
    used = next(row for row in ledger.usage("user", days=1) if row.key == "ann")
    ledger.close()
    spent = used.input_tokens + used.output_tokens + used.cache_write_tokens + used.cache_read_tokens
    for limit in (round(spent / 0.85), round(spent / 0.99)):
        flags = {"user": "ann", "budget.day_tokens": limit}
        with Workspace.open(flags=flags, use_cache=False) as ws:
            ws.fallback = False
            try:
                ws.ask("one more: how many rows has t1?")
            except BudgetRefused as e:
                print(f"refused: {e.message}", flush=True)


def let_time_pass(place: Path) -> None:
    """Spread the runs over the last day, and write down a process that leaks."""
    from sqlalchemy import select

    from t2s.ledger import open_ledger
    from t2s.ledger.memory_tables import actions
    from t2s.ledger.run_tables import runs
    from t2s.ledger.runs import keep_runs, list_runs
    from t2s.types.usage import Usage

    ledger = open_ledger(str(place))
    known, now = list_runs(ledger, since=0), time.time()
    with ledger.transaction() as connection:
        said = {row.details["run_id"]: row.number for row in connection.execute(select(actions))}
        for n, run in enumerate(known):
            at = now - 60 - n * 20 * 3_600 / len(known)
            connection.execute(runs.update().where(runs.c.run_id == run.run_id).values(at=at))
            connection.execute(actions.update().where(actions.c.number == said.get(run.run_id)).values(at=at))
    nothing = {"usage": Usage(model="local"), "steps": (), "memories_used": 0, "memories_made": 0, "error": ""}
    nightly = replace(known[-1], user="nightly", origin="batch", status="ok", total_ms=900.0, pid=1, **nothing)
    leak = [
        replace(nightly, run_id=f"leak-{n}", at=now - 3_600 + 60 * n, rss_mb=700.0 + 45 * n, process_started="0")
        for n in range(14)
    ]
    keep_runs(ledger, leak)
    ledger.close()


def show(command: str) -> None:
    run = subprocess.run([sys.executable, "-m", "t2s", *command.split()], capture_output=True, text=True)
    print(f"\n$ t2s {command}\n{run.stdout}{run.stderr}(exit code {run.returncode})", flush=True)


def show_metrics(folder: Path) -> None:
    from prometheus_client.parser import text_string_to_metric_families

    (folder / "textfile").mkdir()
    show(f"monitor metrics --textfile {folder / 'textfile'}")
    text = (folder / "textfile" / "t2s.prom").read_text(encoding="utf-8")
    families = list(text_string_to_metric_families(text))
    print(f"t2s.prom: {len(families)} metrics, {sum(len(f.samples) for f in families)} samples, some of them:")
    wanted = ("t2s_questions_total", "t2s_question_seconds_bucket", "t2s_alert", "t2s_cost_usd_total", "t2s_process")
    print("\n".join(line for line in text.splitlines() if line.startswith(wanted)))


def write_config(folder: Path) -> Path:
    """A large schema in every prompt, an embedder by a service, and no limits of pace but those of the machine."""
    path = folder / "config.toml"
    path.write_text(
        'model = "claude-sonnet-5-5"\n[context]\nschema_tokens = 40000\n[budget]\nrequest_tokens = 60000\n'
        'economise = false\n[provider]\nretries = 0\n[memory]\nembedder = "openai:slow"\n'
        '[pace]\nat_once = "none"\nat_once_user = "none"\nrequests_per_minute = "none"\n'
    )
    return path


def make_database(folder: Path) -> Path:
    import duckdb

    columns = ", ".join(f"measurement_number_{n} INTEGER" for n in range(12))
    path = folder / "wide.duckdb"
    with duckdb.connect(str(path)) as db:
        for n in range(TABLES):
            db.execute(f"CREATE TABLE t{n} (id INTEGER PRIMARY KEY, {columns})")
    return path


def slow_vectors(body: dict[str, Any]) -> bytes:
    time.sleep(0.9)
    rows = [{"index": n, "embedding": [1.0, 0.0]} for n, _ in enumerate(body["input"])]
    return json.dumps({"data": rows}).encode()


@contextmanager
def serving(answer: Callable[[dict[str, Any]], bytes]) -> Iterator[str]:
    """A server on loopback that answers every POST of JSON; yields its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            reply = answer(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(200)
            self.send_header("content-length", str(len(reply)))
            self.end_headers()
            self.wfile.write(reply)

        def log_message(self, *_: object) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    threading.Thread(target=http.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{http.server_port}"
    http.shutdown()
    http.server_close()


if __name__ == "__main__":
    main()
