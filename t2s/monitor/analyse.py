"""What stands out in a time's runs, with advice; what passes a threshold is an alert."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from t2s.monitor.process import processes
from t2s.monitor.statistics import PARTS
from t2s.types.run import Run

if TYPE_CHECKING:
    from t2s.settings import AlertSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing looked at: `value` against `limit` in `unit`; an `alert` is above it. `advice` says what to do."""

    subject: Literal["slow", "errors", "tokens", "recall", "process memory"]
    verdict: Literal["ok", "alert", "unknown"]
    value: float
    limit: float
    unit: str
    detail: str
    advice: str = ""


def analyse(runs: Sequence[Run], limits: AlertSettings) -> tuple[Finding, ...]:
    """The findings on runs that have ended; shares and means of too few questions are not judged."""
    judged = [look(runs, limits) for look in (_slow, _errors, _tokens, _recall)]
    if len(runs) < limits.min_questions:
        judged = [replace(finding, verdict="unknown", advice="") for finding in judged]
    return (*judged, _memory(runs, limits))


def _slow(runs: Sequence[Run], limits: AlertSettings) -> Finding:
    slow = [run for run in runs if run.total_ms > limits.slow_s * 1000]
    share = _share(len(slow), len(runs))
    part, of_time = _main_part(slow)
    hint = f"; {of_time:.0%} of their time is in {part}" if slow else ""
    return Finding(
        subject="slow",
        verdict=_verdict(share, limits.slow_share),
        value=share,
        limit=limits.slow_share,
        unit="share",
        detail=f"{len(slow)} of {len(runs)} questions took more than {limits.slow_s:g} s{hint}",
        advice=_FASTER.get(part, "") if share > limits.slow_share else "",
    )


def _errors(runs: Sequence[Run], limits: AlertSettings) -> Finding:
    failed = Counter(run.status for run in runs if run.failed)
    share = _share(failed.total(), len(runs))
    told = ", ".join(f"{count} {status}" for status, count in failed.most_common())
    worst = failed.most_common(1)[0][0] if failed else ""
    return Finding(
        subject="errors",
        verdict=_verdict(share, limits.error_share),
        value=share,
        limit=limits.error_share,
        unit="share",
        detail=f"{failed.total()} of {len(runs)} questions failed" + (f": {told}" if told else ""),
        advice=_MENDS.get(worst, "`t2s history runs --failed` lists them") if share > limits.error_share else "",
    )


def _tokens(runs: Sequence[Run], limits: AlertSettings) -> Finding:
    asked = [run.usage for run in runs if run.usage.calls]
    mean = _share(sum(usage.total_tokens for usage in asked), len(asked))
    read = sum(usage.cache_read_tokens for usage in asked)
    calls = _share(sum(usage.calls for usage in asked), len(asked))
    detail = f"{mean:,.0f} tokens a question that asked a model"
    if asked:
        detail += f", {_share(read, mean * len(asked)):.0%} of them read from the cache, {calls:.1f} calls"
    advice = (
        "many repairs or candidates: look at `t2s history runs`, lower candidates, or teach the glossary"
        if calls > 1.5
        else "lower context.schema_tokens or context.max_tables, begin a new session, or memory.recall_tokens"
    )
    return Finding(
        subject="tokens",
        verdict=_verdict(mean, limits.mean_tokens),
        value=mean,
        limit=limits.mean_tokens,
        unit="tokens",
        detail=detail,
        advice=advice if mean > limits.mean_tokens else "",
    )


def _recall(runs: Sequence[Run], limits: AlertSettings) -> Finding:
    times = [run.ms("recall") for run in runs if any(step.stage == "recall" for step in run.steps)]
    mean = _share(sum(times), len(times))
    advice = "`t2s memory reindex`, `t2s memory consolidate`, or the lexical embedder (memory.embedder)"
    return Finding(
        subject="recall",
        verdict=_verdict(mean, limits.recall_ms),
        value=mean,
        limit=limits.recall_ms,
        unit="ms",
        detail=f"recalling takes {mean:,.0f} ms on average",
        advice=advice if mean > limits.recall_ms else "",
    )


def _memory(runs: Sequence[Run], limits: AlertSettings) -> Finding:
    known = processes(runs, above_mb=limits.process_mb)
    leaking = [process for process in known if process.leaks]
    largest = known[0].last_mb if known else 0.0
    detail = f"the largest of {len(known)} processes holds {largest:,.0f} MB" if known else "no process told"
    if leaking:
        worst = leaking[0]
        detail = (
            f"process {worst.pid} on {worst.host} rose {worst.rising} times in a row by {worst.growth:.0%} "
            f"to {worst.last_mb:,.0f} MB"
        )
    return Finding(
        subject="process memory",
        verdict="alert" if leaking else "ok" if known else "unknown",
        value=leaking[0].last_mb if leaking else largest,
        limit=limits.process_mb,
        unit="MB",
        detail=detail,
        advice="restart that process, and report it with `t2s monitor memory --json`" if leaking else "",
    )


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def _verdict(value: float, limit: float) -> Literal["ok", "alert"]:
    return "alert" if value > limit else "ok"


def _main_part(runs: Sequence[Run]) -> tuple[str, float]:
    """Where most of the time went, and which share of it."""
    spent = {name: sum(run.ms(*stages) for run in runs) for name, stages in PARTS.items()}
    part = max(spent, key=lambda name: spent[name])
    return part, _share(spent[part], sum(run.total_ms for run in runs))


_FASTER = {
    "model": "take a faster model (claude-haiku-5-5), provider.effort = low, or verify what is asked often",
    "execute": "look at the queries' plans (t2s sql explain), add indexes, or lower timeout",
    "recall": "`t2s memory reindex`, or the lexical embedder (memory.embedder)",
    "link": "refresh the schema's cache (t2s schema refresh), or connect to one schema only",
    "check": "the database is slow to EXPLAIN: look at its load",
    "remember": "the embedder or the ledger is slow: memory.embedder = lexical, or t2s doctor",
}
"""What helps where the time goes."""

_MENDS = {
    "rejected": "the SQL does not fit: teach words and notes (t2s memory add), or a larger model",
    "failed": "queries run too long: raise timeout, add indexes, or lower limit",
    "provider_down": "the service does not answer: look at its status page, or --model local",
    "provider_key": "set a key that the service takes: ANTHROPIC_API_KEY",
    "provider": "the service answers with errors: t2s doctor",
    "budget": "the budget is used up: t2s usage shows by whom; raise T2S_BUDGET_DAY_TOKENS",
    "throttled": "too many at once: raise T2S_PACE_AT_ONCE and T2S_PACE_REQUESTS_PER_MINUTE",
    "connection": "the database cannot be reached: t2s doctor --db",
    "broken_off": "processes were killed: `t2s history runs --failed` lists their questions, `t2s resume` asks again",
    "internal": "bugs in t2s: T2S_TRACEBACK=1 shows where",
}
"""What helps against the most frequent failure."""
