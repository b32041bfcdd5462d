"""A real HTTP server on the loopback that speaks OpenAI's chat completions and misbehaves on demand."""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Reaction:
    """How one call goes."""

    text: str = "{}"
    finish_reason: str | None = "stop"
    status: int = 200
    message: str = "scripted"
    code: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    cached_tokens: int = 0
    usage: bool = True
    cut_after: int | None = None
    stream_error: str | None = None
    html: bool = False
    garbled: bool = False
    first_delay: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Request:
    """A request as it came."""

    path: str
    headers: Mapping[str, str]
    body: dict[str, Any]


class OpenAIServer:
    """Serves while it is entered. `refuses` names what of a request it answers with 400, as lesser servers do."""

    def __init__(self, default: Reaction | str = "{}", *, refuses: tuple[str, ...] = (), key: str | None = None):
        self.default = Reaction(text=default) if isinstance(default, str) else default
        self.refuses = refuses
        self.key = key
        self.calls: list[Request] = []
        self.stopping = threading.Event()
        self._script: deque[Reaction] = deque()
        self._http = _HTTP(("127.0.0.1", 0), _Handler)
        self._http.owner = self
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}/v1"

    def __enter__(self) -> OpenAIServer:
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def script(self, *reactions: Reaction) -> None:
        """Lay down how the next calls go."""
        self._script.extend(reactions)

    def next_reaction(self) -> Reaction:
        return self._script.popleft() if self._script else self.default

    def problem(self, body: dict[str, Any]) -> str | None:
        """The refusal of a server that does not know a part of the request."""
        form = body.get("response_format", {}).get("type")
        for part in self.refuses:
            if part in body:
                return f"Unsupported parameter: '{part}' is not supported with this model."
            if part == form:
                return f"response_format.type must not be {form}"
        return None


class _HTTP(ThreadingHTTPServer):
    daemon_threads = True
    owner: OpenAIServer

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that leaves in the middle is no error here."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _HTTP

    def log_message(self, *_: object) -> None:
        pass

    def do_POST(self) -> None:
        owner = self.server.owner
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        headers = {name.lower(): value for name, value in self.headers.items()}
        owner.calls.append(Request(path=self.path, headers=headers, body=body))
        if owner.key and headers.get("authorization") != f"Bearer {owner.key}":
            self._error(401, f"Incorrect API key provided: {headers.get('authorization')}", "invalid_api_key")
        elif self.path != "/v1/chat/completions":
            self._error(404, "no such page", None)
        elif refused := owner.problem(body):
            self._error(400, refused, "unsupported_parameter")
        else:
            self._react(body, owner.next_reaction())

    def _react(self, body: dict[str, Any], reaction: Reaction) -> None:
        if reaction.first_delay:
            self.server.owner.stopping.wait(reaction.first_delay)
        if reaction.status != 200:
            self._error(reaction.status, reaction.message, reaction.code, reaction.headers)
        elif reaction.html:
            self._send(200, "text/html", b"<html>Please log in</html>")
        else:
            self._stream(body, reaction)

    def _stream(self, body: dict[str, Any], reaction: Reaction) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        for n, event in enumerate(_events(body, reaction)):
            if reaction.cut_after is not None and n >= reaction.cut_after:
                time.sleep(0.02)  # what was sent must arrive first
                self.close_connection = True
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.connection.close()
                return
            self._chunk(f"data: {json.dumps(event)}\n\n")
        if reaction.garbled:
            self._chunk('data: {"choices": [\n\n')
        self._chunk("data: [DONE]\n\n")
        self._chunk("")

    def _chunk(self, text: str) -> None:
        data = text.encode()
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        self.wfile.flush()

    def _error(self, status: int, message: str, code: str | None, headers: Mapping[str, str] | None = None) -> None:
        error = {"error": {"message": message, "type": "error", "param": None, "code": code}}
        self._send(status, "application/json", json.dumps(error).encode(), headers)

    def _send(self, status: int, kind: str, data: bytes, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(data)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)


def count(messages: list[dict[str, str]]) -> int:
    """The server's own idea of tokens: a quarter of the characters."""
    return sum(-(-len(message["content"]) // 4) for message in messages)


def _events(body: dict[str, Any], reaction: Reaction) -> Iterator[dict[str, Any]]:
    frame = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": body["model"]}

    def chunk(delta: dict[str, Any], reason: str | None) -> dict[str, Any]:
        return {**frame, "choices": [{"index": 0, "delta": delta, "finish_reason": reason}]}

    yield chunk({"role": "assistant", "content": ""}, None)
    if reaction.stream_error:
        yield {"error": {"message": reaction.stream_error, "type": "server_error", "code": None}}
        return
    for start in range(0, len(reaction.text), 5):
        yield chunk({"content": reaction.text[start : start + 5]}, None)
    if reaction.finish_reason:
        yield chunk({}, reaction.finish_reason)
    if reaction.usage and body.get("stream_options", {}).get("include_usage"):
        prompt, output = count(body["messages"]), -(-len(reaction.text) // 4)
        details = {"cached_tokens": reaction.cached_tokens}
        usage = {"prompt_tokens": prompt, "completion_tokens": output, "total_tokens": prompt + output}
        yield {**frame, "choices": [], "usage": {**usage, "prompt_tokens_details": details}}
