"""Spans and metrics as a collector gets them, and what happens without a collector, or without the exporter."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from claude_server import ClaudeServer, Turn, sql_answer
from collector import Collector, values
from command import t2s
from runs import made

from t2s.errors import ProviderError
from t2s.monitor import telemetry as module
from t2s.monitor.telemetry import telemetry
from t2s.types.event import Event, Notice
from t2s.workspace import Workspace

KEY = "sk-ant-very-secret-0123456789"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ClaudeServer]:
    with ClaudeServer() as running:
        monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
        monkeypatch.setenv("ANTHROPIC_BASE_URL", running.url)
        monkeypatch.setenv("T2S_PROVIDER_RETRIES", "0")
        yield running


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    with Collector() as running:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", running.url)
        yield running


def test_a_question_is_a_trace_by_the_genai_conventions(
    server: ClaudeServer, collector: Collector, sample: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test,service.name=shop-sql")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-tenant=one")
    server.script = [
        Turn(text=sql_answer("SELECT nme FROM customers")),
        Turn(text=sql_answer("SELECT name FROM customers LIMIT 3")),
    ]
    with Workspace.open(str(sample), flags={"model": "claude-haiku-5-5"}) as ws:
        answer = ws.ask("three names of customers, not to be sent to any collector")
    root, *rest = collector.spans()
    told = values(root.attributes)
    assert root.name == "invoke_agent t2s"
    assert told["gen_ai.operation.name"] == "invoke_agent"
    assert told["gen_ai.conversation.id"] == answer.session_id
    assert told["t2s.run.id"] == answer.run_id
    chats = [span for span in rest if span.name == "chat claude-haiku-5-5"]
    assert len(chats) == 2
    first = values(chats[0].attributes)
    assert (first["gen_ai.operation.name"], first["gen_ai.provider.name"]) == ("chat", "anthropic")
    assert chats[0].kind == 3  # a client's
    read = [values(chat.attributes)["gen_ai.usage.input_tokens"] for chat in chats]
    counted = server.counted
    assert sum(read) == counted["input_tokens"] + counted["cache_creation_input_tokens"] + counted["cache_read_input_tokens"]  # fmt: skip
    stages = {span.span_id: span for span in rest if span not in chats}
    assert [stages[chat.parent_span_id].name for chat in chats] == ["model", "repair"]
    assert {span.parent_span_id for span in stages.values()} == {root.span_id}
    assert all(root.start_time_unix_nano <= s.start_time_unix_nano <= s.end_time_unix_nano for s in rest)
    assert all(s.end_time_unix_nano <= root.end_time_unix_nano for s in rest)
    assert {span.trace_id for span in rest} == {root.trace_id}
    resource = collector.resource()
    assert (resource["service.name"], resource["deployment.environment.name"]) == ("shop-sql", "test")
    assert collector.headers[0]["x-tenant"] == "one"
    sent = b"".join(one.SerializeToString() for one in collector.received)
    for secret in (KEY, "three names", "SELECT"):
        assert secret.encode() not in sent


def test_metrics_by_the_genai_conventions(server: ClaudeServer, collector: Collector, sample: Path) -> None:
    server.always_sql("SELECT count(*) FROM customers")
    with Workspace.open(str(sample), flags={"model": "claude-haiku-5-5"}, use_cache=False) as ws:
        ws.ask("How many customers?")
        ws.ask("How many customers are there?")
    found = collector.metrics()
    tokens = {
        values(p.attributes)["gen_ai.token.type"]: p for p in found["gen_ai.client.token.usage"].histogram.data_points
    }
    assert (tokens["input"].count, tokens["output"].count) == (2, 2)
    assert tokens["output"].sum == server.counted["output_tokens"]
    (duration,) = found["gen_ai.client.operation.duration"].histogram.data_points
    assert duration.count == 2
    assert values(duration.attributes)["gen_ai.request.model"] == "claude-haiku-5-5"
    assert found["gen_ai.client.operation.duration"].unit == "s"
    assert sum(p.as_double for p in found["t2s.cost"].sum.data_points) > 0


def test_a_failed_call_is_a_span_with_its_error(server: ClaudeServer, collector: Collector, sample: Path) -> None:
    server.script = [Turn(status=400, error="invalid_request_error")]
    with Workspace.open(str(sample)) as ws, pytest.raises(ProviderError):
        ws.ask("How many customers?")
    spans = {span.name.split()[0]: span for span in collector.spans()}
    assert values(spans["chat"].attributes)["error.type"] == "provider"
    assert spans["chat"].status.code == spans["invoke_agent"].status.code == 2


def test_a_trace_goes_on_where_a_pipeline_began_it(collector: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACEPARENT", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
    run = t2s("ask", "how many customers are there?", "-q")
    assert run.returncode == 0
    root = collector.spans()[0]
    assert (root.trace_id.hex(), root.parent_span_id.hex()) == ("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331")


@pytest.mark.parametrize("fault", ["refuses", "fails", "hangs"])
def test_a_collector_that_is_down_costs_no_answer(fault: str, collector: Collector) -> None:
    collector.status = 503 if fault == "fails" else 200
    collector.delay_s = 30.0 if fault == "hangs" else 0.0
    address = "http://127.0.0.1:9" if fault == "refuses" else collector.url
    run = t2s("ask", "how many customers are there?", env={"OTEL_EXPORTER_OTLP_ENDPOINT": address})
    assert run.returncode == 0
    assert "400" in run.stdout
    assert "Traceback" not in run.stderr


def test_a_collector_that_failed_is_left_alone_for_a_while(collector: Collector) -> None:
    collector.status = 400
    events: list[Event] = []
    send = telemetry(events.append, {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url})
    assert send is not None
    send([made("a")])
    asked = len(collector.received)
    send([made("b")])
    assert len(collector.received) == asked
    (notice,) = events
    assert isinstance(notice, Notice)
    assert "collector" in notice.message


def test_only_what_is_wanted_is_sent(collector: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_METRICS_EXPORTER", "none")
    t2s("ask", "how many customers are there?")
    assert collector.spans()
    assert collector.metrics() == {}


def test_nothing_is_wanted_where_nothing_is_named() -> None:
    for environ in (
        {},
        {"OTEL_SERVICE_NAME": "x"},
        {"OTEL_TRACES_EXPORTER": "none"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x", "OTEL_SDK_DISABLED": "true"},
    ):
        events: list[Event] = []
        assert telemetry(events.append, environ) is None
        assert events == []


def test_a_missing_exporter_is_said_in_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.importlib.util, "find_spec", lambda _: None)
    events: list[Event] = []
    assert telemetry(events.append, {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x"}) is None
    assert events == [Notice(message="OTEL_EXPORTER_OTLP_ENDPOINT is set, but its exporter is missing: pip install 't2s[otel]'")]  # fmt: skip


def test_a_protocol_that_is_not_spoken_is_said() -> None:
    events: list[Event] = []
    environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}
    assert telemetry(events.append, environ) is None
    (notice,) = events
    assert isinstance(notice, Notice)
    assert "grpc" in notice.message


def test_nothing_of_it_is_imported_where_it_is_not_wanted() -> None:
    program = (
        "import sys\nfrom t2s.cli import main\nsys.argv = ['t2s', 'ask', 'how many customers are there?', '-q']\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print([name for name in sys.modules if name.startswith('opentelemetry')])\n"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert run.stdout.splitlines()[-1] == "[]"
