"""Samples and profiles: within the privacy level, kept with the schema, taken anew when the data changes."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from t2s.database import Connection, contents, open_database
from t2s.database.sqlite import SQLite
from t2s.types.query import Privacy
from t2s.types.schema import Column, Schema


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    file = tmp_path / "shop.sqlite"
    with sqlite3.connect(file) as db:
        db.execute("CREATE TABLE people (id INTEGER PRIMARY KEY, city TEXT, born DATE, salary INT, kind TEXT, odd INT)")
        rows = [
            (f"city {n}" if n % 2 else "Berlin", f"19{10 + n}-05-01", n or None, "a" if n else "b", "x")
            for n in range(80)
        ]
        db.executemany("INSERT INTO people (city, born, salary, kind, odd) VALUES (?, ?, ?, ?, ?)", rows)
    db.close()
    return file


def schema(file: Path, privacy: Privacy = "values", cache: Path | None = None) -> Schema:
    database = open_database(Connection(name="shop", url=f"sqlite:///{file}", privacy=privacy), cache_dir=cache)
    found = database.schema()
    database.close()
    return found


def columns(schema: Schema) -> dict[str, Column]:
    return {column.name: column for column in schema.tables[0].columns}


def test_a_profile_has_counts_range_and_frequent_values(shop: Path) -> None:
    found = columns(schema(shop))
    city, born, salary = found["city"].profile, found["born"].profile, found["salary"].profile
    assert city is not None
    assert born is not None
    assert salary is not None
    assert (city.rows, city.distinct, city.range, city.common) == (80, 41, None, ("Berlin",))
    assert born.range == ("1910-05-01", "1989-05-01")
    assert (salary.nulls, salary.range) == (1, ("1", "79"))
    assert found["kind"].samples == ("a", "b")


def test_what_is_no_number_has_no_range_whatever_its_column_says(shop: Path) -> None:
    odd = columns(schema(shop))["odd"].profile
    assert odd is not None
    assert (odd.distinct, odd.range) == (1, None)


def test_nothing_is_seen_above_the_privacy_level(shop: Path) -> None:
    assert all(c.profile is None and not c.samples for c in columns(schema(shop, "schema")).values())
    counted = columns(schema(shop, "profile"))
    assert counted["salary"].profile is not None
    assert all(not c.samples and not (c.profile and c.profile.common) for c in counted.values())


def test_profiles_are_kept_with_the_schema_and_taken_anew_when_the_data_changes(shop: Path, tmp_path: Path) -> None:
    first = schema(shop, cache=tmp_path / "cache")
    assert schema(shop, cache=tmp_path / "cache") == first
    with sqlite3.connect(shop) as db:
        db.execute("UPDATE people SET salary = 500 WHERE id = 9")
    db.close()
    salary = columns(schema(shop, cache=tmp_path / "cache"))["salary"].profile
    assert salary is not None
    assert salary.range == ("1", "500")


def texts(file: Path, privacy: Privacy, cache: Path) -> dict[tuple[str, str], tuple[str, ...]]:
    database = open_database(Connection(name="shop", url=f"sqlite:///{file}", privacy=privacy), cache_dir=cache)
    found = dict(database.texts())
    database.close()
    return found


def test_values_of_text_columns_are_read_once_and_anew_when_the_data_changes(
    shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = texts(shop, "values", tmp_path / "cache")
    assert first["people", "kind"] == ("a", "b")
    assert first["people", "city"][0] == "Berlin"  # the most frequent
    assert len(first["people", "city"]) == 41
    with monkeypatch.context() as patched:
        patched.setattr(SQLite, "values", None)  # whoever reads again fails
        assert texts(shop, "values", tmp_path / "cache") == first
    with sqlite3.connect(shop) as db:
        db.execute("UPDATE people SET city = 'Atlantis' WHERE city = 'city 9'")
    db.close()
    assert "Atlantis" in texts(shop, "values", tmp_path / "cache")["people", "city"]


def test_values_are_not_kept_on_disk_where_the_privacy_level_has_none(shop: Path, tmp_path: Path) -> None:
    assert "Berlin" in texts(shop, "profile", tmp_path / "cache")["people", "city"]
    assert not any("Berlin" in file.read_text() for file in (tmp_path / "cache").iterdir())


def test_what_is_not_read_in_time_is_read_the_next_time(
    shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(contents, "TEXTS_DEADLINE_S", -1.0)
        assert set(texts(shop, "values", tmp_path / "cache")) == {("people", "kind")}
    assert ("people", "city") in texts(shop, "values", tmp_path / "cache")
