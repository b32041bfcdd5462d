"""Fit the weights of the confidence on questions with SQL, and say how well it is calibrated.

    python scripts/fit_confidence.py dev.json [more.json …] --databases databases/ [--every N]

Answers Spider's questions with the local generator through the same checks as the product, and prints, over databases
that were left out of the fit: how often answers of like confidence are right, and the expected calibration error
(Guo et al. 2017, ten equal bins), for the generator's own estimate, the weights in use, and the fitted ones.
"""

from __future__ import annotations

import argparse
from concurrent.futures import ProcessPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from local_data import Case, alike, context_of, load_cases, opened, run

from t2s.database import open_database, resolve_connection
from t2s.local import LocalGenerator
from t2s.pipeline.confidence import MODEL_PRIOR, WEIGHTS, Evidence, confidence, evidence
from t2s.pipeline.trial import Bench, examine
from t2s.types.event import ignore
from t2s.types.query import Candidate, Rejected

FOLDS = 5
RIDGE = 1.0
"""Holds weights that hardly anything speaks for near zero."""


@dataclass(frozen=True)
class Outcome:
    """An answer: what was seen of it, and whether it is right."""

    db: str
    seen: Evidence
    right: bool


def outcomes(cases: list[Case]) -> list[Outcome]:
    """What came of the questions of one database that were answered."""
    database = open_database(resolve_connection(str(cases[0].file), {}, cwd=Path.cwd()), cache_dir=None)
    bench = Bench(
        database=database,
        schema=opened(cases[0].file)[0],
        run=True,
        limit=1_000,
        timeout=5.0,
        stage=lambda _: nullcontext(),
    )
    found = []
    for case in cases:
        context = context_of(case)
        (draft, *_), _ = LocalGenerator().generate(context, rejected=(), n=1, on_event=ignore)
        tried = examine(draft, context, bench) if isinstance(draft, Candidate) else None
        if tried is None or isinstance(tried, Rejected):
            continue
        right = alike(case.sql, run(case.file, case.sql), run(case.file, tried.sql))
        found.append(Outcome(case.db, evidence(context, tried, repairs=0, agreement=1.0), right))
    database.close()
    return found


def matrix(found: list[Outcome]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Evidence, the log-odds of the generator's own estimate, and what was right."""
    own = np.clip([MODEL_PRIOR if o.seen.own is None else o.seen.own for o in found], 0.01, 0.99)
    seen = np.array([[float(getattr(o.seen, name)) for name in WEIGHTS] for o in found])
    return seen, np.log(own / (1 - own)), np.array([o.right for o in found], dtype=float)


def fit(seen: np.ndarray, offset: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Logistic regression with an offset, by Newton's method, held by a ridge."""
    weights = np.zeros(seen.shape[1])
    for _ in range(30):
        p = 1 / (1 + np.exp(-(seen @ weights + offset)))
        gradient = seen.T @ (right - p) - RIDGE * weights
        hessian = (seen * (p * (1 - p))[:, None]).T @ seen + RIDGE * np.eye(len(weights))
        weights = weights + np.linalg.solve(hessian, gradient)
    return weights


def report(title: str, figure: np.ndarray, right: np.ndarray, *, curve: bool) -> None:
    bins = np.minimum((figure * 10).astype(int), 9)
    error = sum(abs(figure[bins == b].sum() - right[bins == b].sum()) for b in range(10)) / len(figure)
    brier = ((figure - right) ** 2).mean()
    likelihood = -(right * np.log(figure) + (1 - right) * np.log(1 - figure)).mean()
    print(f"{title:<28} calibration error {error:.3f}, Brier score {brier:.3f}, log loss {likelihood:.3f}")
    for b in range(10) if curve else ():
        if (bins == b).any():
            print(
                f"    {b / 10:.1f}–{(b + 1) / 10:.1f}  {(bins == b).sum():>5} answers, {figure[bins == b].mean():.2f} sure, {right[bins == b].mean():.2f} right"
            )


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("questions", type=Path, nargs="+")
    options.add_argument("--databases", type=Path, required=True)
    options.add_argument("--every", type=int, default=1, help="take every Nth question")
    given = options.parse_args()
    cases = [case for file in given.questions for case in load_cases(file, given.databases)[:: given.every]]
    by_db = [[case for case in cases if case.db == db] for db in sorted({case.db for case in cases})]
    with ProcessPoolExecutor(2) as pool:
        found = [outcome for part in pool.map(outcomes, by_db) for outcome in part]
    seen, offset, right = matrix(found)
    names = sorted({o.db for o in found})
    fold = np.array([names.index(o.db) % FOLDS for o in found])
    left_out = np.zeros(len(found))
    for number in range(FOLDS):
        weights = fit(seen[fold != number], offset[fold != number], right[fold != number])
        left_out[fold == number] = 1 / (1 + np.exp(-(seen[fold == number] @ weights + offset[fold == number])))
    print(f"{len(found)} answers over {len(names)} databases, {right.mean():.1%} right")
    report("the generator's own", 1 / (1 + np.exp(-offset)), right, curve=False)
    report("with the weights in use", np.clip([confidence(o.seen) for o in found], 0.01, 0.99), right, curve=True)
    report("fitted, databases left out", left_out, right, curve=False)
    for name, weight, column in zip(WEIGHTS, fit(seen, offset, right), seen.T, strict=True):
        print(f"    {name:<12} {weight:+.2f}   (in use {WEIGHTS[name]:+.2f}; seen in {(column > 0).sum()} answers)")


if __name__ == "__main__":
    main()
