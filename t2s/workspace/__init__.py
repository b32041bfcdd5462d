"""The composition root: builds the real parts from the settings; nothing else does."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Self

from t2s.caches import Recent
from t2s.config import Config, load_config
from t2s.errors import LedgerError
from t2s.types.event import Event, Notice, Switched, ignore
from t2s.types.memory import Owner, Recalled
from t2s.types.query import Answer, Context
from t2s.types.run import Origin
from t2s.types.schema import Schema
from t2s.types.usage import Usage
from t2s.workspace.parts import (
    LOCAL,
    SAMPLE,
    Listener,
    archive_place,
    chosen_model,
    connect,
    connections,
    ledger_place,
    limits_of,
    memories_of,
    open_memories,
    record,
    resolve,
)
from t2s.workspace.preview import Preview, preview_of
from t2s.workspace.services import note_saving, record_switch

if TYPE_CHECKING:
    from t2s.ledger.budgets import Budget
    from t2s.ledger.meter import LedgerMeter
    from t2s.ledger.store import Ledger
    from t2s.linking.values import Values
    from t2s.monitor.recorder import Recorder
    from t2s.monitor.watch import Watch
    from t2s.types.database import Database
    from t2s.types.generator import Generator
    from t2s.types.llm import LLM, Reply
    from t2s.workspace.recollection import Recollection
    from t2s.workspace.watched import Outcome

__all__ = [
    "LOCAL",
    "SAMPLE",
    "Preview",
    "Workspace",
    "archive_place",
    "chosen_model",
    "connect",
    "connections",
    "ledger_place",
    "limits_of",
    "memories_of",
    "record",
    "resolve",
]


REPLIES_ENTRIES, REPLIES_S = 500, 5 * 60.0
"""So many answers of models are known for so long without a look at the disk."""
VALUES_ENTRIES, VALUES_S = 100, 30 * 60.0
"""Values of so many schemas are known, for so long: data changes."""


@dataclass(kw_only=True)
class Workspace:
    """A database, a model and a ledger, ready for questions; close it, or use it with `with`."""

    config: Config
    database: Database
    model: str
    on_event: Listener = ignore
    session_name: str | None = None
    use_cache: bool = True
    use_memory: bool = True
    locked: bool = False
    fallback: bool = True
    """Whether another model answers where the chosen one's service is down or its budget spent."""
    db: str | None = None
    pinned: tuple[str, ...] = ()
    """Full names of tables that are shown whatever the question is."""
    latest: Context | None = None
    """What the latest question was answered from."""
    values: Recent[Values] = field(default_factory=lambda: Recent(VALUES_ENTRIES, VALUES_S))
    """The values of the schemas that were asked about, by fingerprint."""
    replies: Recent[Reply] = field(default_factory=lambda: Recent(REPLIES_ENTRIES, REPLIES_S))
    """What models answered lately."""
    origin: Origin = "ask"
    """Which front end asks."""
    warned: set[str] = field(default_factory=set)
    """The budgets of which it was said that little is left."""

    @classmethod
    def open(
        cls,
        db: str | None = None,
        *,
        session: str | None = None,
        flags: Mapping[str, object] | None = None,
        use_cache: bool = True,
        use_memory: bool = True,
        locked: bool = False,
        on_event: Listener = ignore,
    ) -> Self:
        """Open `db` with the settings of files and environment, overruled by `flags` (dotted path → value).

        With `locked` only verified queries answer, and nothing is generated.
        """
        from t2s.llm import warm

        config = load_config(flags)
        for warning in config.warnings:
            on_event(Notice(message=warning))
        model = LOCAL if locked else chosen_model(config, on_event)
        if model != LOCAL:
            warm(model)
        return cls(
            config=config,
            database=connect(config, db),
            model=model,
            on_event=on_event,
            session_name=session,
            use_cache=use_cache,
            use_memory=use_memory and config.settings.memory.enabled,
            locked=locked,
            db=db,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Finish what the memory has begun, and give back the connection and the ledger."""
        if "recollection" in self.__dict__ and self.recollection is not None:
            self.recollection.close()
        if "recorder" in self.__dict__:
            self.recorder.close()
        self.database.close()
        if "ledger" in self.__dict__:
            self.ledger.close()

    @cached_property
    def ledger(self) -> Ledger:
        """The record of sessions, turns and usage."""
        return record(self.config, self.on_event)

    @cached_property
    def recorder(self) -> Recorder:
        """Who writes down behind the answers' backs what they took."""
        from t2s.workspace.watched import recorder_of

        return recorder_of(self)

    @cached_property
    def session_id(self) -> str:
        """The session that the questions belong to: the named one, else a new one."""
        return self.ledger.enter_session(
            user=self.config.settings.user, datasource=self.database.identity, name=self.session_name
        )

    @cached_property
    def recollection(self) -> Recollection | None:
        """What is recalled and learned; None where the memory is off or cannot be opened."""
        from t2s.workspace.recollection import Recollection

        if not self.use_memory:
            return None
        owner = Owner(user=self.config.settings.user, session_id=self.session_id, datasource=self.database.identity)
        return Recollection(
            memories=open_memories(self.config, self.ledger, owner, self.on_event),
            settings=self.config.settings.memory,
            privacy=self.database.privacy,
            model=self.model,
            archive=archive_place(self.config),
            in_conversation=self.session_name is not None,
        )

    def reconnect(self) -> None:
        """Open the database anew, after the connection was lost."""
        self.database.close()
        self.database = connect(self.config, self.db)

    def prepare(self) -> None:
        """Build what questions share, before several threads ask at once (the database must bear that, too)."""
        _ = self.session_id, self.recollection, self.recorder
        self.context("", self.database.schema(), Recalled())

    def ask(self, question: str, *, run: bool = True) -> Answer:
        """Answer a question and record the turn, and what it took."""
        from t2s.workspace.watched import watched

        run_id = str(uuid.uuid4())
        return watched(self, question, run_id, lambda watch: self._ask(question, run_id, watch, run=run))

    def _ask(self, question: str, run_id: str, watch: Watch, *, run: bool) -> Outcome:
        from t2s.pipeline import MEMORY, Options, ask
        from t2s.workspace.watched import Outcome

        settings = self.config.settings
        used = 0

        def recalled(question: str, schema: Schema) -> Recalled:
            nonlocal used
            found = self._recalled(question, schema)
            used = len(found.hits)
            return found

        answer = ask(
            question,
            database=self.database,
            generators=self.generators(run_id),
            recalled=recalled,
            linked=self._linked,
            options=Options(
                run=run,
                limit=settings.limit or None,
                timeout=settings.timeout,
                repairs=settings.repairs,
                candidates=settings.candidates,
                economise=settings.budget.economise,
            ),
            session_id=self.session_id,
            run_id=run_id,
            on_event=self._noted(run_id, watch),
        )
        if answer.usage.model == MEMORY and self.model != LOCAL:
            note_saving(self, run_id, "memory", Usage(model=self.model))
        with watch.stage("remember"):
            made = self._remember(answer)
        return Outcome(answer=answer, memories_used=used, memories_made=made)

    def _remember(self, answer: Answer) -> int:
        """Record the turn and learn from it; returns how many memories were made."""
        try:
            self.ledger.record_turn(answer, privacy=self.database.privacy)
        except LedgerError as e:  # the answer is worth more than its record
            self.on_event(Notice(message=f"{e.message}; this answer is not recorded"))
        return self.recollection.learn(answer, self.database.schema()) if self.recollection is not None else 0

    def _noted(self, run_id: str, listener: Listener) -> Listener:
        """The listener, with a record of what must not go unnoticed."""

        def listen(event: Event) -> None:
            listener(event)
            if isinstance(event, Switched):
                record_switch(self, run_id, event)

        return listen

    def preview(self, question: str) -> Preview:
        """What `ask` would send, and what it could cost at most; nothing is sent."""
        schema = self.database.schema()
        context = self.context(question, schema, self._recalled(question, schema))
        return preview_of(context, self.model, self.config.settings, self.ledger)

    def context(self, question: str, schema: Schema, recalled: Recalled) -> Context:
        """What a generator is shown for a question."""
        from t2s.workspace.context import context_of

        return context_of(self, question, schema, recalled)

    def _linked(self, question: str, schema: Schema, recalled: Recalled) -> Context:
        self.latest = self.context(question, schema, recalled)
        return self.latest

    def _recalled(self, question: str, schema: Schema) -> Recalled:
        from t2s.linking.memories import PINNED

        recalled = self.recollection.recall(question, schema) if self.recollection is not None else Recalled()
        return replace(recalled, tables=(*((name, PINNED) for name in self.pinned), *recalled.tables))

    def generators(self, run_id: str) -> tuple[Generator, ...]:
        """The model's generator and, behind it, the local one for when the service is down."""
        if self.locked:
            from t2s.pipeline.generate import NoGenerator

            return (NoGenerator(),)
        from t2s.local import LocalGenerator

        wanted = self.config.settings.local
        local = LocalGenerator(weights=wanted.weights)
        if wanted.min_confidence is not None:
            local = replace(local, min_confidence=wanted.min_confidence)
        if self.model == LOCAL:
            return (local,)
        from t2s.pipeline.generate import ModelGenerator
        from t2s.workspace.services import affordable

        settings = self.config.settings
        llm = affordable(self, run_id)
        model = ModelGenerator(
            llm=llm,
            model=self.model,
            max_tokens=settings.provider.max_output_tokens,
            effort=settings.provider.effort,
        )
        return (model, local) if self.fallback else (model,)

    def llm(self, run_id: str) -> LLM:
        """The model service, every call of which is checked against the budgets and recorded under the run."""
        from t2s.workspace.services import metered

        return metered(self, run_id, self.model)

    def budgets(self) -> tuple[Budget, ...]:
        """Every budget that is set, as it stands."""
        return self.meter("").budgets()

    def meter(self, run_id: str) -> LedgerMeter:
        """Who allows and records the calls of a run."""
        from t2s.ledger.meter import LedgerMeter

        settings = self.config.settings
        return LedgerMeter(
            self.ledger,
            user=settings.user,
            session_id=self.session_id,
            run_id=run_id,
            limits=limits_of(settings),
            on_event=self.on_event,
            warned=self.warned,
        )
