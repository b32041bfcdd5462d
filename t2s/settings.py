"""The settings themselves: every one with its type, its bounds and its default."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, NonNegativeFloat, PositiveInt, SecretStr

from t2s.types.llm import Effort
from t2s.types.query import Privacy


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user id need not have a name
        return "unknown"


def _none_from_word(value: Any) -> Any:
    return None if value in ("none", "off") else value


OptionalCount = Annotated[PositiveInt | None, BeforeValidator(_none_from_word)]
"""A number of things, or None (in text: `none` or `off`) for no limit."""

OptionalUSD = Annotated[NonNegativeFloat | None, BeforeValidator(_none_from_word)]
"""An amount in USD, or None (in text: `none` or `off`) for no limit."""


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ConnectionSettings(_Section):
    """A named connection; without a `privacy` of its own the general one holds."""

    url: str
    privacy: Privacy | None = None


class ProviderSettings(_Section):
    """The model services' addresses and keys."""

    api_key: SecretStr | None = None
    base_url: str | None = None
    openai_api_key: SecretStr | None = None
    openai_base_url: str | None = None
    timeout_s: Annotated[float, Field(gt=0)] = 60.0
    retries: Annotated[int, Field(ge=0, le=10)] = 3
    effort: Effort = "low"
    max_output_tokens: PositiveInt = 4096
    record: Path | None = None


class BudgetSettings(_Section):
    """Limits per request, session and day; a refused request names the one it hit."""

    request_tokens: PositiveInt = 16_000
    day_tokens: PositiveInt = 1_000_000
    request_usd: OptionalUSD = None
    session_usd: OptionalUSD = None
    day_usd: OptionalUSD = None
    warn_share: Annotated[float, Field(gt=0, le=1)] = 0.8


class PaceSettings(_Section):
    """Calls under way at once and begun in a minute, over all processes; a call waits `queue_s` for its place."""

    at_once: OptionalCount = 10
    at_once_user: OptionalCount = 3
    requests_per_minute: OptionalCount = 50
    tokens_per_minute: OptionalCount = None
    queue_s: Annotated[float, Field(ge=0)] = 30.0


class ContextSettings(_Section):
    """What a model is shown."""

    schema_tokens: PositiveInt = 6_000
    max_tables: PositiveInt = 10
    history_turns: Annotated[int, Field(ge=0, le=10)] = 5
    history_tokens: Annotated[int, Field(ge=0, le=32_768)] = 8_000
    strategy: Literal["aggressive", "balanced", "conservative"] = "balanced"


class MemorySettings(_Section):
    """What is remembered, where, and how much of it is recalled.

    `conscious` is what people say to remember, `auto` what is learned from answers. `index` is a folder or a Chroma
    server's URL, `archive` a folder or any address that fsspec knows.
    """

    enabled: bool = True
    conscious: bool = True
    auto: bool = True
    embedder: str = "lexical"
    embed_timeout_s: Annotated[float, Field(gt=0)] = 10.0
    index: str | None = None
    archive: str | None = None
    recall_count: Annotated[int, Field(ge=0)] = 5
    recall_tokens: Annotated[int, Field(ge=0)] = 1_000
    glossary_tokens: Annotated[int, Field(ge=0)] = 1_000
    recall_timeout_s: Annotated[float, Field(gt=0)] = 2.0
    summarise_every: Annotated[int, Field(ge=0)] = 10


class PriceSettings(_Section):
    """USD per million tokens of a model that the bundled table does not have, or has wrong."""

    input: NonNegativeFloat
    output: NonNegativeFloat
    cache_write: NonNegativeFloat | None = None
    cache_read: NonNegativeFloat | None = None


class Settings(_Section):
    """Everything that can be set."""

    db: str | None = None
    model: str | None = None
    user: str = Field(default_factory=_user)
    limit: Annotated[int, Field(ge=0)] = 1_000
    timeout: Annotated[float, Field(gt=0)] = 30.0
    privacy: Privacy = "values"
    repairs: Annotated[int, Field(ge=0, le=5)] = 2
    candidates: Annotated[int, Field(ge=1, le=9)] = 1
    ledger: str | None = None
    provider: ProviderSettings = ProviderSettings()
    budget: BudgetSettings = BudgetSettings()
    pace: PaceSettings = PaceSettings()
    context: ContextSettings = ContextSettings()
    memory: MemorySettings = MemorySettings()
    connections: dict[str, ConnectionSettings] = {}
    prices: dict[str, PriceSettings] = {}
