"""One contract for every engine, on real databases; the guard takes no part here."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from t2s.database import Connection, open_database
from t2s.errors import DatabaseUnavailable, QueryError, QueryTimeout
from t2s.types.database import Database

SCRIPT = """
CREATE TABLE customers (id INTEGER PRIMARY KEY, name VARCHAR(50) NOT NULL, city VARCHAR(50));
CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL, total NUMERIC(10, 2),
  FOREIGN KEY (customer_id) REFERENCES customers (id));
CREATE VIEW big AS SELECT * FROM orders WHERE total > 100;
INSERT INTO customers VALUES (1, 'Ann', 'Berlin'), (2, 'Bo', 'Lyon'), (3, '陈', 'Berlin');
INSERT INTO orders VALUES (1, 1, 10.5), (2, 1, 200), (3, 2, NULL)
"""

SLOW = {
    "sqlite": "WITH RECURSIVE t(a) AS (SELECT 1 UNION ALL SELECT a + 1 FROM t) SELECT count(*) FROM t",
    "duckdb": "SELECT count(*) FROM range(10000000) a, range(1000000) b WHERE (a.range * b.range) % 7 = 1",
    "postgres": "SELECT count(*) FROM generate_series(1, 1000000) a, generate_series(1, 1000000) b",
    "mysql": "SELECT benchmark(10000000000, md5('a'))",
}

ATTACKS = {
    "all": [
        "DELETE FROM orders",
        "INSERT INTO orders VALUES (9, 1, 1)",
        "UPDATE orders SET total = 0",
        "DROP TABLE orders",
        "CREATE TABLE evil (a INTEGER)",
        "SELECT 1; DROP TABLE orders",
        "COMMIT; DROP TABLE orders",
        "ROLLBACK; DELETE FROM orders",
        "WITH d AS (DELETE FROM orders RETURNING *) SELECT * FROM d",
    ],
    "sqlite": [
        "PRAGMA query_only = OFF",
        "PRAGMA writable_schema = ON",
        "ATTACH DATABASE 'evil.db' AS evil",
        "SELECT load_extension('evil.so')",
        "SELECT fts3_tokenizer('simple')",
        "SELECT * FROM pragma_table_info('orders')",
        "BEGIN IMMEDIATE",
        "VACUUM INTO 'evil.db'",
    ],
    "duckdb": [
        "SET enable_external_access = true",
        "RESET enable_external_access",
        "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM glob('/etc/*')",
        "COPY orders TO 'evil.csv'",
        "COPY (SELECT 1) TO 'evil.parquet'",
        "ATTACH 'evil.db'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "EXPORT DATABASE 'evil'",
        "PRAGMA disable_verification",
    ],
    "postgres": [
        "SET TRANSACTION READ WRITE",
        "SET default_transaction_read_only = off",
        "SELECT set_config('transaction_read_only', 'off', false)",
        "SELECT * INTO evil FROM orders",
        "SELECT * FROM orders FOR UPDATE",
        "COPY orders TO '/tmp/evil'",
        "COPY (SELECT 1) TO PROGRAM 'touch /tmp/evil'",
        "SELECT pg_read_file('/etc/passwd')",
        "SELECT pg_ls_dir('/')",
        "SELECT lo_import('/etc/passwd')",
        "DO $$ BEGIN DELETE FROM orders; END $$",
        "RESET ROLE",
        "SELECT query_to_xml('DELETE FROM orders', true, true, '')",
    ],
    "mysql": [
        "SET SESSION TRANSACTION READ WRITE",
        "START TRANSACTION READ WRITE",
        "SELECT 1 INTO OUTFILE '/tmp/t2s_evil'",
        "SELECT 1 INTO DUMPFILE '/tmp/t2s_evil'",
        "SELECT 1) AS a UNION SELECT 2 INTO OUTFILE '/tmp/t2s_evil' FROM (SELECT 3",
        "SELECT 1 /*! INTO OUTFILE '/tmp/t2s_evil' */",
        "SELECT * FROM orders FOR UPDATE",
        "SET @a = 1",
        "CALL evil()",
        "LOAD DATA LOCAL INFILE '/etc/passwd' INTO TABLE orders",
        "DO sleep(1)",
    ],
}


def make_sqlite(path: Path) -> str:
    import sqlite3

    with sqlite3.connect(path) as db:
        db.executescript(SCRIPT)
    db.close()
    return f"sqlite:///{path}"


def make_duckdb(path: Path) -> str:
    import duckdb

    with duckdb.connect(str(path)) as db:
        db.execute(SCRIPT)
        db.execute("COMMENT ON COLUMN orders.total IS 'in EUR'")
    return f"duckdb:///{path}"


def make_postgres(url: str) -> str:
    import psycopg

    with psycopg.connect(url, autocommit=True) as db:
        db.execute(SCRIPT)
        db.execute("COMMENT ON COLUMN orders.total IS 'in EUR'")
    return url


def make_mysql(url: str) -> str:
    import pymysql
    from sqlalchemy.engine import make_url

    where = make_url(url)
    db = pymysql.connect(
        host=where.host,
        port=where.port or 3306,
        user=where.username,
        password=where.password or "",
        database=where.database,
    )
    with db.cursor() as cursor:
        for statement in SCRIPT.split(";"):
            cursor.execute(statement)
        cursor.execute("ALTER TABLE orders MODIFY total NUMERIC(10, 2) COMMENT 'in EUR'")
    db.commit()
    db.close()
    return url


@pytest.fixture(scope="module", params=["sqlite", "duckdb", "postgres", "mysql"])
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("a folder #1 with %41")
    match request.param:
        case "sqlite":
            return make_sqlite(folder / "shop?.db")
        case "duckdb":
            return make_duckdb(folder / "shop.duckdb")
        case "postgres":
            return make_postgres(request.getfixturevalue("postgres_url"))
    return make_mysql(request.getfixturevalue("mysql_url"))


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    opened = open_database(Connection(name="shop", url=url.replace("%41", "%2541")), cache_dir=None)
    yield opened
    opened.close()


def count(database: Database) -> int:
    return int(database.run("SELECT count(*) FROM orders", limit=None, timeout=10).rows[0][0])


def test_the_schema_has_keys_kinds_and_samples(database: Database) -> None:
    schema = database.schema()
    assert {t.full_name: t.kind for t in schema.tables} == {"customers": "table", "orders": "table", "big": "view"}
    orders, customers = schema.table("orders"), schema.table("CUSTOMERS")
    assert orders is not None
    assert customers is not None
    assert orders.primary_key == ("id",)
    (key,) = orders.foreign_keys
    assert (key.columns, key.target_table, key.target_columns) == (("customer_id",), "customers", ("id",))
    assert [c.nullable for c in customers.columns][1:] == [False, True]
    city = customers.column("city")
    assert city is not None
    assert city.samples == ("Berlin", "Lyon")
    total = orders.column("total")
    assert total is not None
    assert total.comment == (None if database.dialect == "sqlite" else "in EUR")
    assert customers.row_estimate in (3, None)


def test_columns_have_profiles(database: Database) -> None:
    customers, orders = database.schema().table("customers"), database.schema().table("orders")
    assert customers is not None
    assert orders is not None
    profiles = {c.name: c.profile for t in (customers, orders) for c in t.columns if c.profile}
    city, total = profiles["city"], profiles["total"]
    assert (city.rows, city.nulls, city.distinct, city.range) == (3, 0, 2, None)
    assert (total.rows, total.nulls, total.distinct) == (3, 1, 2)
    assert total.range is not None
    assert [float(end) for end in total.range] == [10.5, 200]


def test_rows_come_typed_limited_and_told_of(database: Database) -> None:
    result = database.run("SELECT id, name FROM customers ORDER BY id;", limit=2, timeout=10)
    assert [column.name for column in result.columns] == ["id", "name"]
    assert list(result.rows) == [(1, "Ann"), (2, "Bo")]
    assert result.truncated
    whole = database.run("SELECT name FROM customers ORDER BY id", limit=3, timeout=10)
    assert whole.rows[2] == ("陈",)
    assert not whole.truncated
    assert len(database.run("SELECT name FROM customers", limit=None, timeout=10).rows) == 3


def test_two_columns_of_one_name_are_both_there(database: Database) -> None:
    result = database.run(
        "SELECT c.id, o.id FROM customers c JOIN orders o ON o.customer_id = c.id", limit=9, timeout=10
    )
    assert len(result.columns) == len(result.rows[0]) == 2


def test_values_are_the_most_frequent_first(database: Database) -> None:
    assert database.values("customers", "city", 10) == ("Berlin", "Lyon")
    assert database.values("customers", "city", 1) == ("Berlin",)


def test_explain_does_not_run_and_refuses_what_is_wrong(database: Database) -> None:
    assert database.explain("SELECT * FROM orders")
    with pytest.raises(QueryError, match="nowhere"):
        database.explain("SELECT * FROM nowhere")


@pytest.mark.parametrize("number", range(14))
def test_attacks_stop_at_the_engine(database: Database, number: int) -> None:
    attacks = [*ATTACKS["all"], *ATTACKS[database.dialect]]
    for sql in attacks[number::14]:
        with pytest.raises(QueryError):
            database.run(sql, limit=10, timeout=10)
        with suppress(QueryError):  # a plan of a function's call does not call it
            database.explain(sql)
    assert count(database) == 3
    assert not Path("/tmp/t2s_evil").exists()
    assert not list(Path.cwd().glob("evil*"))


def test_a_slow_query_is_stopped_in_time_and_the_connection_lives_on(database: Database) -> None:
    with pytest.raises(QueryTimeout):
        database.run(SLOW[database.dialect], limit=1, timeout=0.3)
    assert count(database) == 3


def test_cancel_from_another_thread(database: Database) -> None:
    timer = threading.Timer(0.3, database.cancel)
    timer.start()
    with pytest.raises(QueryError):
        database.run(SLOW[database.dialect], limit=1, timeout=20)
    timer.join()
    assert count(database) == 3


def test_ctrl_c_cancels_the_query_and_nothing_else(url: str) -> None:
    program = (
        "import sys\n"
        "from t2s.database import Connection, open_database\n"
        "from t2s.errors import Cancelled\n"
        f"db = open_database(Connection(name='x', url={url.replace('%41', '%2541')!r}), cache_dir=None)\n"
        "print('ready', flush=True)\n"
        "try:\n"
        f"    db.run({slow_query(url)!r}, limit=1, timeout=60)\n"
        "except Cancelled:\n"
        "    print(db.run('SELECT count(*) FROM orders', limit=1, timeout=10).rows[0][0])\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    time.sleep(0.4)
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=20) == ("3\n", "")


def slow_query(url: str) -> str:
    scheme = url.partition(":")[0]
    return SLOW["postgres" if scheme == "postgresql" else scheme]


def test_a_login_that_may_do_more_than_read_is_a_risk(database: Database) -> None:
    risk = database.risk()
    assert (risk is None) is (database.dialect in ("sqlite", "duckdb"))


def test_a_time_with_a_zone_comes_as_one(database: Database) -> None:
    sql = {"sqlite": "SELECT datetime('now')", "mysql": "SELECT now()"}.get(
        database.dialect, "SELECT current_timestamp"
    )
    assert str(database.run(sql, limit=1, timeout=10).rows[0][0]).startswith("20")


def test_a_schema_is_kept_until_the_structure_changes(url: str, tmp_path: Path) -> None:
    def schema() -> object:
        opened = open_database(Connection(name="shop", url=url.replace("%41", "%2541")), cache_dir=tmp_path)
        try:
            return opened.schema()
        finally:
            opened.close()

    first = schema()
    (kept,) = tmp_path.iterdir()
    written = kept.stat().st_mtime_ns
    assert schema() == first
    assert kept.stat().st_mtime_ns == written
    kept.write_text("not whole")
    assert schema() == first


def test_a_lost_connection_is_said_and_the_next_query_reconnects(database: Database, url: str) -> None:
    if database.dialect == "postgres":
        import psycopg

        with psycopg.connect(url, autocommit=True) as admin:
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND application_name = 't2s'"
            )
    elif database.dialect == "mysql":
        thread = database._db.thread_id()  # type: ignore[attr-defined]
        other = open_database(Connection(name="other", url=url), cache_dir=None)
        with other._db.cursor() as cursor:  # type: ignore[attr-defined]
            cursor.execute(f"KILL {thread}")
        other.close()
        time.sleep(0.2)
    else:
        pytest.skip("a file has no connection to lose")
    with pytest.raises(DatabaseUnavailable, match="lost"):
        count(database)
    assert count(database) == 3
