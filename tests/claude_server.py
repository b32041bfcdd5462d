"""A server on loopback that speaks the Messages API, streaming included, and fails in every way one asks for.

`python tests/claude_server.py` runs it until it is stopped and prints its address.
"""

from __future__ import annotations

import json
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


@dataclass(frozen=True, kw_only=True)
class Turn:
    """How the server takes one request: an answer, or one of the ways to fail."""

    text: str = ""
    status: int = 200
    error: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    stop_reason: str | None = "end_turn"
    delay_s: float = 0.0
    cut_after: int | None = None  # events until the connection is cut
    error_event: str | None = None  # an SSE error in mid-stream
    raw: bytes | None = None  # a body that is no Messages API at all


def sql_answer(sql: str, **more: Any) -> str:
    """The JSON that t2s asks its models for."""
    answer = {
        "outcome": "sql",
        "explanation": "",
        "sql": sql,
        "assumptions": [],
        "clarifying_question": "",
        "choices": [],
    }
    return json.dumps({**answer, **more})


class _Http(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away in mid-answer is nothing to speak of."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class ClaudeServer:
    """Serves on a free port of loopback; `script` is used up a turn a request, then `default` answers."""

    def __init__(self, *turns: Turn) -> None:
        self.script = list(turns)
        self.default: Callable[[dict[str, Any]], Turn] = lambda _: Turn(text=sql_answer("SELECT 1"))
        self.requests: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.counted = {
            "input_tokens": 0,
            "output_tokens": 0,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
        }
        self.bill: list[tuple[str, dict[str, int]]] = []
        """The model and the usage of each request, as far as it was told of: a stream that is cut tells less."""
        self._cached: set[str] = set()
        self.asked_to_count: list[dict[str, Any]] = []
        self.batches: dict[str, dict[str, Any]] = {}
        self.batch_delay_s = 0.0
        self.models: dict[str, str | None] = {"claude-haiku-5-5": None, "claude-sonnet-5-5": None}
        """When each model ends (ISO), as `GET /v1/models/ID` tells it."""
        self.key_taken = True
        self._lock = threading.Lock()
        self._http = _Http(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._http.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._http.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()

    def always_sql(self, sql: str) -> None:
        """Answer every further request with this SQL."""
        self.default = lambda _: Turn(text=sql_answer(sql))

    def next_turn(self, body: dict[str, Any], headers: dict[str, str]) -> tuple[Turn, dict[str, int]]:
        """Note a request; how to answer it and the usage to report."""
        with self._lock:
            self.requests.append(body)
            self.headers.append(headers)
            turn = self.script.pop(0) if self.script else self.default(body)
            usage = self._usage(body, turn)
            if turn.status == 200 and turn.raw is None:
                told = _told(turn, usage, body["model"])
                self.bill.append((body["model"], told))
                for name, count in told.items():
                    self.counted[name] += count
            return turn, usage

    def count(self, body: dict[str, Any]) -> int:
        """How many tokens a prompt has, which nobody pays for."""
        with self._lock:
            self.asked_to_count.append(body)
            system = "".join(block["text"] for block in body.get("system") or [])
            return _words(system) + _words(json.dumps(body.get("messages")))

    def hand_in(self, requests: list[dict[str, Any]], headers: dict[str, str]) -> dict[str, Any]:
        """Take a batch of requests; each is answered as it would have been by itself."""
        results = []
        for request in requests:
            turn, usage = self.next_turn(request["params"], headers)
            message = {
                "id": "msg_1",
                "type": "message",
                "role": "assistant",
                "model": request["params"]["model"],
                "content": [{"type": "text", "text": turn.text}],
                "stop_reason": turn.stop_reason,
                "stop_sequence": None,
                "usage": usage,
            }
            good = {"type": "succeeded", "message": message}
            bad = {"type": "errored", "error": {"type": "error", "error": {"type": turn.error, "message": "made up"}}}
            results.append({"custom_id": request["custom_id"], "result": good if turn.status == 200 else bad})
        id_ = f"msgbatch_{len(self.batches) + 1}"
        self.batches[id_] = {"at": time.time(), "results": results[::-1]}
        return self.batch(id_)

    def batch(self, id_: str) -> dict[str, Any]:
        """A batch as the API tells of it."""
        known = self.batches[id_]
        ended = time.time() - known["at"] >= self.batch_delay_s
        size = len(known["results"])
        stamp = datetime.fromtimestamp(known["at"], UTC).isoformat()
        return {
            "id": id_,
            "type": "message_batch",
            "processing_status": "ended" if ended else "in_progress",
            "created_at": stamp,
            "expires_at": stamp,
            "ended_at": stamp if ended else None,
            "request_counts": {
                "processing": 0 if ended else size,
                "succeeded": size if ended else 0,
                "errored": 0,
                "canceled": 0,
                "expired": 0,
            },
            "results_url": f"{self.url}/v1/messages/batches/{id_}/results" if ended else None,
        }

    def _usage(self, body: dict[str, Any], turn: Turn) -> dict[str, int]:
        """Tokens by a count of words; what stands up to a breakpoint is written to the cache once, then read."""
        system = body.get("system") or []
        last = max((i for i, block in enumerate(system) if "cache_control" in block), default=-1)
        prefix = "".join(block["text"] for block in system[: last + 1])
        rest = "".join(block["text"] for block in system[last + 1 :]) + json.dumps(body.get("messages"))
        known = prefix in self._cached
        if prefix and turn.status == 200:
            self._cached.add(prefix)
        return {
            "input_tokens": _words(rest),
            "cache_creation_input_tokens": 0 if known else _words(prefix),
            "cache_read_input_tokens": _words(prefix) if known else 0,
            "output_tokens": _words(turn.text),
        }

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                _, kind, *parts = self.path.partition("?")[0].strip("/").split("/")
                if kind == "models":
                    self._model(parts[0])
                    return
                parts = parts[1:]  # batches
                if not parts:
                    listed = [server.batch(id_) for id_ in reversed(server.batches)]
                    self._json({"data": listed, "has_more": False, "first_id": None, "last_id": None})
                elif len(parts) == 1:
                    self._json(server.batch(parts[0]))
                else:
                    lines = "".join(json.dumps(row) + "\n" for row in server.batches[parts[0]]["results"])
                    self._send(200, lines.encode(), {"content-type": "application/x-jsonl"})

            def _model(self, name: str) -> None:
                if not server.key_taken:
                    error = {"type": "error", "error": {"type": "authentication_error", "message": "made up"}}
                    self._send(401, json.dumps(error).encode(), {})
                elif name not in server.models:
                    error = {"type": "error", "error": {"type": "not_found_error", "message": "made up"}}
                    self._send(404, json.dumps(error).encode(), {})
                else:
                    told = {"id": name, "type": "model", "display_name": name, "created_at": "2026-10-07T00:00:00Z"}
                    self._json({**told, "retires_at": server.models[name]})

            def _json(self, document: Any) -> None:
                self._send(200, json.dumps(document).encode(), {})

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                if self.path.startswith("/v1/messages/batches"):
                    self._json(server.hand_in(body["requests"], {k.lower(): v for k, v in self.headers.items()}))
                    return
                if self.path.startswith("/v1/messages/count_tokens"):
                    self._json({"input_tokens": server.count(body)})
                    return
                turn, usage = server.next_turn(body, {k.lower(): v for k, v in self.headers.items()})
                time.sleep(turn.delay_s)
                if turn.raw is not None:
                    self._send(200, turn.raw, {"content-type": "text/event-stream"})
                elif turn.status != 200:
                    error = {"type": "error", "error": {"type": turn.error, "message": f"made up: {turn.error}"}}
                    self._send(turn.status, json.dumps(error).encode(), turn.headers)
                else:
                    self._stream(turn, usage, body["model"])

            def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
                self.send_response(status)
                for name, value in {"content-type": "application/json", **headers}.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def _stream(self, turn: Turn, usage: dict[str, int], model: str) -> None:
                self.send_response(200)
                self.send_header("content-type", "text/event-stream")
                self.send_header("connection", "close")
                self.end_headers()
                self.close_connection = True
                for number, (name, data) in enumerate(_events(turn, usage, model)):
                    if number == turn.cut_after:
                        return
                    self.wfile.write(f"event: {name}\ndata: {json.dumps(data)}\n\n".encode())
                    self.wfile.flush()

            def log_message(self, *_: object) -> None:
                pass

        return Handler


def _events(turn: Turn, usage: dict[str, int], model: str) -> Iterator[tuple[str, dict[str, Any]]]:
    start = {**usage, "output_tokens": 1}
    message = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": start,
    }
    yield "message_start", {"type": "message_start", "message": message}
    thinking = {"type": "thinking", "thinking": "", "signature": ""}
    yield "content_block_start", {"type": "content_block_start", "index": 0, "content_block": thinking}
    yield "content_block_stop", {"type": "content_block_stop", "index": 0}
    block = {"type": "text", "text": ""}
    yield "content_block_start", {"type": "content_block_start", "index": 1, "content_block": block}
    for piece in re.findall(r".{1,20}", turn.text, re.DOTALL):
        delta = {"type": "text_delta", "text": piece}
        yield "content_block_delta", {"type": "content_block_delta", "index": 1, "delta": delta}
    if turn.error_event:
        yield "error", {"type": "error", "error": {"type": turn.error_event, "message": "made up"}}
        return
    yield "content_block_stop", {"type": "content_block_stop", "index": 1}
    end = {"stop_reason": turn.stop_reason, "stop_sequence": None}
    yield "message_delta", {"type": "message_delta", "delta": end, "usage": {"output_tokens": usage["output_tokens"]}}
    if turn.stop_reason:
        yield "message_stop", {"type": "message_stop"}


def _told(turn: Turn, usage: dict[str, int], model: str) -> dict[str, int]:
    """The usage that the events up to the cut tell of."""
    told: dict[str, int] = {}
    for number, (name, data) in enumerate(_events(turn, usage, model)):
        if number == turn.cut_after:
            break
        if name == "message_start":
            told |= data["message"]["usage"]
        elif name == "message_delta":
            told |= data["usage"]
    return told


def _words(text: str) -> int:
    return len(re.findall(r"\w+|[^\w\s]", text))


if __name__ == "__main__":
    with ClaudeServer() as running:
        print(running.url, flush=True)
        threading.Event().wait()
