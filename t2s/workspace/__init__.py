"""The composition root: builds the real parts from the settings; nothing else does."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Self

from t2s.config import Config, home, load_config
from t2s.errors import LedgerError
from t2s.types.event import Notice, ignore
from t2s.types.memory import Owner, Recalled
from t2s.types.query import Answer, Context, Exchange
from t2s.types.schema import Schema
from t2s.workspace.parts import (
    LOCAL,
    LOCAL_TABLES,
    Listener,
    archive_place,
    chosen_model,
    connect,
    connections,
    ledger_place,
    memories_of,
    open_memories,
    record,
)

if TYPE_CHECKING:
    from t2s.ledger.meter import LedgerMeter
    from t2s.ledger.store import Ledger
    from t2s.pipeline.values import Values
    from t2s.types.database import Database
    from t2s.types.generator import Generator
    from t2s.types.llm import LLM, Request
    from t2s.workspace.recollection import Recollection

__all__ = [
    "LOCAL",
    "Preview",
    "Workspace",
    "archive_place",
    "chosen_model",
    "connect",
    "connections",
    "ledger_place",
    "memories_of",
    "record",
]


MAX_HISTORY = 100
"""Turns of a session that are looked at; the oldest of them are summed up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What a question would send: nothing where `request` is None, for then it is answered on this machine."""

    context: Context
    model: str
    request: Request | None
    tokens: int
    max_cost_usd: float | None


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
    _values: dict[str, Values] = field(default_factory=dict)

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
        self.database.close()
        if "ledger" in self.__dict__:
            self.ledger.close()

    @cached_property
    def ledger(self) -> Ledger:
        """The record of sessions, turns and usage."""
        return record(self.config, self.on_event)

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

    def prepare(self) -> None:
        """Build what questions share, before several threads ask at once (the database must bear that, too)."""
        _ = self.session_id, self.recollection
        self.context("", self.database.schema(), Recalled())

    def ask(self, question: str, *, run: bool = True) -> Answer:
        """Answer a question and record the turn."""
        from t2s.pipeline import Options, ask

        settings = self.config.settings
        run_id = str(uuid.uuid4())
        answer = ask(
            question,
            database=self.database,
            generators=self._generators(run_id),
            recalled=self._recalled,
            linked=self.context,
            options=Options(
                run=run,
                limit=settings.limit or None,
                timeout=settings.timeout,
                repairs=settings.repairs,
                candidates=settings.candidates,
            ),
            session_id=self.session_id,
            run_id=run_id,
            on_event=self.on_event,
        )
        try:
            self.ledger.record_turn(answer, privacy=self.database.privacy)
        except LedgerError as e:  # the answer is worth more than its record
            self.on_event(Notice(message=f"{e.message}; this answer is not recorded"))
        if self.recollection is not None:
            self.recollection.learn(answer, self.database.schema())
        return answer

    def preview(self, question: str) -> Preview:
        """What `ask` would send, and what it could cost at most; nothing is sent."""
        from t2s.llm import cost_usd, estimate_request

        schema = self.database.schema()
        context = self.context(question, schema, self._recalled(question, schema))
        if self.model == LOCAL:
            return Preview(context=context, model=LOCAL, request=None, tokens=0, max_cost_usd=0.0)
        from t2s.pipeline.prompt import build_request

        settings = self.config.settings.provider
        request = build_request(
            context, (), model=self.model, max_tokens=settings.max_output_tokens, effort=settings.effort
        )
        tokens = estimate_request(request)
        cost = cost_usd(
            self.model,
            self.config.settings.prices,
            input_tokens=0,
            cache_write_tokens=tokens,
            output_tokens=request.max_tokens,
        )
        return Preview(context=context, model=self.model, request=request, tokens=tokens, max_cost_usd=cost)

    def context(self, question: str, schema: Schema, recalled: Recalled) -> Context:
        """What a generator is shown for a question."""
        from t2s.llm import estimate_tokens
        from t2s.pipeline import link
        from t2s.pipeline.prompt import table_text
        from t2s.pipeline.values import load_values, match_values

        if schema.fingerprint not in self._values:
            self._values[schema.fingerprint] = load_values(self.database, schema)
        matches = match_values(question, self._values[schema.fingerprint])
        limits = self.config.settings.context
        noted = self.recollection.annotated(schema) if self.recollection is not None else schema
        if self.model == LOCAL and len(schema.tables) <= LOCAL_TABLES:
            part = noted
        else:
            part = link(
                question,
                noted,
                matches,
                related=dict(recalled.tables),
                costs=[estimate_tokens(table_text(t, self.database.privacy), self.model) for t in noted.tables],
                max_tokens=limits.schema_tokens,
                max_tables=limits.max_tables,
            )
        kept = {table.full_name for table in part.tables}
        history, earlier = self._conversation()
        known = None
        if self.recollection is not None and not history:
            known = self.recollection.known(question, schema)
        return Context(
            question=question,
            schema=part,
            whole=len(part.tables) == len(schema.tables),
            today=date.today(),
            privacy=self.database.privacy,
            values=tuple(match for match in matches if match.table in kept),
            history=history,
            earlier=earlier,
            recalled=recalled,
            known=known,
        )

    def _recalled(self, question: str, schema: Schema) -> Recalled:
        return self.recollection.recall(question, schema) if self.recollection is not None else Recalled()

    def _conversation(self) -> tuple[tuple[Exchange, ...], str]:
        """The latest turns of a named session, and what was before them; an unnamed one starts afresh."""
        from t2s.llm import estimate_tokens
        from t2s.memory.conversation import conversation

        if self.session_name is None:
            return (), ""
        limits = self.config.settings.context
        return conversation(
            self.ledger.history(self.session_id, MAX_HISTORY),
            limits.strategy,
            turns=limits.history_turns,
            budget=limits.history_tokens,
            estimate=lambda text: estimate_tokens(text, self.model),
        )

    def _generators(self, run_id: str) -> tuple[Generator, ...]:
        """The model's generator and, behind it, the local one for when the service is down."""
        if self.locked:
            from t2s.pipeline.generate import NoGenerator

            return (NoGenerator(),)
        from t2s.local import LocalGenerator

        local = LocalGenerator()
        if self.model == LOCAL:
            return (local,)
        from t2s.llm.cache import Cached
        from t2s.pipeline.generate import ModelGenerator

        llm = self.llm(run_id)
        settings = self.config.settings
        if self.use_cache and settings.candidates == 1:
            llm = Cached(llm, home() / "cache")
        model = ModelGenerator(
            llm=llm,
            model=self.model,
            max_tokens=settings.provider.max_output_tokens,
            effort=settings.provider.effort,
        )
        return (model, local)

    def llm(self, run_id: str) -> LLM:
        """The model service, every call of which is checked against the budgets and recorded under the run."""
        from t2s.llm import build_llm
        from t2s.llm.replay import Recorded

        settings = self.config.settings
        llm = build_llm(self.model, settings.provider, meter=self.meter(run_id), prices=settings.prices)
        return Recorded(llm, settings.provider.record) if settings.provider.record else llm

    def meter(self, run_id: str) -> LedgerMeter:
        """Who allows and records the calls of a run."""
        from t2s.ledger import Limits, Pace
        from t2s.ledger.meter import LedgerMeter

        settings = self.config.settings
        return LedgerMeter(
            self.ledger,
            user=settings.user,
            session_id=self.session_id,
            run_id=run_id,
            limits=Limits(**settings.budget.model_dump(), pace=Pace(**settings.pace.model_dump())),
            on_event=self.on_event,
        )
