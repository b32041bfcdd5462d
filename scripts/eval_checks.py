"""Measure the sanity checks: how many right queries they doubt, and how many mistakes they find.

    python scripts/eval_checks.py dev.json [more.json …] --databases databases/ [--every N] [--show CODE]
    python scripts/eval_checks.py questions.csv --postgres postgresql://user@host/postgres --dumps dumps/ [--show CODE]

The first form reads Spider's layout. Mistakes of each kind are put into its queries; those that change the result count.
The second reads a CSV with `question, query, db_name`, whose databases are dumps `NAME.sql` that are loaded into new
PostgreSQL databases and dropped again; of `{a, b}` in a query all columns are taken, and of several queries the first.
With `--show CODE` (or `all`) the doubted queries are printed with what is said of them.
"""

from __future__ import annotations

import argparse
import csv
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mistakes import MISTAKES

from t2s.database import Connection, open_database
from t2s.errors import QueryError
from t2s.pipeline.check import check
from t2s.pipeline.sanity import doubts
from t2s.pipeline.vote import essence
from t2s.types.database import Database
from t2s.types.query import Problem, Rejected, ResultSet


@dataclass(frozen=True)
class Case:
    """A question with its query."""

    question: str
    sql: str


@dataclass(frozen=True)
class Found:
    """What the checks say of one query; `mistake` is the code of what was put in, if anything."""

    db: str
    case: Case
    problems: tuple[Problem, ...]
    mistake: str = ""


def look(item: tuple[str, tuple[Case, ...], bool]) -> list[Found]:
    """The findings on the queries of one database, as they are and (where wanted) with mistakes."""
    url, cases, with_mistakes = item
    database = open_database(Connection(name=url, url=url, privacy="values"), cache_dir=None)
    name, found = url.rpartition("/")[2], []
    for case in cases:
        result = _rows(case.sql, database)
        if result is None:
            continue
        found.append(Found(name, case, doubts(case.sql, case.question, result, database.schema(), database)))
        for code, spoil in MISTAKES.items() if with_mistakes else ():
            spoilt = spoil(case.sql, database.schema())
            wrong, one, other = (_rows(sql, database) for sql in spoilt) if spoilt else (None, None, None)
            if spoilt and wrong and one and other and essence(one) != essence(other):
                problems = doubts(spoilt[0], case.question, wrong, database.schema(), database)
                found.append(Found(name, Case(case.question, spoilt[0]), problems, code))
    database.close()
    return found


def _rows(sql: str, database: Database) -> ResultSet | None:
    if isinstance(check(sql, database.schema(), database), Rejected):
        return None
    try:
        return database.run(sql, limit=10_000, timeout=5.0)
    except QueryError:
        return None


def report(found: list[Found], show: str | None) -> None:
    right = [f for f in found if not f.mistake]
    total = len(right)
    for severity in ("doubt", "warning"):
        count = sum(any(p.severity == severity for p in f.problems) for f in right)
        print(f"{total} right queries: {count} = {count / total:.2%} with a {severity}")
    codes = Counter((p.severity, code) for f in right for code, p in {p.code: p for p in f.problems}.items())
    for (severity, code), count in sorted(codes.items(), key=lambda item: -item[1]):
        print(f"  {severity:>8} {code:<20} {count:>5}  {count / total:.2%}")
    for code in MISTAKES:
        spoilt = [f for f in found if f.mistake == code]
        caught = [f for f in spoilt if any(p.code == code.partition(" ")[0] for p in f.problems)]
        if spoilt:
            print(f"  mistake  {code:<28} {len(caught)}/{len(spoilt)} = {len(caught) / len(spoilt):.1%} found")
    for f in found:
        missed = f.mistake and f.mistake == show and not any(p.code == show.partition(" ")[0] for p in f.problems)
        said = [p for p in f.problems if not f.mistake and show in (p.code, "all")]
        if said or missed:
            print(f"\n{f.db}: {f.case.question}\n  {f.case.sql}")
        for p in said:
            print(f"  -> {p.severity} {p.code}: {p.message}; {p.remedy}; {p.suggestion}")


def spider(files: list[Path], databases: Path, every: int) -> dict[str, list[Case]]:
    """The distinct queries of each database, by its URL."""
    by_db: defaultdict[str, dict[str, Case]] = defaultdict(dict)
    for file in files:
        for item in json.loads(file.read_text(encoding="utf-8"))[::every]:
            url = f"sqlite:///{databases / item['db_id'] / (item['db_id'] + '.sqlite')}"
            by_db[url].setdefault(item["query"], Case(item["question"], item["query"]))
    return {url: list(cases.values()) for url, cases in by_db.items()}


@contextmanager
def loaded(files: list[Path], server: str, dumps: Path) -> Iterator[dict[str, list[Case]]]:
    """The queries of CSV files, by the URL of a PostgreSQL database that is there meanwhile."""
    import psycopg

    by_db: defaultdict[str, list[Case]] = defaultdict(list)
    for file in files:
        for row in csv.DictReader(file.open(encoding="utf-8")):
            by_db[row["db_name"]].append(Case(row["question"], whole(row["query"].split(";")[0])))
    base = server.rpartition("/")[0]
    with psycopg.connect(server, autocommit=True) as admin:
        try:
            for name in by_db:
                admin.execute(f"DROP DATABASE IF EXISTS t2s_eval_{name}")
                admin.execute(f"CREATE DATABASE t2s_eval_{name}")
                with psycopg.connect(f"{base}/t2s_eval_{name}", autocommit=True) as loader:
                    loader.execute((dumps / f"{name}.sql").read_text(encoding="utf-8"))
            yield {f"{base}/t2s_eval_{name}": cases for name, cases in by_db.items()}
        finally:
            for name in by_db:
                admin.execute(f"DROP DATABASE IF EXISTS t2s_eval_{name} WITH (FORCE)")


def whole(query: str) -> str:
    """The query with every column of its braces; `GROUP BY {}` takes the same."""
    columns = ", ".join(re.findall(r"\{([^}]+)\}", query))
    return re.sub(r"\{([^}]+)\}", r"\1", query.replace("{}", columns))


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("questions", type=Path, nargs="+")
    options.add_argument("--databases", type=Path)
    options.add_argument("--postgres")
    options.add_argument("--dumps", type=Path)
    options.add_argument("--every", type=int, default=1, help="take every Nth question")
    options.add_argument("--show")
    given = options.parse_args()
    if given.databases:
        run(spider(given.questions, given.databases, given.every), given.show, with_mistakes=True)
        return
    with loaded(given.questions, given.postgres, given.dumps) as by_url:
        run(by_url, given.show, with_mistakes=False)


def run(by_url: dict[str, list[Case]], show: str | None, *, with_mistakes: bool) -> None:
    items = [(url, tuple(cases), with_mistakes) for url, cases in by_url.items()]
    with ProcessPoolExecutor(2) as pool:
        report([f for part in pool.map(look, items) for f in part], show)


if __name__ == "__main__":
    main()
