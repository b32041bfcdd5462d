"""`t2s sql fix` and the doubts of `t2s sql check`, as a shell sees them."""

from __future__ import annotations

from pathlib import Path

from claude_server import ClaudeServer, Turn, sql_answer
from command import data_of, t2s

DOUBLED = "SELECT sum(i.quantity) FROM order_items i JOIN returns r ON r.order_id = i.order_id"


def test_misspellings_are_put_right_without_a_model_and_shown_as_a_diff() -> None:
    run = t2s("sql", "fix", "SELECT nmae FROM custmers WHERE city = 'berlin'")
    assert run.returncode == 0
    assert run.stdout == "SELECT name FROM customers WHERE city = 'Berlin'\n"
    assert "there is no table custmers; did you mean customers?" in run.stderr
    assert 'no row has customers.city = "berlin"; did you mean Berlin?' in run.stderr
    assert "-SELECT nmae FROM custmers WHERE city = 'berlin'\n+SELECT name FROM customers" in run.stderr


def test_a_file_is_written_anew_and_keeps_its_layout(tmp_path: Path) -> None:
    file = tmp_path / "query.sql"
    file.write_text("SELECT citty -- where they live\n  FROM customers\n")
    run = t2s("sql", "fix", "query.sql", "--write")
    assert (run.returncode, run.stdout) == (0, "")
    assert file.read_text() == "SELECT city -- where they live\n  FROM customers\n"
    assert t2s("sql", "fix", "SELECT 1", "--write").returncode == 2


def test_what_is_no_misspelling_wants_a_model_and_gets_it(tmp_path: Path) -> None:
    sql = "SELECT sum(revenue) FROM order_items"
    alone = t2s("sql", "fix", "-", stdin=sql)
    assert (alone.returncode, alone.stdout) == (1, "")
    assert "there is no column revenue in order_items" in alone.stderr
    assert "--model" in alone.stderr
    right = "SELECT sum(quantity * unit_price) FROM order_items"
    with ClaudeServer(Turn(text=sql_answer(right))) as server:
        env = {"ANTHROPIC_API_KEY": "sk-ant-x", "ANTHROPIC_BASE_URL": server.url, "T2S_MODEL": ""}
        helped = data_of(t2s("sql", "fix", sql, "--json", "--model", "claude-haiku-5-5", env=env))
        (request,) = server.requests
    assert helped["sql"] == right
    assert helped["changed"]
    assert helped["usage"]["calls"] == 1
    assert "there is no column revenue" in request["messages"][-1]["content"]
    assert sql in request["messages"][-2]["content"]


def test_what_must_not_run_stays_refused() -> None:
    run = t2s("sql", "fix", "DELETE FROM customers", "--json")
    assert run.returncode == 6
    assert data_of(run)["sql"] == "DELETE FROM customers"


def test_a_check_says_what_is_doubtful_and_passes() -> None:
    run = t2s("sql", "check", DOUBLED)
    assert (run.returncode, run.stdout) == (0, "")
    assert "careful: line 1, column 8: SUM(i.quantity) takes rows of order_items more than once" in run.stderr
    (doubt,) = data_of(t2s("sql", "check", DOUBLED, "--json"))["doubts"]
    assert (doubt["code"], doubt["severity"]) == ("fan_out", "doubt")
