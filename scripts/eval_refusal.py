"""Measure whether the local generator refuses what a database cannot answer, and only that.

    python scripts/eval_refusal.py idk.csv answerable.csv … --postgres postgresql://user@host/postgres --dumps dumps/ [--show]

All are CSV files with `question, query, db_name`; the first one's questions have no answer. The databases are dumps `NAME.sql`
that are loaded into new PostgreSQL databases and dropped again. Prints what came of each kind of question.
"""

from __future__ import annotations

import argparse
from collections import Counter
from datetime import date
from pathlib import Path

from eval_checks import loaded

from t2s.database import Connection, open_database
from t2s.linking.values import index_values, match_values
from t2s.local import LocalGenerator
from t2s.types.event import ignore
from t2s.types.query import Abstained, Candidate, Clarification, Context, Draft


def drafts(files: list[Path], server: str, dumps: Path) -> list[tuple[str, str, Draft]]:
    """Database, question and what the local generator says, for each question of the files."""
    found = []
    with loaded(files, server, dumps) as by_url:
        for url, cases in by_url.items():
            database = open_database(Connection(name=url, url=url, privacy="values"), cache_dir=None)
            schema = database.schema()
            values = index_values(database.texts(), schema)
            for case in cases:
                matches = match_values(case.question, values)
                context = Context(
                    question=case.question, schema=schema, whole=True, today=date(2026, 11, 21), values=matches
                )
                (draft, *_), _ = LocalGenerator().generate(context, rejected=(), n=1, on_event=ignore)
                found.append((url.rpartition("_")[2], case.question, draft))
            database.close()
    return found


def report(title: str, found: list[tuple[str, str, Draft]], *, show: bool) -> None:
    kinds = {Candidate: "answered", Abstained: "refused", Clarification: "asked back"}
    counts = Counter(kinds[type(draft)] for _, _, draft in found)
    print(
        f"{title}: {len(found)} questions, "
        + ", ".join(f"{n} {kind} ({n / len(found):.0%})" for kind, n in sorted(counts.items()))
    )
    for db, question, draft in sorted(found, key=lambda one: kinds[type(one[2])]) if show else ():
        said = {Candidate: "sql", Abstained: "reason", Clarification: "question"}[type(draft)]
        print(f"  {kinds[type(draft)]:>10} {db}: {question}\n             {getattr(draft, said)}")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("unanswerable", type=Path)
    options.add_argument("answerable", type=Path, nargs="+")
    options.add_argument("--postgres", required=True)
    options.add_argument("--dumps", type=Path, required=True)
    options.add_argument("--show", action="store_true")
    given = options.parse_args()
    report("without an answer", drafts([given.unanswerable], given.postgres, given.dumps), show=given.show)
    report("with an answer", drafts(given.answerable, given.postgres, given.dumps), show=given.show)


if __name__ == "__main__":
    main()
