"""The command line as scripts use it: streams, exit codes, JSON, files, signals."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from claude_server import ClaudeServer, Turn, sql_answer
from command import LOCAL, data_of, t2s

SLOW = "SELECT count(*) FROM range(10000000) a, range(1000000) b WHERE (a.range * b.range) % 7 = 1"


@pytest.fixture
def server() -> Iterator[ClaudeServer]:
    with ClaudeServer() as running:
        yield running


def claude(server: ClaudeServer) -> dict[str, str]:
    return {
        "T2S_MODEL": "claude-haiku-5-5",
        "ANTHROPIC_API_KEY": "sk-ant-secret-0123456789",
        "ANTHROPIC_BASE_URL": server.url,
        "T2S_PROVIDER_RETRIES": "0",
    }


def test_rows_on_stdout_everything_else_on_stderr(sample: Path) -> None:
    run = t2s("ask", "how many customers are there?", "--db", str(sample), "--format", "csv")
    assert run.returncode == 0
    assert list(csv.reader(io.StringIO(run.stdout)))[1:] == [["400"]]
    assert "SELECT" in run.stderr
    assert "no model call" in run.stderr
    assert "\x1b" not in run.stdout + run.stderr


def test_without_a_database_the_sample_answers() -> None:
    run = t2s("ask", "how many customers are there?", "-q")
    assert run.returncode == 0
    assert "400" in run.stdout
    assert run.stderr == ""


def test_the_json_of_an_answer_has_the_documented_keys(sample: Path) -> None:
    answer = data_of(t2s("ask", "how many customers are there?", "--db", str(sample), "--json"))
    assert set(answer) == {
        *("question", "sql", "status", "explanation", "assumptions", "tables", "confidence", "clarification"),
        *("problems", "result", "usage", "timings_ms", "session_id", "run_id"),
    }
    assert answer["result"]["rows"] == [[400]]
    assert (answer["result"]["row_count"], answer["result"]["truncated"]) == (1, False)
    assert {"recall", "link", "model", "check", "execute", "total"} <= set(answer["timings_ms"])
    assert answer["usage"]["calls"] == 0


@pytest.mark.parametrize("format", ["table", "csv", "json", "jsonl", "markdown", "chart", "sql"])
def test_every_format_prints(sample: Path, format: str) -> None:
    run = t2s("ask", "number of customers per country", "-d", str(sample), "-f", format)
    assert run.returncode == 0, run.stderr
    assert ("Germany" in run.stdout) is (format != "sql")
    if format == "json":
        assert len(json.loads(run.stdout)) > 5
    if format == "jsonl":
        assert all(isinstance(json.loads(line), dict) for line in run.stdout.splitlines())


def test_parquet_is_written_whole_with_its_types(sample: Path, tmp_path: Path) -> None:
    import duckdb

    out = tmp_path / "out.parquet"
    sql = "SELECT id, name, price, discontinued, NULL AS nothing FROM products ORDER BY id"
    assert t2s("sql", "run", sql, "-d", str(sample), "-f", "parquet", "-o", str(out)).returncode == 0
    rows = duckdb.sql(f"SELECT * FROM '{out}'")
    assert [str(kind) for kind in rows.types[:4]] == ["BIGINT", "VARCHAR", "DECIMAL(38,2)", "BOOLEAN"]
    assert len(rows.fetchall()) == 24
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".out")] == []


def test_a_failed_run_leaves_the_old_file(sample: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    out.write_text("precious")
    run = t2s("ask", "what is the meaning of life", "-d", str(sample), "-f", "csv", "-o", str(out))
    assert run.returncode == 1
    assert out.read_text() == "precious"


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["ask", "what is the meaning of life"], 1, "has no answer"),
        (["ask", ""], 2, "the question is empty"),
        (["ask", "x", "--format", "cvs"], 2, "cvs"),
        (["ask", "x", "--limit", "-1"], 2, "limit"),
        (["ask", "x", "-f", "parquet"], 2, "--out"),
        (["ask", "x", "-o", "nosuch/out.csv"], 2, "no folder"),
        (["aks", "x"], 2, "did you mean ask?"),
        (["ask", "x", "--db", "nosuch.db"], 3, "no such file"),
        (["ask", "x", "--db", "postgresql://u@127.0.0.1:1/d"], 3, "no PostgreSQL answers"),
        (["ask", "x", "--model", "claude-sonnet-5-5"], 5, "no key"),
        (["ask", "x", "--model", "replay:nosuch.jsonl"], 5, "cannot read"),
        (["sql", "check", "SELECT nme FROM customers"], 1, "did you mean name?"),
        (["sql", "check", "DELETE FROM customers"], 6, "only SELECT may run"),
        (["sql", "check", "nosuch.sql"], 2, "no such file"),
        (["sql", "run", "DROP TABLE customers"], 6, "only SELECT may run"),
        (["sql", "run", "SELECT nme FROM customers"], 1, "did you mean name?"),
        (["sql", "run", SLOW, "--timeout", "0.2"], 4, "--timeout"),
        (["schema", "show", "custmers"], 2, "did you mean customers?"),
        (["db", "remove", "nosuch"], 2, "no connection nosuch"),
        (["db", "add", "x", "postgresql://u:geheim@h/d"], 2, "passwords do not belong"),
        (["config", "show", "--nope"], 2, "no such option"),
    ],
)
def test_what_goes_wrong_is_one_clear_line_and_its_exit_code(arguments: list[str], code: int, words: str) -> None:
    run = t2s(*arguments)
    assert run.returncode == code, run.stderr
    assert words in run.stdout + run.stderr
    assert "Traceback" not in run.stderr
    assert "geheim" not in run.stderr


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["ask", "x", "--db", "nosuch.db"], "connection"),
        (["ask", "what is the meaning of life"], "abstained"),
        (["ask", "x", "--limit", "-1"], "usage"),
        (["sql", "check", "DELETE FROM customers"], "guard"),
        (["sql", "check", "SELECT nme FROM customers"], "rejected"),
        (["sql", "run", SLOW, "--timeout", "0.2"], "timeout"),
    ],
)
def test_a_failure_in_json_says_its_code(arguments: list[str], code: str) -> None:
    run = t2s(*arguments, "--json")
    data_of(run)
    assert json.loads(run.stdout)["error"]["code"] == code


def test_settings_come_from_everywhere_and_a_bad_one_is_named_with_its_source(tmp_path: Path) -> None:
    (tmp_path / "t2s").mkdir()
    config = tmp_path / "t2s" / "config.toml"
    config.write_text("limit = 7\ntimeout = 5\n[budget]\nday_usd = 1.5\n")
    (tmp_path / ".env").write_text("T2S_TIMEOUT=6\nANTHROPIC_BASE_URL=http://evil\n")
    run = t2s("config", "show", "--json", env={"T2S_LIMIT": "9"})
    shown = {row["setting"]: (row["value"], row["source"]) for row in data_of(run)}
    assert shown["limit"] == ("9", "T2S_LIMIT")
    assert shown["timeout"] == ("6.0", "T2S_TIMEOUT in .env")
    assert shown["budget.day_usd"] == ("1.5", str(config))
    assert shown["provider.base_url"] == (None, "default")
    assert "an address is only taken from there with its key" in run.stderr
    for env, words in (
        ({"T2S_LIMIT": "many"}, "T2S_LIMIT: limit"),
        ({"T2S_PRIVACY": "none"}, "T2S_PRIVACY: privacy"),
        ({"T2S_CONFIG": "nosuch.toml"}, "does not exist"),
    ):
        run = t2s("ask", "x", env=env)
        assert run.returncode == 2
        assert words in run.stderr
    assert "did you mean T2S_MODEL" in t2s("config", "show", env={"T2S_MODLE": "x"}).stderr
    config.write_text("limt = 7\n")
    run = t2s("ask", "x")
    assert run.returncode == 2
    assert "did you mean limit?" in run.stderr
    config.write_text("limit = \n")
    assert "is not valid TOML" in t2s("ask", "x").stderr


def test_named_connections(sample: Path) -> None:
    assert t2s("db", "add", "shop", str(sample), "--default", "--privacy", "schema").returncode == 0
    (row,) = data_of(t2s("db", "list", "--json"))
    assert (row["name"], row["privacy"], row["default"]) == ("shop", "schema", "default")
    assert "6 tables" in t2s("db", "test", "shop").stdout
    assert t2s("sql", "run", "SELECT count(*) FROM customers", "-f", "csv").stdout.endswith("400\n")
    assert "did you mean shop" in t2s("db", "test", "shpo").stderr
    assert t2s("db", "remove", "shop").returncode == 0
    assert data_of(t2s("db", "list", "--json")) == []


def test_a_dry_run_shows_the_prompt_and_its_price_and_sends_nothing(server: ClaudeServer, sample: Path) -> None:
    run = t2s("ask", "how many?", "-d", str(sample), "--dry-run", env=claude(server))
    assert run.returncode == 0
    assert "customers(id integer primary key" in run.stdout
    assert "at most $" in run.stderr
    assert server.requests == []


def test_why_says_what_was_linked_and_sent(server: ClaudeServer, sample: Path) -> None:
    server.always_sql("SELECT count(*) FROM customers")
    run = t2s("ask", "customers in Shanghai", "-d", str(sample), "--why", env=claude(server))
    assert "Shanghai → customers.city = 'Shanghai'" in run.stderr
    assert "schema: about" in run.stderr


def test_usage_is_what_the_server_counted(server: ClaudeServer, sample: Path) -> None:
    server.always_sql("SELECT count(*) FROM customers")
    for question in ("a", "b", "a"):
        assert t2s("ask", question, "-d", str(sample), env=claude(server)).returncode == 0
    (row,) = data_of(t2s("usage", "--by", "model", "--json"))["rows"]
    assert row["calls"] == len(server.requests) == 2  # the third came from the cache
    assert row["input_tokens"] == server.counted["input_tokens"]
    assert row["cache_read_tokens"] == server.counted["cache_read_input_tokens"] > 0
    assert "claude-haiku-5-5" in t2s("usage", "--by", "model").stdout


def test_a_clarification_is_exit_code_8_and_yes_takes_the_first_choice(server: ClaudeServer, sample: Path) -> None:
    asked = Turn(text=sql_answer("", outcome="clarify", clarifying_question="Which year?", choices=["2024", "2025"]))
    server.script = [asked, asked, Turn(text=sql_answer("SELECT 2024 AS year"))]
    run = t2s("ask", "revenue", "-d", str(sample), "--no-cache", env=claude(server))
    assert run.returncode == 8
    assert "Which year?" in run.stderr
    run = t2s("ask", "revenue", "-d", str(sample), "--no-cache", "--yes", env=claude(server))
    assert run.returncode == 0
    assert "2024" in server.requests[-1]["messages"][-1]["content"]


def test_max_cost_refuses_with_exit_code_7(server: ClaudeServer, sample: Path) -> None:
    run = t2s("ask", "x", "-d", str(sample), "--max-cost", "0.0000001", env=claude(server))
    assert run.returncode == 7
    assert "request_usd" in run.stderr
    assert server.requests == []


def test_the_key_is_never_shown(server: ClaudeServer, sample: Path, tmp_path: Path) -> None:
    server.script = [Turn(status=401, error="authentication_error")]
    shown = ""
    for arguments in (["ask", "x", "-d", str(sample)], ["config", "show"], ["doctor"], ["ask", "x", "--dry-run"]):
        run = t2s(*arguments, env=claude(server))
        shown += run.stdout + run.stderr
    stored = b"".join(path.read_bytes() for path in (tmp_path / "t2s").rglob("*") if path.is_file())
    assert "sk-ant-secret" not in shown
    assert b"sk-ant-secret" not in stored


def test_formulas_are_disarmed_for_spreadsheets(tmp_path: Path) -> None:
    (tmp_path / "evil.csv").write_text("a,b\n=1+1,-5\nplain,6\n")
    exact = t2s("ask", "list all evil", "-d", "evil.csv", "-f", "csv", "-q").stdout
    disarmed = t2s("ask", "list all evil", "-d", "evil.csv", "-f", "csv", "-q", "--spreadsheet").stdout
    assert exact.splitlines() == ["a,b", "=1+1,-5", "plain,6"]
    assert disarmed.splitlines() == ["a,b", "'=1+1,-5", "plain,6"]


def test_a_closed_pipe_is_quiet(sample: Path) -> None:
    query = "SELECT * FROM orders, range(50)"
    command = f"{sys.executable} -m t2s sql run '{query}' -d {sample} -f csv --limit 0 | head -1"
    run = subprocess.run(command, shell=True, capture_output=True, text=True, timeout=60)
    assert run.stdout.startswith("id,")
    assert run.stderr == ""


def test_ctrl_c_ends_with_130_and_one_line(server: ClaudeServer, sample: Path) -> None:
    server.default = lambda _: Turn(text=sql_answer("SELECT 1"), delay_s=20)
    process = subprocess.Popen(
        [sys.executable, "-m", "t2s", "ask", "x", "-d", str(sample)],
        env={**os.environ, **claude(server)},
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 20
    while not server.requests and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert out == ""
    assert err.strip().splitlines()[-1] == "t2s: cancelled"
    (row,) = data_of(t2s("usage", "--by", "purpose", "--json"))["rows"]
    assert row["errors"] == 1  # what it may have cost is not forgotten


def test_several_at_once_on_one_home() -> None:
    command = [sys.executable, "-m", "t2s", "ask", "how many customers are there?", "-f", "csv", "-q"]
    runs = [subprocess.Popen(command, env={**os.environ, **LOCAL}, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    assert [run.communicate(timeout=60)[0].splitlines()[-1] for run in runs] == ["400"] * 4


def test_sql_comes_from_an_argument_a_file_or_stdin(sample: Path, tmp_path: Path) -> None:
    file = tmp_path / "query.sql"
    file.write_text("select 1 as n")
    for argument in ("select 1 as n", str(file), "-"):
        assert t2s("sql", "format", argument, stdin="select 1 as n").stdout.split() == ["SELECT", "1", "AS", "n"]
    run = t2s("ask", "-", "-d", str(sample), "-q", "-f", "csv", stdin="how many customers are there?")
    assert run.stdout.endswith("400\n")


def test_what_is_no_text_is_said(tmp_path: Path) -> None:
    for arguments in (["ask", "-"], ["sql", "check", "-"]):
        run = subprocess.run([sys.executable, "-m", "t2s", *arguments], input=b"\xff\xfe\x00", capture_output=True)
        assert run.returncode == 2
        assert b"not UTF-8" in run.stderr
    run = subprocess.run([sys.executable, "-m", "t2s", "ask", b"\xff"], capture_output=True)
    assert run.returncode == 2
    assert b"not UTF-8" in run.stderr


def test_closed_streams_are_no_bug() -> None:
    for closed in ("<&-", ">&-", "2>&-"):
        run = subprocess.run(
            f"{sys.executable} -m t2s ask 'how many customers are there?' -m local {closed}",
            shell=True,
            capture_output=True,
            text=True,
        )
        assert run.returncode == 0, (closed, run.stderr)


def test_a_home_that_cannot_be_written_is_said() -> None:
    run = t2s("ask", "x", env={"T2S_HOME": "/dev/null/t2s"})
    assert run.returncode == 3
    assert "cannot build the sample" in run.stderr


def test_a_home_that_cannot_be_written_does_not_cost_an_answer_over_own_data(sample: Path) -> None:
    run = t2s("ask", "how many customers are there?", "-d", str(sample), "-f", "csv", env={"T2S_HOME": "/dev/null/t2s"})
    assert run.returncode == 0
    assert run.stdout.endswith("400\n")
    assert "nothing of this session will be kept" in run.stderr


def test_schema_commands(sample: Path) -> None:
    shown = data_of(t2s("schema", "show", "--db", str(sample), "--json"))
    assert {table["name"] for table in shown["tables"]} >= {"customers", "orders"}
    assert "order_items" in t2s("schema", "search", "unit_price", "-d", str(sample)).stdout
    assert t2s("schema", "search", "zebra", "-d", str(sample)).returncode == 1
    assert "customers(" in t2s("schema", "link", "how many customers", "-d", str(sample)).stdout
    assert "no change" in t2s("schema", "refresh", "-d", str(sample)).stderr


def test_schema_link_shows_the_part_of_a_question_with_its_scores(sample: Path) -> None:
    env = {"T2S_MODEL": "claude-sonnet-5-5", "ANTHROPIC_API_KEY": "k", "T2S_CONTEXT_SCHEMA_TOKENS": "200"}
    run = t2s("schema", "link", "how many customers are in Berlim?", "-d", str(sample), env=env)
    assert run.returncode == 0, run.stderr
    assert "customers(id integer primary key" in run.stdout
    assert "products(" not in run.stdout
    why = run.stderr.splitlines()
    (customers,) = [line.split() for line in why if line.startswith("  linked customers")]
    assert float(customers[2].rstrip(":")) > 0.5
    assert "city" in customers
    assert any(line.startswith("  value  Berlim → customers.city = 'Berlin'") for line in why)


def test_refresh_tells_what_has_changed(tmp_path: Path) -> None:
    import duckdb

    path = tmp_path / "x.duckdb"
    with duckdb.connect(str(path)) as db:
        db.execute("CREATE TABLE a (x INTEGER, y INTEGER)")
    assert "for the first time" in t2s("schema", "refresh", "-d", str(path)).stderr
    with duckdb.connect(str(path)) as db:
        db.execute("ALTER TABLE a DROP y; ALTER TABLE a ADD z INTEGER; ALTER TABLE a ALTER x TYPE VARCHAR")
        db.execute("CREATE TABLE b (i INTEGER)")
    changes = t2s("schema", "refresh", "-d", str(path)).stdout.splitlines()
    assert changes == ["+ table b", "~ column a.x INTEGER → VARCHAR", "- column a.y", "+ column a.z INTEGER"]


def test_two_databases_are_compared(sample: Path, tmp_path: Path) -> None:
    import duckdb

    path = tmp_path / "y.duckdb"
    with duckdb.connect(str(path)) as db:
        db.execute("CREATE TABLE a (x INTEGER)")
    assert "- table a" in t2s("schema", "diff", str(sample), "-d", str(path)).stdout.splitlines()
    different = t2s("schema", "diff", str(sample), "-d", str(path), "--json")
    assert different.returncode == 1
    assert "- table a" in data_of(different)["changes"]
    same = t2s("schema", "diff", str(path), "-d", str(path))
    assert (same.returncode, same.stdout) == (0, "")


def test_doctor_gives_a_verdict_and_a_remedy() -> None:
    run = t2s("doctor", "--db", "nosuch.db", "--json")
    assert run.returncode == 1
    findings = {f["subject"]: f for f in json.loads(run.stdout)["data"]}
    assert findings["database"]["verdict"] == "failed"
    assert findings["ledger"]["verdict"] == "ok"
    assert t2s("doctor").returncode == 0


def test_config_init_writes_a_file_that_loads_and_never_overwrites() -> None:
    assert t2s("config", "init").returncode == 0
    path = Path(t2s("config", "path").stdout.strip())
    assert path.is_file()
    assert t2s("config", "show").returncode == 0
    assert t2s("config", "init").returncode == 2


def test_verbose_tells_each_stage_and_its_time(sample: Path) -> None:
    run = t2s("ask", "how many customers are there?", "-d", str(sample), "-v")
    for stage in ("reading the schema", "asking", "checking", "running"):
        assert f"t2s: {stage}: " in run.stderr


def test_the_demo_answers_every_one_of_its_questions() -> None:
    run = t2s("demo")
    assert run.returncode == 0, run.stderr
    assert run.stdout.count("row") == run.stdout.count("? ") == 3


@pytest.mark.parametrize("group", ["sql", "schema", "db", "memory", "session", "history", "monitor", "batch"])
def test_a_group_without_a_command_prints_its_help(group: str) -> None:
    run = t2s(group)
    assert run.returncode == 0
    assert run.stdout.startswith(f"Usage: t2s {group}")
    assert run.stderr == ""


def test_help_of_every_command_has_an_example() -> None:
    from t2s.cli.app import COMMANDS

    for command in COMMANDS:
        run = t2s(command, "--help")
        assert run.returncode == 0
        assert "Example:" in run.stdout or "Commands:" in run.stdout


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["as"], ["ask"]),
        (["memory", "arch"], ["archive"]),
        (["ask", "--mod"], ["--model"]),
        (["ask", "x", "--model", "lo"], ["local"]),
        (["ask", "x", "--db", "sho"], ["shop", "shop.csv"]),
        (["usage", "--by", "mo"], ["model"]),
    ],
)
def test_a_shell_completes_commands_options_and_names(words: list[str], offered: list[str], tmp_path: Path) -> None:
    (tmp_path / "shop.csv").write_text("a\n1\n")
    t2s("db", "add", "shop", str(tmp_path / "shop.csv"))
    script = t2s("completion", "bash").stdout
    asked = f"{script}\nCOMP_WORDS=(t2s {' '.join(words)})\nCOMP_CWORD={len(words)}\n"
    program = tmp_path / "t2s-here"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m t2s "$@"\n')
    program.chmod(0o755)
    asked += f"_t2s_completion {program}\nprintf '%s\\n' \"${{COMPREPLY[@]}}\"\n"
    run = subprocess.run(["bash", "-c", asked], capture_output=True, text=True, timeout=60)
    assert run.stdout.split() == offered, run.stderr
