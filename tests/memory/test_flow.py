"""The second question is better than the first: whole questions with a memory, and with each part of it broken."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from claude_server import ClaudeServer, Turn, sql_answer

from t2s.ledger import memories as store
from t2s.ledger import memory_search
from t2s.ledger.sessions import list_turns
from t2s.memory import feedback, remember
from t2s.memory.memories import Memories, save
from t2s.types.event import Event, Notice
from t2s.types.query import Answer
from t2s.workspace import Workspace

NOW = time.time()
COUNT = "SELECT COUNT(*) AS n FROM customers"
GERMANS = "SELECT COUNT(*) AS n FROM customers WHERE country = 'Germany'"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ClaudeServer]:
    with ClaudeServer() as running:
        monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-very-secret-0123456789")
        monkeypatch.setenv("ANTHROPIC_BASE_URL", running.url)
        monkeypatch.setenv("T2S_PROVIDER_RETRIES", "0")
        running.always_sql(COUNT)
        yield running


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A small SQLite shop whose schema can be changed."""
    path = tmp_path / "shop.db"
    with sqlite3.connect(path) as connection:
        connection.executescript(
            "CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT, country TEXT, active INTEGER);"
            "INSERT INTO customers VALUES (1, 'Ann', 'Germany', 1), (2, 'Bo', 'France', 0), (3, 'Cy', 'Germany', 0);"
        )
    return path


def opened(shop: Path, *, session: str | None = None, use_memory: bool = True, **flags: object) -> Workspace:
    dotted = {name.replace("__", "."): value for name, value in flags.items()}
    events: list[Event] = []
    ws = Workspace.open(str(shop), session=session, flags=dotted, use_memory=use_memory, on_event=events.append)
    ws.events = events  # type: ignore[attr-defined]
    return ws


def ask(shop: Path, question: str, *, session: str | None = None, use_memory: bool = True, **flags: object) -> Answer:
    with opened(shop, session=session, use_memory=use_memory, **flags) as ws:
        return ws.ask(question)


def memories_of(ws: Workspace) -> Memories:
    assert ws.recollection is not None
    return ws.recollection.memories


def judge(shop: Path, *, right: str | None = None, why: str = "", good: bool = False) -> None:
    """What the user says of the last answer."""
    with opened(shop) as ws:
        memories = memories_of(ws)
        turn = feedback.latest_turn(memories, None)
        if good:
            feedback.accept(memories, turn, ws.database.schema())
        else:
            feedback.correct(memories, turn, ws.database.schema(), right=right, why=why)


def sent(server: ClaudeServer, position: int = -1) -> str:
    """The system prompt and the last message of a request, as one text."""
    request = server.requests[position]
    return "\n".join([*(part["text"] for part in request["system"]), str(request["messages"][-1]["content"])])


def test_an_accepted_answer_is_given_again_without_a_call(server: ClaudeServer, shop: Path) -> None:
    ask(shop, "How many customers?")
    judge(shop, good=True)
    answer = ask(shop, "  how many CUSTOMERS ")
    assert (answer.usage.model, answer.usage.calls, answer.usage.cost_usd) == ("memory", 0, 0.0)
    assert answer.result is not None
    assert list(answer.result.rows) == [(3,)]
    assert answer.confidence == 1.0
    assert "verified by" in answer.explanation
    assert len(server.requests) == 1


def test_an_answer_that_only_ran_is_asked_again_when_the_cache_is_gone(server: ClaudeServer, shop: Path) -> None:
    ask(shop, "How many customers?")
    with opened(shop) as ws:
        ws.use_cache = False
        ws.ask("How many customers?")
    assert len(server.requests) == 2
    assert "Verified queries" not in sent(server)


def test_a_verified_query_serves_as_an_example_for_a_like_question(server: ClaudeServer, shop: Path) -> None:
    ask(shop, "How many customers?")
    judge(shop, good=True)
    ask(shop, "How many customers in Germany?")
    assert "Verified queries for like questions:\n- How many customers?" in sent(server)
    assert COUNT in sent(server)


def test_a_wrong_answer_does_not_come_back(server: ClaudeServer, shop: Path) -> None:
    ask(shop, "How many Germans?")
    judge(shop, why="only those in Germany")
    server.script = [Turn(text=sql_answer(COUNT)), Turn(text=sql_answer(GERMANS))]
    answer = ask(shop, "How many Germans?")
    assert answer.sql == GERMANS
    assert "Answers that people have corrected:\n- How many Germans?" in sent(server, 1)
    assert "only those in Germany" in answer.problems[0].message


def test_a_correction_is_the_answer_from_now_on(server: ClaudeServer, shop: Path) -> None:
    ask(shop, "How many Germans?")
    judge(shop, good=True)
    judge(shop, right=GERMANS, why="only those in Germany")
    answer = ask(shop, "How many Germans?")
    assert (answer.sql, answer.usage.model) == (GERMANS, "memory")
    assert len(server.requests) == 1


def test_a_verified_answer_is_not_given_after_the_schema_has_changed(server: ClaudeServer, shop: Path) -> None:
    server.always_sql("SELECT COUNT(*) AS n FROM customers WHERE active = 1")
    ask(shop, "How many active customers?")
    judge(shop, good=True)
    with sqlite3.connect(shop) as connection:
        connection.execute("ALTER TABLE customers RENAME COLUMN active TO enabled")
    server.always_sql("SELECT COUNT(*) AS n FROM customers WHERE enabled = 1")
    with opened(shop) as ws:
        answer = ws.ask("How many active customers?")
        told = [event.message for event in ws.events if isinstance(event, Notice)]  # type: ignore[attr-defined]
        kept = store.find(ws.ledger, scopes=[memories_of(ws).owner.scope("query")], dead_too=True)
    assert answer.usage.calls == 1
    assert any("the schema has changed" in message for message in told)
    assert "no column active in customers" in str([m.stale for m in kept])
    assert "Verified queries" not in sent(server)


def test_a_relative_date_is_not_answered_from_another_day(server: ClaudeServer, shop: Path) -> None:
    ask(shop, "How many customers signed up last month?")
    judge(shop, good=True)
    assert ask(shop, "How many customers signed up last month?").usage.model == "memory"
    with opened(shop) as ws:
        memories = memories_of(ws)
        (kept,) = store.find(ws.ledger, scopes=[memories.owner.scope("query")])
        store.change(ws.ledger, [kept.id], valid_from=kept.valid_from - 3 * 86_400)
        ws.use_cache = False
        assert ws.ask("How many customers signed up last month?").usage.calls == 1


def test_words_wishes_and_notes_reach_the_model(server: ClaudeServer, shop: Path) -> None:
    with opened(shop) as ws:
        memories, schema = memories_of(ws), ws.database.schema()
        owner = memories.owner
        for memory in (
            remember.glossary(owner, "live", "customers.active = 1", schema, now=NOW),
            remember.preference(owner, "Answer with whole numbers", now=NOW),
            remember.note(owner, "customers.active", "1 while the contract runs", schema, now=NOW),
        ):
            save(memories, replace(memory), NOW)
    ask(shop, "How many are live?")
    request = server.requests[-1]
    assert [part["text"].split("\n")[0] for part in request["system"]][1:] == ["Schema", "What words mean here"]
    assert "cache_control" in request["system"][2]
    assert "live = customers.active = 1" in request["system"][2]["text"]
    assert "active integer /* 1 while the contract runs */" in request["system"][1]["text"]
    assert "How this user wants answers:\n- Answer with whole numbers" in sent(server)


def test_another_embedder_sees_what_is_known_at_the_end_of_the_next_question(server: ClaudeServer, shop: Path) -> None:
    ask(shop, "How many customers?")
    with opened(shop) as ws:
        object.__setattr__(memories_of(ws).searcher.embedder, "name", "lexical-2")
        ws.ask("How many customers are there?")
        scopes = [memories_of(ws).owner.scope(kind) for kind in ("query", "schema")]
    with opened(shop) as ws:
        assert memory_search.vector_count(ws.ledger, scopes, "lexical-2") == 3
        assert memory_search.vector_count(ws.ledger, scopes, "lexical-1") == 0


def test_without_memory_nothing_is_recalled_or_learned(server: ClaudeServer, shop: Path) -> None:
    ask(shop, "How many customers?")
    judge(shop, good=True)
    assert ask(shop, "How many customers?", use_memory=False).usage.model != "memory"
    with opened(shop) as ws:
        before = len(store.find(ws.ledger, dead_too=True))
    ask(shop, "names", use_memory=False)
    with opened(shop) as ws:
        assert len(store.find(ws.ledger, dead_too=True)) == before


def test_what_is_learned_by_itself_can_be_switched_off(server: ClaudeServer, shop: Path) -> None:
    ask(shop, "How many customers?", memory__auto=False)
    with opened(shop) as ws:
        assert store.find(ws.ledger, dead_too=True) == ()


def test_a_question_with_a_secret_is_answered_but_not_remembered(server: ClaudeServer, shop: Path) -> None:
    assert ask(shop, "how many customers have password=hunter22?").status == "ok"
    with opened(shop) as ws:
        assert store.find(ws.ledger, kinds=["query"]) == ()
        (turn,) = list_turns(ws.ledger, user=ws.config.settings.user)
    assert "hunter22" not in turn.question


def test_a_session_goes_on_and_its_oldest_turns_are_summed_up(server: ClaudeServer, shop: Path) -> None:
    for n in range(5):
        ask(shop, f"question {n}", session="march", context__strategy="aggressive")
    ask(shop, "and now?", session="march", context__strategy="aggressive")
    messages = server.requests[-1]["messages"]
    assert [m["content"] for m in messages if m["role"] == "user"][:3] == ["question 2", "question 3", "question 4"]
    assert "Asked earlier in this conversation: question 0; question 1" in messages[-1]["content"]
    ask(shop, "another conversation", session="april")
    assert "question" not in str(server.requests[-1]["messages"][0]["content"]).replace("Question", "")


def test_the_tables_are_learned_once_and_again_when_they_change(server: ClaudeServer, shop: Path) -> None:
    def tables() -> list[str]:
        with opened(shop) as ws:
            scope = memories_of(ws).owner.scope("schema")
            return sorted(m.content.split("(")[0] for m in store.find(ws.ledger, scopes=[scope]) if not m.stale)

    ask(shop, "one")
    assert tables() == ["customers"]
    with sqlite3.connect(shop) as connection:
        connection.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id INTEGER)")
    ask(shop, "two")
    assert tables() == ["customers", "orders"]
    with sqlite3.connect(shop) as connection:
        connection.execute("DROP TABLE orders")
    ask(shop, "three")
    assert tables() == ["customers"]


class TestBroken:
    """Each part of the memory broken on purpose: the answer comes, and what was missing is said."""

    def told(self, shop: Path, **flags: object) -> list[str]:
        with opened(shop, **flags) as ws:
            events = ws.events  # type: ignore[attr-defined]
            assert ws.ask("How many customers?").status == "ok"
        return [event.message for event in events if isinstance(event, Notice)]

    def test_the_vector_store(self, server: ClaudeServer, shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("t2s.workspace.recollection.INDEX_BEHIND", 1)
        told = self.told(shop, memory__index="http://127.0.0.1:9")
        assert any("the index does not work just now: the index http://127.0.0.1:9 cannot be used" in t for t in told)

    def test_the_embedder(self, server: ClaudeServer, shop: Path) -> None:
        ask(shop, "one")
        told = self.told(shop, memory__embedder="minilm")
        assert all("MiniLM is not on disk" in t for t in told)
        assert len(told) == 1
        with opened(shop) as ws:
            assert store.find(ws.ledger, kinds=["query"])

    def test_an_embedding_service(self, server: ClaudeServer, shop: Path) -> None:
        with opened(shop) as ws:  # something that it has embedded once, so that it is asked
            memories = memories_of(ws)
            schema = ws.database.schema()
            golden = remember.query(memories.owner, "Number of customers", COUNT, schema, state="golden", now=NOW)
            kept = save(memories, golden, NOW)
            store.set_vectors(ws.ledger, "openai:m", {kept.id: b"\x00\x3c"})
        told = self.told(shop, memory__embedder="openai:m", provider__openai_base_url="http://127.0.0.1:9/v1")
        down = "the embeddings service cannot be used: ConnectError"
        assert told == [
            f"the memory is not complete: vector search: {down}",
            f"the embedder does not work just now: {down}",
        ]
        assert "- Number of customers" in sent(server)

    def test_the_ledger(self, server: ClaudeServer, shop: Path, tmp_path: Path) -> None:
        (tmp_path / "not-a-ledger").write_text("garbage " * 100)
        told = self.told(shop, ledger=str(tmp_path / "not-a-ledger"))
        assert any("nothing of this session will be kept" in t for t in told)

    def test_the_ledger_with_a_table_gone(self, server: ClaudeServer, shop: Path, tmp_path: Path) -> None:
        ask(shop, "one")
        with sqlite3.connect(tmp_path / "t2s" / "ledger.db") as ledger:
            ledger.execute("DROP TABLE memories")
        assert any("the memory does not work just now" in t for t in self.told(shop))

    def test_the_archive(self, server: ClaudeServer, shop: Path, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        ask(shop, "one")
        with opened(shop) as ws:
            store.change(ws.ledger, [m.id for m in store.find(ws.ledger, kinds=["query"])], expires=1.0)
        told = self.told(shop, memory__archive=str(tmp_path / "file"))
        assert any("the archive does not work just now" in t for t in told)
        with opened(shop) as ws:  # nothing went without its entry, and the next one does it
            assert any(m.data.get("question") == "one" for m in store.find(ws.ledger, dead_too=True))
        self.told(shop)
        with opened(shop) as ws:
            assert not any(m.data.get("question") == "one" for m in store.find(ws.ledger, dead_too=True))
