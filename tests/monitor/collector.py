"""An OpenTelemetry collector on loopback that keeps what it is sent, and can fail."""

from __future__ import annotations

import gzip
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

KINDS = {"/v1/traces": ExportTraceServiceRequest, "/v1/metrics": ExportMetricsServiceRequest}


class Collector:
    """OTLP over HTTP with protobuf bodies; answers with `status` after `delay_s`."""

    def __init__(self) -> None:
        self.received: list[Any] = []
        self.headers: list[dict[str, str]] = []
        self.status = 200
        self.delay_s = 0.0
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._http.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()

    def spans(self) -> list[Any]:
        """Every span that came, the earliest first."""
        traces = [sent for sent in self.received if isinstance(sent, ExportTraceServiceRequest)]
        found = [span for sent in traces for r in sent.resource_spans for s in r.scope_spans for span in s.spans]
        return sorted(found, key=lambda span: span.start_time_unix_nano)

    def metrics(self) -> dict[str, Any]:
        """The latest of every metric that came, by name."""
        sent = [one for one in self.received if isinstance(one, ExportMetricsServiceRequest)]
        return {m.name: m for one in sent for r in one.resource_metrics for s in r.scope_metrics for m in s.metrics}

    def resource(self) -> dict[str, Any]:
        """What the first trace says of who sent it."""
        (first, *_) = [sent for sent in self.received if isinstance(sent, ExportTraceServiceRequest)]
        return values(first.resource_spans[0].resource.attributes)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                if self.headers.get("content-encoding") == "gzip":
                    body = gzip.decompress(body)
                collector.received.append(KINDS[self.path].FromString(body))
                collector.headers.append({k.lower(): v for k, v in self.headers.items()})
                time.sleep(collector.delay_s)
                try:
                    self.send_response(collector.status)
                    self.send_header("content-length", "0")
                    self.end_headers()
                except BrokenPipeError:  # nobody waits any more
                    pass

            def log_message(self, *_: object) -> None:
                pass

        return Handler


def values(attributes: Any) -> dict[str, Any]:
    """Attributes as Python has them."""
    return {a.key: getattr(a.value, a.value.WhichOneof("value")) for a in attributes}
