"""Choose what of the schema a generator is shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from t2s.pipeline.prompt import column_text, table_text
from t2s.types.query import Privacy, ValueMatch
from t2s.types.schema import Schema, Table

if TYPE_CHECKING:
    from t2s.linking.choose import Costs
    from t2s.linking.index import Index
    from t2s.linking.memories import Memories
    from t2s.linking.rank import Ranked
    from t2s.types.memory import Recalled

Tokens = Callable[[str, str], int]
"""How many tokens a text costs with a model."""

_costs: WeakKeyDictionary[Index, dict[tuple[str, Privacy], tuple[Costs, ...]]] = WeakKeyDictionary()
"""By model and privacy, what the tables of an index cost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What of a schema is shown; `likely` says how likely the question needs what is in it (empty: not asked)."""

    schema: Schema
    likely: Mapping[str, float] = field(default_factory=dict)


def link(
    question: str,
    schema: Schema,
    matches: tuple[ValueMatch, ...],
    *,
    memories: Memories | None = None,
    tokens: Tokens,
    model: str,
    privacy: Privacy,
    max_tokens: int,
    max_tables: int,
) -> Part:
    """The whole schema where it fits `max_tokens` of `model`, as `tokens` counts them; else what a question needs.

    The part has at most `max_tables` tables, connected by their foreign keys. Tables and columns keep their order.
    """
    if _fits(schema, privacy, model, tokens, max_tokens):
        return Part(schema=schema)
    from t2s.linking.choose import choose
    from t2s.linking.index import index_schema
    from t2s.linking.rank import rank

    index = index_schema(schema)
    ranked = rank(index, question, matches, memories)
    costs = _priced(index, tokens, model, privacy)
    part = choose(ranked, costs, max_tokens=max_tokens, max_tables=max_tables)
    return Part(schema=part, likely=_named(ranked, part))


def likelihoods(
    question: str, schema: Schema, matches: tuple[ValueMatch, ...], memories: Memories
) -> Mapping[str, float]:
    """How likely (0..1) a question needs each table (`table`) and column (`table.column`) of a schema."""
    from t2s.linking.index import index_schema
    from t2s.linking.rank import rank

    return _named(rank(index_schema(schema), question, matches, memories), schema)


def memories_of(recalled: Recalled) -> Memories:
    """What was recalled, as it bears on tables and columns."""
    from t2s.linking.memories import Memories

    used: dict[str, float] = {}
    for hit in recalled.hits:
        if hit.memory.kind in ("query", "correction"):
            for name in (*hit.memory.tables, *hit.memory.columns):
                used[name] = max(used.get(name, 0.0), min(hit.relevance, 1.0))
    return Memories(related=dict(reversed(recalled.tables)), used=used)


def _named(ranked: Ranked, part: Schema) -> dict[str, float]:
    """The likelihoods of the tables and columns of a part, by name."""
    index = ranked.sight.index
    found: dict[str, float] = {}
    for table in part.tables:
        at = index.spelled[table.full_name]
        found[table.full_name] = ranked.tables[at]
        columns = dict(zip((c.name for c in index.schema.tables[at].columns), ranked.columns(at), strict=True))
        found |= {f"{table.full_name}.{column.name}": columns[column.name] for column in table.columns}
    return found


def _fits(schema: Schema, privacy: Privacy, model: str, tokens: Tokens, max_tokens: int) -> bool:
    left = max_tokens
    for table in schema.tables:
        left -= tokens(f"{table_text(table, privacy)}\n", model)
        if left < 0:
            return False
    return True


def _priced(index: Index, tokens: Tokens, model: str, privacy: Privacy) -> tuple[Costs, ...]:
    known = _costs.setdefault(index, {})
    if (model, privacy) not in known:
        costs = [_cost(table, privacy, lambda text: tokens(text, model)) for table in index.schema.tables]
        known[model, privacy] = tuple(costs)
    return known[model, privacy]


def _cost(table: Table, privacy: Privacy, tokens: Callable[[str], int]) -> Costs:
    from t2s.linking.choose import Costs, bare, bare_table

    empty = replace(table, columns=())
    head = tokens(f"{table_text(bare_table(empty), privacy)}\n")
    names, details = [], []
    for column in table.columns:
        full, name = (f"{column_text(shown, table, privacy)}, " for shown in (column, bare(column)))
        names.append(tokens(name))
        details.append(0 if full == name else tokens(full) - names[-1])
    about = tokens(f"{table_text(empty, privacy)}\n") - head
    return Costs(head=head, about=about, names=names, details=details)
