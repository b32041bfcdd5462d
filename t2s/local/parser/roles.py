"""Features of a column or table in a role: selected, compared, grouped by, ordered by, read from."""

from __future__ import annotations

from dataclasses import dataclass

from t2s.local.parser.query import Column
from t2s.local.parser.said import Field, Mention, Said

FUNCTIONS = ("count", "sum", "avg", "min", "max")
ROLES = ("select", "where", "group", "order", "computed", "table")
_CUES = (
    "", "agg", "cmp", "super", "top", "count", "by", "group", "order", "dir", "of", "and", "or", "neg", "which", "list",
    "between", "like", "distinct", "unit", "how much", "alphabetical", "null", "when", "both", "after_ge",
)  # fmt: skip
_CUE_NUMBER = {cue: float(n) for n, cue in enumerate(_CUES)}
_OPENERS = frozenset({"whose", "with", "that", "where", "who", "when", "having", "have", "has", "in", "from", "for"})
_LIGHT = frozenset({"the", "a", "an", "is", "are", "was", "all", "their", "its", "each", "of", "were", "be"})


def cue_number(cue: str) -> float:
    """A cue's group as a number, 0 for none and for what is rare."""
    return _CUE_NUMBER.get(cue.partition(" ")[0] if cue not in _CUE_NUMBER else cue, 0.0)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the whole question offers to all its columns."""

    overall: tuple[float, ...]
    first_opener: int
    support: dict[str, float]


def survey(said: Said) -> Surroundings:
    """The surroundings of a question."""
    cues = [cue.partition(" ")[0] for cue in said.cues]
    texts = [word.text.casefold() for word in said.words]
    opener = next((n for n, text in enumerate(texts) if n > 1 and text in _OPENERS), len(texts))
    support: dict[str, float] = {}
    for (table, _), mentions in said.columns.items():
        support[table] = support.get(table, 0.0) + max(0.0, mentions[0].score - 0.4)
    for constant in said.constants:
        support[constant.column[0]] = support.get(constant.column[0], 0.0) + 0.3
    overall = (
        float(len(texts)),
        float("count" in cues),
        float("group" in cues),
        float("super" in cues or "top" in cues),
        float("order" in cues or "dir" in cues or "alphabetical" in cues),
        float("agg" in cues),
        float(sum(word.kind == "number" for word in said.words)),
        float(len({(c.first, c.last) for c in said.constants})),
        float("neg" in cues),
        float("when" in cues),
        float("where" in texts),
        float("who" in texts or "whom" in texts),
        float(max((len(m) for m in said.columns.values()), default=0)),
    )
    return Surroundings(overall, opener, support)


def column_features(said: Said, around: Surroundings, column: Column) -> list[float]:
    """What speaks for and against a column, whatever its role."""
    field = said.fields[column]
    mentions = said.columns.get(column, ())
    best = mentions[0] if mentions else None
    good = sorted((m for m in mentions if best and m.score >= best.score - 0.05), key=lambda m: m.first)
    first, last = (good[0], good[-1]) if good else (None, None)
    beside, ties = _rivals(said, column, best)
    table_mentions = said.tables.get(column[0], ())
    near = min((t.first - m.first for t in table_mentions for m in good), key=abs, default=99)
    return [
        best.score if best else 0.0,
        float(best.last - best.first + 1) if best else 0.0,
        float(len(field.words)),
        beside,
        ties,
        said.table(column[0]),
        float(table_mentions[0].first) if table_mentions else 99.0,
        float(near),
        around.support.get(column[0], 0.0),
        said.table(field.refers) if field.refers else -1.0,
        *_kind(field),
        float(sum(c.column == column for c in said.constants)),
        *_place(said, around, first),
        *_place(said, around, last),
        float(len(good)),
        *around.overall,
    ]


def _kind(field: Field) -> tuple[float, ...]:
    last = field.words[-1]
    return (
        {"text": 0.0, "number": 1.0, "date": 2.0}[field.kind],
        float(field.primary),
        float(field.foreign),
        float(last in ("nam", "name", "titl")) + float(last in ("nam", "name") and len(field.words) == 1),
        float(last in ("id", "cod", "code")),
        float(field.place),
        float(len(field.samples)),
    )


def _rivals(said: Said, column: Column, mention: Mention | None) -> tuple[float, float]:
    """The best score of another column at the same place, less the own; and how many are as good."""
    if mention is None:
        return 0.0, 0.0
    best, ties = 0.0, 0
    for other, mentions in said.columns.items():
        if other == column:
            continue
        for m in mentions:
            if m.first <= mention.last and mention.first <= m.last:
                best = max(best, m.score)
                ties += m.score >= mention.score - 0.001
    return best - mention.score, float(ties)


def _place(said: Said, around: Surroundings, mention: Mention | None) -> tuple[float, ...]:
    """Where a mention stands: the cues about it, and what has been said before."""
    if mention is None:
        return (-1.0,) * 13
    before = _step(said, mention.first, -1)
    second = _step(said, before, -1) if before >= 0 else -1
    after = _step(said, mention.last, 1)
    cues = [cue.partition(" ")[0] for cue in said.cues[: mention.first]]
    values = {c.first for c in said.constants}
    return (
        mention.first / len(said.words),
        float(mention.first - around.first_opener),
        cue_number(said.cues[before]) if before >= 0 else -1.0,
        cue_number(said.cues[second]) if second >= 0 else -1.0,
        cue_number(said.cues[after]) if after < len(said.words) else -1.0,
        float(after < len(said.words) and (said.words[after].kind == "number")),
        float(after < len(said.words) and (after in values or said.words[after].kind == "quoted")),
        _since(cues, ("group",)),
        _since(cues, ("order", "by")),
        _since(cues, ("super", "top")),
        _since(cues, ("agg",)),
        _since(cues, ("count",)),
        _since(cues, ("cmp", "neg", "like", "between")),
    )


def _step(said: Said, at: int, step: int) -> int:
    """The next word that carries something, in one direction."""
    at += step
    while 0 <= at < len(said.words) and said.words[at].text.casefold() in _LIGHT:
        at += step
    return at


def _since(cues: list[str], wanted: tuple[str, ...]) -> float:
    """How many words ago one of the cues stood; 50 where it did not."""
    return next((float(n) for n, cue in enumerate(reversed(cues), start=1) if cue in wanted), 50.0)


def computed_features(said: Said, base: list[float], column: Column, function: str) -> list[float]:
    """The features of a column under an aggregate function, beside its own."""
    spots = [
        n for n, cue in enumerate(said.cues) if cue == f"agg {function}" or (function == "count" and cue == "count")
    ]
    if function in ("min", "max"):
        spots += [n for n, cue in enumerate(said.cues) if cue == f"super {'asc' if function == 'min' else 'desc'}"]
    mentions = said.columns.get(column, ())
    distance = min((m.first - s for s in spots for m in mentions[:2]), key=abs, default=60)
    return [*base, float(FUNCTIONS.index(function)), float(bool(spots)), float(distance)]


def table_features(said: Said, around: Surroundings, table: str) -> list[float]:
    """What speaks for and against reading from a table."""
    mentions = said.tables.get(table, ())
    best = mentions[0] if mentions else None
    rival = 0.0
    if best:
        rival = max(
            (m.score for t, ms in said.tables.items() if t != table for m in ms if m.first <= best.last <= m.last + 1),
            default=0.0,
        )
    owned = [(c, m) for c, m in said.columns.items() if c[0] == table]
    alone = sum(m[0].score > 0.7 and _rivals(said, c, m[0])[0] < 0 for c, m in owned)
    constants = [c for c in said.constants if c.column[0] == table]
    found = said.schema.table(table)
    return [
        best.score if best else 0.0,
        rival,
        float(len(mentions)),
        *_place(said, around, best),
        float(alone),
        max((m[0].score for _, m in owned), default=0.0),
        around.support.get(table, 0.0),
        float(len(constants)),
        float(sum(c.exact for c in constants)),
        float(len(found.foreign_keys)) if found else 0.0,
        float(len(found.columns)) if found else 0.0,
        float(len(said.schema.tables)),
        *around.overall,
    ]
