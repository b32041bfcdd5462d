"""What all tests share: real servers, the sample, a home of one's own, the data to try the tool on."""

from __future__ import annotations

import os
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

POSTGRES = os.environ.get("T2S_TEST_POSTGRES_URL", "postgresql://postgres@127.0.0.1:5432/postgres")
MYSQL = os.environ.get("T2S_TEST_MYSQL_URL", "mysql://root@127.0.0.1:3306/")
EVAL = Path(os.environ.get("T2S_TEST_EVAL", ROOT.parent / "shared" / "eval"))


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees the settings, keys or data of whoever runs it."""
    for name in list(os.environ):
        if name.startswith(("T2S_", "ANTHROPIC_", "OPENAI_", "OTEL_", "PG", "MYSQL_")) and not name.startswith(
            "T2S_TEST_"
        ):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("T2S_HOME", str(tmp_path / "t2s"))
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shop's DuckDB file."""
    from t2s.database.sample import sample_path

    return sample_path(tmp_path_factory.mktemp("sample"))


@pytest.fixture(scope="session")
def eval_dir() -> Path:
    """The folder of real questions and databases."""
    if not EVAL.is_dir():
        pytest.skip(f"no evaluation data: {EVAL} is not there (T2S_TEST_EVAL names another place)")
    return EVAL


@pytest.fixture(scope="module")
def postgres_url() -> Iterator[str]:
    """The URL of a fresh PostgreSQL database, dropped afterwards."""
    import psycopg

    try:
        admin = psycopg.connect(POSTGRES, autocommit=True, connect_timeout=5)
    except psycopg.OperationalError:
        _no_server("PostgreSQL", "T2S_TEST_POSTGRES_URL")
    name = f"t2s_test_{uuid.uuid4().hex[:12]}"
    admin.execute(f"CREATE DATABASE {name}")
    yield POSTGRES.rpartition("/")[0] + f"/{name}"
    admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    admin.close()


@pytest.fixture(scope="module")
def mysql_url() -> Iterator[str]:
    """The URL of a fresh MariaDB or MySQL database, dropped afterwards."""
    import pymysql
    from sqlalchemy.engine import make_url

    url = make_url(MYSQL)
    try:
        admin = pymysql.connect(
            host=url.host, port=url.port or 3306, user=url.username, password=url.password or "", connect_timeout=5
        )
    except pymysql.err.OperationalError:
        _no_server("MySQL or MariaDB", "T2S_TEST_MYSQL_URL")
    name = f"t2s_test_{uuid.uuid4().hex[:12]}"
    with admin.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
        yield url.set(database=name).render_as_string(hide_password=False)
        cursor.execute(f"DROP DATABASE {name}")
    admin.close()


def _no_server(what: str, variable: str) -> None:
    if os.environ.get("CI_REQUIRES_SERVERS"):
        pytest.fail(f"no {what} answers, and this run requires it ({variable} names another)", pytrace=False)
    pytest.skip(f"no {what} answers ({variable} names another)")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say at the end what was not tested for want of a server or data."""
    reasons = {str(report.longrepr[2]) for report in terminalreporter.stats.get("skipped", []) if report.longrepr}
    for reason in sorted(reasons):
        terminalreporter.write_line(f"NOT TESTED: {reason.removeprefix('Skipped: ')}", yellow=True)
