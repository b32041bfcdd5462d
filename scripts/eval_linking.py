"""How often the linked part of a schema holds all that the right query reads, and what that part costs.

    python scripts/eval_linking.py [EVAL_FOLDER] [--only NAME …] [--show N]    (else $T2S_TEST_EVAL, else ../shared/eval)

Gold tables and columns are what the gold SQL reads, resolved by sqlglot. A question counts where EVERY one of them is in
(for one of the accepted queries, where there are several). `tokens` is the mean of the linked part against the mean of
the whole schema; `least` is what the gold columns alone (with the keys of their tables) would cost.
Spider and its Chinese wording: databases with rows, one by one, and all of them merged into one schema of namespaces.
BIRD: schemas with the meanings of columns, no rows. defog: PostgreSQL dumps, with descriptions.
The last column is the median time of the processor for a question, once its schema is indexed. With `--show N` the first
N questions that lack something are printed with what they lack.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from t2s.database import open_database, resolve_connection
from t2s.evaluate.read import read_dataset
from t2s.linking.values import Values, index_values, match_values
from t2s.llm import estimate_tokens
from t2s.pipeline.link import link
from t2s.pipeline.prompt import schema_text
from t2s.settings import ContextSettings
from t2s.sql import check
from t2s.types.query import Valid
from t2s.types.schema import Column, ForeignKey, Schema, Table

MODEL = "claude"
SHARES = (0.1, 0.2, 0.25, 0.5)
FLOOR = 150
"""No budget is less: a schema of 300 tokens needs no linking."""
TOKENS = (1_000, 2_000, 3_000, 6_000)


@dataclass(frozen=True)
class World:
    """A database as it is asked about."""

    schema: Schema
    values: Values


@dataclass(frozen=True)
class Case:
    """A question, its database, and for each accepted query the tables and `table.column`s that it reads."""

    question: str
    world: str
    gold: tuple[tuple[frozenset[str], frozenset[str]], ...]


@dataclass(frozen=True)
class Task:
    """Questions, their databases, and the budgets to try: as shares of the schema, or in tokens."""

    name: str
    cases: list[Case]
    worlds: Mapping[str, World]
    budgets: tuple[float, ...]


def main() -> int:
    """Print the table."""
    default = os.environ.get("T2S_TEST_EVAL", Path(__file__).resolve().parents[2] / "shared" / "eval")
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", nargs="?", type=Path, default=default)
    parser.add_argument("--only", nargs="*", default=list(TASKS))
    parser.add_argument("--show", type=int, default=0)
    arguments = parser.parse_args()
    folder = Path(arguments.folder)
    if not folder.is_dir():
        print(f"no evaluation data: {folder} is not there", file=sys.stderr)
        return 2
    print(
        f"{'data':16} {'asked':>5} {'budget':>7} {'tables':>8} {'columns':>8} {'tokens':>22} {'least':>6} {'CPU ms':>7}"
    )
    for name in arguments.only:
        task = TASKS[name](folder)
        for budget in task.budgets:
            print(row(task, budget, arguments.show), flush=True)
    return 0


def row(task: Task, budget: float, show: int) -> str:
    """One line of the report."""
    tables = columns = 0
    tokens, whole, least, times = [], [], [], []
    for case in task.cases:
        world = task.worlds[case.world]
        full = full_tokens(task.name, case.world, world)
        start = time.process_time()
        part = linked(case.question, world, max(FLOOR, round(budget * full)) if budget <= 1 else int(budget))
        times.append((time.process_time() - start) * 1_000)
        missing = lacking(case, part)
        tables += not missing[0]
        columns += not missing[0] and not missing[1]
        tokens.append(tokens_of(part))
        whole.append(full)
        least.append(min(tokens_of(only(world.schema, *gold)) for gold in case.gold))
        if show and (missing[0] or missing[1]):
            show -= 1
            print(f"  {case.world}: {case.question}\n      lacks {', '.join(sorted(missing[0] | missing[1]))}")
    count, mean = len(task.cases), statistics.mean
    wanted = f"{budget:.0%}" if budget <= 1 else f"{budget:,}"
    cost = f"{mean(tokens):,.0f}/{mean(whole):,.0f} {mean(tokens) / mean(whole):.1%}"
    return (
        f"{task.name:16} {count:5} {wanted:>7} {tables / count:8.1%} {columns / count:8.1%} {cost:>22}"
        f" {mean(least) / mean(whole):6.1%} {statistics.median(times):7.2f}"
    )


def linked(question: str, world: World, budget: int) -> Schema:
    """What the product would show for the question."""
    return link(
        question,
        world.schema,
        match_values(question, world.values),
        tokens=estimate_tokens,
        model=MODEL,
        privacy="values",
        max_tokens=budget,
        max_tables=ContextSettings().max_tables,
    ).schema


def lacking(case: Case, part: Schema) -> tuple[frozenset[str], frozenset[str]]:
    """The gold tables and columns that the part has not, for the query that lacks least."""
    tables = frozenset(t.full_name for t in part.tables)
    columns = frozenset(f"{t.full_name}.{c.name}" for t in part.tables for c in t.columns)
    return min(((gold[0] - tables, gold[1] - columns) for gold in case.gold), key=lambda m: (len(m[0]), len(m[1])))


def only(schema: Schema, tables: frozenset[str], columns: frozenset[str]) -> Schema:
    """The gold tables with the gold columns and the keys."""
    kept = []
    for table in schema.tables:
        if table.full_name in tables:
            keys = {*table.primary_key, *(name for key in table.foreign_keys for name in key.columns)}
            wanted = [c for c in table.columns if c.name in keys or f"{table.full_name}.{c.name}" in columns]
            kept.append(replace(table, columns=tuple(replace(c, samples=(), comment=None) for c in wanted)))
    return replace(schema, tables=tuple(kept))


def tokens_of(schema: Schema) -> int:
    return estimate_tokens(schema_text(schema, "values"), MODEL)


_FULL: dict[tuple[str, str], int] = {}


def full_tokens(task: str, name: str, world: World) -> int:
    if (task, name) not in _FULL:
        _FULL[task, name] = tokens_of(world.schema)
    return _FULL[task, name]


def gold_of(queries: tuple[str, ...], schema: Schema) -> tuple[tuple[frozenset[str], frozenset[str]], ...]:
    """What each query reads; those that do not resolve are left out."""
    found = [valid for sql in queries if isinstance(valid := check(sql, schema), Valid)]
    return tuple((frozenset(valid.tables), frozenset(valid.columns)) for valid in found)


def cases_of(file: Path, worlds: Mapping[str, World]) -> list[Case]:
    """The questions of a file whose SQL resolves; how many do not is said."""
    asked = [case for case in read_dataset(file).cases if case.gold]
    found = [Case(case.asked, case.db, gold_of(case.gold, worlds[case.db].schema)) for case in asked]
    kept = [case for case in found if case.gold]
    if len(kept) < len(asked):
        print(f"{file.name}: {len(asked) - len(kept)} of {len(asked)} gold queries do not resolve", file=sys.stderr)
    return kept


def spider(folder: Path) -> Task:
    return _spider(folder, "Spider", "dev.json")


def spider_zh(folder: Path) -> Task:
    return _spider(folder, "Spider, Chinese", "dev_zh.json")


def _spider(folder: Path, name: str, file: str) -> Task:
    return Task(name, cases_of(folder / "spider" / file, opened(folder)), opened(folder), SHARES)


@cache
def opened(folder: Path) -> dict[str, World]:
    """Spider's databases."""
    worlds = {}
    for file in sorted((folder / "spider" / "database").glob("*/*.sqlite")):
        database = open_database(resolve_connection(str(file), {}, cwd=Path.cwd()), cache_dir=None)
        worlds[file.stem] = World(database.schema(), index_values(database.texts(), database.schema()))
        database.close()
    return worlds


def merged(folder: Path) -> Task:
    """All of Spider's databases as the namespaces of one; the questions do not say which is meant."""
    worlds = opened(folder)
    tables = tuple(within(t, name) for name, world in worlds.items() for t in world.schema.tables)
    values = {(f"{n}.{t}", c): known for n, world in worlds.items() for (t, c), known in world.values.columns.items()}
    schema = Schema(dialect="sqlite", tables=tables, fingerprint="merged")
    cases = [
        Case(case.question, "merged", tuple((prefixed(t, case.world), prefixed(c, case.world)) for t, c in case.gold))
        for case in cases_of(folder / "spider" / "dev.json", worlds)
    ]
    return Task("Spider, merged", cases, {"merged": World(schema, index_values(values, schema))}, TOKENS)


def within(table: Table, namespace: str) -> Table:
    keys = tuple(replace(key, target_table=f"{namespace}.{key.target_table}") for key in table.foreign_keys)
    return replace(table, namespace=namespace, foreign_keys=keys)


def prefixed(names: frozenset[str], namespace: str) -> frozenset[str]:
    return frozenset(f"{namespace}.{name}" for name in names)


def bird(folder: Path) -> Task:
    """BIRD has no rows here; the questions come with their evidence."""
    meanings = json.loads((folder / "bird" / "column_meaning.json").read_text(encoding="utf-8"))
    told = {key.casefold(): text.lstrip("# '").rstrip("'") for key, text in meanings.items()}
    listed = json.loads((folder / "bird" / "tables.json").read_text(encoding="utf-8"))
    worlds = {item["db_id"]: World(_bird_schema(item, told), index_values({})) for item in listed}
    return Task("BIRD", cases_of(folder / "bird" / "mini_dev_sqlite.json", worlds), worlds, SHARES)


def _bird_schema(item: dict[str, Any], told: Mapping[str, str]) -> Schema:
    names, places = item["table_names_original"], item["column_names_original"]
    primary = {number for key in item["primary_keys"] for number in (key if isinstance(key, list) else [key])}
    tables = []
    for number, name in enumerate(names):
        own = [(place, column) for place, (owner, column) in enumerate(places) if owner == number]
        columns = tuple(
            Column(
                name=column,
                type=item["column_types"][place],
                comment=told.get(f"{item['db_id']}|{name}|{column}".casefold()),
            )
            for place, column in own
        )
        keys = tuple(
            ForeignKey(
                columns=(places[source][1],),
                target_table=names[places[target][0]],
                target_columns=(places[target][1],),
            )
            for source, target in item["foreign_keys"]
            if places[source][0] == number
        )
        keyed = tuple(column for place, column in own if place in primary)
        tables.append(Table(name=name, columns=columns, primary_key=keyed, foreign_keys=keys))
    return Schema(dialect="sqlite", tables=tuple(tables), fingerprint=item["db_id"])


def defog(folder: Path) -> Task:
    """Defog's PostgreSQL databases as their dumps describe them; the questions come with their rules."""
    worlds = {file.stem: _defog_world(file) for file in sorted((folder / "defog" / "databases").glob("*.sql"))}
    files = sorted((folder / "defog").glob("*_postgres.csv"))
    return Task("defog", [case for file in files for case in cases_of(file, worlds)], worlds, SHARES)


def _defog_world(file: Path) -> World:
    import sqlglot
    from sqlglot import exp

    told = json.loads(file.with_suffix(".json").read_text(encoding="utf-8"))["table_metadata"]
    comments = {
        (table, column["column_name"]): column["column_description"] or None
        for table, columns in told.items()
        for column in columns
    }
    comments = {(table.rpartition(".")[2].casefold(), c.casefold()): text for (table, c), text in comments.items()}
    dump = re.sub(r"--[^\n]*", "", file.read_text(encoding="utf-8"))
    tables: dict[str, Table] = {}
    rows: dict[str, list[dict[str, Any]]] = {}
    for tree in sqlglot.parse(dump, read="postgres"):
        if isinstance(tree, exp.Create) and tree.kind == "TABLE":
            table = _defog_table(tree, comments)
            tables[table.full_name] = table
        elif isinstance(tree, exp.Insert) and isinstance(tree.expression, exp.Values):
            place = tree.this.this if isinstance(tree.this, exp.Schema) else tree.this
            name = f"{place.db}.{place.name}" if place.db else place.name
            listed = [c.name for c in tree.this.expressions] if isinstance(tree.this, exp.Schema) else []
            listed = listed or [c.name for c in tables[name].columns]
            rows.setdefault(name, []).extend(
                [dict(zip(listed, line.expressions, strict=True)) for line in tree.expression.expressions]
            )
    values = {
        (name, column.name): _texts(rows.get(name, []), column.name)
        for name, table in tables.items()
        for column in table.columns
        if re.search("char|text", column.type, re.IGNORECASE)
    }
    sampled = tuple(
        replace(
            table,
            columns=tuple(
                replace(c, samples=tuple(sorted(texts)) if len(texts := values.get((name, c.name), ())) <= 25 else ())
                for c in table.columns
            ),
        )
        for name, table in tables.items()
    )
    schema = Schema(dialect="postgres", tables=sampled, fingerprint=file.stem)
    return World(schema, index_values(values, schema))


def _texts(rows: list[Any], column: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(row[column].name for row in rows if column in row and row[column].is_string))


def _defog_table(tree: Any, comments: Mapping[tuple[str, str], str | None]) -> Table:
    from sqlglot import exp

    place = tree.this.this
    columns, primary, keys = [], [], []
    for part in tree.this.expressions:
        if isinstance(part, exp.ColumnDef):
            comment = comments.get((place.name.casefold(), part.name.casefold()))
            columns.append(Column(name=part.name, type=part.kind.sql("postgres").lower(), comment=comment))
            primary += [part.name] if part.find(exp.PrimaryKeyColumnConstraint) else []
            if reference := part.find(exp.Reference):
                target = reference.this.this
                name = f"{target.db}.{target.name}" if target.db else target.name
                columns_there = tuple(c.name for c in reference.this.expressions)
                keys.append(ForeignKey(columns=(part.name,), target_table=name, target_columns=columns_there))
        elif isinstance(part, exp.PrimaryKey):
            primary += [column.name for column in part.expressions]
    return Table(
        name=place.name,
        namespace=place.db or None,
        columns=tuple(columns),
        primary_key=tuple(primary),
        foreign_keys=tuple(keys),
    )


TASKS: dict[str, Callable[[Path], Task]] = {
    "spider": spider,
    "spider_zh": spider_zh,
    "merged": merged,
    "bird": bird,
    "defog": defog,
}


if __name__ == "__main__":
    sys.exit(main())
