"""Train the local generator's parser on questions with SQL; needs numpy, scikit-learn and lightgbm beside t2s.

    python scripts/train_local.py train.json databases/ t2s/local/parser/weights.json.gz [--every N] [--measure]
        [--team knowledge.yaml shop.sqlite]…

The questions are a JSON list of {"db_id", "question", "query"}; databases/<db_id>/<db_id>.sqlite has the data. With
`--team` the verified queries of a team (`t2s memory export`) over an SQLite file of its are learnt from as well, and
`local.weights` names the file of weights to use. The
ranker learns from queries that models of other databases propose. `--measure` trains on part of the databases
and reports on the rest instead of writing weights; `--every N` takes every Nth question for the ranker.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
from local_data import Case, Rows, alike, context_of, folds, load_cases, opened, run, team_cases
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from t2s.linking.values import match_values
from t2s.local.parser.gold import tree_of
from t2s.local.parser.model import (
    COLUMN_ROLES,
    Model,
    essence,
    propose,
    rows_of_columns,
    rows_of_computed,
    rows_of_tables,
    standing,
)
from t2s.local.parser.query import Column, Query
from t2s.local.parser.said import hear
from t2s.local.parser.shapes import PARTS, Linear, Shape, word_features
from t2s.local.parser.trees import Trees
from t2s.local.parser.units import amounts, units
from t2s.local.parser.weights import dump
from t2s.local.rules import answer_by_rules
from t2s.types.query import Candidate, Context

SEED = 7
FOLDS = 3
MIN_DATABASES = 2
"""A shape counts when so many databases have it."""

UNANSWERABLE = 3
"""For so many questions the confidence sees one that cannot be answered."""

MIN_WEIGHT = 0.2
"""Smaller weights of words are dropped, for size."""

_FLAT = {
    "objective": "binary",
    "verbosity": -1,
    "seed": SEED,
    "deterministic": True,
    "num_threads": 2,
}
_ROLE = {**_FLAT, "num_leaves": 24, "min_data_in_leaf": 30, "feature_fraction": 0.5, "learning_rate": 0.15,
         "lambda_l2": 10.0, "min_sum_hessian_in_leaf": 5.0}  # fmt: skip
"""Few columns play a role: without the last two a leaf that is all but certain gets a weight without bounds."""

_RANK = {**_FLAT, "objective": "lambdarank", "num_leaves": 24, "min_data_in_leaf": 60, "feature_fraction": 0.6,
         "learning_rate": 0.1, "lambdarank_truncation_level": 5}  # fmt: skip

_SURE = {**_FLAT, "num_leaves": 16, "min_data_in_leaf": 60, "feature_fraction": 0.5, "learning_rate": 0.06}


@dataclass(frozen=True)
class Lesson:
    """What one question teaches: rows and labels for every role, the words and the parts of its shape."""

    rows: dict[str, tuple[np.ndarray, np.ndarray]]
    words: dict[str, float]
    tree: Query
    db: str


def branches(query: Query) -> list[Query]:
    """The query and all queries in it."""
    found = [query, *(branches(query.other) if query.other else [])]
    for condition in (*query.where, *query.having):
        found += branches(condition.query) if condition.query else []
    return found


def lesson(case: Case) -> Lesson | None:
    schema, _ = opened(case.file)
    tree = tree_of(case.sql, schema)
    if tree is None:
        return None
    said = hear(context_of(case))
    if not said.words:
        return None
    columns = rows_of_columns(said)
    parts = branches(tree)
    gold = {
        "select": {e.column for e in tree.select if not e.function},
        "where": {c.left.column for q in parts for c in q.where if not (c.query and c.operator.endswith("in"))},
        "group": {g for q in parts for g in q.group},
        "order": {e.column for q in parts for e in q.order if not e.function},
    }
    rows = {role: (list(columns.values()), [c in gold[role] for c in columns]) for role in COLUMN_ROLES}
    wanted = {(e.function, e.column) for q in parts for e in (*q.select, *q.order, *(h.left for h in q.having))}
    computed = rows_of_computed(said, columns)
    rows["computed"] = list(computed.values()), [key in wanted for key in computed]
    tables = rows_of_tables(said)
    read = {table for q in parts for table in q.tables}
    rows["table"] = list(tables.values()), [table in read for table in tables]
    asked = {(c.left.column, c.operator, _plain(c.values)) for q in parts for c in q.where if c.values}
    compared = sorted(columns, key=lambda c: (c not in gold["where"], -said.best(c)))
    found = units(said, amounts(said), compared)
    labels = [(u.column, u.condition.operator, _plain(u.condition.values)) in asked for u in found]
    rows["unit"] = [[*u.features, *columns[u.column]] for u in found], labels
    packed = {role: (np.array(x, dtype=np.float32), np.array(y, dtype=bool)) for role, (x, y) in rows.items()}
    return Lesson(packed, word_features(said), tree, case.db)


def _plain(values: tuple[Any, ...]) -> tuple[str, ...]:
    return tuple((f"{v:g}" if isinstance(v, float) else str(v)).casefold() for v in values)


def boosted(parameters: dict[str, Any], rounds: int, x: np.ndarray, y: np.ndarray, **more: Any) -> Trees:
    """Train trees and take them over as plain lists."""
    model = lightgbm.train(parameters, lightgbm.Dataset(x, y, **more), rounds)
    return Trees(tuple(_tree(info["tree_structure"]) for info in model.dump_model()["tree_info"]))


def _tree(root: dict[str, Any]) -> Any:
    features: list[int] = []
    limits: list[float] = []
    left: list[int] = []
    right: list[int] = []
    leaves: list[float] = []

    def add(node: dict[str, Any]) -> int:
        if "leaf_value" in node:
            leaves.append(round(node["leaf_value"], 4))
            return ~(len(leaves) - 1)
        place = len(features)
        features.append(node["split_feature"])
        limits.append(float(f"{node['threshold']:.6g}"))
        left.append(0)
        right.append(0)
        left[place] = add(node["left_child"])
        right[place] = add(node["right_child"])
        return place

    if "leaf_value" in root:  # nothing to tell apart
        return [0], [0.0], [~0], [~0], [root["leaf_value"]]
    add(root)
    return features, limits, left, right, leaves


def shapes_of(lessons: list[Lesson]) -> tuple[Shape, ...]:
    counts = Counter(lesson.tree.sketch for lesson in lessons)
    databases: dict[str, set[str]] = {}
    first: dict[str, Query] = {}
    for one in lessons:
        databases.setdefault(one.tree.sketch, set()).add(one.db)
        first.setdefault(one.tree.sketch, one.tree)
    kept = [sketch for sketch, _ in counts.most_common() if len(databases[sketch]) >= MIN_DATABASES]
    return tuple(Shape(first[s], first[s].parts, round(float(np.log(counts[s])), 2)) for s in kept)


def linear(words: list[dict[str, float]], labels: list[str], least: int = 6) -> Linear:
    """A multinomial classifier whose small weights are dropped."""
    counts = Counter(name for found in words for name in found)
    names = [name for name, count in counts.most_common(9000) if count >= least]
    number = {name: n for n, name in enumerate(names)}
    common = Counter(labels)
    kept = [label if common[label] >= 4 else "" for label in labels]
    data, row_of, column_of = [], [], []
    for n, found in enumerate(words):
        for name, value in found.items():
            if name in number:
                data.append(value)
                row_of.append(n)
                column_of.append(number[name])
    x = csr_matrix((data, (row_of, column_of)), shape=(len(words), len(names)))
    model = LogisticRegression(C=3.0, max_iter=120)
    model.fit(x, kept)
    classes = [str(c) for c in model.classes_]
    coefficients = model.coef_ if len(classes) > 2 else np.vstack([-model.coef_[0], model.coef_[0]]) / 2
    bias = model.intercept_ if len(classes) > 2 else np.array([-model.intercept_[0], model.intercept_[0]]) / 2
    weights = {name: _telling(coefficients[:, n]) for name, n in number.items()}
    weights = {name: found for name, found in weights.items() if found}
    return Linear(tuple(classes), tuple(np.round(bias, 3).tolist()), weights)


def learn(lessons: list[Lesson]) -> Model:
    """Everything but the ranker."""
    roles = {}
    for role in lessons[0].rows:
        x = np.concatenate([one.rows[role][0] for one in lessons if len(one.rows[role][0])])
        y = np.concatenate([one.rows[role][1] for one in lessons if len(one.rows[role][0])])
        roles[role] = boosted(_ROLE, 80, x, y)
    shapes = shapes_of(lessons)
    words = [one.words for one in lessons]
    parts = tuple(linear(words, [one.tree.parts[n] for one in lessons]) for n in range(PARTS))
    return Model(roles=roles, shapes=shapes, parts=parts)


def _telling(weights: np.ndarray) -> list[int]:
    return [item for n, w in enumerate(weights) if abs(w) >= MIN_WEIGHT for item in (n, round(float(w) * 100))]


@dataclass(frozen=True)
class Tried:
    """What a model proposed for a question: features, whether the rows are right, and the essence in numbers."""

    case: Case
    rows: np.ndarray
    right: list[bool]
    essences: list[tuple[int, ...]]

    def first(self, ranker: Trees) -> tuple[list[float], bool]:
        """What the confidence is learnt from: the features of the proposal ranked first, and whether it is right."""
        scores = [ranker.score(row) for row in self.rows]
        best = max(range(len(scores)), key=lambda n: scores[n])
        return [*self.rows[best], *standing(best, scores, self.essences)], self.right[best]


_model: Model | None = None


def ruled(context: Context) -> tuple[Query | None, float]:
    """What the rules make of a question, as a tree, and how sure they are."""
    draft = answer_by_rules(context)
    tree = tree_of(draft.sql, context.schema) if isinstance(draft, Candidate) else None
    return tree, (draft.confidence or 0.0) if isinstance(draft, Candidate) and tree else 0.0


def attempt(case: Case) -> Tried:
    assert _model is not None
    context = context_of(case)
    proposals = propose(context, _model, *ruled(context))
    gold = run(case.file, case.sql) if case.sql else None  # a question that this database cannot answer
    found = [run(case.file, p.sql.replace(" NULLS LAST", "")) for p in proposals]  # people leave NULL where it falls
    right = [alike(case.sql, gold, rows) for rows in found]
    if gold is not None and says_little(gold):  # many queries return nothing: only the right columns make one right
        wanted = conditions_of(case)
        right = [r and compared(p.part.query) == wanted for r, p in zip(right, proposals, strict=True)]
    rows = np.array([p.features for p in proposals], dtype=np.float32)
    return Tried(case, rows, right, [tuple(map(hash, essence(p.part.query))) for p in proposals])


def says_little(rows: Rows) -> bool:
    return not rows or (len(rows) == 1 and all(value in (0, None) for value in rows[0]))


def compared(query: Query) -> set[tuple[Column | None, str]]:
    """The columns that a query compares, each with its operator."""
    return {(c.left.column, c.operator) for q in branches(query) for c in (*q.where, *q.having)}


def conditions_of(case: Case) -> set[tuple[Column | None, str]] | None:
    tree = tree_of(case.sql, opened(case.file)[0])
    return compared(tree) if tree else None


_STRANGE = "vegetarian haunted quantum purple happiness taxes weather poem bankrupt rumours volcano trust churn".split()


def unanswerable(cases: list[Case]) -> list[Case]:
    """Questions asked of another's database, or with a word for a value that the data has not: none has an answer."""
    found = []
    for n, case in enumerate(cases):
        stranger = cases[(n * 7919 + 13) % len(cases)]
        words = case.question.split()
        if n % 2 and stranger.db != case.db:
            found.append(replace(case, sql="", file=stranger.file))
        elif n % 4 == 0 and (values := match_values(case.question, opened(case.file)[1])):
            strange = (
                case.question.replace(values[0].text, _STRANGE[n % len(_STRANGE)]).replace('"', "").replace("'", "")
            )
            found.append(replace(case, sql="", question=strange))
        elif n % 3 and len(words) > 4:
            words.insert(len(words) // 2 + n % 3, _STRANGE[n % len(_STRANGE)])
            found.append(replace(case, sql="", question=" ".join(words)))
        elif len(words) > 4:
            words[len(words) - 1 - n % 3] = _STRANGE[n % len(_STRANGE)]
            found.append(replace(case, sql="", question=" ".join(words)))
    return found


def in_parallel(work: Callable[[Case], Any], cases: list[Case]) -> list[Any]:
    with ProcessPoolExecutor(2) as pool:
        return list(pool.map(work, cases, chunksize=40))


def rank(tried: list[Tried]) -> Trees:
    useful = [t for t in tried if any(t.right) and not all(t.right)]
    x = np.concatenate([t.rows for t in useful])
    y = np.array([label for t in useful for label in t.right], dtype=int)
    return boosted(_RANK, 120, x, y, group=[len(t.rows) for t in useful])


def report(name: str, tried: list[Tried], ranker: Trees | None) -> None:
    best = [
        max(range(len(t.rows)), key=lambda n: ranker.score(t.rows[n]) if ranker else -n) if len(t.rows) else None
        for t in tried
    ]
    right = sum(n is not None and t.right[n] for t, n in zip(tried, best, strict=True))
    reach = sum(any(t.right) for t in tried)
    mean = np.mean([len(t.rows) for t in tried])
    print(
        f"{name}: right {right / len(tried):.3f}, reachable {reach / len(tried):.3f}, proposals {mean:.0f} of {len(tried)}"
    )


def report_confidence(tried: list[Tried], ranker: Trees, sureness: Trees) -> None:
    """How often the surer half is right, and how often those are right that are surer than a limit."""
    firsts = [one.first(ranker) for one in tried if len(one.rows)]
    firsts = sorted(((sureness.score(row), right) for row, right in firsts), reverse=True)
    half = firsts[: len(firsts) // 2]
    print(f"  surer half: right {np.mean([right for _, right in half]):.3f}")
    for least in (0.5, 0.6, 0.7, 0.8, 0.9):
        found = [right for score, right in firsts if score >= np.log(least / (1 - least))]
        print(f"  surer than {least}: {len(found) / len(firsts):.2f} of them, right {np.mean(found or [0]):.3f}")


def measure(lessons: dict[str, list[Lesson]], cases: list[Case], every: int) -> None:
    """Train without a third of the databases; then rank by halves of that third."""
    global _model
    _, held = next(folds(cases, FOLDS))
    names = {c.db for c in held}
    start = time.time()
    _model = learn([one for db, found in lessons.items() if db not in names for one in found])
    print(f"learnt in {time.time() - start:.0f} s")
    start = time.time()
    tried = in_parallel(attempt, [*held[::every], *unanswerable(held[:: every * UNANSWERABLE])])
    print(f"tried in {time.time() - start:.0f} s")
    report("untrained", tried, None)
    for n, (_, others) in enumerate(folds([t.case for t in tried], 2)):
        dbs = {c.db for c in others}
        ranker = rank([t for t in tried if t.case.db not in dbs])
        report(f"half {n}", [t for t in tried if t.case.db in dbs], ranker)
        sureness = calibrate([t for t in tried if t.case.db not in dbs])
        report_confidence([t for t in tried if t.case.db in dbs], ranker, sureness)


def train(lessons: dict[str, list[Lesson]], cases: list[Case], every: int, out: Path) -> None:
    """Train on everything; the ranker and its confidence on what models of other databases propose."""
    global _model
    tried: list[Tried] = []
    for some, held in folds(cases, FOLDS):
        names = {c.db for c in some}
        _model = learn([one for db, found in lessons.items() if db in names for one in found])
        tried += in_parallel(attempt, [*held[::every], *unanswerable(held[:: every * UNANSWERABLE])])
        print(f"tried {len(tried)}", file=sys.stderr)
    model = learn([one for found in lessons.values() for one in found])
    model = replace(model, ranker=rank(tried), sureness=calibrate(tried))
    out.write_bytes(dump(model))
    print(f"{out}: {out.stat().st_size} bytes")


def calibrate(tried: list[Tried]) -> Trees:
    """How often the first is right, by its features; learnt from rankers that have not seen the database."""
    rows, labels = [], []
    for some, others in folds([t.case for t in tried], FOLDS):
        known, held = {c.db for c in some}, {c.db for c in others}
        ranker = rank([t for t in tried if t.case.db in known])
        for one in tried:
            if one.case.db in held and len(one.rows):
                row, right = one.first(ranker)
                rows.append(row)
                labels.append(right)
    return boosted(_SURE, 100, np.array(rows, dtype=np.float32), np.array(labels))


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("questions", type=Path)
    options.add_argument("databases", type=Path)
    options.add_argument("out", type=Path)
    options.add_argument("--every", type=int, default=1)
    options.add_argument("--measure", action="store_true")
    options.add_argument("--team", nargs=2, type=Path, action="append", default=[], metavar=("KNOWLEDGE", "DATABASE"))
    given = options.parse_args()
    cases = load_cases(given.questions, given.databases)
    reworded = load_cases(given.questions, given.databases, reworded=True)
    for knowledge, database in given.team:
        verified = team_cases(knowledge, database)
        print(f"{len(verified)} verified queries from {knowledge}", file=sys.stderr)
        cases += verified
        reworded += verified
    start = time.time()
    lessons: dict[str, list[Lesson]] = {}
    for one in in_parallel(lesson, reworded):
        if one is not None:
            lessons.setdefault(one.db, []).append(one)
    print(f"{sum(map(len, lessons.values()))} lessons in {time.time() - start:.0f} s", file=sys.stderr)
    if given.measure:
        measure(lessons, cases, given.every)
    else:
        train(lessons, cases, given.every, given.out)


if __name__ == "__main__":
    main()
