"""Endpoints that speak OpenAI's chat completions, good and lesser ones, over loopback."""

from __future__ import annotations

from dataclasses import replace

import pytest
from openai_server import OpenAIServer, Reaction
from pydantic import SecretStr
from test_service import REQUEST, Book

from t2s.errors import ProviderError, ProviderKeyError, ProviderUnavailable
from t2s.llm import build_llm
from t2s.llm.service import Service
from t2s.settings import PriceSettings, ProviderSettings
from t2s.types.event import Event, Streamed
from t2s.types.llm import Reply

MODEL = replace(REQUEST, model="openai:qwen")


def call(
    server: OpenAIServer, book: Book | None = None, key: str | None = None
) -> tuple[Reply | ProviderError, list[Event]]:
    settings = ProviderSettings(
        openai_base_url=server.url, openai_api_key=SecretStr(key) if key else None, timeout_s=5, retries=1
    )
    prices = {"openai:qwen": PriceSettings(input=1, output=2, cache_read=0.5)}
    llm = build_llm("openai:qwen", settings, meter=book or Book(), prices=prices)
    assert isinstance(llm, Service)
    events: list[Event] = []
    try:
        return replace(llm, sleep=lambda _: None).complete(MODEL, events.append), events
    except ProviderError as e:
        return e, events


def test_an_answer_is_streamed_counted_and_priced() -> None:
    with OpenAIServer(Reaction(text='{"sql": "SELECT 1"}', cached_tokens=4)) as server:
        reply, events = call(server)
    assert isinstance(reply, Reply)
    assert reply.text == '{"sql": "SELECT 1"}' == "".join(e.text for e in events if isinstance(e, Streamed))
    used = reply.usage
    assert used.cache_read_tokens == 4
    assert used.cost_usd == pytest.approx((used.input_tokens + used.output_tokens * 2 + 4 * 0.5) / 1e6)
    body = server.calls[0].body
    assert body["model"] == "qwen"
    assert body["response_format"]["type"] == "json_schema"


def test_an_endpoint_that_knows_no_schema_is_asked_in_words() -> None:
    with OpenAIServer('{"sql": "SELECT 1"}', refuses=("response_format",)) as server:
        reply, _ = call(server)
    assert isinstance(reply, Reply)
    assert "response_format" not in server.calls[-1].body
    assert "JSON object of this schema" in server.calls[-1].body["messages"][0]["content"]


@pytest.mark.parametrize(
    ("reaction", "kind", "calls"),
    [
        (Reaction(status=401), ProviderKeyError, 1),
        (Reaction(status=404), ProviderError, 1),
        (Reaction(status=400), ProviderError, 1),
        (Reaction(status=500), ProviderUnavailable, 2),
        (Reaction(status=429), ProviderUnavailable, 2),
        (Reaction(text="x" * 50, finish_reason="length"), ProviderError, 1),
        (Reaction(text="x" * 50, finish_reason="content_filter"), ProviderError, 1),
        (Reaction(text="x" * 50, finish_reason=None), ProviderUnavailable, 2),
        (Reaction(text="x" * 500, cut_after=2), ProviderUnavailable, 2),
    ],
)
def test_what_goes_wrong_is_named_and_tried_again_only_where_that_helps(
    reaction: Reaction, kind: type[ProviderError], calls: int
) -> None:
    book = Book()
    with OpenAIServer(reaction) as server:
        error, _ = call(server, book, key="sk-very-secret-000000")
    assert type(error) is kind
    assert len(server.calls) == len(book.settled) == calls
    assert "sk-very-secret" not in repr(error)
