"""What is kept for a while: whole or not at all, not for too long, not too much, by several processes at once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from t2s.caches import DiskCache, Recent

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@pytest.fixture
def disk(tmp_path: Path) -> DiskCache:
    return DiskCache(folder=tmp_path / "cache", max_age_s=60, max_bytes=10_000)


def states(disk: DiskCache) -> list[str]:
    return sorted(entry.state for entry in disk.entries())


@given(value=JSON)
def test_what_is_kept_comes_back(value: object, tmp_path_factory: pytest.TempPathFactory) -> None:
    disk = DiskCache(folder=tmp_path_factory.getbasetemp() / "any", max_age_s=60, max_bytes=100_000)
    disk.put(["key"], value)
    assert disk.get(["key"]) == value


def test_a_key_is_the_same_in_any_order(disk: DiskCache) -> None:
    disk.put({"model": "m", "text": "客户"}, 1)
    assert disk.get({"text": "客户", "model": "m"}) == 1
    assert disk.get({"text": "客户", "model": "n"}) is None


@pytest.mark.parametrize(
    "damage", [b"", b"{", b"[]", b"\xff\xfe", None], ids=["empty", "cut", "list", "bytes", "edited"]
)
def test_what_is_damaged_is_not_there(disk: DiskCache, damage: bytes | None) -> None:
    disk.put("key", "a value")
    (file,) = disk.folder.iterdir()
    file.write_bytes(file.read_bytes().replace(b"a value", b"b value") if damage is None else damage)
    assert disk.get("key") is None
    assert states(disk) == ["damaged"]
    disk.put("key", "a value")
    assert states(disk) == ["good"]


def test_what_is_too_old_is_not_used_and_goes(disk: DiskCache) -> None:
    disk.put("old", 1)
    old = DiskCache(folder=disk.folder, max_age_s=-1, max_bytes=10_000)
    assert old.get("old") is None
    assert old.kept("old")[1] == 1
    assert states(old) == ["expired"]
    assert old.evict() == 1
    assert list(disk.folder.iterdir()) == []


def test_the_oldest_go_first_when_it_is_too_much(disk: DiskCache) -> None:
    for number in range(20):
        disk.put(number, "x" * 1_000)
        for file in disk.folder.iterdir():  # all a second older than the next
            os.utime(file, (file.stat().st_atime, file.stat().st_mtime - 1))
    disk.evict()
    assert disk.size()[1] <= 10_000
    assert [disk.get(number) is not None for number in (0, 10, 18, 19)] == [False, False, True, True]
    disk.put("huge", "x" * 20_000)
    assert disk.get("huge") is None


def test_what_a_killed_process_left_goes(disk: DiskCache) -> None:
    disk.put("key", 1)
    left = disk.folder / "abc.tmp"
    left.write_bytes(b"half")
    assert states(disk) == ["good"]  # somebody may be writing it
    os.utime(left, (0, 0))
    assert states(disk) == ["good", "leftover"]
    assert disk.evict() == 1
    assert disk.clear() == 1


def test_a_folder_that_cannot_be_written_costs_no_answer(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    disk = DiskCache(folder=tmp_path / "file", max_age_s=60, max_bytes=10_000)
    disk.put("key", 1)
    assert disk.get("key") is None
    assert (disk.evict(), disk.clear(), disk.size()) == (0, 0, (0, 0))


WORKER = """
import sys, random
from pathlib import Path
from t2s.caches import DiskCache
disk = DiskCache(folder=Path(sys.argv[1]), max_age_s=60, max_bytes=20_000)
print("ready", flush=True)
while True:
    key = random.randrange(40)
    value = disk.get(key)
    assert value is None or value == str(key) * 500, value
    disk.put(key, str(key) * 500)
    if random.random() < 0.1:
        disk.evict()
"""


def test_processes_share_it_and_one_that_is_killed_spoils_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    command = [sys.executable, "-c", WORKER, str(folder)]
    workers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    for worker in workers:
        assert worker.stdout is not None
        worker.stdout.readline()
    time.sleep(0.5)
    assert [worker.poll() for worker in workers] == [None] * 4  # none has read a wrong value
    for worker in workers:
        worker.send_signal(signal.SIGKILL)
        worker.wait()
        assert worker.stdout is not None
        worker.stdout.close()
    disk = DiskCache(folder=folder, max_age_s=60, max_bytes=20_000)
    assert set(states(disk)) == {"good"}
    disk.evict()
    assert 0 < disk.size()[1] <= 20_000


def test_recent_values_are_few_and_young(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr("t2s.caches.time.monotonic", lambda: now)
    recent: Recent[int] = Recent(2, 10)
    recent.put("a", 1)
    recent.put("b", 2)
    assert recent.get("a") == 1
    recent.put("c", 3)  # the one that was not asked for longest goes
    assert [recent.get(key) for key in "abc"] == [1, None, 3]
    now = 111.0
    assert recent.get("a") is None
