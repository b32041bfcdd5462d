"""Claude over loopback: every way in which a call can go, caused for real."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import pytest
from claude_server import ClaudeServer, Turn, sql_answer
from pydantic import SecretStr

from t2s.errors import BudgetRefused, ProviderError, ProviderKeyError, ProviderUnavailable
from t2s.llm import build_llm, parse_json
from t2s.llm.service import Service
from t2s.settings import ProviderSettings
from t2s.types.event import Called, Event, Notice, Streamed
from t2s.types.llm import Message, Reply, Request, Segment
from t2s.types.usage import Usage

KEY = "sk-ant-very-secret-0123456789"
REQUEST = Request(
    model="claude-sonnet-5-5",
    system=(Segment(name="rules", text="Rules."), Segment(name="schema", text="t(a int)", cached=True)),
    messages=(Message(role="user", text="How many?"),),
    max_tokens=500,
    output_schema={"type": "object", "properties": {"sql": {"type": "string"}}},
    effort="low",
)


@dataclass
class Book:
    """A meter that allows everything and notes it."""

    held: list[str] = field(default_factory=list)
    settled: list[tuple[str, Usage, str]] = field(default_factory=list)

    def span(self, model: str, estimate: int) -> tuple[int, int]:
        return estimate, estimate

    def fits(self, *, tokens: int, cost_usd: float | None) -> bool:
        return True

    def reserve(self, *, model: str, tokens: int, cost_usd: float | None, estimate: int | None = None) -> str:
        self.held.append(str(len(self.held)))
        return self.held[-1]

    def settle(self, hold: str, used: Usage, *, purpose: str, latency_ms: float, outcome: str) -> None:
        self.settled.append((hold, used, outcome))


@pytest.fixture
def server() -> Iterator[ClaudeServer]:
    with ClaudeServer() as running:
        yield running


def call(
    server: ClaudeServer, *, timeout_s: float = 5, request: Request = REQUEST
) -> tuple[Reply | ProviderError, Book, list[float], list[Event]]:
    """The outcome of one call, what was metered, waited for and told."""
    book, waits, events = Book(), [], []  # type: ignore[var-annotated]
    settings = ProviderSettings(api_key=SecretStr(KEY), base_url=server.url, timeout_s=timeout_s)
    llm = build_llm(request.model, settings, meter=book, prices={})
    assert isinstance(llm, Service)
    try:
        outcome: Reply | ProviderError = replace(llm, sleep=waits.append).complete(request, events.append)
    except ProviderError as e:
        outcome = e
    assert [hold for hold, _, _ in book.settled] == book.held  # every hold is settled, once
    assert KEY not in repr(outcome) + repr(events)
    return outcome, book, waits, events


def test_an_answer_is_streamed_metered_and_priced(server: ClaudeServer) -> None:
    server.script = [Turn(text=sql_answer("SELECT 1"))]
    reply, book, _, events = call(server)
    assert isinstance(reply, Reply)
    assert reply.text == sql_answer("SELECT 1")
    assert "".join(e.text for e in events if isinstance(e, Streamed)) == reply.text
    used = reply.usage
    assert used.cost_usd == pytest.approx(
        (used.input_tokens * 2 + used.output_tokens * 10 + used.cache_write_tokens * 2.5) / 1e6
    )
    assert book.settled == [("0", used, "ok")]
    assert isinstance(events[-1], Called)


def test_what_is_sent_is_what_the_service_wants(server: ClaudeServer) -> None:
    call(server)
    (body,) = server.requests
    assert server.headers[0]["authorization"] == f"Bearer {KEY}"
    assert body["stream"] is True
    assert body["output_config"]["effort"] == "low"
    assert body["output_config"]["format"]["type"] == "json_schema"
    assert [block.get("cache_control") for block in body["system"]] == [None, {"type": "ephemeral"}]
    assert not {"temperature", "tool_choice", "top_p"} & body.keys()


def test_a_model_without_effort_is_not_given_one(server: ClaudeServer) -> None:
    call(server, request=replace(REQUEST, model="claude-haiku-4-5"))
    assert "effort" not in server.requests[0]["output_config"]


def test_the_second_question_reads_the_prefix_from_the_cache(server: ClaudeServer) -> None:
    first, *_ = call(server)
    second, *_ = call(server, request=replace(REQUEST, messages=(Message(role="user", text="And now?"),)))
    assert isinstance(first, Reply)
    assert isinstance(second, Reply)
    assert first.usage.cache_write_tokens == second.usage.cache_read_tokens > 0
    assert server.requests[0]["system"] == server.requests[1]["system"]


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 529])
def test_what_may_pass_is_tried_again(server: ClaudeServer, status: int) -> None:
    server.script = [Turn(status=status, error="overloaded_error"), Turn(status=status, error="overloaded_error")]
    reply, book, waits, events = call(server)
    assert isinstance(reply, Reply)
    assert [outcome for _, _, outcome in book.settled] == ["provider_down", "provider_down", "ok"]
    assert 0.5 <= waits[0] <= 1.0 <= waits[1] <= 2.0
    assert sum(isinstance(e, Notice) for e in events) == 2


def test_three_retries_and_no_more(server: ClaudeServer) -> None:
    server.default = lambda _: Turn(status=529, error="overloaded_error")
    error, book, waits, _ = call(server)
    assert isinstance(error, ProviderUnavailable)
    assert "overloaded" in error.message
    assert "4 attempts" in error.message
    assert len(book.settled) == len(server.requests) == 4
    assert len(waits) == 3


def test_retry_after_is_honoured(server: ClaudeServer) -> None:
    server.script = [Turn(status=429, error="rate_limit_error", headers={"retry-after": "7"})]
    reply, _, waits, _ = call(server)
    assert isinstance(reply, Reply)
    assert waits == [7.0]


def test_too_long_a_retry_after_is_told_instead_of_waited_for(server: ClaudeServer) -> None:
    server.script = [Turn(status=429, error="rate_limit_error", headers={"retry-after": "3600"})]
    error, _, waits, _ = call(server)
    assert isinstance(error, ProviderUnavailable)
    assert "3600 s" in error.message
    assert waits == []


@pytest.mark.parametrize(
    ("turn", "kind", "words"),
    [
        (Turn(status=401, error="authentication_error"), ProviderKeyError, "does not accept the key"),
        (Turn(status=403, error="permission_error"), ProviderKeyError, "does not accept the key"),
        (Turn(status=400, error="invalid_request_error"), ProviderError, "refused the request"),
        (Turn(status=404, error="not_found_error"), ProviderError, "no such model"),
        (Turn(status=402, error="billing_error"), ProviderError, "does not pay"),
        (Turn(status=429, error="spend_limit_error"), ProviderError, "does not pay"),
        (Turn(text="no", stop_reason="refusal"), ProviderError, "refused to answer"),
        (Turn(text="{", stop_reason="max_tokens"), ProviderError, "cut off"),
        (Turn(text="{", stop_reason="model_context_window_exceeded"), ProviderError, "do not fit"),
        (Turn(text="{", stop_reason="pause_turn"), ProviderError, "paused"),
    ],
)
def test_what_will_not_pass_is_not_tried_again(server: ClaudeServer, turn: Turn, kind: type, words: str) -> None:
    server.script = [turn]
    error, book, waits, _ = call(server)
    assert type(error) is kind
    assert words in str(error)
    assert len(server.requests) == 1
    assert waits == []
    if turn.status == 200:  # it was answered, so it was paid for
        assert book.settled[0][1].output_tokens > 0


@pytest.mark.parametrize(
    "turn",
    [
        Turn(text=sql_answer("SELECT 1"), cut_after=6),
        Turn(text=sql_answer("SELECT 1"), stop_reason=None),
        Turn(text=sql_answer("SELECT 1"), error_event="overloaded_error"),
        Turn(raw=b"<html>a proxy</html>"),
        Turn(raw=b"event: message_start\ndata: {broken\n\n"),
        Turn(text="late", delay_s=0.8),
    ],
    ids=["cut", "no stop reason", "error event", "html", "malformed", "slow first byte"],
)
def test_a_broken_stream_is_tried_again_and_what_it_cost_is_kept(server: ClaudeServer, turn: Turn) -> None:
    server.script = [turn]
    reply, book, waits, _ = call(server, timeout_s=0.4 if turn.delay_s else 30)
    assert isinstance(reply, Reply)
    assert len(waits) == 1
    if turn.delay_s:  # nobody knows what it cost, so that it counts as the most
        used = book.settled[0][1]
        assert (used.output_tokens, used.cost_usd) == (
            REQUEST.max_tokens,
            pytest.approx(used.input_tokens * 2.5e-6 + 5e-3),
        )
    elif turn.raw is None:
        assert book.settled[0][1].cache_write_tokens > 0


def test_nobody_listens(server: ClaudeServer) -> None:
    server.url = "http://127.0.0.1:9"
    error, *_ = call(server)
    assert isinstance(error, ProviderUnavailable)
    assert "cannot be reached" in error.message


def test_without_a_key_nothing_is_sent() -> None:
    with pytest.raises(ProviderKeyError, match="no key"):
        build_llm("claude-sonnet-5-5", ProviderSettings(), meter=Book(), prices={})


@pytest.mark.parametrize(
    "text", ['{"sql": "x"}', '```json\n{"sql": "x"}\n```', '{"sql": "x", "more": 1}'], ids=["bare", "fenced", "more"]
)
def test_json_is_read_from_a_reply(text: str) -> None:
    reply = Reply(text=text, stop_reason="end_turn", usage=Usage(model="m"), latency_ms=1)
    assert parse_json(reply, {"properties": {"sql": {"type": "string"}}})["sql"] == "x"


@pytest.mark.parametrize("text", ["", "no", "[1]", '{"sql": 1}'])
def test_what_is_no_answer_is_an_error(text: str) -> None:
    reply = Reply(text=text, stop_reason="end_turn", usage=Usage(model="m"), latency_ms=1)
    with pytest.raises(ProviderError):
        parse_json(reply, {"properties": {"sql": {"type": "string"}}})


class Tight(Book):
    """A meter that allows so many tokens a call, and takes an estimate for what it may be off by half."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most

    def span(self, model: str, estimate: int) -> tuple[int, int]:
        return estimate // 2, estimate * 2

    def fits(self, *, tokens: int, cost_usd: float | None) -> bool:
        return tokens <= self.most

    def reserve(self, *, model: str, tokens: int, cost_usd: float | None, estimate: int | None = None) -> str:
        if tokens > self.most:
            raise BudgetRefused("too large")
        return super().reserve(model=model, tokens=tokens, cost_usd=cost_usd)


@pytest.mark.parametrize(
    ("most", "asked", "answered"),
    [(700, 0, True), (560, 1, True), (520, 0, False)],
    ids=["fits anyway", "fits when counted", "cannot fit"],
)
def test_the_service_counts_where_the_estimate_is_too_near_a_limit_to_tell(
    server: ClaudeServer, most: int, asked: int, answered: bool
) -> None:
    settings = ProviderSettings(api_key=SecretStr(KEY), base_url=server.url)
    llm = build_llm(REQUEST.model, settings, meter=Tight(most), prices={})
    try:
        llm.complete(REQUEST, lambda _: None)
    except BudgetRefused:
        assert not answered
    assert len(server.asked_to_count) == asked
    assert len(server.requests) == answered
