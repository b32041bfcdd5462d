"""How often the right memory is among the first five: by words alone, by vectors alone, by both.

    python scripts/eval_recall.py [EVAL_FOLDER]      (else $T2S_TEST_EVAL, else ../shared/eval)

Three tasks over public questions:
  tables     Spider's questions (a sample) against the tables of all its databases in one scope; share of gold tables found
  example    Spider's reworded questions against the verified queries of the original ones of their database
  glossary   defog's questions with a rule against all rules of their database
"""

from __future__ import annotations

import csv
import json
import os
import random
import sys
import tempfile
import time
import uuid
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

K = 5
SAMPLE = 400
Case = tuple[str, str, set[str]]
"""Scope, question, keys of the right memories."""


def main() -> int:
    default = os.environ.get("T2S_TEST_EVAL", Path(__file__).resolve().parents[2] / "shared" / "eval")
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else default)
    if not folder.is_dir():
        print(f"no evaluation data: {folder} is not there", file=sys.stderr)
        return 2
    print(f"recall@{K}            words  vectors     both   cases")
    for name, task in (
        ("tables, English", tables),
        ("tables, Chinese", tables_zh),
        ("example", examples),
        ("glossary", glossary),
    ):
        documents, cases = task(folder)
        shares = measure(documents, random.Random(1).sample(cases, min(SAMPLE, len(cases))))
        print(f"{name:18} {shares[0]:8.3f} {shares[1]:8.3f} {shares[2]:8.3f} {min(SAMPLE, len(cases)):7}", flush=True)
    return 0


def measure(documents: Iterable[tuple[str, str, str]], cases: list[Case]) -> list[float]:
    """Mean share of the right keys among the first five, with words alone, vectors alone, and both."""
    from t2s.ledger import memories as store
    from t2s.ledger import open_ledger
    from t2s.memory.embed import Lexical
    from t2s.memory.index import Index
    from t2s.memory.memories import searchable
    from t2s.memory.search import Searcher
    from t2s.types.memory import Memory

    with tempfile.TemporaryDirectory() as name:
        ledger = open_ledger(":memory:")
        searcher = Searcher(ledger=ledger, embedder=Lexical(), index=Index(name, Path(name)))
        now = time.time()
        new = [
            Memory(
                id=str(uuid.uuid4()), kind="query", scope=scope, key=key, content=text, user="u", session_id="s",
                datasource="d", created=now, last_access=now, valid_from=now,
            )
            for scope, key, text in documents
        ]  # fmt: skip
        store.add_all(ledger, [(memory, searchable(searcher, memory)) for memory in new])
        shares = []
        for share in (0.0, 1.0, None):
            tuned = replace(searcher, vector_share=share)
            found = [
                len(right & {m.key for m, _ in tuned.search(question, [scope], k=K, timeout=60).memories}) / len(right)
                for scope, question, right in cases
            ]
            shares.append(sum(found) / len(found))
        ledger.close()
    return shares


def tables(folder: Path) -> tuple[list[tuple[str, str, str]], list[Case]]:
    return _tables(folder, "dev.json")


def tables_zh(folder: Path) -> tuple[list[tuple[str, str, str]], list[Case]]:
    return _tables(folder, "dev_zh.json")


def _tables(folder: Path, questions: str) -> tuple[list[tuple[str, str, str]], list[Case]]:
    import sqlglot
    from sqlglot import exp

    documents = []
    for schema in json.loads((folder / "spider" / "tables.json").read_text()):
        for number, table in enumerate(schema["table_names_original"]):
            names = [name for owner, name in schema["column_names_original"] if owner == number]
            spoken = [name for owner, name in schema["column_names"] if owner == number]
            text = f"{table}({', '.join(names)}) {schema['table_names'][number]}: {', '.join(spoken)}"
            documents.append(("all", f"{schema['db_id']}.{table}".casefold(), text))
    cases = []
    for item in json.loads((folder / "spider" / questions).read_text()):
        tree = sqlglot.parse_one(item["query"], read="sqlite")
        right = {f"{item['db_id']}.{table.name}".casefold() for table in tree.find_all(exp.Table)}
        cases.append(("all", item["question"], right))
    return documents, cases


def examples(folder: Path) -> tuple[list[tuple[str, str, str]], list[Case]]:
    documents, cases = [], []
    for number, item in enumerate(json.loads((folder / "spider" / "train.json").read_text())):
        documents.append((item["db_id"], str(number), f"{item['question']}\n{item['query']}"))
        cases.append((item["db_id"], item["synonym_question"], {str(number)}))
    return documents, cases


def glossary(folder: Path) -> tuple[list[tuple[str, str, str]], list[Case]]:
    rules: dict[tuple[str, str], str] = {}
    cases = []
    for file in sorted((folder / "defog").glob("*_postgres.csv")):
        for row in csv.DictReader(file.open(encoding="utf-8")):
            found = [rule.strip() for rule in (row.get("instructions") or "").split("\n") if rule.strip()]
            for rule in (row.get("full_instructions") or "").split("\n"):
                if rule.strip():
                    rules[row["db_name"], rule.strip()] = rule.strip()
            for rule in found:
                rules[row["db_name"], rule] = rule
            if found:
                cases.append((row["db_name"], row["question"], {f"{row['db_name']} {rule}" for rule in found}))
    return [(db, f"{db} {rule}", rule) for db, rule in rules], cases


if __name__ == "__main__":
    sys.exit(main())
