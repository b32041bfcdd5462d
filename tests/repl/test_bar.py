"""The bar below the prompt: looked at with every key, so that what it says is looked up once after each entry."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from claude_server import ClaudeServer

from t2s.repl.chat import Chat
from t2s.repl.prompt import _bar
from t2s.repl.start import Start


@pytest.fixture
def chat(sample: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Chat]:
    with ClaudeServer() as server:
        server.always_sql("SELECT count(*) FROM customers")
        monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-test")
        monkeypatch.setenv("ANTHROPIC_BASE_URL", server.url)
        flags = {"model": "claude-haiku-5-5", "budget.day_usd": 2}
        start = Start(
            command=lambda _: 0,
            db=str(sample),
            flags=flags,
            interactive=False,
            color=False,
            quiet=True,
            verbose=False,
        )
        begun = Chat(start)
        begun.opened()
        yield begun
        begun.close()


def test_the_bar_says_what_is_left_of_the_budget(chat: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "1,000k tokens left today" in _bar(chat)
    chat.enter("how many customers are there?")
    after = _bar(chat)
    assert "998k tokens left today" in after
    monkeypatch.setattr(type(chat.workspace), "budgets", lambda _: pytest.fail("the ledger was asked for a key"))
    assert _bar(chat) == after


def test_where_nothing_is_paid_nothing_is_left(chat: Chat) -> None:
    chat.enter("/model local")
    assert "left" not in _bar(chat)
