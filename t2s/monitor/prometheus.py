"""Figures as Prometheus reads them (text format 0.0.4)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from t2s import __version__
from t2s.types.run import HARMLESS

if TYPE_CHECKING:
    from t2s.ledger.runs import RunTotals
    from t2s.ledger.store import UsageRow
    from t2s.monitor.analyse import Finding
    from t2s.monitor.process import ProcessMemory

FILE = "t2s.prom"
"""What the file is called in a textfile collector's folder."""

Sample = tuple[str, Mapping[str, str], float]
"""What is behind the metric's name, the labels, the value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A metric and its samples."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    help: str
    samples: Sequence[Sample]


def exposition(metrics: Iterable[Metric]) -> str:
    """The metrics as text; one without samples is left out."""
    return "".join(_text(metric) for metric in metrics if metric.samples)


def of_runs(totals: Sequence[RunTotals], bounds_s: Sequence[float]) -> tuple[Metric, ...]:
    """What all runs ever were; counters that never fall."""
    return (
        Metric(
            name="t2s_questions_total",
            kind="counter",
            help="Questions by model and by how they ended.",
            samples=[("", {"model": t.model, "status": t.status}, t.count) for t in totals],
        ),
        Metric(
            name="t2s_questions_failed_total",
            kind="counter",
            help="Questions that ended in a failure; an honest no is none.",
            samples=[("", {"model": t.model, "status": t.status}, t.count) for t in totals if t.status not in HARMLESS],
        ),
        Metric(
            name="t2s_question_seconds",
            kind="histogram",
            help="How long questions took.",
            samples=[sample for model in _models(totals) for sample in _histogram(model, totals, bounds_s)],
        ),
        Metric(
            name="t2s_memories_used_total",
            kind="counter",
            help="Memories that questions were answered from.",
            samples=[("", {}, sum(t.memories_used for t in totals))],
        ),
        Metric(
            name="t2s_memories_made_total",
            kind="counter",
            help="Memories that answers left behind.",
            samples=[("", {}, sum(t.memories_made for t in totals))],
        ),
    )


def of_usage(by_model: Sequence[UsageRow]) -> tuple[Metric, ...]:
    """What all calls ever took, by model."""
    kinds = ("input", "output", "cache_write", "cache_read")
    return (
        Metric(
            name="t2s_calls_total",
            kind="counter",
            help="Attempts at calls to a model.",
            samples=[("", {"model": row.key}, row.calls) for row in by_model],
        ),
        Metric(
            name="t2s_call_errors_total",
            kind="counter",
            help="Attempts at calls that failed.",
            samples=[("", {"model": row.key}, row.errors) for row in by_model],
        ),
        Metric(
            name="t2s_tokens_total",
            kind="counter",
            help="Tokens by model and kind; input is what was not cached.",
            samples=[
                ("", {"model": row.key, "kind": kind}, getattr(row, f"{kind}_tokens"))
                for row in by_model
                for kind in kinds
            ],
        ),
        Metric(
            name="t2s_cost_usd_total",
            kind="counter",
            help="Cost in USD of the calls whose price is known.",
            samples=[("", {"model": row.key}, row.cost_usd) for row in by_model],
        ),
        Metric(
            name="t2s_unpriced_calls_total",
            kind="counter",
            help="Calls whose price is not known.",
            samples=[("", {"model": row.key}, row.unpriced) for row in by_model],
        ),
    )


def of_now(
    memories: Mapping[str, int], processes: Sequence[ProcessMemory], findings: Sequence[Finding]
) -> tuple[Metric, ...]:
    """How things are: live memories by layer, the processes of late, and what the analyser says."""
    return (
        Metric(
            name="t2s_memories",
            kind="gauge",
            help="Memories that are alive, by layer.",
            samples=[("", {"layer": layer}, count) for layer, count in sorted(memories.items())],
        ),
        Metric(
            name="t2s_process_resident_bytes",
            kind="gauge",
            help="The largest process of late.",
            samples=[("", {}, process.last_mb * 1e6) for process in processes[:1]],
        ),
        Metric(
            name="t2s_process_leaks",
            kind="gauge",
            help="Processes that seem to leak memory.",
            samples=[("", {}, sum(process.leaks for process in processes))],
        ),
        Metric(
            name="t2s_alert",
            kind="gauge",
            help="1 where a threshold of `t2s monitor report` is passed.",
            samples=[("", {"subject": finding.subject}, finding.verdict == "alert") for finding in findings],
        ),
        Metric(name="t2s_info", kind="gauge", help="The version.", samples=[("", {"version": __version__}, 1)]),
    )


def _models(totals: Sequence[RunTotals]) -> list[str]:
    return sorted({total.model for total in totals})


def _histogram(model: str, totals: Sequence[RunTotals], bounds_s: Sequence[float]) -> list[Sample]:
    own = [total for total in totals if total.model == model]
    count = sum(total.count for total in own)
    buckets = [sum(total.within[n] for total in own) for n in range(len(bounds_s))]
    labels = {"model": model}
    return [
        *(("_bucket", {**labels, "le": f"{bound:g}"}, within) for bound, within in zip(bounds_s, buckets, strict=True)),
        ("_bucket", {**labels, "le": "+Inf"}, count),
        ("_sum", labels, sum(total.seconds for total in own)),
        ("_count", labels, count),
    ]


def _text(metric: Metric) -> str:
    lines = [f"# HELP {metric.name} {metric.help}", f"# TYPE {metric.name} {metric.kind}"]
    lines += [f"{metric.name}{suffix}{_labels(labels)} {float(value):.15g}" for suffix, labels, value in metric.samples]
    return "\n".join(lines) + "\n"


def _labels(labels: Mapping[str, str]) -> str:
    told = ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items())
    return f"{{{told}}}" if told else ""


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
