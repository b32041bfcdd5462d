"""`t2s eval`: how right the answers are, on questions whose answers are known."""

from __future__ import annotations

import hashlib
import sys
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from t2s.cli import options
from t2s.errors import UsageError

if TYPE_CHECKING:
    from t2s.cli.terminal import Terminal
    from t2s.config import Config
    from t2s.evaluate.cases import DataSet
    from t2s.evaluate.journal import Head
    from t2s.evaluate.outcome import Outcome
    from t2s.evaluate.report import Evaluation

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command(epilog="Example: t2s eval dev.json -m local -m claude-haiku-5-5 --limit 100 --format html -o report.html")
def evaluate(
    ctx: typer.Context,
    dataset: Annotated[
        Path, typer.Argument(metavar="DATASET", help="Spider, BIRD, SParC, CoSQL, defog, or YAML of your own.")
    ],
    db: Annotated[
        str | None,
        typer.Option("--db", "-d", metavar="DB", help="The database of all questions; {db} stands for its name."),
    ] = None,
    databases: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Where <db>/<db>.sqlite are, if not beside the questions.")
    ] = None,
    model: Annotated[
        list[str] | None, typer.Option("--model", "-m", metavar="M", help="May be given again: side by side.")
    ] = None,
    limit: Annotated[int | None, typer.Option("--limit", "-n", min=1, metavar="N", help="A sample of N.")] = None,
    seed: Annotated[int, typer.Option(metavar="S", help="Which sample.")] = 0,
    format: Annotated[Literal["table", "json", "html", "markdown"], typer.Option("--format", "-f")] = "table",
    out: options.Out = None,
    min_accuracy: Annotated[
        float | None, typer.Option(min=0, max=1, metavar="A", help="End with 1 where a model is below.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the last run; ask nothing twice.")] = False,
    jobs: Annotated[int, typer.Option("--jobs", "-j", min=1, max=64, metavar="N", help="So many at once.")] = 4,
    json: options.AsJson = False,
) -> int:
    """Ask labelled questions, run what comes back, and count what is right.

    Nothing is recalled or learned: an evaluation that learned from itself would measure that. Replies within a day
    come from the cache, and calls count against the budgets, as in `t2s ask`.
    """
    from dataclasses import replace

    from t2s.evaluate.cases import sample
    from t2s.evaluate.read import read_dataset
    from t2s.evaluate.report import REPORTS
    from t2s.render.files import require_writable, whole_file

    terminal: Terminal = ctx.obj
    if out is not None:
        require_writable(out)
    read = read_dataset(dataset)
    read = replace(read, cases=sample(read.cases, limit, seed))
    found = _evaluation(read, db, databases, model or [], resume, jobs, terminal)
    if out is not None:
        with whole_file(out) as temporary:
            temporary.write_text(REPORTS[format](found), encoding="utf-8")
    elif not json:
        sys.stdout.write(REPORTS[format](found))
    below = [s.model for s in found.summaries if min_accuracy is not None and (s.accuracy.value or 0.0) < min_accuracy]
    if json:
        _print_json(found, below, min_accuracy)
    elif below:
        sys.stderr.write(f"t2s: {', '.join(below)}: execution accuracy is below {min_accuracy:g}\n")
    return 1 if below else 0


def _evaluation(
    dataset: DataSet,
    db: str | None,
    databases: Path | None,
    named: list[str],
    resume: bool,
    jobs: int,
    terminal: Terminal,
) -> Evaluation:
    """Ask what is not known yet, and sum up."""
    from t2s.cli.eval_run import alone, tasks_of, work
    from t2s.config import home, load_config
    from t2s.evaluate.databases import locate
    from t2s.evaluate.journal import Head, journal_path
    from t2s.evaluate.metrics import summarise
    from t2s.evaluate.report import Evaluation

    config = load_config()
    targets = locate(dataset, folder=databases, template=db)
    models = list(dict.fromkeys(named)) or [_default_model(config, terminal)]
    journal = journal_path(home() / "eval", dataset.path, f"{db} {databases and databases.resolve()}")
    told: set[str] = set()

    def notice(text: str) -> None:
        from t2s.render import clean

        if text not in told and not terminal.quiet:
            told.add(text)
            sys.stderr.write(f"t2s: {clean(text)}\n")

    wanted = [(name, case.id) for name in models for case in dataset.cases]
    with alone(journal, notice) as held:
        new = Head(run=uuid.uuid4().hex[:12], settings=_settings_key(config), questions=len(set(wanted)))
        head, known = _begun(journal, new, resume, notice)
        outcomes = {(o.model, o.id): o for o in known}
        tasks = tasks_of(dataset.cases, models, journal=journal, run=head.run, targets=targets, known=set(outcomes))
        shown = _Progress(new.questions, sum(key in outcomes for key in set(wanted)), terminal)

        def heard(outcome: Outcome) -> None:
            outcomes[outcome.model, outcome.id] = outcome
            shown.add(outcome)

        work(tasks, jobs=jobs, held=held, on_outcome=heard, notice=notice)
    in_order = tuple(outcomes[key] for key in wanted)
    summaries = tuple(summarise(name, [o for o in in_order if o.model == name]) for name in models)
    return Evaluation(dataset=dataset, summaries=summaries, outcomes=in_order)


def _default_model(config: Config, terminal: Terminal) -> str:
    from t2s.render import Progress
    from t2s.workspace import chosen_model

    return chosen_model(config, Progress(sys.stderr, quiet=terminal.quiet))


def _begun(journal: Path, new: Head, resume: bool, notice: Callable[[str], None]) -> tuple[Head, Sequence[Outcome]]:
    """The run that is to go on with what it found out, or a new one."""
    from t2s.evaluate.journal import begin, read_journal

    before = read_journal(journal)
    if resume and before is not None:
        if before[0].settings != new.settings:
            raise UsageError(
                "the last run was made with other settings or another version of t2s",
                hint="without --resume it begins anew",
            )
        return before
    if before is not None and len(before[1]) < before[0].questions:
        notice(f"this begins anew; the last run broke off after {len(before[1])} of {before[0].questions} questions")
    begin(journal, new)
    return new, ()


def _settings_key(config: Config) -> str:
    """Changes with every setting that may change an answer, and with the version."""
    from t2s import __version__

    kept = {"limit", "timeout", "privacy", "repairs", "candidates", "context", "local"}
    text = config.settings.model_dump_json(include=kept) + config.settings.provider.effort + __version__
    return hashlib.sha256(text.encode()).hexdigest()[:16]


class _Progress:
    """How far it is, on standard error: a bar on a terminal, elsewhere a line for each tenth."""

    def __init__(self, total: int, before: int, terminal: Terminal) -> None:
        self._total, self._done, self._right = total, before, 0
        self._asked = 0
        self._quiet = terminal.quiet
        if before and not self._quiet:
            sys.stderr.write(f"{before} of {total} are known from the last run\n")

    def add(self, outcome: Outcome) -> None:
        self._done += 1
        self._asked += 1
        self._right += outcome.right
        if self._quiet:
            return
        line = f"{self._done}/{self._total} asked, {self._right}/{self._asked} right"
        if sys.stderr.isatty():
            full = self._done * 24 // self._total
            end = "\n" if self._done == self._total else ""
            sys.stderr.write(f"\r\x1b[K[{'#' * full}{'.' * (24 - full)}] {line}{end}")
        elif self._done * 10 // self._total > (self._done - 1) * 10 // self._total:
            sys.stderr.write(f"{line}\n")
        sys.stderr.flush()


def _print_json(found: Evaluation, below: list[str], least: float | None) -> None:
    from t2s.cli.envelopes import print_data, print_envelope
    from t2s.evaluate.report import document
    from t2s.render.envelope import error_envelope

    if not below:
        print_data(document(found))
        return
    print_envelope(
        lambda request_id, ms: error_envelope(
            code="accuracy",
            message=f"{', '.join(below)}: execution accuracy is below {least:g}",
            suggestion="data.wrong has the questions",
            request_id=request_id,
            ms=ms,
            data=document(found),
        )
    )
