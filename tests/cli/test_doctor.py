"""What the doctor says of each part when it is well, and when it is broken."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from claude_server import ClaudeServer
from command import t2s

from t2s.ledger import open_ledger
from t2s.ledger.memory_tables import actions, tasks

KEY = "sk-ant-very-secret-0123456789"
SUBJECTS = ["settings", "key", "model", "prices", "database", "ledger", "tasks", "embedder", "store", "archive", "clock", "disk", "permissions", "telemetry"]  # fmt: skip


@pytest.fixture
def server() -> Iterator[ClaudeServer]:
    with ClaudeServer() as running:
        yield running


def examined(*arguments: str, code: int | None = None, **env: str) -> dict[str, dict[str, Any]]:
    """The findings by subject; none of them may hold the key."""
    run = t2s("doctor", "--json", *arguments, env=env)
    assert KEY not in run.stdout + run.stderr
    found = {finding["subject"]: finding for finding in json.loads(run.stdout)["data"]}
    failed = any(finding["verdict"] == "failed" for finding in found.values())
    assert run.returncode == (1 if failed else 0)
    assert all(finding["remedy"] for finding in found.values() if finding["verdict"] != "ok")
    return found


def by_claude(server: ClaudeServer, **more: str) -> dict[str, str]:
    return {"ANTHROPIC_API_KEY": KEY, "ANTHROPIC_BASE_URL": server.url, "T2S_MODEL": "claude-haiku-5-5"} | more


def test_a_new_home_is_well_in_every_part() -> None:
    found = examined()
    assert list(found) == SUBJECTS
    assert {finding["verdict"] for finding in found.values()} == {"ok"}
    shown = t2s("doctor")
    assert shown.stderr == "0 failed, 0 warnings\n"


def test_a_key_is_named_by_its_source_and_asked_for_where_it_is_missing(server: ClaudeServer, tmp_path: Path) -> None:
    assert examined(**by_claude(server))["key"]["detail"] == "from ANTHROPIC_API_KEY"
    missing = examined(T2S_MODEL="claude-haiku-5-5")["key"]
    assert (missing["verdict"], missing["remedy"]) == ("failed", "set ANTHROPIC_API_KEY")
    assert examined(T2S_MODEL="openai:qwen")["key"]["verdict"] == "warning"
    (tmp_path / "t2s" / "config.toml").write_text(f'[provider]\napi_key = "{KEY}"\n')
    assert "do not belong" in examined(T2S_MODEL="claude-haiku-5-5")["key"]["remedy"]


def test_a_model_that_ends_is_named_with_its_end(server: ClaudeServer) -> None:
    model = examined(**by_claude(server, T2S_MODEL="claude-sonnet-4-5"))["model"]
    assert model["verdict"] in ("warning", "failed")  # after that day
    assert "claude-sonnet-4-5 end" in model["detail"]
    assert "2026-11-30" in model["detail"]
    assert "no known price" in examined(**by_claude(server, T2S_MODEL="claude-unheard-of"))["model"]["detail"]


def test_the_service_is_asked_only_when_told_to(server: ClaudeServer) -> None:
    assert "service" not in examined(**by_claude(server))
    assert examined("--online", **by_claude(server))["service"]["verdict"] == "ok"
    server.models["claude-haiku-5-5"] = "2027-03-01T00:00:00Z"
    assert "ends on 2027-03-01" in examined("--online", **by_claude(server))["service"]["detail"]
    server.key_taken = False
    refused = examined("--online", **by_claude(server))["service"]
    assert (refused["verdict"], refused["detail"]) == ("failed", "the service does not take the key")
    server.key_taken = True
    unknown = examined("--online", **by_claude(server, T2S_MODEL="claude-opus-5-5"))["service"]
    assert unknown["detail"] == "the service does not know claude-opus-5-5"
    down = examined("--online", **by_claude(server, ANTHROPIC_BASE_URL="http://127.0.0.1:9"))["service"]
    assert "cannot be reached" in down["detail"]


def test_a_damaged_ledger_is_found(tmp_path: Path) -> None:
    t2s("ask", "how many customers are there?")
    path = tmp_path / "t2s" / "ledger.db"
    content = bytearray(path.read_bytes())
    content[4096 * 3 : 4096 * 12] = b"\xa5" * (4096 * 9)
    path.write_bytes(content)
    assert examined()["ledger"]["verdict"] == "failed"


def test_a_ledger_that_cannot_be_opened_is_said(tmp_path: Path) -> None:
    found = examined(T2S_LEDGER=str(tmp_path))
    assert found["ledger"]["verdict"] == "failed"
    assert "T2S_LEDGER" in found["ledger"]["remedy"]


def test_a_clock_that_went_back_and_dead_tasks_are_seen_in_the_ledger(tmp_path: Path) -> None:
    ledger = open_ledger(str(tmp_path / "t2s" / "ledger.db"))
    later = time.time() + 7_200
    columns = {"id": "1", "kind": "summarise", "user": "u", "session_id": "s", "datasource": "d", "payload": {}}
    with ledger.transaction() as connection:
        connection.execute(actions.insert().values(at=later, user="u", action="ask", details={}))
        connection.execute(
            tasks.insert().values(**columns, status="dead", attempts=4, not_before=0.0, created=0.0, updated=0.0)
        )
    ledger.close()
    found = examined()
    assert "set the clock" in found["ledger"]["remedy"]
    assert found["tasks"]["detail"] == "1 tasks have failed for good"


def test_a_ledger_on_postgresql_is_looked_at_with_its_clock(postgres_url: str) -> None:
    found = examined(T2S_LEDGER=postgres_url)
    assert found["ledger"]["verdict"] == "ok"


def test_an_embedder_that_is_not_there_is_said() -> None:
    missing = examined(T2S_MEMORY_EMBEDDER="minilm")["embedder"]
    assert (missing["verdict"], "lexical" in missing["remedy"]) == ("failed", True)
    asked = {"T2S_MEMORY_EMBEDDER": "openai:e", "OPENAI_BASE_URL": "http://127.0.0.1:9"}
    assert "not asked" in examined(**asked)["embedder"]["detail"]


def test_a_store_for_another_embedder_wants_to_be_made_anew(tmp_path: Path) -> None:
    t2s("memory", "add", "regular = customers.id < 50")
    assert "0 changes behind" in examined()["store"]["detail"]
    (tmp_path / "t2s" / "index" / "writing").touch()
    broken = examined()["store"]
    assert (broken["verdict"], broken["remedy"]) == ("warning", "t2s memory reindex")


def test_an_archive_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert examined(T2S_MEMORY_ARCHIVE=str(tmp_path / "file" / "archive"))["archive"]["verdict"] == "failed"
    remote = examined(T2S_MEMORY_ARCHIVE="s3://bucket/t2s")["archive"]
    assert "s3fs" in remote["detail"] or "not tried" in remote["detail"]


def test_the_home_is_its_owner_s_and_others_that_can_read_are_said(tmp_path: Path) -> None:
    t2s("ask", "how many customers are there?")
    home = tmp_path / "t2s"
    assert home.stat().st_mode & 0o777 == 0o700
    home.chmod(0o755)
    found = examined()["permissions"]
    assert (found["verdict"], found["remedy"]) == ("warning", f"chmod go= {home}")


def test_telemetry_that_cannot_be_sent_is_said() -> None:
    endpoint = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}
    assert examined(**endpoint)["telemetry"]["detail"] == "goes to the collector that OTEL_* names"
    assert examined(**endpoint, OTEL_EXPORTER_OTLP_PROTOCOL="grpc")["telemetry"]["verdict"] == "warning"
