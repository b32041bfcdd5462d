"""The outcomes of one model, summed up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from t2s.evaluate.hardness import LEVELS, Hardness
from t2s.evaluate.mistakes import MISTAKES, Mistake
from t2s.evaluate.outcome import Outcome

BINS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """So many of so many."""

    count: int
    of: int

    @property
    def value(self) -> float | None:
        """The share in 0..1; None of nothing."""
        return self.count / self.of if self.of else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """Answers of like confidence (`low` ≤ c < `low` + 0.1): how many, how sure on average, how many of them right."""

    low: float
    count: int
    confidence: float
    accuracy: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The figures of one model.

    `accuracy` is over the questions that have an answer, abstentions counting as wrong; `precision` over what was
    answered, questions without an answer counting as wrong, `surer_half` over that half of it which has the greatest
    confidence. `calibration_error` is the expected one (Guo et al. 2017,
    ten equal bins). Milliseconds are those of whole questions that were not answered from a cache of replies.
    """

    model: str
    questions: int
    unjudged: int
    accuracy: Share
    accuracy_distinct_ignored: Share
    accuracy_more_columns: Share
    by_hardness: dict[Hardness, Share]
    by_database: dict[str, Share]
    valid_sql: Share
    answered: Share
    precision: Share
    surer_half: Share
    unanswerable_declined: Share
    conversations: Share
    by_turn: tuple[Share, ...]
    failed: int
    tokens: dict[str, int]
    tokens_per_question: float | None
    cost_usd: float | None
    calls: int
    from_cache: int
    p50_ms: float | None
    p95_ms: float | None
    calibration_error: float | None
    reliability: tuple[Bin, ...]
    mistakes: dict[Mistake, int]


def summarise(model: str, outcomes: Sequence[Outcome]) -> Summary:
    """The figures over a model's outcomes."""
    judged = [o for o in outcomes if o.state != "unjudged"]
    labelled = [o for o in judged if o.gold]
    answered = [o for o in judged if o.state in ("right", "wrong")]
    with_sql = [o for o in judged if o.state in ("right", "wrong", "invalid")]
    without = [o for o in judged if not o.gold]
    costs = [o.cost_usd for o in judged]
    fresh = sorted(o.ms for o in judged if o.state != "failed" and (o.calls or not any(x.calls for x in judged)))
    tokens = {
        name: sum(getattr(o, f"{name}_tokens") for o in judged)
        for name in ("input", "output", "cache_write", "cache_read")
    }
    bins = reliability(answered)
    return Summary(
        model=model,
        questions=len(outcomes),
        unjudged=len(outcomes) - len(judged),
        accuracy=_share(o.right for o in labelled),
        accuracy_distinct_ignored=_share(o.right_but_distinct for o in labelled),
        accuracy_more_columns=_share(o.right_and_more for o in labelled),
        by_hardness={level: _share(o.right for o in labelled if o.hardness == level) for level in LEVELS},
        by_database={db: _share(o.right for o in judged if o.db == db) for db in sorted({o.db for o in judged})},
        valid_sql=_share(o.state != "invalid" for o in with_sql),
        answered=_share(o.state in ("right", "wrong") for o in judged),
        precision=_share(o.right for o in answered),
        surer_half=_share(o.right for o in _surer_half(answered)),
        unanswerable_declined=_share(o.right for o in without),
        conversations=_share(_whole_conversations(labelled)),
        by_turn=_by_turn(outcomes),
        failed=sum(o.state == "failed" for o in judged),
        tokens=tokens,
        tokens_per_question=sum(tokens.values()) / len(judged) if judged else None,
        cost_usd=None if None in costs else sum(cost or 0.0 for cost in costs),
        calls=sum(o.calls for o in judged),
        from_cache=sum(not o.calls for o in judged) if any(o.calls for o in judged) else 0,
        p50_ms=_percentile(fresh, 0.5),
        p95_ms=_percentile(fresh, 0.95),
        calibration_error=_calibration_error(bins),
        reliability=bins,
        mistakes=_counted(labelled),
    )


def _surer_half(answered: Sequence[Outcome]) -> list[Outcome]:
    rated = sorted((o for o in answered if o.confidence is not None), key=lambda o: -(o.confidence or 0.0))
    return rated[: len(rated) // 2]


def reliability(answered: Sequence[Outcome]) -> tuple[Bin, ...]:
    """The answers by tenths of their confidence; tenths without any are left out."""
    found = []
    for number in range(BINS):
        own = [o for o in answered if o.confidence is not None and min(int(o.confidence * BINS), BINS - 1) == number]
        if own:
            found.append(
                Bin(
                    low=number / BINS,
                    count=len(own),
                    confidence=sum(o.confidence or 0.0 for o in own) / len(own),
                    accuracy=sum(o.right for o in own) / len(own),
                )
            )
    return tuple(found)


def _calibration_error(bins: Sequence[Bin]) -> float | None:
    total = sum(one.count for one in bins)
    return sum(one.count * abs(one.confidence - one.accuracy) for one in bins) / total if total else None


def _whole_conversations(outcomes: Sequence[Outcome]) -> list[bool]:
    """Of each conversation whether all its turns are right (interaction match)."""
    right: dict[str, bool] = {}
    for outcome in outcomes:
        if outcome.conversation:
            right[outcome.conversation] = right.get(outcome.conversation, True) and outcome.right
    return list(right.values())


def _by_turn(outcomes: Sequence[Outcome]) -> tuple[Share, ...]:
    """The first turns of all conversations, the second ones, and so on."""
    turns: list[list[bool]] = []
    position: Counter[str] = Counter()
    for outcome in outcomes:
        if not outcome.conversation:
            continue
        number = position[outcome.conversation]
        position[outcome.conversation] += 1
        if number == len(turns):
            turns.append([])
        if outcome.state != "unjudged":
            turns[number].append(outcome.right)
    return tuple(map(_share, turns))


def _counted(outcomes: Sequence[Outcome]) -> dict[Mistake, int]:
    counts = Counter(mistake for outcome in outcomes for mistake in outcome.mistakes)
    return {name: counts[name] for name in MISTAKES if counts[name]}


def _percentile(ordered: Sequence[float], share: float) -> float | None:
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else None


def _share(flags: Iterable[bool]) -> Share:
    listed = list(flags)
    return Share(count=sum(listed), of=len(listed))
