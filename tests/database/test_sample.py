"""The sample: quick to build, whole, the same everywhere, and fit for the questions of a newcomer."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from datetime import date
from pathlib import Path

import duckdb
import pytest

from t2s.database.sample import sample_path

TABLES = ["customers", "employees", "order_items", "orders", "products", "returns"]
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of one's own: DuckDB opens one file of one process in one way only."""
    return sample_path(tmp_path_factory.mktemp("shop"))


def query(path: Path, sql: str) -> list[tuple]:
    with duckdb.connect(str(path), read_only=True) as db:
        return db.execute(sql).fetchall()


def digest(path: Path) -> str:
    hasher = hashlib.sha256()
    for table in TABLES:
        hasher.update(repr(query(path, f"SELECT * FROM {table} ORDER BY ALL")).encode())
    return hasher.hexdigest()


def test_is_built_once_and_then_kept(tmp_path: Path) -> None:
    path = sample_path(tmp_path / "not" / "there")
    built = path.stat().st_mtime_ns
    assert sample_path(tmp_path / "not" / "there") == path
    assert path.stat().st_mtime_ns == built


def test_two_builds_hold_the_same_rows(tmp_path: Path) -> None:
    assert digest(sample_path(tmp_path / "a")) == digest(sample_path(tmp_path / "b"))


def test_processes_that_build_at_once_do_not_disturb_each_other(tmp_path: Path) -> None:
    code = "import sys; from pathlib import Path; from t2s.database.sample import sample_path as s; print(s(Path(sys.argv[1])))"
    running = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    paths = {process.communicate(timeout=60)[0].strip() for process in running}
    assert {process.returncode for process in running} == {0}
    assert len(paths) == 1
    assert query(Path(paths.pop()), "SELECT count(*) > 1000 FROM orders") == [(True,)]
    assert [found.name for found in tmp_path.rglob("*") if found.is_file()] == ["shop.duckdb"]


def test_every_table_has_rows_and_a_comment(shop: Path) -> None:
    tables = query(shop, "SELECT table_name, comment FROM duckdb_tables() ORDER BY 1")
    assert [name for name, _ in tables] == TABLES
    assert all(comment for _, comment in tables)
    assert sum(query(shop, f"SELECT count(*) FROM {table}")[0][0] for table in TABLES) > 3_000


def test_keys_are_declared(shop: Path) -> None:
    kinds = query(
        shop,
        "SELECT constraint_type, count(*) FROM duckdb_constraints()"
        " WHERE constraint_type IN ('PRIMARY KEY', 'FOREIGN KEY') GROUP BY 1 ORDER BY 1",
    )
    assert kinds == [("FOREIGN KEY", 7), ("PRIMARY KEY", 6)]


def test_covers_three_years_with_growth_and_a_christmas_peak(shop: Path) -> None:
    years = query(shop, "SELECT year(ordered_on), count(*) FROM orders GROUP BY 1 ORDER BY 1")
    assert [year for year, _ in years] == [2023, 2024, 2025]
    assert years[0][1] < years[1][1] < years[2][1]
    months = dict(query(shop, "SELECT month(ordered_on), count(*) FROM orders GROUP BY 1"))
    assert max(months, key=months.__getitem__) in (11, 12)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT count(*) FROM customers WHERE email IS NULL",
        "SELECT count(*) FROM customers WHERE id NOT IN (SELECT customer_id FROM orders)",
        "SELECT count(*) FROM orders WHERE status = 'cancelled'",
        "SELECT count(*) FROM orders WHERE employee_id IS NULL",
        "SELECT count(*) FROM returns",
        "SELECT count(*) FROM employees WHERE manager_id IS NULL",
        "SELECT count(*) FROM customers WHERE city IN ('Shanghai', 'Berlin', 'Lagos')",
    ],
)
def test_has_the_mess_of_real_data(shop: Path, sql: str) -> None:
    assert query(shop, sql)[0][0] > 0


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM orders WHERE shipped_on < ordered_on",
        "SELECT * FROM orders WHERE status = 'cancelled' AND shipped_on IS NOT NULL",
        "SELECT * FROM returns r JOIN orders o ON o.id = r.order_id WHERE r.returned_on < o.ordered_on",
        "SELECT * FROM returns r JOIN orders o ON o.id = r.order_id WHERE o.status <> 'delivered'",
        "SELECT * FROM returns r ANTI JOIN order_items i ON i.order_id = r.order_id AND i.product_id = r.product_id",
        "SELECT * FROM orders ANTI JOIN order_items ON order_items.order_id = orders.id",
        "SELECT * FROM products WHERE cost >= price",
        "SELECT * FROM order_items WHERE quantity < 1 OR unit_price <= 0 OR discount NOT BETWEEN 0 AND 1",
        f"SELECT * FROM orders WHERE ordered_on NOT BETWEEN DATE '{date(2023, 1, 1)}' AND DATE '{date(2025, 12, 31)}'",
    ],
)
def test_makes_sense(shop: Path, sql: str) -> None:
    assert query(shop, sql) == []
