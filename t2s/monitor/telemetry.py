"""Spans and metrics by OpenTelemetry's GenAI conventions, sent by OTLP/HTTP where OTEL_* says to.

They hold figures and names of models, never questions, SQL or values. Nothing is imported where OTEL_* says nothing;
the SDK's global providers are left alone, so that what instruments other libraries does not double the spans.
"""

from __future__ import annotations

import importlib.util
import logging
import os
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from t2s import __version__
from t2s.types.event import Event, Notice
from t2s.types.run import Call, Run, Step
from t2s.types.usage import Usage

if TYPE_CHECKING:
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import InMemoryMetricReader
    from opentelemetry.trace import Tracer

    from t2s.monitor.recorder import Sink

NAMED = (
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
    "OTEL_TRACES_EXPORTER",
    "OTEL_METRICS_EXPORTER",
)
"""Any of these variables says that telemetry is wanted."""
TIMEOUT_S = 2.0
"""A collector may take so long, unless OTEL_EXPORTER_OTLP_TIMEOUT says otherwise."""
REST_S = 60.0
"""A collector that failed is left alone for so long."""
TOKEN_BOUNDS = [4.0**n for n in range(14)]
SECOND_BOUNDS = [0.01 * 2**n for n in range(14)]
"""The bounds that the conventions advise."""


def telemetry(on_event: Callable[[Event], None], environ: Mapping[str, str] = os.environ) -> Sink | None:
    """What sends runs to the collector that OTEL_* names; None where there is none, or (which is said) no way to it."""
    named = [name for name in NAMED if environ.get(name) not in (None, "", "none")]
    if not named or environ.get("OTEL_SDK_DISABLED", "").casefold() == "true":
        return None
    protocol = environ.get("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")
    if protocol != "http/protobuf":
        on_event(
            Notice(message=f"OTEL_EXPORTER_OTLP_PROTOCOL is {protocol}: t2s speaks http/protobuf; nothing is sent")
        )
        return None
    if not _installed():
        on_event(Notice(message=f"{named[0]} is set, but its exporter is missing: pip install 't2s[otel]'"))
        return None
    return _Exporter(on_event, environ)


def _installed() -> bool:
    try:
        return all(importlib.util.find_spec(f"opentelemetry.{name}") for name in ("sdk", "exporter.otlp.proto.http"))
    except ModuleNotFoundError:  # not even the package around it
        return False


class _Exporter:
    """Sends runs as they come; what cannot be sent is lost, and that is said once."""

    def __init__(self, on_event: Callable[[Event], None], environ: Mapping[str, str]) -> None:
        self._on_event = on_event
        self._environ = environ
        self._send: tuple[Callable[[Sequence[Run]], bool], ...] | None = None
        self._rest_until = 0.0

    def __call__(self, runs: Sequence[Run]) -> None:
        if time.monotonic() < self._rest_until:
            return
        if self._send is None:
            self._send = _senders(self._environ)
        if not all(send(runs) for send in self._send):
            if not self._rest_until:
                self._on_event(Notice(message="the OpenTelemetry collector does not take what is sent; it is lost"))
            self._rest_until = time.monotonic() + REST_S


def _senders(environ: Mapping[str, str]) -> tuple[Callable[[Sequence[Run]], bool], ...]:
    """One for spans and one for metrics, unless OTEL_* wants only the other; each says whether it went well."""
    from opentelemetry.sdk.resources import OTELResourceDetector, Resource

    quiet = logging.getLogger("opentelemetry")  # what it has to say would land between the answers
    quiet.addHandler(logging.NullHandler())
    quiet.propagate = False
    told = {"service.name": "t2s", "service.version": __version__, "service.instance.id": str(uuid.uuid4())}
    resource = Resource.create(told).merge(OTELResourceDetector().detect())
    timeout = None if "OTEL_EXPORTER_OTLP_TIMEOUT" in environ else TIMEOUT_S
    wanted = (("OTEL_TRACES_EXPORTER", _spans), ("OTEL_METRICS_EXPORTER", _metrics))
    return tuple(make(resource, timeout) for variable, make in wanted if environ.get(variable, "otlp") == "otlp")


def _spans(resource: Any, timeout: float | None) -> Callable[[Sequence[Run]], bool]:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExportResult
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    exporter, gathered = OTLPSpanExporter(timeout=timeout), InMemorySpanExporter()
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(gathered))
    tracer = provider.get_tracer("t2s", __version__)

    def send(runs: Sequence[Run]) -> bool:
        for run in runs:
            _trace(tracer, run)
        spans = gathered.get_finished_spans()
        gathered.clear()
        return _went_well(lambda: exporter.export(spans) is SpanExportResult.SUCCESS)

    return send


def _metrics(resource: Any, timeout: float | None) -> Callable[[Sequence[Run]], bool]:
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import InMemoryMetricReader, MetricExportResult

    exporter, reader = OTLPMetricExporter(timeout=timeout), InMemoryMetricReader()
    provider = MeterProvider(metric_readers=[reader], resource=resource, shutdown_on_exit=False)
    measure = _instruments(provider)

    def send(runs: Sequence[Run]) -> bool:
        for run in runs:
            measure(run)
        return _went_well(lambda: exporter.export(_data(reader)) is MetricExportResult.SUCCESS)

    return send


def _data(reader: InMemoryMetricReader) -> Any:
    return reader.get_metrics_data()


def _went_well(send: Callable[[], bool]) -> bool:
    try:
        return send()
    except Exception:  # a malformed address, a library's bug: telemetry never hurts the work
        return False


def _instruments(provider: MeterProvider) -> Callable[[Run], None]:
    meter = provider.get_meter("t2s", __version__)
    tokens = meter.create_histogram(
        "gen_ai.client.token.usage", "{token}", "Tokens of a call.", explicit_bucket_boundaries_advisory=TOKEN_BOUNDS
    )
    calls = meter.create_histogram(
        "gen_ai.client.operation.duration", "s", "A call's time.", explicit_bucket_boundaries_advisory=SECOND_BOUNDS
    )
    questions = meter.create_histogram(
        "t2s.question.duration", "s", "A question's time.", explicit_bucket_boundaries_advisory=SECOND_BOUNDS
    )
    cost = meter.create_counter("t2s.cost", "USD", "Cost of the calls whose price is known.")

    def measure(run: Run) -> None:
        questions.record(run.total_ms / 1000, {"t2s.status": run.status, "gen_ai.request.model": run.usage.model})
        for call in run.calls:
            labels = _operation(call)
            failed = {"error.type": call.outcome} if call.outcome != "ok" else {}
            calls.record(call.ms / 1000, {**labels, **failed})
            cost.add(call.usage.cost_usd or 0.0, labels)
            if not failed:
                tokens.record(_read(call.usage), {**labels, "gen_ai.token.type": "input"})
                tokens.record(call.usage.output_tokens, {**labels, "gen_ai.token.type": "output"})

    return measure


def _trace(tracer: Tracer, run: Run) -> None:
    """A span for the question, below it one for each step, and below these one for each call."""
    from opentelemetry.trace import SpanKind, StatusCode, set_span_in_context
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    def at(ms: float) -> int:
        return int((run.at + ms / 1000) * 1e9)

    above = TraceContextTextMapPropagator().extract({"traceparent": os.environ.get("TRACEPARENT", "")})
    root = tracer.start_span("invoke_agent t2s", above, attributes=_of_run(run), start_time=at(0))
    if run.failed:
        root.set_status(StatusCode.ERROR)
        root.set_attribute("error.type", run.status)
    within = set_span_in_context(root)
    for step in run.steps:
        span = tracer.start_span(step.stage, within, attributes={"t2s.stage": step.stage}, start_time=at(step.start_ms))
        for call in _calls_in(step, run.calls):
            labels = _of_call(call)
            name = f"chat {labels['gen_ai.request.model']}"
            inner = set_span_in_context(span)
            child = tracer.start_span(name, inner, SpanKind.CLIENT, labels, start_time=at(call.start_ms))
            if call.outcome != "ok":
                child.set_status(StatusCode.ERROR)
                child.set_attribute("error.type", call.outcome)
            child.end(at(call.start_ms + call.ms))
        span.end(at(step.start_ms + step.ms))
    root.end(at(run.total_ms))


def _calls_in(step: Step, calls: Sequence[Call]) -> list[Call]:
    """The calls that ended while a step went on."""
    if step.stage not in ("model", "repair"):
        return []
    return [call for call in calls if step.start_ms <= call.start_ms + call.ms <= step.start_ms + step.ms]


def _of_run(run: Run) -> dict[str, str | int | float]:
    cost = {} if run.usage.cost_usd is None else {"t2s.cost_usd": run.usage.cost_usd}
    return {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.agent.name": "t2s",
        "gen_ai.agent.version": __version__,
        "gen_ai.conversation.id": run.session_id,
        "gen_ai.provider.name": _provider(run.usage.model),
        "gen_ai.request.model": _model(run.usage.model),
        **_tokens(run.usage),
        "t2s.run.id": run.run_id,
        "t2s.status": run.status,
        "t2s.origin": run.origin,
        "t2s.memories.used": run.memories_used,
        "t2s.memories.made": run.memories_made,
        **cost,
    }


def _of_call(call: Call) -> dict[str, str | int | float]:
    tokens = _tokens(call.usage) if call.outcome == "ok" else {}
    return {**_operation(call), "t2s.purpose": call.purpose, **tokens}


def _operation(call: Call) -> dict[str, str | int | float]:
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": _provider(call.usage.model),
        "gen_ai.request.model": _model(call.usage.model),
    }


def _tokens(usage: Usage) -> dict[str, str | int | float]:
    return {
        "gen_ai.usage.input_tokens": _read(usage),
        "gen_ai.usage.output_tokens": usage.output_tokens,
        "gen_ai.usage.cache_creation.input_tokens": usage.cache_write_tokens,
        "gen_ai.usage.cache_read.input_tokens": usage.cache_read_tokens,
    }


def _read(usage: Usage) -> int:
    """All tokens that went in; the conventions count the cached ones with the others."""
    return usage.input_tokens + usage.cache_write_tokens + usage.cache_read_tokens


def _provider(model: str) -> str:
    kind, colon, _ = model.partition(":")
    return "openai" if colon and kind == "openai" else "anthropic" if model.startswith("claude") else f"t2s.{kind}"


def _model(model: str) -> str:
    return model.partition(":")[2] or model
