"""Mixed calls, many of which fail, against a Messages API on loopback: the ledger's sum against the server's count.

    python scripts/compare_usage.py [--calls 500] [--threads 8]

Models, prompts that are cached and not, answers, refusals, errors, broken streams and retries are drawn by a seed. The
server's count of a stream that breaks off is what it told before. Calls that were not waited for are counted apart:
nobody tells what they cost, so that the ledger takes the most.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

MODELS = ("claude-sonnet-5-5", "claude-haiku-5-5", "claude-opus-5-5")
NAMES = {
    "input_tokens": "input_tokens",
    "output_tokens": "output_tokens",
    "cache_creation_input_tokens": "cache_write_tokens",
    "cache_read_input_tokens": "cache_read_tokens",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=500)
    parser.add_argument("--threads", type=int, default=8)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        wrong = compare(f"{folder}/ledger.db", options.calls, options.threads)
        wrong += not_waited_for(f"{folder}/late.db")
    sys.exit("the ledger does not count what the server counts" if wrong else 0)


def turns(chance: random.Random):
    """Ways to answer, drawn at random; two in five are faults."""
    from claude_server import Turn

    def turn(_: dict) -> Turn:
        text = "word " * chance.randrange(1, 200)
        return chance.choice(
            [Turn(text=text)] * 12
            + [
                Turn(status=429, error="rate_limit_error", headers={"retry-after": "0"}),
                Turn(status=529, error="overloaded_error"),
                Turn(status=400, error="invalid_request_error"),
                Turn(text=text, cut_after=chance.randrange(0, 9)),
                Turn(text=text, error_event="overloaded_error"),
                Turn(text=text, stop_reason="max_tokens"),
                Turn(text=text, stop_reason="refusal"),
                Turn(raw=b"<html>a proxy</html>"),
            ]
        )

    return turn


def compare(ledger: str, calls: int, threads: int) -> int:
    """Make the calls and print each kind of token by the server and by the ledger; how many differ."""
    from claude_server import ClaudeServer

    from t2s.errors import ProviderError
    from t2s.ledger import open_ledger
    from t2s.llm import cost_usd
    from t2s.types.event import ignore

    outcomes: Counter[str] = Counter()
    with ClaudeServer() as server:
        server.default = turns(random.Random(11))
        opened = open_ledger(ledger)
        services = {model: service(opened, server.url, model) for model in MODELS}

        def call(number: int) -> None:
            chance = random.Random(number)
            model = chance.choice(MODELS)
            try:
                services[model].complete(request(model, chance), ignore)
                outcomes["answered"] += 1
            except ProviderError as e:
                outcomes[e.code] += 1

        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(call, range(calls)))
    rows = {row.key: row for row in opened.usage("model", days=1)}
    attempts, failed = sum(row.calls for row in rows.values()), sum(row.errors for row in rows.values())
    opened.close()
    told = ", ".join(f"{count} {outcome}" for outcome, count in outcomes.most_common())
    print(f"{calls} calls ({told}) in {attempts} attempts, {failed} of which failed")
    print(f"{'':24}{'server':>12}{'ledger':>12}{'difference':>12}")
    differences = 0
    for theirs, ours in NAMES.items():
        counted, recorded = server.counted[theirs], sum(getattr(row, ours) for row in rows.values())
        differences += counted != recorded
        print(f"{ours:24}{counted:12,}{recorded:12,}{recorded - counted:12,}")
    cost = sum(cost_usd(m, {}, **counts(told)) or 0.0 for m, told in server.bill)
    recorded = sum(row.cost_usd for row in rows.values())
    print(f"{'USD':24}{cost:12.6f}{recorded:12.6f}{recorded - cost:12.6f}")
    requests = len(server.requests)
    print(f"{'attempts':24}{requests:12,}{attempts:12,}{attempts - requests:12,}")
    return differences + (abs(cost - recorded) > 1e-9) + (requests != attempts)


def not_waited_for(ledger: str, calls: int = 10) -> int:
    """Calls that take longer than they are given: the ledger must not count less than the server."""
    from claude_server import ClaudeServer, Turn

    from t2s.errors import ProviderError
    from t2s.ledger import open_ledger
    from t2s.types.event import ignore

    with ClaudeServer() as server:
        server.default = lambda _: Turn(text="late " * 50, delay_s=0.5)
        opened = open_ledger(ledger)
        llm = replace(service(opened, server.url, MODELS[0], timeout_s=0.1), retries=0)
        for number in range(calls):
            try:
                llm.complete(request(MODELS[0], random.Random(number)), ignore)
            except ProviderError:
                continue
        time.sleep(0.7)
    (row,) = opened.usage("day", days=1)
    opened.close()
    counted = sum(server.counted.values())
    recorded = row.input_tokens + row.output_tokens
    print(f"{calls} calls not waited for: the server counts {counted:,} tokens, the ledger at most {recorded:,}")
    return int(recorded < counted)


def service(ledger, url: str, model: str, timeout_s: float = 30.0):
    from pydantic import SecretStr

    from t2s.ledger import Limits
    from t2s.ledger.meter import LedgerMeter
    from t2s.llm import build_llm
    from t2s.settings import ProviderSettings
    from t2s.types.event import ignore

    limits = Limits(request_tokens=None, day_tokens=None)
    meter = LedgerMeter(ledger, user="u", session_id="s", run_id="r", limits=limits, on_event=ignore)
    settings = ProviderSettings(api_key=SecretStr("test-key"), base_url=url, timeout_s=timeout_s)
    return replace(build_llm(model, settings, meter=meter, prices={}), sleep=lambda _: time.sleep(0.001))


def request(model: str, chance: random.Random):
    from t2s.types.llm import Message, Request, Segment

    schema = f"orders(id int, city text, number{chance.randrange(5)} int) " * 30
    question = " ".join(chance.choice(("how", "many", "订单", "in", "Berlin", "2024")) for _ in range(12))
    return Request(
        model=model,
        system=(Segment(name="rules", text="Answer in SQL."), Segment(name="schema", text=schema, cached=True)),
        messages=(Message(role="user", text=question),),
        max_tokens=500,
    )


def counts(told: dict[str, int]) -> dict[str, int]:
    return {"input_tokens": 0, "output_tokens": 0, **{NAMES[name]: count for name, count in told.items()}}


if __name__ == "__main__":
    main()
