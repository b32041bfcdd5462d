"""Budget alerts, as a chat's server on loopback gets them."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from claude_server import ClaudeServer
from command import t2s
from pydantic import SecretStr
from runs import made

from t2s.errors import BudgetRefused
from t2s.ledger import Limits, open_ledger
from t2s.ledger.alerts import claim_alert, note_sent
from t2s.ledger.run_tables import alerts
from t2s.ledger.store import Ledger
from t2s.monitor.webhook import WebhookFailed, budget_alerts, post
from t2s.types.event import Event, Notice
from t2s.workspace import Workspace

SECRET = "T00/B00/secretsecret"


class Chat:
    """A chat's webhook that keeps what it is sent."""

    def __init__(self) -> None:
        self.received: list[Any] = []
        self.status = 200
        self.delay_s = 0.0
        chat = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                chat.received.append((self.path, self.headers["content-type"], json.loads(body)))
                time.sleep(chat.delay_s)
                try:
                    self.send_response(chat.status)
                    self.send_header("location", "/elsewhere")
                    self.send_header("content-length", "0")
                    self.end_headers()
                except BrokenPipeError:
                    pass

            def log_message(self, *_: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.http.server_port}/services/{SECRET}"

    def texts(self) -> list[str]:
        return [document["text"] for _, _, document in self.received]


@pytest.fixture
def chat() -> Iterator[Chat]:
    running = Chat()
    threading.Thread(target=running.http.serve_forever, daemon=True).start()
    yield running
    running.http.shutdown()
    running.http.server_close()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, chat: Chat) -> Iterator[ClaudeServer]:
    with ClaudeServer() as running:
        monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-very-secret-0123456789")
        monkeypatch.setenv("ANTHROPIC_BASE_URL", running.url)
        monkeypatch.setenv("T2S_ALERTS_WEBHOOK", chat.url)
        monkeypatch.setenv("T2S_USER", "ann <!channel>")
        monkeypatch.setenv("T2S_BUDGET_ECONOMISE", "false")
        running.always_sql("SELECT count(*) FROM customers")
        yield running


def spend(ledger: Ledger, tokens: int, *, user: str = "ann") -> None:
    from t2s.ledger.budgets import today
    from t2s.ledger.tables import usage

    counts = {"input_tokens": tokens, "output_tokens": 0, "cache_write_tokens": 0, "cache_read_tokens": 0}
    fields = {"session_id": "s", "run_id": "r", "model": "m", "purpose": "generate", "latency_ms": 1.0, "outcome": "ok"}
    with ledger.transaction() as connection:
        connection.execute(
            usage.insert().values(at=time.time(), day=today(), user=user, cost_usd=0.0, **counts, **fields)
        )


def test_a_budget_that_is_nearly_used_up_is_told_once_a_day(server: ClaudeServer, chat: Chat, sample: Path) -> None:
    with Workspace.open(str(sample), use_cache=False) as ws:
        spend(ws.ledger, 850_000, user="ann <!channel>")
        ws.ask("How many customers?")
    with Workspace.open(str(sample), use_cache=False) as ws:
        ws.ask("How many customers are there?")  # told already
        spend(ws.ledger, 145_000, user="ann <!channel>")
        with pytest.raises(BudgetRefused):
            ws.ask("How many customers do we have?")
    path, content_type, document = chat.received[0]
    assert (path, content_type) == (f"/services/{SECRET}", "application/json")
    assert set(document) == {"text"}
    assert "85% of the budget day_tokens of ann &lt;!channel&gt; is used: 85" in document["text"]
    near, refused = chat.texts()
    assert "refused" not in near
    assert refused.endswith("a question was refused")


def test_what_is_too_large_for_one_request_is_no_alert(server: ClaudeServer, chat: Chat, sample: Path) -> None:
    with Workspace.open(str(sample), flags={"budget.request_tokens": 5}) as ws, pytest.raises(BudgetRefused):
        ws.ask("How many customers?")
    assert chat.received == []


@pytest.mark.parametrize("fault", ["fails", "refuses", "hangs"])
def test_a_webhook_that_is_down_costs_no_answer(fault: str, chat: Chat) -> None:
    chat.status = 500 if fault == "fails" else 200
    chat.delay_s = 30.0 if fault == "hangs" else 0.0
    address = f"http://127.0.0.1:9/services/{SECRET}" if fault == "refuses" else chat.url
    seed(Path.home() / "t2s" / "ledger.db")
    env = {"T2S_ALERTS_WEBHOOK": address, "T2S_BUDGET_WARN_SHARE": "1e-9", "T2S_USER": "ann"}
    run = t2s("ask", "how many customers are there?", env=env)
    assert run.returncode == 0
    assert "400" in run.stdout
    assert SECRET not in run.stdout + run.stderr


@pytest.mark.parametrize(("status", "said"), [(500, "answers with HTTP 500"), (302, "answers with HTTP 302"), (None, "cannot be reached")])  # fmt: skip
def test_why_an_alert_did_not_arrive_is_said_without_the_address(status: int | None, said: str, chat: Chat) -> None:
    chat.status = status or 200
    address = chat.url if status else f"http://127.0.0.1:9/services/{SECRET}"
    with pytest.raises(WebhookFailed, match=said) as caught:
        post(address, {"text": "hello"})
    assert SECRET not in str(caught.value)
    assert len(chat.received) == (1 if status else 0)  # a redirection is not followed


def seed(place: Path) -> None:
    ledger = open_ledger(str(place))
    spend(ledger, 10)
    ledger.close()


def test_an_alert_that_did_not_arrive_is_sent_again_later(tmp_path: Path, chat: Chat) -> None:
    ledger = open_ledger(str(tmp_path / "ledger.db"))
    spend(ledger, 95)
    events: list[Event] = []
    send = budget_alerts(ledger, Limits(day_tokens=100), SecretStr(chat.url), events.append)
    assert send is not None
    chat.status = 503
    send([made("a")])
    send([made("b")])  # too early
    assert len(chat.received) == 1
    assert events == [Notice(message="a budget alert was not sent: alerts.webhook answers with HTTP 503")]
    with ledger.transaction() as connection:
        connection.execute(alerts.update().values(at=alerts.c.at - 601))
    chat.status = 200
    send([made("c")])
    with ledger.transaction() as connection:
        connection.execute(alerts.update().values(at=alerts.c.at - 601))
    send([made("d")])  # arrived: never again
    assert len(chat.received) == 2
    ledger.close()


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_of_many_at_once_one_sends(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    place = str(tmp_path / "ledger.db") if kind == "sqlite" else request.getfixturevalue("postgres_url")
    ledger = open_ledger(place)
    with ThreadPoolExecutor(8) as pool:
        claimed = list(pool.map(lambda _: claim_alert(ledger, "ann", "day_usd near"), range(16)))
    assert claimed.count(True) == 1
    assert claim_alert(ledger, "bob", "day_usd near")
    note_sent(ledger, "ann", "day_usd near")
    ledger.close()


def test_the_address_is_shown_nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = t2s("config", "show", env={"T2S_ALERTS_WEBHOOK": f"https://hooks.example/{SECRET}"})
    assert "alerts.webhook" in shown.stdout
    assert SECRET not in shown.stdout
    wrong = t2s("config", "show", env={"T2S_ALERTS_WEBHOOK": f"ftp://hooks.example/{SECRET}"})
    assert wrong.returncode == 2
    assert "T2S_ALERTS_WEBHOOK: alerts.webhook: value error, must begin with https://" in wrong.stderr
    assert SECRET not in wrong.stderr


def test_a_folder_s_env_file_names_no_webhook(tmp_path: Path) -> None:
    from t2s.config import load_config

    Path(".env").write_text("T2S_ALERTS_WEBHOOK=https://collector.example/x\n")
    config = load_config()
    assert config.settings.alerts.webhook is None
    assert any("T2S_ALERTS_WEBHOOK in .env is ignored" in warning for warning in config.warnings)


def test_without_an_address_nothing_is_looked_at(tmp_path: Path) -> None:
    ledger = open_ledger(str(tmp_path / "ledger.db"))
    assert budget_alerts(ledger, Limits(), None, lambda _: None) is None
    ledger.close()
