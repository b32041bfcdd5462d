"""Compare our verdicts and hardness with those of the public Spider evaluator.

    PYTHONPATH=deps python scripts/eval_agreement.py CLONE dev.json [--every N] [--out differences.jsonl]

CLONE is a checkout of taoyds/test-suite-sql-eval; `pip install --target deps sqlparse nltk tqdm` has what it wants. Every
gold query is held against itself, harmless rewrites, mutants, gold queries of other questions over the same database, and what
the local generator makes of the question; both evaluators judge each pair, keeping DISTINCT and ignoring it.
"""

from __future__ import annotations

import argparse
import importlib
import json
import random
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from sqlglot import exp, parse_one

from t2s.database import open_database, resolve_connection
from t2s.evaluate.cases import Case
from t2s.evaluate.databases import locate
from t2s.evaluate.hardness import hardness
from t2s.evaluate.outcome import judge, run_gold
from t2s.evaluate.read import read_dataset
from t2s.linking.values import index_values, match_values
from t2s.local import LocalGenerator
from t2s.types.database import Database
from t2s.types.event import ignore
from t2s.types.query import Answer, Candidate, Context

OTHERS = 6
"""Gold queries of other questions that are held against a question."""
TIMEOUT_S = 30.0


@dataclass(frozen=True, kw_only=True)
class Pair:
    """A gold query and another one: how it was made, and what both evaluators say of it."""

    kind: str
    db: str
    gold: str
    sql: str
    ours: bool
    theirs: bool
    distinct_kept: bool


def rewrites(tree: exp.Expr) -> Iterator[exp.Expr]:
    """Queries that mean the same: columns turned round, names for them, aliases, a subquery around it."""
    select = tree.find(exp.Select)
    if isinstance(tree, exp.Select) and select is not None:
        turned = tree.copy()
        turned.set("expressions", turned.expressions[::-1])
        yield turned
        named = tree.copy()
        named.set(
            "expressions",
            [exp.alias_(e.unalias(), f"c{n}") for n, e in enumerate(named.expressions) if not e.is_star]
            or named.expressions,
        )
        if len(named.expressions) == len(tree.expressions):
            yield named
        if not tree.args.get("order"):
            yield exp.select("*").from_(tree.copy().subquery("inner_query"))
    conjoined = tree.copy()
    for both in list(conjoined.find_all(exp.And)):
        left, right = both.this.copy(), both.expression.copy()
        both.set("this", right)
        both.set("expression", left)
    yield conjoined


def mutants(tree: exp.Expr) -> Iterator[exp.Expr]:
    """Queries with one thing changed: mostly wrong, sometimes right by chance."""
    changes: list[tuple[type[exp.Expr], Callable[[Any], exp.Expr | None]]] = [
        (exp.EQ, lambda n: exp.NEQ(this=n.this, expression=n.expression)),
        (exp.GT, lambda n: exp.GTE(this=n.this, expression=n.expression)),
        (exp.LT, lambda n: exp.GT(this=n.this, expression=n.expression)),
        (exp.Max, lambda n: exp.Min(this=n.this)),
        (exp.Avg, lambda n: exp.Sum(this=n.this)),
        (exp.And, lambda n: exp.Or(this=n.this, expression=n.expression)),
        (exp.Intersect, lambda n: exp.Union(this=n.this, expression=n.expression)),
        (exp.Except, lambda n: exp.Intersect(this=n.this, expression=n.expression)),
        (exp.Union, lambda n: exp.Union(this=n.this, expression=n.expression, distinct=False)),
        (exp.Ordered, lambda n: exp.Ordered(this=n.this, desc=not n.args.get("desc"))),
        (exp.Limit, lambda n: exp.Limit(expression=exp.Literal.number(2))),
        (exp.Literal, lambda n: exp.Literal.number(int(n.this) + 1) if n.is_int else None),
        (exp.Where, lambda n: exp.Where(this=exp.true())),
        (exp.Having, lambda n: exp.Having(this=exp.true())),
        (exp.Join, lambda n: exp.Join(this=n.this, side="LEFT", on=n.args.get("on"))),
    ]
    for kind, change in changes:
        copy = tree.copy()
        node = copy.find(kind)
        new = change(node) if node is not None else None
        if node is not None and new is not None:
            node.replace(new)
            yield copy
    for clause in ("order", "limit", "group", "distinct"):
        copy = tree.copy()
        select = copy.find(exp.Select)
        if select is not None and select.args.get(clause):
            select.set(clause, None)
            yield copy
    copy = tree.copy()
    select = copy.find(exp.Select)
    if select is not None and not select.args.get("distinct"):
        select.set("distinct", exp.Distinct())
        yield copy
    if select is not None and len(tree.find(exp.Select).expressions) > 1:  # type: ignore[union-attr]
        copy = tree.copy()
        first = copy.find(exp.Select)
        assert first is not None
        first.set("expressions", first.expressions[:-1])
        yield copy


def text(tree: exp.Expr) -> str:
    return tree.sql(dialect="sqlite", comments=False)


@cache
def opened(target: str) -> tuple[Database, Any, Any]:
    database = open_database(resolve_connection(target, {}, cwd=Path.cwd()), cache_dir=None)
    schema = database.schema()
    return database, schema, index_values(database.texts(), schema)


def local_answer(case: Case, target: str) -> str | None:
    """What the local generator would say if it always said something."""
    from datetime import date

    _, schema, values = opened(target)
    context = Context(question=case.question, schema=schema, whole=True, today=date(2026, 11, 21), values=match_values(case.question, values))  # fmt: skip
    (draft, *_), _ = LocalGenerator(min_confidence=0.0).generate(context, rejected=(), n=1, on_event=ignore)
    return draft.sql if isinstance(draft, Candidate) else None


def candidates(case: Case, cases: list[Case], target: str, chance: random.Random) -> Iterator[tuple[str, str]]:
    gold = case.gold[0]
    yield "the gold query itself", gold
    try:
        tree = parse_one(gold, dialect="sqlite")
    except Exception:
        tree = None
    if tree is not None:
        yield from (("harmless rewrites", text(one)) for one in rewrites(tree))
        yield from (("mutants", text(one)) for one in mutants(tree))
    others = [other.gold[0] for other in cases if other.db == case.db and other.gold[0] != gold]
    yield from (("other questions' gold", one) for one in chance.sample(others, min(OTHERS, len(others))))
    local = local_answer(case, target)
    if local is not None:
        yield "the local generator's", local


def ours(case: Case, sql: str, database: Database) -> tuple[bool, bool]:
    """Our verdicts: with DISTINCT kept, and ignored."""
    gold = run_gold(case, database, timeout=TIMEOUT_S)
    answer = Answer(question=case.question, status="ok", sql=sql, tables=("some",))
    found = judge(case, gold, answer, database, model="", timeout=TIMEOUT_S)
    return found.state == "right", found.right_but_distinct


def theirs(evaluator: Any, file: str, gold: str, sql: str, *, keep_distinct: bool) -> bool:
    return bool(evaluator.eval_exec_match(db=file, p_str=sql, g_str=gold, plug_value=False, keep_distinct=keep_distinct, progress_bar_for_each_datapoint=False))  # fmt: skip


def their_hardness(clone: Path) -> Callable[[str, str], str | None]:
    import nltk

    nltk.word_tokenize = nltk.tokenize.NLTKWordTokenizer().tokenize  # the same words, without downloaded data
    evaluation, process = importlib.import_module("evaluation"), importlib.import_module("process_sql")
    evaluator = evaluation.Evaluator()

    def level(file: str, gold: str) -> str | None:
        try:
            return str(evaluator.eval_hardness(process.get_sql(process.Schema(process.get_schema(file)), gold)))
        except Exception:
            return None

    return level


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("clone", type=Path)
    options.add_argument("dataset", type=Path)
    options.add_argument("--every", type=int, default=1, help="take every Nth question")
    options.add_argument("--out", type=Path, help="write what they disagree on")
    given = options.parse_args()
    sys.path.insert(0, str(given.clone))
    evaluator = importlib.import_module("exec_eval")
    level = their_hardness(given.clone)
    dataset = read_dataset(given.dataset)
    targets = locate(dataset, folder=None, template=None)
    cases = [case for case in dataset.cases if case.gold]
    chance = random.Random(0)
    pairs: list[Pair] = []
    levels: Counter[tuple[str | None, str]] = Counter()
    for case in cases[:: given.every]:
        file, gold = targets[case.db], case.gold[0]
        database = opened(file)[0]
        levels[level(file, gold), hardness(gold, "sqlite")] += 1
        for kind, sql in candidates(case, cases, file, chance):
            kept, ignored = ours(case, sql, database)
            for verdict, distinct_kept in ((kept, True), (ignored, False)):
                try:
                    other = theirs(evaluator, file, gold, sql, keep_distinct=distinct_kept)
                except AssertionError:  # the gold query itself does not run
                    continue
                pairs.append(Pair(kind=kind, db=case.db, gold=gold, sql=sql, ours=verdict, theirs=other, distinct_kept=distinct_kept))  # fmt: skip
    report(pairs, levels)
    if given.out:
        lines = [json.dumps(asdict(pair), ensure_ascii=False) for pair in pairs if pair.ours != pair.theirs]
        given.out.write_text("".join(line + "\n" for line in lines), encoding="utf-8")


def report(pairs: list[Pair], levels: Counter[tuple[str | None, str]]) -> None:
    for kept in (True, False):
        print(f"DISTINCT {'kept' if kept else 'ignored'}: agreed on, of those they call right and wrong")
        groups: dict[str, list[Pair]] = defaultdict(list)
        for pair in pairs:
            if pair.distinct_kept == kept:
                groups[pair.kind].append(pair)
                groups["all"].append(pair)
        for kind, own in groups.items():
            right, wrong = [p for p in own if p.theirs], [p for p in own if not p.theirs]
            agreed = [sum(p.ours == p.theirs for p in some) for some in (right, wrong)]
            print(
                f"{kind:>24}  {sum(agreed)}/{len(own)}   right {agreed[0]}/{len(right)}   wrong {agreed[1]}/{len(wrong)}"
            )
    known = Counter({pair: count for pair, count in levels.items() if pair[0] is not None})
    same = sum(count for (their, our), count in known.items() if their == our)
    print(f"hardness: {same}/{known.total()} agree; {levels.total() - known.total()} golds their parser cannot read")
    for (their, our), count in known.items():
        if their != our:
            print(f"    they say {their}, we say {our}: {count}")


if __name__ == "__main__":
    main()
