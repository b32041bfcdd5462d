"""What a user may call a database, and one clear line for everything that is wrong with it."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from t2s.database import Connection, open_database, resolve_connection
from t2s.database.connection import masked
from t2s.database.passwords import find_password
from t2s.errors import DatabaseUnavailable, T2SError, UsageError
from t2s.types.schema import Schema


def load(target: str, cwd: Path) -> Schema:
    database = open_database(resolve_connection(target, {}, cwd=cwd), cache_dir=None)
    try:
        return database.schema()
    finally:
        database.close()


def fill(folder: Path) -> None:
    import duckdb
    from openpyxl import Workbook

    (folder / "my sales.csv").write_text("id,city\n1,Berlin\n2,Lyon\n")
    (folder / "tabs.tsv").write_text("a\tb\n1\t2\n")
    (folder / "one.json").write_text(json.dumps([{"x": 1}, {"x": 2}]))
    (folder / "lines.jsonl").write_text('{"y": 1}\n{"y": 2}\n')
    duckdb.sql(f"COPY (SELECT 1 AS p, 'q' AS q) TO '{folder / 'cold.parquet'}'")
    book = Workbook()
    book.active.append(["Name", "Amount"])
    book.active.append(["Ann", 3.5])
    book.save(folder / "book.xlsx")
    (folder / "secret.txt").write_text("secret")


def test_a_folder_of_files_is_a_database(tmp_path: Path) -> None:
    fill(tmp_path)
    schema = load(str(tmp_path), tmp_path)
    names = {t.name: [c.name for c in t.columns] for t in schema.tables}
    assert names == {
        "my_sales": ["id", "city"],
        "tabs": ["a", "b"],
        "one": ["x"],
        "lines": ["y"],
        "cold": ["p", "q"],
        "book": ["name", "amount"],
    }


def test_a_file_or_a_glob_is_one_too_and_nothing_beside_it_can_be_read(tmp_path: Path) -> None:
    fill(tmp_path)
    assert [t.name for t in load("cold.parquet", tmp_path).tables] == ["cold"]
    database = open_database(resolve_connection("*.csv", {}, cwd=tmp_path), cache_dir=None)
    assert database.run("SELECT city FROM my_sales ORDER BY id", limit=9, timeout=5).rows[0] == ("Berlin",)
    for path in ("secret.txt", "tabs.tsv", "one.json"):
        with pytest.raises(T2SError):
            database.run(f"SELECT * FROM read_text('{tmp_path / path}')", limit=9, timeout=5)
    database.close()


@pytest.mark.parametrize(
    ("target", "kind", "message"),
    [
        ("nosuch.db", DatabaseUnavailable, "no such file"),
        ("shp.db", DatabaseUnavailable, "no such file"),
        ("garbage.db", DatabaseUnavailable, "not a SQLite database"),
        ("garbage.duckdb", DatabaseUnavailable, "not a valid DuckDB|not a DuckDB"),
        ("notes.md", DatabaseUnavailable, "not a database and not a data file"),
        ("empty.db", DatabaseUnavailable, "has no tables"),
        ("hollow", DatabaseUnavailable, "no data files"),
        ("*.nope", DatabaseUnavailable, "no file matches"),
        ("broken.parquet", DatabaseUnavailable, "cannot read broken.parquet"),
        ("broken.xlsx", DatabaseUnavailable, "cannot read broken.xlsx"),
        ("broken.json", DatabaseUnavailable, "cannot read broken.json"),
        ("oracle://u@h/d", UsageError, "does not speak oracle"),
        ("sqlite:shop.db", UsageError, "three slashes"),
        ("postgresql://postgres@127.0.0.1:1/x", DatabaseUnavailable, "no PostgreSQL answers at 127.0.0.1:1"),
        ("mysql://root@127.0.0.1:1/x", DatabaseUnavailable, "no MySQL or MariaDB answers at 127.0.0.1:1"),
        ("mysql://root@127.0.0.1:3306", UsageError, "names no database"),
        ("postgresql://h:port/x", UsageError, "is not a URL"),
    ],
)
def test_what_is_wrong_is_one_clear_line(tmp_path: Path, target: str, kind: type[T2SError], message: str) -> None:
    sqlite3.connect(tmp_path / "shop.db").close()
    sqlite3.connect(tmp_path / "empty.db").close()
    for name in ("garbage.db", "garbage.duckdb", "notes.md", "broken.parquet", "broken.xlsx", "broken.json"):
        (tmp_path / name).write_bytes(b"\x01\x02 no database at all, for sure" * 30)
    (tmp_path / "hollow").mkdir()
    with pytest.raises(kind, match=message) as caught:
        load(target, tmp_path)
    assert "\n" not in caught.value.message


def test_a_near_name_is_offered(tmp_path: Path) -> None:
    sqlite3.connect(tmp_path / "shop.db").close()
    with pytest.raises(DatabaseUnavailable) as caught:
        load("shpo.db", tmp_path)
    assert caught.value.hint == "did you mean shop.db?"
    with pytest.raises(DatabaseUnavailable) as caught:
        resolve_connection("warehose", {"warehouse": Connection(name="warehouse", url="x")}, cwd=tmp_path)
    assert caught.value.hint == "did you mean warehouse?"


def test_postgresql_says_what_is_wrong(postgres_url: str) -> None:
    base = postgres_url.rpartition("/")[0]
    for url, message in (
        (f"{base}/nosuch", "has no database nosuch"),
        (f"{postgres_url}?schema=nosuch", "has no schema nosuch"),
        (postgres_url, "has no tables"),
    ):
        with pytest.raises(DatabaseUnavailable, match=message):
            load(url, Path.cwd())


def test_functions_that_the_catalogue_calls_harmless_pass_the_check_and_others_do_not(postgres_url: str) -> None:
    import psycopg

    from t2s.sql import check
    from t2s.types.query import Rejected, Valid

    with psycopg.connect(postgres_url, autocommit=True) as admin:
        admin.execute("CREATE SCHEMA own")
        admin.execute("CREATE TABLE own.t (a int)")
        admin.execute("CREATE FUNCTION own.twice(int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT $1 * 2'")
        admin.execute("CREATE FUNCTION own.wipe() RETURNS void VOLATILE LANGUAGE sql AS 'DELETE FROM own.t'")
    schema = load(f"{postgres_url}?schema=own", Path.cwd())
    assert isinstance(check("SELECT twice(a) FROM t", schema), Valid)
    assert isinstance(check("SELECT wipe()", schema), Rejected)
    with psycopg.connect(postgres_url, autocommit=True) as admin:
        admin.execute("DROP SCHEMA own CASCADE")


def test_mysql_says_what_is_wrong(mysql_url: str) -> None:
    with pytest.raises(DatabaseUnavailable, match="has no database nosuch"):
        load(f"{mysql_url.rpartition('/')[0]}/nosuch", Path.cwd())
    wrong = mysql_url.replace("root@", "root:hunter2@")
    if wrong != mysql_url:
        with pytest.raises(DatabaseUnavailable, match="wrong user or password") as caught:
            load(wrong, Path.cwd())
        assert "hunter2" not in f"{caught.value!r} {caught.value.message} {caught.value.hint} {caught.value.__cause__}"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://u:geheim@h/d", "postgresql://u@h/d"),
        ("postgresql://u:a@b:c@h/d", None),
        ("postgresql://h/d?user=u&password=geheim", "postgresql://h/d?user=u&password=***"),
        ("duckdb:///x.db", "duckdb:///x.db"),
    ],
)
def test_a_password_in_a_url_is_never_shown(url: str, shown: str | None) -> None:
    assert "geheim" not in masked(url)
    assert shown is None or masked(url) == shown
    assert "geheim" not in repr(Connection(name="x", url=url))


def test_passwords_come_from_the_environment_then_pgpass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def found() -> str | None:
        return find_password("my-shop", "postgres", host="h", port=5432, database="d", user="u")

    file = tmp_path / ".pgpass"
    file.write_text("# a comment\nother:5432:d:u:no\nh:*:d:u:with\\:colon\n")
    file.chmod(0o600)
    assert found() == "with\\:colon".replace("\\", "")
    file.chmod(0o644)  # libpq does not read it either when others can
    assert found() is None
    monkeypatch.setenv("PGPASSWORD", "usual")
    assert found() == "usual"
    monkeypatch.setenv("T2S_PASSWORD_MY_SHOP", "own")
    assert found() == "own"


def test_a_keyring_is_asked_and_a_broken_one_has_no_password() -> None:
    import keyring
    from keyring.backend import KeyringBackend

    class Ring(KeyringBackend):
        priority = 1  # type: ignore[assignment]
        broken = False

        def get_password(self, service: str, username: str) -> str | None:
            if self.broken:
                raise RuntimeError("locked")
            return {("t2s", "shop"): "from the ring"}.get((service, username))

        def set_password(self, service: str, username: str, password: str) -> None: ...

    before = keyring.get_keyring()
    ring = Ring()
    keyring.set_keyring(ring)
    try:
        find = {"host": "h", "port": 1, "database": "d", "user": "u"}
        assert find_password("shop", "mysql", **find) == "from the ring"  # type: ignore[arg-type]
        ring.broken = True
        assert find_password("shop", "mysql", **find) is None  # type: ignore[arg-type]
    finally:
        keyring.set_keyring(before)


def test_two_thousand_tables_load_with_a_fixed_number_of_statements(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "big.db"
    with sqlite3.connect(path) as db:
        for number in range(2_000):
            db.execute(
                f"CREATE TABLE t{number} (id INTEGER PRIMARY KEY, name TEXT, other_id INTEGER REFERENCES t0 (id))"
            )
    db.close()
    database = open_database(Connection(name="big", url=f"sqlite:///{path}", privacy="schema"), cache_dir=None)
    statements: list[str] = []
    database._db.set_trace_callback(statements.append)  # type: ignore[attr-defined]
    assert len(database.schema().tables) == 2_000
    assert len([s for s in statements if s.startswith(("\nSELECT", "SELECT (", "SELECT 1"))]) < 12
    database.close()
