"""Where the databases of a data set are."""

from __future__ import annotations

from pathlib import Path

from t2s.errors import DatabaseUnavailable
from t2s.evaluate.cases import DataSet

SUFFIXES = (".sqlite", ".db", ".sqlite3", ".duckdb")
BESIDE = ("database", "databases", "dev_databases")
"""Folders beside a data set in which public ones keep their databases."""


def locate(dataset: DataSet, *, folder: Path | None, template: str | None) -> dict[str, str]:
    """What to open for each database that the cases name.

    `template` is a connection, a URL or a file, in which `{db}` stands for the name; `folder` holds `<db>/<db>.sqlite`
    or `<db>.sqlite`. Without either the folders beside the data set are looked into; in our own format a name may also
    be a connection, a URL or a file beside it. Raises `DatabaseUnavailable` for the first one that is nowhere.
    """
    names = dict.fromkeys(case.db for case in dataset.cases)
    if template is not None:
        return {name: template.replace("{db}", name) for name in names}
    folders = [folder] if folder else [dataset.path.parent / name for name in BESIDE]
    return {name: _find(name, folders, dataset, given=folder is not None) for name in names}


def _find(name: str, folders: list[Path], dataset: DataSet, *, given: bool) -> str:
    for folder in folders:
        for suffix in SUFFIXES:
            for file in (folder / name / f"{name}{suffix}", folder / f"{name}{suffix}"):
                if file.is_file():
                    return str(file.resolve())
    if not given and dataset.kind == "own":
        beside = dataset.path.parent / name
        return str(beside.resolve()) if "://" not in name and beside.exists() else name
    looked = ", ".join(str(folder / name / f"{name}.sqlite") for folder in folders)
    place = next(case.place for case in dataset.cases if case.db == name)
    raise DatabaseUnavailable(
        f"{place}: there is no database {name} (looked for {looked})",
        hint="--databases FOLDER, or --db 'postgresql://…/{db}'",
    )
