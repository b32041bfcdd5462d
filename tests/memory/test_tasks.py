"""Work done later: retried, given up at last, picked up after a crash, and never lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from memory_shop import BOB, NOW, memories_at, of

from t2s.errors import LedgerError, MemoryRefused
from t2s.ledger import memories as store
from t2s.ledger import open_ledger, sessions, tasks
from t2s.memory import work
from t2s.memory.extract import Extract, Extractor, extract_by_rules
from t2s.memory.memories import Memories
from t2s.types.memory import Owner
from t2s.types.query import Answer
from t2s.types.usage import Usage

On = Callable[[str], Memories]


def conversation(memories: Memories, *questions: str) -> Memories:
    """A session in which these were asked."""
    ledger = memories.ledger
    session = ledger.enter_session(user="alice", datasource="shop", name="march")
    for n, question in enumerate(questions):
        answer = Answer(
            question=question,
            status="ok",
            sql="SELECT 1",
            tables=("orders",),
            session_id=session,
            run_id=f"run{n}-{session[:8]}",
            usage=Usage(model="local"),
        )
        ledger.record_turn(answer, privacy="schema")
    return of(memories, Owner(user="alice", session_id=session, datasource="shop"))


def done(memories: Memories, tmp_path: Path, extract: Extractor = extract_by_rules) -> list[str]:
    return [task.status for task in work.work(memories, extract=extract, archive=str(tmp_path / "archive"))]


def test_a_session_is_summed_up_and_its_wishes_are_found(on: On, place: str, tmp_path: Path) -> None:
    talk = conversation(
        on(place),
        "Always round amounts to 2 decimals. How many orders?",
        "from now on leave out cancelled orders",
        "which customers always pay late?",
        "我们决定四月起改用新价格。订单有多少?",
    )
    work.plan(talk.ledger, tmp_path / "spool", talk.owner, "summarise")
    assert done(talk, tmp_path) == ["completed"]
    (summary,) = store.find(talk.ledger, kinds=["summary"])
    assert "4 questions, 4 answered, about orders" in summary.content
    wishes = {m.content: m.confidence for m in store.find(talk.ledger, kinds=["preference"])}
    assert wishes == {"Always round amounts to 2 decimals.": 0.9, "from now on leave out cancelled orders": 0.9}
    assert [m.content for m in store.find(talk.ledger, kinds=["event"])] == ["我们决定四月起改用新价格。"]
    work.summarise(talk, extract_by_rules)  # again: one summary, no wish twice
    assert len(store.find(talk.ledger, kinds=["summary"])) == 1
    assert len(store.find(talk.ledger, kinds=["preference"])) == 2


def test_the_greatest_confidence_of_a_wish_counts(memories: Memories) -> None:
    for confidence in (0.6, 0.9, 0.7):
        work.keep_preference(memories, "no charts", confidence, NOW)
    (wish,) = store.find(memories.ledger)
    assert wish.confidence == 0.9


def test_a_task_that_fails_is_tried_three_times_more_and_then_is_dead(
    on: On, place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "RETRY_S", 0.0)
    talk = conversation(on(place), "how many?")
    calls = []

    def fails(_: Sequence[sessions.Turn]) -> Extract:
        calls.append(1)
        raise LedgerError("no")

    work.plan(talk.ledger, tmp_path / "spool", talk.owner, "summarise")
    assert done(talk, tmp_path, fails) == ["failed"] * 4
    (task,) = tasks.listed(talk.ledger, user="alice")
    assert (task.status, task.attempts, task.error, len(calls)) == ("dead", 4, "no", 4)
    tasks.retry(talk.ledger, "alice", task.id[:6])
    assert done(talk, tmp_path) == ["completed"]
    with pytest.raises(MemoryRefused, match="no one failed task"):
        tasks.retry(talk.ledger, "alice", task.id[:6])


def test_a_failed_task_waits_before_it_is_tried_again(memories: Memories, tmp_path: Path) -> None:
    work.plan(memories.ledger, tmp_path / "spool", memories.owner, "nonsense")
    assert done(memories, tmp_path) == ["failed"]
    assert done(memories, tmp_path) == []
    (task,) = tasks.listed(memories.ledger, user="alice")
    assert task.status == "failed"
    assert task.not_before > time.time() + 20


def test_the_same_work_waits_but_once_and_is_done_by_its_owner_only(memories: Memories, tmp_path: Path) -> None:
    for _ in range(3):
        work.plan(memories.ledger, tmp_path / "spool", memories.owner, "embed")
    assert len(tasks.listed(memories.ledger, user="alice")) == 1
    assert done(of(memories, BOB), tmp_path) == []
    assert done(memories, tmp_path) == ["completed"]


def test_what_a_killed_process_left_is_picked_up(tmp_path: Path) -> None:
    memories = memories_at(str(tmp_path / "ledger.db"), tmp_path)
    work.plan(memories.ledger, tmp_path / "spool", memories.owner, "embed")
    code = (
        "import os, signal, sys\nfrom t2s.ledger import open_ledger, tasks\n"
        "assert tasks.take(open_ledger(sys.argv[1]), 'alice'); os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    killed = subprocess.run([sys.executable, "-c", code, str(tmp_path / "ledger.db")], timeout=60)
    assert killed.returncode == -signal.SIGKILL
    (task,) = tasks.listed(memories.ledger, user="alice")
    assert task.status == "processing"
    assert done(memories, tmp_path) == ["completed"]
    memories.ledger.close()


def test_what_another_live_process_is_doing_is_left_to_it(memories: Memories, tmp_path: Path) -> None:
    work.plan(memories.ledger, tmp_path / "spool", memories.owner, "embed")
    assert tasks.take(memories.ledger, "alice") is not None
    assert os.getpid()
    assert done(memories, tmp_path) == []


def test_without_a_ledger_tasks_are_spooled_and_taken_later(memories: Memories, tmp_path: Path) -> None:
    spool = tmp_path / "home" / "tasks.jsonl"
    gone = open_ledger(":memory:")
    work.plan(gone, spool, memories.owner, "embed")
    work.plan(gone, spool, replace(memories.owner, session_id="s9"), "embed")
    gone.close()
    assert work.take_spooled(memories.ledger, spool) == 2
    assert work.take_spooled(memories.ledger, spool) == 0
    assert done(memories, tmp_path) == ["completed", "completed"]


def test_ending_a_session_archives_it(on: On, place: str, tmp_path: Path) -> None:
    talk = conversation(on(place), "how many?")
    work.plan(talk.ledger, tmp_path / "spool", talk.owner, "archive")
    assert done(talk, tmp_path) == ["completed"]
    (file,) = (tmp_path / "archive").rglob("*.json.gz")
    assert file.name == f"{talk.owner.session_id}.json.gz"
