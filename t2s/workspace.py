"""The composition root: builds the real parts from the settings; nothing else does."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from t2s.config import Config, home, load_config
from t2s.errors import LedgerError
from t2s.types.event import Event, Notice, ignore
from t2s.types.query import Answer, Context, Exchange
from t2s.types.schema import Schema

if TYPE_CHECKING:
    from t2s.database import Connection
    from t2s.ledger.store import Ledger
    from t2s.pipeline.values import Values
    from t2s.types.database import Database
    from t2s.types.generator import Generator
    from t2s.types.llm import Request

LOCAL = "local"
"""The model that needs no service."""

LOCAL_TABLES = 60
"""The local generator pays nothing for a table, but its time grows with them."""

Listener = Callable[[Event], None]


def connections(config: Config) -> dict[str, Connection]:
    """The named connections of the settings."""
    from t2s.database import Connection

    return {
        name: Connection(name=name, url=entry.url, privacy=entry.privacy or config.settings.privacy, configured=True)
        for name, entry in config.settings.connections.items()
    }


def connect(config: Config, target: str | None) -> Database:
    """Open what `target` names: a connection, a URL or files; without it the default, else the sample."""
    from t2s.database import open_database, resolve_connection
    from t2s.database.sample import sample_path

    named = connections(config)
    wanted = target or config.settings.db
    if wanted is None:
        wanted = str(sample_path(home() / "sample"))
    connection = resolve_connection(wanted, named, cwd=Path.cwd())
    if connection.name not in named:
        connection = replace(connection, privacy=config.settings.privacy)
    return open_database(connection, cache_dir=home() / "schemas")


def record(config: Config, on_event: Listener) -> Ledger:
    """Open the ledger; where that fails this process keeps one in memory, and says so."""
    from t2s.ledger import open_ledger

    try:
        return open_ledger(config.settings.ledger or str(home() / "ledger.db"))
    except LedgerError as e:
        on_event(Notice(message=f"{e.message}; nothing of this session will be kept"))
        return open_ledger(":memory:")


def chosen_model(config: Config, on_event: Listener) -> str:
    """The model of the settings, else Claude where there is a key, else `local`, said once."""
    from t2s.llm import DEFAULT_MODEL

    settings = config.settings
    if settings.model:
        return settings.model
    if settings.provider.api_key:
        return DEFAULT_MODEL
    on_event(Notice(message="no ANTHROPIC_API_KEY: answering with the local generator"))
    return LOCAL


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
    _values: dict[str, Values] = field(default_factory=dict)

    @classmethod
    def open(
        cls,
        db: str | None = None,
        *,
        session: str | None = None,
        flags: Mapping[str, object] | None = None,
        use_cache: bool = True,
        on_event: Listener = ignore,
    ) -> Self:
        """Open `db` with the settings of files and environment, overruled by `flags` (dotted path → value)."""
        from t2s.llm import warm

        config = load_config(flags)
        for warning in config.warnings:
            on_event(Notice(message=warning))
        model = chosen_model(config, on_event)
        if model != LOCAL:
            warm(model)
        return cls(
            config=config,
            database=connect(config, db),
            model=model,
            on_event=on_event,
            session_name=session,
            use_cache=use_cache,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give back the connection and the ledger."""
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
            user=self.config.settings.user, datasource=self.database.name, name=self.session_name
        )

    def ask(self, question: str, *, run: bool = True) -> Answer:
        """Answer a question and record the turn."""
        from t2s.pipeline import Options, ask

        settings = self.config.settings
        run_id = str(uuid.uuid4())
        answer = ask(
            question,
            database=self.database,
            generators=self._generators(run_id),
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
        return answer

    def preview(self, question: str) -> Preview:
        """What `ask` would send, and what it could cost at most; nothing is sent."""
        from t2s.llm import cost_usd, estimate_request

        context = self.context(question, self.database.schema())
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

    def context(self, question: str, schema: Schema) -> Context:
        """What a generator is shown for a question."""
        from t2s.llm import estimate_tokens
        from t2s.pipeline import link
        from t2s.pipeline.prompt import table_text
        from t2s.pipeline.values import load_values, match_values

        if schema.fingerprint not in self._values:
            self._values[schema.fingerprint] = load_values(self.database, schema)
        matches = match_values(question, self._values[schema.fingerprint])
        limits = self.config.settings.context
        if self.model == LOCAL and len(schema.tables) <= LOCAL_TABLES:
            part = schema
        else:
            part = link(
                question,
                schema,
                matches,
                costs=[estimate_tokens(table_text(t, self.database.privacy), self.model) for t in schema.tables],
                max_tokens=limits.schema_tokens,
                max_tables=limits.max_tables,
            )
        kept = {table.full_name for table in part.tables}
        return Context(
            question=question,
            schema=part,
            whole=len(part.tables) == len(schema.tables),
            today=date.today(),
            privacy=self.database.privacy,
            values=tuple(match for match in matches if match.table in kept),
            history=self._history(),
        )

    def _history(self) -> tuple[Exchange, ...]:
        """The latest questions of a named session; an unnamed one starts afresh."""
        if self.session_name is None:
            return ()
        return self.ledger.history(self.session_id, self.config.settings.context.history_turns)

    def _generators(self, run_id: str) -> tuple[Generator, ...]:
        """The model's generator and, behind it, the local one for when the service is down."""
        from t2s.local import LocalGenerator

        local = LocalGenerator()
        if self.model == LOCAL:
            return (local,)
        from t2s.ledger import Limits
        from t2s.ledger.meter import LedgerMeter
        from t2s.llm import build_llm
        from t2s.llm.cache import Cached
        from t2s.llm.replay import Recorded
        from t2s.pipeline.generate import ModelGenerator

        settings = self.config.settings
        meter = LedgerMeter(
            self.ledger,
            user=settings.user,
            session_id=self.session_id,
            run_id=run_id,
            limits=Limits(**settings.budget.model_dump()),
            on_event=self.on_event,
        )
        llm = build_llm(self.model, settings.provider, meter=meter, prices=settings.prices)
        if settings.provider.record:
            llm = Recorded(llm, settings.provider.record)
        if self.use_cache and settings.candidates == 1:
            llm = Cached(llm, home() / "cache")
        model = ModelGenerator(
            llm=llm,
            model=self.model,
            max_tokens=settings.provider.max_output_tokens,
            effort=settings.provider.effort,
        )
        return (model, local)
