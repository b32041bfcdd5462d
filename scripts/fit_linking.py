"""Fit the weights by which schema linking ranks tables and columns, on questions with SQL over SQLite files.

    python scripts/fit_linking.py EVAL_FOLDER/spider [--every N] [--measure]

Reads train.json, tables.json and database/ in Spider's layout, leaves out the databases of dev_zh.json, and writes
t2s/linking/weights.json. A question is seen in its own schema, in a disguise of it (some names replaced by stumps, the
spoken name as a comment), and in its schema merged with others. The shipped weights are those of `--every 2`. `--measure` fits on two thirds of the databases and prints the mean log-loss on the rest.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from local_data import Case, load_cases, opened

from t2s.linking.features import (
    COLUMN_FEATURES,
    TABLE_FEATURES,
    Sight,
    column_features,
    column_leads,
    look,
    table_features,
)
from t2s.linking.index import index_schema
from t2s.linking.memories import Memories
from t2s.linking.values import Values, index_values, match_values
from t2s.memory.embed import Lexical
from t2s.pipeline.prompt import table_text
from t2s.sql import check
from t2s.types.query import Valid
from t2s.types.schema import Column, Schema, Table

OUT = Path(__file__).resolve().parent.parent / "t2s" / "linking" / "weights.json"
RIDGE = 3.0
MERGED = (2, 4, 12, 40, 130)
"""So many databases at once."""
LIKE = 0.2
"""Less like questions are not recalled."""
MOST = 12
"""Tables of a question whose columns are learned from: those that are needed, and the likeliest others."""

Rows = tuple[list[list[float]], list[bool]]
Asked = tuple[str, Schema, Values, Memories, frozenset[str], frozenset[str]]
"""Question, schema, values, memories, and what it needs: full names of tables, `table.column`s."""
FIXED = {"tables": {"comment": 1.0, "alike": 1.0, "related": 0.5}, "columns": {"alike": 1.0}}
"""By judgement: what these questions have too little of, and closeness, which adds nothing to names where it is lexical
itself, but may where an embedder knows meanings; so much does no harm."""
REMEMBERED = 0.4
"""The share of questions for which the memory knows something."""


def disguised(
    schema: Schema, spoken: dict[tuple[str, str], str], chance: random.Random
) -> tuple[Schema, dict[str, str]]:
    """A schema where some columns have stumps for names and say in a comment what they are; new names by old ones."""
    renamed: dict[str, str] = {}
    tables = []
    for table in schema.tables:
        columns: list[Column] = []
        for place, column in enumerate(table.columns):
            said = spoken.get((table.name.casefold(), column.name.casefold()), column.name.replace("_", " "))
            name = column.name
            roll = chance.random()
            if roll < 0.25:
                name = f"c{place}"
            elif roll < 0.5:
                name = "".join(word[: chance.choice((1, 3, 4))] for word in said.split()) or name
            if any(name.casefold() == other.name.casefold() for other in columns):
                name = column.name
            comment = (
                None
                if chance.random() < 0.1
                else f"{chance.choice(('', 'the ', 'contains the '))}{said}"
                + chance.choice(("", f" of the {table.name.replace('_', ' ')}", f" in the {table.name} table"))
            )
            renamed[f"{table.full_name}.{column.name}"] = f"{table.full_name}.{name}"
            columns.append(replace(column, name=name, comment=comment))
        tables.append(replace(table, columns=tuple(columns)))
    known = [_with_keys(table, renamed) for table in tables]
    return replace(schema, tables=tuple(known), fingerprint=f"{schema.fingerprint} disguised"), renamed


def _with_keys(table: Table, renamed: dict[str, str]) -> Table:
    def new(owner: str, name: str) -> str:
        return renamed.get(f"{owner}.{name}", f".{name}").rpartition(".")[2]

    keys = tuple(
        replace(
            key,
            columns=tuple(new(table.full_name, n) for n in key.columns),
            target_columns=tuple(new(key.target_table, n) for n in key.target_columns),
        )
        for key in table.foreign_keys
    )
    return replace(table, primary_key=tuple(new(table.full_name, n) for n in table.primary_key), foreign_keys=keys)


def within(table: Table, namespace: str) -> Table:
    keys = tuple(replace(key, target_table=f"{namespace}.{key.target_table}") for key in table.foreign_keys)
    return replace(table, namespace=namespace, foreign_keys=keys)


def merged(files: list[Path]) -> tuple[Schema, Values]:
    """The databases of several files as namespaces of one."""
    tables, values = [], {}
    for file in files:
        schema, known = opened(file)
        tables += [within(table, file.stem) for table in schema.tables]
        values |= {(f"{file.stem}.{t}", c): found for (t, c), found in known.columns.items()}
    schema = Schema(dialect="sqlite", tables=tuple(tables), fingerprint=" ".join(f.stem for f in files))
    return schema, index_values(values, schema)


@cache
def vectors(fingerprint: str) -> Any:
    """The tables of a schema (one of `_schemas`) as the memory's embedder sees them."""
    texts = [table_text(table, "values") for table in _schemas[fingerprint].tables]
    return np.array(Lexical().embed(texts))


_schemas: dict[str, Schema] = {}


def related(question: str, schema: Schema) -> dict[str, float]:
    """The ten tables whose descriptions are nearest to a question, as the memory finds them."""
    _schemas.setdefault(schema.fingerprint, schema)
    closeness = vectors(schema.fingerprint) @ np.array(Lexical().embed([question])[0])
    return {schema.tables[n].full_name: max(0.0, float(closeness[n])) for n in np.argsort(-closeness)[:10]}


def remembered(case: Case, cases: list[Case], schema: Schema, chance: random.Random) -> Memories:
    """What a memory knows that holds a few other questions of the database with their queries."""
    others = [c for c in cases if c.db == case.db and c.sql != case.sql]
    vector = np.array(Lexical().embed([case.question])[0])
    used: dict[str, float] = {}
    for other in chance.sample(others, min(10, len(others))):
        closeness = float(vector @ np.array(Lexical().embed([other.question])[0]))
        if closeness > LIKE and isinstance(valid := check(other.sql, schema), Valid):
            for name in (*valid.tables, *valid.columns):
                used[name] = max(used.get(name, 0.0), closeness)
    return Memories(related=related(case.question, schema), used=used)


def asked(cases: list[Case], spoken: dict[str, dict[tuple[str, str], str]], every: int) -> Iterator[Asked]:
    """Every question in the schemas that it is learned in."""
    chance = random.Random(5)
    files = sorted({case.file for case in cases})
    costumes = {file: disguised(opened(file)[0], spoken[file.stem], chance) for file in files}
    for number, case in enumerate(cases):
        schema, values = opened(case.file)
        if number % every or not isinstance(valid := check(case.sql, schema), Valid):
            continue
        tables, columns = frozenset(valid.tables), frozenset(valid.columns)
        memories = remembered(case, cases, schema, chance) if chance.random() < REMEMBERED else Memories()
        yield case.question, schema, values, memories, tables, columns
        if number // every % 3 == 0:
            costume, renamed = costumes[case.file]
            moved = {(t, renamed[f"{t}.{c}"].rpartition(".")[2]): known for (t, c), known in values.columns.items()}
            yield (
                case.question,
                costume,
                index_values(moved, costume),
                Memories(),
                tables,
                frozenset(renamed[c] for c in columns),
            )
    for size in MERGED:
        chance.shuffle(files)
        for start in range(0, len(files) - size + 1, size):
            group = files[start : start + size]
            schema, values = merged(group)
            own = [case for case in cases if case.file in group]
            for case in chance.sample(own, min(len(own), max(1, 600 * size // len(files) // every))):
                if isinstance(valid := check(case.sql, opened(case.file)[0]), Valid):
                    tables = frozenset(f"{case.db}.{name}" for name in valid.tables)
                    columns = frozenset(f"{case.db}.{name}" for name in valid.columns)
                    known = (
                        Memories(related=related(case.question, schema)) if chance.random() < REMEMBERED else Memories()
                    )
                    yield case.question, schema, values, known, tables, columns


def seen(item: Asked) -> tuple[str, Sight, frozenset[str], frozenset[str]]:
    question, schema, values, memories, tables, columns = item
    sight = look(index_schema(schema), question, match_values(question, values), memories)
    return schema.fingerprint, sight, tables, columns


def table_rows(sight: Sight, needed: frozenset[str]) -> Rows:
    return table_features(sight), [table.full_name in needed for table in sight.index.schema.tables]


def column_rows(sight: Sight, tables: frozenset[str], needed: frozenset[str], logits: Any) -> Rows:
    rows, right = [], []
    leads = column_leads(sight)
    best = set(np.argsort(-logits)[:MOST])
    for at, table in enumerate(sight.index.schema.tables):
        if at in best or table.full_name in tables:
            rows += column_features(sight, at, float(logits[at]), leads)
            right += [f"{table.full_name}.{column.name}" in needed for column in table.columns]
    return rows, right


def fit(rows: Any, right: Any, weights: Any) -> Any:
    """Newton's method for a logistic regression, held near zero by `RIDGE`."""
    found = np.zeros(rows.shape[1])
    for _ in range(30):
        p = 1 / (1 + np.exp(-rows @ found))
        slope = rows.T @ (weights * (right - p)) - RIDGE * found
        curve = (rows * (weights * p * (1 - p))[:, None]).T @ rows + RIDGE * np.eye(len(found))
        step = np.linalg.solve(curve, slope)
        found += step
        if np.abs(step).max() < 1e-6:
            break
    return found


def loss(rows: Any, right: Any, found: Any) -> float:
    p = np.clip(1 / (1 + np.exp(-rows @ found)), 1e-9, 1 - 1e-9)
    return float(-np.mean(right * np.log(p) + (1 - right) * np.log(1 - p)))


def learned(items: list[Asked]) -> dict[str, Any]:
    """The rows of all questions, with the database of each."""
    sights = [seen(item) for item in items]
    rows = [table_rows(sight, tables) for _, sight, tables, _ in sights]
    found = fit(np.array([r for rs, _ in rows for r in rs]), np.array([y for _, ys in rows for y in ys], float), 1.0)
    logits = [np.array(rs) @ found for rs, _ in rows]
    columns = [column_rows(s, t, c, own) for (_, s, t, c), own in zip(sights, logits, strict=True)]
    second = fit(
        np.array([r for rs, _ in columns for r in rs]), np.array([y for _, ys in columns for y in ys], float), 1.0
    )
    return {"tables": found, "columns": second, "rows": rows, "column_rows": columns}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--measure", action="store_true")
    arguments = parser.parse_args()
    cases = load_cases(arguments.folder / "train.json", arguments.folder / "database", reworded=True)
    known = json.loads((arguments.folder / "dev_zh.json").read_text(encoding="utf-8"))
    kept_aside = {item["db_id"] for item in known}  # they are reported on, and CSpider divides the databases otherwise
    cases = [case for case in cases if case.db not in kept_aside]
    random.Random(3).shuffle(cases)
    spoken = {}
    for item in json.loads((arguments.folder / "tables.json").read_text(encoding="utf-8")):
        spoken[item["db_id"]] = {
            (item["table_names_original"][owner].casefold(), name.casefold()): item["column_names"][n][1]
            for n, (owner, name) in enumerate(item["column_names_original"])
            if owner >= 0
        }
    if arguments.measure:
        names = sorted({case.db for case in cases})
        held = set(names[::3])
        found = learned(list(asked([c for c in cases if c.db not in held], spoken, arguments.every)))
        other = learned(list(asked([c for c in cases if c.db in held], spoken, arguments.every)))
        for part, rows in (("tables", "rows"), ("columns", "column_rows")):
            x = np.array([r for rs, _ in other[rows] for r in rs])
            y = np.array([v for _, vs in other[rows] for v in vs], float)
            print(
                f"{part}: log-loss on unseen databases {loss(x, y, found[part]):.4f}, fitted to them {loss(x, y, other[part]):.4f}"
            )
        return
    found = learned(list(asked(cases, spoken, arguments.every)))
    weights = {
        part: dict(zip(names, (round(float(w), 3) for w in found[part]), strict=True)) | FIXED[part]
        for part, names in (("tables", TABLE_FEATURES), ("columns", COLUMN_FEATURES))
    }
    OUT.write_text(json.dumps(weights, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(weights, indent=2))


if __name__ == "__main__":
    main()
