"""What a workspace recalls and learns; whatever of it fails is said, and the answer comes all the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, TypeVar

from t2s.config import home
from t2s.errors import ArchiveError, EmbedderUnavailable, IndexUnavailable, LedgerError
from t2s.types.event import Notice
from t2s.types.memory import Recalled

if TYPE_CHECKING:
    from t2s.memory.memories import Memories
    from t2s.settings import MemorySettings
    from t2s.types.query import Answer, Candidate, Privacy
    from t2s.types.schema import Schema

INDEX_BEHIND = 64
"""The index takes over so many changes at once: opening it costs a second, which one question should not pay."""
MAX_TABLES = 3_000
"""Larger schemas are not learned at the end of a question but by `schema refresh`."""

T = TypeVar("T")


@dataclass(slots=True, kw_only=True)
class Recollection:
    """The memory at work on one owner's questions."""

    memories: Memories
    settings: MemorySettings
    privacy: Privacy
    model: str
    archive: str
    in_conversation: bool
    _turns: int = 0
    _schema: Schema | None = None
    _told: set[str] = field(default_factory=set)

    def recall(self, question: str, schema: Schema) -> Recalled:
        """What comes to mind for a question; a part of the memory that does not answer is named."""
        recalled = self._guarded("memory", lambda: self._recall(question, schema), Recalled())
        for missing in recalled.missing:
            self._tell(f"the memory is not complete: {missing}")
        return recalled

    def _recall(self, question: str, schema: Schema) -> Recalled:
        from t2s.local.words import shape_of
        from t2s.memory.recall import note_accesses, recall
        from t2s.memory.stale import review

        if stale := review(self.memories, schema):
            names = "; ".join(" ".join(memory.content.split())[:60] for memory in stale[:3])
            self._tell(f"the schema has changed: {len(stale)} memories are not used any more ({names})")
        limits = self.settings
        recalled = recall(
            self.memories,
            question,
            count=limits.recall_count,
            max_tokens=limits.recall_tokens,
            glossary_tokens=limits.glossary_tokens,
            estimate=self._tokens,
            shape=shape_of,
            timeout=limits.recall_timeout_s,
        )
        if recalled.hits:
            note_accesses(self.memories, recalled)
        return recalled

    def known(self, question: str, schema: Schema) -> Candidate | None:
        """The verified answer of exactly this question."""
        from t2s.memory.feedback import known_answer

        return self._guarded("memory", lambda: known_answer(self.memories, question, schema, date.today()), None)

    def annotated(self, schema: Schema) -> Schema:
        """The schema with people's notes as comments."""
        from t2s.ledger import memories as store
        from t2s.memory.learn import annotated

        scope = self.memories.owner.scope("schema")
        return self._guarded("memory", lambda: annotated(schema, store.notes(self.memories.ledger, scope)), schema)

    def learn(self, answer: Answer, schema: Schema) -> int:
        """Keep what an answer teaches, and plan a summary now and then; returns how many memories were made."""
        from t2s.memory.learn import learn_turn
        from t2s.memory.work import plan

        self._turns += 1
        self._schema = schema
        if not self.settings.auto or answer.usage.model == "memory":
            return 0
        made = self._guarded(
            "memory", lambda: learn_turn(self.memories, answer, schema, in_conversation=self.in_conversation), 0
        )
        every = self.settings.summarise_every
        if self.in_conversation and every and self._turns % every == 0:
            plan(self.memories.ledger, home() / "tasks.jsonl", self.memories.owner, "summarise")
        return made

    def unlearn(self, answer: Answer) -> None:
        """Take back what the conversation kept by itself of an answer."""
        from t2s.ledger import memories as store

        ledger, owner = self.memories.ledger, self.memories.owner
        own = store.find(ledger, session_id=owner.session_id, user=owner.user, kinds=("conversation", "result"))
        store.remove(ledger, [memory.id for memory in own if memory.content.startswith(answer.question)])

    def close(self) -> None:
        """Learn the schema's tables where they are new, clear out what has expired, bring the index up to date."""
        if self._turns and self.settings.auto:
            self._guarded("memory", self._learn_tables, None)
            self._guarded("embedder", self._embed_anew, None)
            self._guarded("archive", self._prune, None)
            self._guarded("index", self._update_index, None)
        self.memories.searcher.index.close()

    def _learn_tables(self) -> None:
        from t2s.ledger import memories as store
        from t2s.memory.learn import learn_schema
        from t2s.pipeline.prompt import table_text

        schema = self._schema
        if schema is None or len(schema.tables) > MAX_TABLES:
            return
        scope = self.memories.owner.scope("schema")
        if store.table_count(self.memories.ledger, scope, schema.fingerprint) != len(schema.tables):
            learn_schema(self.memories, schema, lambda table: table_text(table, self.privacy))

    def _embed_anew(self) -> None:
        """Where the embedder is another than before, let it see what is known."""
        from t2s.ledger import memory_search
        from t2s.memory.memories import embed_missing
        from t2s.memory.recall import ALWAYS

        searcher, owner = self.memories.searcher, self.memories.owner
        scopes = [owner.scope(kind) for kind in ALWAYS]
        known = sum(memory_search.sizes(self.memories.ledger, scopes).values())
        if 2 * memory_search.vector_count(self.memories.ledger, scopes, searcher.embedder.name) < known:
            embed_missing(self.memories, limit=MAX_TABLES)

    def _prune(self) -> None:
        from t2s.memory import archive, retain

        ledger = self.memories.ledger
        retain.prune(ledger, lambda known: archive.archive(ledger, self.archive, known))

    def _update_index(self) -> None:
        from t2s.ledger import memory_search

        searcher = self.memories.searcher
        if memory_search.newest_change(self.memories.ledger) - searcher.index.last_change() >= INDEX_BEHIND:
            searcher.index.update(self.memories.ledger, searcher.embedder.name)

    def _tokens(self, text: str) -> int:
        from t2s.llm import estimate_tokens

        return estimate_tokens(text, self.model)

    def _guarded(self, part: str, do: Callable[[], T], otherwise: T) -> T:
        try:
            return do()
        except (LedgerError, IndexUnavailable, ArchiveError, EmbedderUnavailable) as e:
            self._tell(f"the {part} does not work just now: {e.message}")
            return otherwise

    def _tell(self, message: str) -> None:
        if message not in self._told:
            self._told.add(message)
            self.memories.on_event(Notice(message=message))
