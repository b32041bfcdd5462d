"""What t2s remembers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

Kind = Literal[
    "schema", "glossary", "preference", "query", "correction", "result", "event", "summary", "conversation", "config"
]
Layer = Literal["long", "medium", "short"]
State = Literal["executed", "accepted", "golden"]
"""How far a query is trusted: it ran; a person accepted it; a person vouches for it."""
Source = Literal["user", "auto", "import"]

DATASOURCE_KINDS: frozenset[Kind] = frozenset({"schema", "glossary", "query", "correction"})
"""Shared by all who ask the same datasource."""
USER_KINDS: frozenset[Kind] = frozenset({"preference", "config"})
"""One user's, on every datasource; all other kinds belong to one session."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """On whose behalf something is remembered or recalled."""

    user: str
    session_id: str
    datasource: str

    def scope(self, kind: Kind) -> str:
        """The line that a memory of this kind never crosses."""
        if kind in DATASOURCE_KINDS:
            return f"{kind}:{self.datasource}"
        if kind in USER_KINDS:
            return f"{self.user}:{kind}"
        return f"{self.user}:{self.session_id}:{kind}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """One thing remembered; a newer one of the same `scope` and `key` supersedes it.

    `content` is what is searched and shown. `data` by kind: query `question, sql`; correction `question, wrong,
    right, why`; glossary `term, definition`; schema `target, note`; preference `text`. Times are seconds since the
    epoch. `stale` says why it is not used any more, though it is kept. `veto` is the hash of the wrong SQL's tree.
    """

    id: str
    kind: Kind
    scope: str
    key: str
    content: str
    user: str
    session_id: str
    datasource: str
    created: float
    last_access: float
    valid_from: float
    source: Source = "user"
    state: State | None = None
    layer: Layer = "medium"
    importance: float = 0.5
    feedback: float = 0.5
    confidence: float | None = None
    accesses: int = 0
    expires: float | None = None
    valid_to: float | None = None
    superseded_by: str | None = None
    merged_into: str | None = None
    stale: str | None = None
    marked: bool = False
    data: Mapping[str, str] = field(default_factory=dict)
    tables: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    fingerprint: str | None = None
    sql_hash: str | None = None
    veto: str | None = None

    @property
    def verified_sql(self) -> str | None:
        """The SQL that a person has accepted for a question, or given in a correction; None where there is none."""
        if self.kind == "correction":
            return self.data.get("right")
        return self.data.get("sql") if self.state in ("accepted", "golden") else None


Intent = Literal["none", "history", "preference", "event", "mixed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A memory that a search found; `relevance` (0..1) is how well it fits, `score` what it is ranked by."""

    memory: Memory
    relevance: float
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Recalled:
    """What came to mind for a question, best first; `missing` says which parts of the memory did not answer.

    `tables` are the full names of the tables whose description fits, with how well (0..1).
    """

    hits: tuple[Hit, ...] = ()
    tables: tuple[tuple[str, float], ...] = ()
    intent: Intent = "none"
    missing: tuple[str, ...] = ()

    def of(self, kind: Kind) -> tuple[Memory, ...]:
        """The recalled memories of one kind, best first."""
        return tuple(hit.memory for hit in self.hits if hit.memory.kind == kind)


class Embedder(Protocol):
    """Turns texts into vectors whose cosine says how close their meanings are."""

    @property
    def name(self) -> str:
        """Names model and version: vectors of different names cannot be compared."""
        ...

    def embed(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        """One unit vector a text; raises `EmbedderUnavailable`."""
        ...
