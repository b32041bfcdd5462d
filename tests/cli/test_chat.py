"""The REPL with its entries from a pipe: it reads lines like a script."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from claude_server import ClaudeServer, Turn, sql_answer
from command import LOCAL, data_of, t2s


def talk(*entries: str, db: Path | None = None, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Enter lines into `t2s`, as a script does."""
    target = ["--db", str(db)] if db else []
    return t2s(*target, "--no-color", env=env, stdin="\n".join(entries) + "\n")


def claude(server: ClaudeServer) -> dict[str, str]:
    return {"T2S_MODEL": "claude-haiku-5-5", "ANTHROPIC_API_KEY": "sk-test", "ANTHROPIC_BASE_URL": server.url}


def test_questions_sql_and_commands_one_a_line(sample: Path) -> None:
    run = talk("how many customers are there?", "SELECT count(*) AS orders", "FROM orders;", "/sql", db=sample)
    assert run.returncode == 0, run.stderr
    assert "400" in run.stdout
    assert "orders" in run.stdout
    assert run.stdout.rstrip().endswith("FROM orders;")
    assert "Traceback" not in run.stderr


def test_an_empty_script_does_nothing() -> None:
    run = t2s(stdin="")
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")


def test_it_goes_on_after_a_failure_and_ends_with_its_code(sample: Path) -> None:
    run = talk("DELETE FROM customers", "SELECT nme FROM customers", "/nope", "SELECT 7 AS seven", db=sample)
    assert run.returncode == 1
    assert "did you mean name?" in run.stderr
    assert "there is no command /nope" in run.stderr
    assert "7" in run.stdout


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("/chart", "there is no answer yet"),
        ("/schema custmers", "did you mean customers?"),
        ("show @custmers", "did you mean customers?"),
        ("/export", "where to?"),
        ("/model claude-sonet", "there is no model claude-sonet"),
        ("/undo", "there is nothing to undo"),
        ("/db nowhere.db", "no such file: nowhere.db"),
        ("/resume nobody", "there is no session 'nobody'"),
        ("/bad", "there is no answer yet"),
        ("/remember", "what?"),
        ("/memory list 'open", "No closing quotation"),
        ("/copy rows", "cannot copy 'rows'"),
        ("SELECT pg_sleep(9)", "pg_sleep"),
        ("/explain DELETE FROM customers", "only SELECT may run"),
        ("/run DELETE FROM customers", "only SELECT may run"),
        ("/fix DELETE FROM customers", "only SELECT may run"),
    ],
)
def test_a_wrong_entry_gets_one_clear_line(sample: Path, entry: str, said: str) -> None:
    run = talk(entry, db=sample)
    assert run.returncode != 0
    assert said in run.stderr
    assert "Traceback" not in run.stderr
    assert "internal error" not in run.stderr


def test_a_database_that_is_not_there_is_said_for_each_entry_that_needs_it() -> None:
    run = t2s("--db", "nowhere.db", stdin="how many?\n/help\n")
    assert run.returncode == 3
    assert "no such file: nowhere.db" in run.stderr
    assert "/schema" in run.stderr


def test_rows_go_to_a_file_all_of_them(sample: Path, tmp_path: Path) -> None:
    csv, parquet = tmp_path / "orders.csv", tmp_path / "orders.parquet"
    run = talk(
        "SELECT id FROM orders", f"/export {csv}", f"/export {parquet}", f"/export {tmp_path}/orders.doc", db=sample
    )
    assert len(csv.read_text().splitlines()) == 2314
    assert parquet.read_bytes()[:4] == b"PAR1"
    assert "the name tells the format" in run.stderr
    assert not (tmp_path / "orders.doc").exists()


def test_a_chart_of_what_was_asked(sample: Path) -> None:
    asked = "SELECT city, count(*) AS n FROM customers GROUP BY city ORDER BY city;"
    charts = [talk(asked, entry, db=sample).stdout for entry in ("/chart", "as a chart", "画成图")]
    assert all("n by city" in chart and "█" in chart for chart in charts)
    assert charts[0] == charts[1] == charts[2]


def test_the_schema_by_name_by_words_and_as_psql_has_it(sample: Path) -> None:
    run = talk("/schema", "\\d orders", "/schema delivered orders", db=sample)
    assert run.returncode == 0, run.stderr
    assert "customers.id" in run.stdout
    assert "samples" in run.stdout


def test_undo_takes_the_question_out_of_the_conversation(sample: Path) -> None:
    asked = [Turn(text=sql_answer("SELECT 1 AS one")), Turn(text=sql_answer("SELECT 2 AS two")), Turn(text=sql_answer("SELECT 3 AS three"))]  # fmt: skip
    with ClaudeServer(*asked) as server:
        run = talk("first question", "second question", "/undo", "third question", db=sample, env=claude(server))
        assert run.returncode == 0, run.stderr
        seen = json.dumps(server.requests[-1]["messages"])
    assert "first question" in seen
    assert "second question" not in seen
    assert "undone: second question" in run.stderr


def test_a_table_with_an_at_is_kept_in_view(sample: Path) -> None:
    with ClaudeServer() as server:
        server.always_sql("SELECT 1 AS one")
        env = {**claude(server), "T2S_CONTEXT_SCHEMA_TOKENS": "60", "T2S_CONTEXT_MAX_TABLES": "1"}
        run = talk("how is @employees doing?", "and the weather?", "/why", db=sample, env=env)
        assert run.returncode == 0, run.stderr
        assert "how is employees doing?" in server.requests[0]["messages"][-1]["content"]
    assert "schema linked: employees" in run.stderr


def test_what_is_taught_is_known_at_once_and_next_time(sample: Path) -> None:
    taught = talk("/remember whale = customers.id < 11", "how many whales are there?", "/good", db=sample)
    assert taught.returncode == 0, taught.stderr
    assert "glossary" in taught.stderr
    assert "accepted" in taught.stderr
    again = talk("how many whales are there?", db=sample)
    assert "10" in again.stdout.split()
    assert "From memory" in again.stderr


def test_a_wrong_answer_does_not_come_back(sample: Path) -> None:
    with ClaudeServer(Turn(text=sql_answer("SELECT 1 AS n")), Turn(text=sql_answer("SELECT 1 AS n"))) as server:
        server.always_sql("SELECT 2 AS n")
        run = talk("what is n?", "/bad it is two", db=sample, env=claude(server))
        assert "correction" in run.stderr
        again = talk("what is n?", db=sample, env=claude(server))
    assert "it is two" in again.stderr
    assert again.stdout.split()[-3:] == ["2", "(1", "row)"]


def test_a_session_is_named_by_its_first_question_and_goes_on(sample: Path) -> None:
    with ClaudeServer() as server:
        server.always_sql("SELECT 1 AS one")
        talk("how are sales?", db=sample, env=claude(server))
        sessions = data_of(t2s("session", "list", "--json"))
        assert [session["title"] for session in sessions] == ["how are sales?"]
        run = t2s("--resume", "how are sales?", stdin="and in May?\n", env=claude(server))
        assert run.returncode == 0, run.stderr
        assert "how are sales?" in json.dumps(server.requests[-1]["messages"])
    assert data_of(t2s("session", "list", "--json"))[0]["turns"] == 2


def test_a_conversation_without_a_question_leaves_no_session() -> None:
    talk("/help", "/schema")
    assert data_of(t2s("session", "list", "--json")) == []


def test_clear_and_resume_change_the_conversation(sample: Path) -> None:
    with ClaudeServer() as server:
        server.always_sql("SELECT 1 AS one")
        entries = ("alpha question", "/clear", "beta question", "/resume alpha question", "gamma question")
        run = talk(*entries, db=sample, env=claude(server))
        assert run.returncode == 0, run.stderr
        contexts = [json.dumps(request["messages"]) for request in server.requests]
    assert "alpha" not in contexts[1]
    assert "alpha" in contexts[2]
    assert "beta" not in contexts[2]


def test_another_database_in_the_same_session(sample: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.db"
    with sqlite3.connect(other) as db:
        db.execute("CREATE TABLE planets (name TEXT)")
    db.close()
    run = talk(f"/db {other}", "/schema", "/db", db=sample)
    assert run.returncode == 0, run.stderr
    assert "planets" in run.stdout
    assert "customers" not in run.stdout


def test_commands_of_the_command_line_work_within(sample: Path) -> None:
    run = talk("SELECT 1 AS one", "/sessions", "/usage", "/memory list", "/cost", db=sample)
    assert run.returncode == 0, run.stderr
    assert "SELECT 1 AS one" in run.stdout


def test_the_editor_changes_the_last_sql(sample: Path) -> None:
    editor = f"{sys.executable} -c \"import sys,pathlib; p=pathlib.Path(sys.argv[1]); p.write_text(p.read_text().replace('1','42'))\""
    run = talk("SELECT 1 AS n", "/edit", db=sample, env={"EDITOR": editor})
    assert run.returncode == 0, run.stderr
    assert "42" in run.stdout
    broken = talk("SELECT 1 AS n", "/edit", db=sample, env={"EDITOR": "no-such-editor"})
    assert "cannot open the editor" in broken.stderr


def test_fix_puts_right_what_failed_and_runs_it(sample: Path) -> None:
    run = talk("SELECT count(contry) AS n FROM custmers", "/fix", db=sample)
    assert "did you mean" in run.stderr
    assert "count(country)" in run.stderr.replace("COUNT", "count")
    assert "400" in run.stdout
    assert "there is nothing to fix" in talk("/fix", db=sample).stderr


def test_resume_with_the_wrong_database_is_refused(sample: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.db"
    sqlite3.connect(other).execute("CREATE TABLE planets (name TEXT)")
    talk("SELECT 1 AS one", db=sample)
    run = t2s("--resume", "SELECT 1 AS one", "--db", str(other), stdin="SELECT 2\n")
    assert run.returncode == 2
    assert "leave --db out" in run.stderr


def test_options_before_a_command_are_not_lost_silently(sample: Path) -> None:
    run = t2s("--db", str(sample), "ask", "how many customers are there?")
    assert run.returncode == 2
    assert "stand after it" in run.stderr


def test_a_killed_repl_has_lost_no_turn(sample: Path) -> None:
    child = subprocess.Popen(
        [sys.executable, "-m", "t2s", "--db", str(sample)],
        env={**os.environ, **LOCAL},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.write("SELECT 11 AS kept;\n")
    child.stdin.flush()
    assert any("11" in line for line in child.stdout)  # ends where the program does
    child.send_signal(signal.SIGKILL)
    child.communicate()
    shown = t2s("session", "show", "SELECT 11 AS kept;")
    assert shown.returncode == 0, shown.stderr
    assert "SELECT 11 AS kept" in shown.stdout
