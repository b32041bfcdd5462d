"""What an evaluation found, as a table, JSON, Markdown or HTML."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from html import escape
from typing import Any

from t2s.evaluate.cases import DataSet
from t2s.evaluate.metrics import Bin, Share, Summary
from t2s.evaluate.outcome import Outcome

NOTE = (
    "Execution accuracy by the rule of taoyds/test-suite-sql-eval; an abstention counts as wrong. "
    "Nothing was recalled or learned (memory off)."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """The figures of each model and every outcome, in the order of the data set."""

    dataset: DataSet
    summaries: tuple[Summary, ...]
    outcomes: tuple[Outcome, ...]


def lines(summaries: Sequence[Summary]) -> list[tuple[str, ...]]:
    """The figures in words, a line each, the models side by side; lines that say nothing are left out."""
    found: list[tuple[str, ...]] = []

    def line(label: str, figure: Callable[[Summary], str]) -> None:
        cells = tuple(figure(summary) for summary in summaries)
        if any(cell != "–" for cell in cells):
            found.append((label, *cells))

    line("execution accuracy", lambda s: share(s.accuracy))
    for level in ("easy", "medium", "hard", "extra"):
        line(f"  {level}", lambda s, level=level: share(s.by_hardness[level]))  # type: ignore[misc]
    line("  DISTINCT ignored", lambda s: share(s.accuracy_distinct_ignored))
    line("  more columns allowed", lambda s: share(s.accuracy_more_columns))
    line("whole conversations", lambda s: share(s.conversations))
    for turn in range(max((len(s.by_turn) for s in summaries), default=0)):
        line(f"  turn {turn + 1}", lambda s, turn=turn: share(s.by_turn[turn]) if turn < len(s.by_turn) else "–")  # type: ignore[misc]
    line("answered", lambda s: share(s.answered))
    line("right of what was answered", lambda s: share(s.precision))
    line("  of its surer half", lambda s: share(s.surer_half))
    line("unanswerable declined", lambda s: share(s.unanswerable_declined))
    line("valid SQL", lambda s: share(s.valid_sql))
    line("replies of no use", lambda s: str(s.failed) if s.failed else "–")
    line("not judged: gold fails", lambda s: str(s.unjudged) if s.unjudged else "–")
    line("calibration error", lambda s: "–" if s.calibration_error is None else f"{s.calibration_error:.3f}")
    line("tokens per question", lambda s: f"{s.tokens_per_question:,.0f}" if s.tokens_per_question else "–")
    line("cost", lambda s: "unpriced" if s.cost_usd is None else f"${s.cost_usd:.4f}" if s.cost_usd else "–")
    line("calls", lambda s: f"{s.calls:,}" if s.calls else "–")
    line("replies known already", lambda s: str(s.from_cache) if s.from_cache else "–")
    line("milliseconds, p50", lambda s: "–" if s.p50_ms is None else f"{s.p50_ms:,.0f}")
    line("milliseconds, p95", lambda s: "–" if s.p95_ms is None else f"{s.p95_ms:,.0f}")
    for mistake in dict.fromkeys(name for s in summaries for name in s.mistakes):
        line(f"wrong in: {mistake}", lambda s, m=mistake: str(s.mistakes.get(m, 0)))  # type: ignore[misc]
    return found


def share(one: Share) -> str:
    """As `56.2 % (287/511)`; – of nothing."""
    return "–" if one.value is None else f"{one.value:.1%} ({one.count}/{one.of})".replace("%", " %")


def table(found: Evaluation) -> str:
    """For people at a terminal; the wrong cases are in the other reports."""
    from t2s.render import print_facts

    text = io.StringIO()
    print_facts(text, ["", *(s.model for s in found.summaries)], lines(found.summaries), color=False)
    return text.getvalue()


def document(found: Evaluation) -> dict[str, Any]:
    """All that is known, as JSON has it."""
    return {
        "dataset": {
            "path": str(found.dataset.path),
            "format": found.dataset.kind,
            "questions": len(found.dataset.cases),
        },
        "note": NOTE,
        "models": [_model(summary) for summary in found.summaries],
        "wrong": [asdict(outcome) for outcome in wrong(found)],
    }


def as_json(found: Evaluation) -> str:
    """The document as text."""
    return json.dumps(document(found), ensure_ascii=False, indent=2) + "\n"


def wrong(found: Evaluation) -> list[Outcome]:
    """What was not right, the unjudged too."""
    return [outcome for outcome in found.outcomes if not outcome.right]


def markdown(found: Evaluation) -> str:
    """The figures and the wrong cases, for a pull request or a wiki."""
    models = [summary.model for summary in found.summaries]
    parts = [f"# {_cell(found.dataset.path.name)}: {len(found.dataset.cases)} questions", "", NOTE, ""]
    parts += [_row(["", *models]), "|" + " --- |" * (len(models) + 1)]
    parts += [_row(line) for line in lines(found.summaries)]
    for summary in found.summaries:
        if summary.reliability:
            parts += ["", f"## Confidence of {_cell(summary.model)}", ""]
            parts += [_row(["confidence", "answers", "on average", "right"]), "|" + " ---: |" * 4]
            parts += [_row(_reliability(one)) for one in summary.reliability]
    parts += ["", f"## Not right: {len(wrong(found))}", ""]
    for outcome in wrong(found):
        parts += _case(outcome)
    return "\n".join(parts) + "\n"


def html(found: Evaluation) -> str:
    """One page that needs nothing else: figures, reliability curves, and the wrong cases."""
    models = "".join(f"<th>{escape(summary.model)}</th>" for summary in found.summaries)
    figures = "".join(
        f"<tr><th>{escape(label)}</th>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>"
        for label, *cells in lines(found.summaries)
    )
    curves = "".join(_curve(summary) for summary in found.summaries if summary.reliability)
    cases = "".join(map(_html_case, wrong(found)))
    title = escape(f"{found.dataset.path.name}: {len(found.dataset.cases)} questions")
    return _PAGE.format(
        title=title,
        note=escape(NOTE),
        models=models,
        figures=figures,
        curves=curves,
        count=len(wrong(found)),
        cases=cases,
    )


REPORTS: dict[str, Callable[[Evaluation], str]] = {
    "table": table,
    "json": as_json,
    "markdown": markdown,
    "html": html,
}
"""Every form by its name on the command line."""


def _model(summary: Summary) -> dict[str, Any]:
    return {name: _plain(value) for name, value in asdict(summary).items()}


def _plain(value: Any) -> Any:
    """A share with its value, wherever it stands."""
    if isinstance(value, dict) and set(value) == {"count", "of"}:
        return {**value, "share": Share(**value).value}
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    return [_plain(part) for part in value] if isinstance(value, list | tuple) else value


def _reliability(one: Bin) -> tuple[str, ...]:
    return f"{one.low:.1f}–{one.low + 0.1:.1f}", str(one.count), f"{one.confidence:.2f}", f"{one.accuracy:.2f}"


def _headline(outcome: Outcome) -> str:
    what = outcome.state if outcome.state != "wrong" else ", ".join(outcome.mistakes) or "answered all the same"
    return f"{outcome.model}: {what}"


def _case(outcome: Outcome) -> list[str]:
    reason = [f"- {_cell(outcome.reason)}"] if outcome.reason else []
    gold = _fenced(";\n".join(outcome.gold)) if outcome.gold else ["There is no answer."]
    return [
        f"### {_cell(outcome.question)}",
        "",
        f"- {_cell(outcome.db)}, {_cell(outcome.place)}",
        f"- {_cell(_headline(outcome))}",
        *reason,
        "",
        *gold,
        *(_fenced(outcome.sql) if outcome.sql else []),
        "",
    ]


def _fenced(sql: str) -> list[str]:
    fence = "`" * max(3, 1 + max((len(run) for run in sql.split() if set(run) == {"`"}), default=0))
    return [f"{fence}sql", sql, fence]


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(_cell(cell) for cell in cells) + " |"


def _cell(text: str) -> str:
    from t2s.render import clean

    shown = clean(text)
    for mark in "\\`*_[]<>|#":
        shown = shown.replace(mark, f"\\{mark}")
    return shown


def _html_case(outcome: Outcome) -> str:
    gold = escape(";\n".join(outcome.gold)) or "There is no answer."
    sql = f"<pre>{escape(outcome.sql)}</pre>" if outcome.sql else ""
    reason = f"<p>{escape(outcome.reason)}</p>" if outcome.reason else ""
    return (
        f"<details><summary>{escape(outcome.question)} <em>{escape(_headline(outcome))}</em></summary>"
        f"<p>{escape(outcome.db)}, {escape(outcome.place)}</p>{reason}<pre class=gold>{gold}</pre>{sql}</details>\n"
    )


def _curve(summary: Summary, size: int = 200) -> str:
    """Accuracy over confidence; on the diagonal both agree. The dots' areas are the answers'."""
    most = max(one.count for one in summary.reliability)
    dots = "".join(
        f'<circle cx="{one.confidence * size:.1f}" cy="{(1 - one.accuracy) * size:.1f}" '
        f'r="{2 + 6 * (one.count / most) ** 0.5:.1f}"><title>{one.count} answers, '
        f"confidence {one.confidence:.2f}, right {one.accuracy:.2f}</title></circle>"
        for one in summary.reliability
    )
    return (
        f"<figure><figcaption>{escape(summary.model)}: right over confidence</figcaption>"
        f'<svg viewBox="-8 -8 {size + 16} {size + 16}" width="{size + 16}" role="img">'
        f'<rect width="{size}" height="{size}"/><line x1="0" y1="{size}" x2="{size}" y2="0"/>{dots}</svg></figure>'
    )


_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<style>
body {{ font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }}
table {{ border-collapse: collapse; }}
th, td {{ padding: .2rem .8rem; text-align: left; border-bottom: 1px solid #ddd; }}
td {{ text-align: right; }} pre {{ white-space: pre-wrap; background: #f6f6f6; padding: .5rem; }}
pre.gold {{ background: #eef6ee; }} details {{ margin: .3rem 0; }} em {{ color: #a33; }}
figure {{ display: inline-block; margin: 1rem 2rem 1rem 0; }} rect {{ fill: none; stroke: #bbb; }}
line {{ stroke: #bbb; stroke-dasharray: 4; }} circle {{ fill: #36c; fill-opacity: .7; }}
</style></head><body>
<h1>{title}</h1><p>{note}</p>
<table><tr><th></th>{models}</tr>{figures}</table>
{curves}
<h2>Not right: {count}</h2>
{cases}</body></html>
"""
