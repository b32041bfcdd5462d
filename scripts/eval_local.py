"""Measure the local generator on questions with SQL over SQLite files.

    python scripts/eval_local.py dev.json databases/ [--abstain] [--every N] [--out results.jsonl]

Prints execution accuracy per hardness and in all, the precision of the more confident half, milliseconds per question
and for loading. Rows are compared as multisets, as lists where the query that is given orders. Without `--abstain` every question
is answered.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from itertools import permutations
from pathlib import Path

from local_data import Case, Rows, context_of, load_cases, ordered, run, same
from sqlglot import exp, parse_one

from t2s.local import LocalGenerator
from t2s.types.event import ignore
from t2s.types.query import Candidate


@dataclass(frozen=True)
class Outcome:
    """What came of a question; `permuted` when the rows are right but for the order of columns."""

    db: str
    question: str
    gold: str
    sql: str
    right: bool
    permuted: bool
    confidence: float
    hardness: str
    ms: float


def hardness(sql: str) -> str:
    """easy, medium, hard or extra: by Spider's counts of clauses, aggregates and nested queries."""
    tree = parse_one(sql, dialect="sqlite")
    nested = bool(tree.find(exp.SetOperation)) + sum(
        1 for s in tree.find_all(exp.Subquery, exp.In) if s.find(exp.Select)
    )
    select = tree.find(exp.Select)
    assert select is not None
    where, order, group = select.args.get("where"), select.args.get("order"), select.args.get("group")
    clauses = sum(bool(select.args.get(name)) for name in ("where", "group", "order", "limit")) + len(
        select.args.get("joins") or ()
    )
    clauses += len(list(tree.find_all(exp.Or))) + len(list(tree.find_all(exp.Like)))
    others = (len(list(select.find_all(exp.AggFunc))) > 1) + (len(select.expressions) > 1)
    others += bool(where and where.find(exp.And, exp.Or)) + bool(group and len(group.expressions) > 1) + 0 * bool(order)
    if clauses <= 1 and others == 0 and not nested:
        return "easy"
    if not nested and ((others <= 2 and clauses <= 1) or (clauses <= 2 and others < 2)):
        return "medium"
    if (
        (others > 2 and clauses <= 2 and not nested)
        or (2 < clauses <= 3 and others <= 2 and not nested)
        or (clauses <= 1 and not others and nested <= 1)
    ):
        return "hard"
    return "extra"


def permuted(gold: Rows | None, other: Rows | None) -> bool:
    """Whether the rows are equal with their columns in some other order."""
    if not gold or not other or len(gold[0]) != len(other[0]) or len(gold[0]) > 5:
        return False
    orders = permutations(range(len(gold[0])))
    return any(same(gold, [tuple(row[n] for n in order) for row in other], ordered=False) for order in orders)


def outcome(case: Case, generator: LocalGenerator) -> Outcome:
    context = context_of(case)
    start = time.perf_counter()
    (draft, *_), _ = generator.generate(context, rejected=(), n=1, on_event=ignore)
    ms = (time.perf_counter() - start) * 1000
    sql = draft.sql if isinstance(draft, Candidate) else ""
    gold, rows = run(case.file, case.sql), run(case.file, sql) if sql else None
    right = same(gold, rows, ordered=ordered(case.sql))
    sure = draft.confidence if isinstance(draft, Candidate) and draft.confidence is not None else 0.0
    return Outcome(
        case.db, case.question, case.sql, sql, right, right or permuted(gold, rows), sure, hardness(case.sql), ms
    )


def share(found: list[Outcome]) -> str:
    return f"{sum(o.right for o in found)}/{len(found)} = {sum(o.right for o in found) / max(1, len(found)):.1%}"


def report(outcomes: list[Outcome]) -> None:
    groups: dict[str, list[Outcome]] = defaultdict(list)
    for one in outcomes:
        groups[one.hardness].append(one)
    for name in ("easy", "medium", "hard", "extra"):
        print(f"{name:>8}  {share(groups[name])}")
    print(
        f"{'all':>8}  {share(outcomes)}   (columns in any order: {sum(o.permuted for o in outcomes) / len(outcomes):.1%})"
    )
    answered = [o for o in outcomes if o.sql]
    print(f"answered  {len(answered)}/{len(outcomes)}, of these right {share(answered)}")
    surest = sorted(outcomes, key=lambda o: -o.confidence)[: len(outcomes) // 2]
    print(f"the more confident half  {share(surest)}")
    times = sorted(o.ms for o in outcomes)
    print(f"p50 {times[len(times) // 2]:.0f} ms, p95 {times[int(len(times) * 0.95)]:.0f} ms")
    for name in sorted({o.db for o in outcomes}):
        print(f"{name:>32}  {share([o for o in outcomes if o.db == name])}")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("questions", type=Path)
    options.add_argument("databases", type=Path)
    options.add_argument("--abstain", action="store_true")
    options.add_argument("--every", type=int, default=1, help="take every Nth question")
    options.add_argument("--out", type=Path)
    given = options.parse_args()
    start = time.perf_counter()
    from t2s.local.parser.weights import load

    load()
    print(f"load {(time.perf_counter() - start) * 1000:.0f} ms")
    generator = LocalGenerator() if given.abstain else LocalGenerator(min_confidence=0.0)
    cases = load_cases(given.questions, given.databases)[:: given.every]
    with ProcessPoolExecutor(2) as pool:
        outcomes = list(pool.map(partial(outcome, generator=generator), cases, chunksize=20))
    if given.out:
        given.out.write_text("\n".join(json.dumps(asdict(o), ensure_ascii=False) for o in outcomes), encoding="utf-8")
    report(outcomes)


if __name__ == "__main__":
    main()
