"""The settings themselves: every one with its type, its bounds and its default."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    NonNegativeFloat,
    PositiveInt,
    SecretStr,
)

from t2s.types.llm import Effort
from t2s.types.query import Privacy


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user id need not have a name
        return "unknown"


def _none_from_word(value: Any) -> Any:
    return None if value in ("none", "off") else value


def _web_address(address: SecretStr | None) -> SecretStr | None:
    if address is not None and not address.get_secret_value().startswith(("https://", "http://")):
        raise ValueError("must begin with https:// or http://")
    return address


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
    """Limits per request, session and day; a refused request names the one it hit.

    With `economise`, the economical model answers once less than `scarce_share` of a session's or a day's budget is
    left, and the local generator once nothing else fits; without, the call is refused.
    """

    request_tokens: OptionalCount = 16_000
    session_tokens: OptionalCount = None
    day_tokens: OptionalCount = 1_000_000
    request_usd: OptionalUSD = None
    session_usd: OptionalUSD = None
    day_usd: OptionalUSD = None
    warn_share: Annotated[float, Field(gt=0, le=1)] = 0.8
    economise: bool = True
    economical_model: str = "claude-haiku-5-5"
    scarce_share: Annotated[float, Field(ge=0, le=1)] = 0.2


class CacheSettings(_Section):
    """Models' answers that are kept on disk: whether, for how many hours, and how many megabytes in all."""

    answers: bool = True
    max_age_h: Annotated[float, Field(gt=0)] = 24.0
    max_mb: Annotated[float, Field(gt=0)] = 100.0


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


class LocalSettings(_Section):
    """The local generator: how sure (0..1) it has to be to answer; by default as sure as answers have to be to help.

    `weights` is a file of weights that a team has trained, instead of those that ship.
    """

    min_confidence: Annotated[float | None, BeforeValidator(_none_from_word), Field(ge=0, le=1)] = None
    weights: Path | None = None


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


class AlertSettings(_Section):
    """From when on `t2s monitor report` alerts: shares of questions, milliseconds, tokens, MB of a process.

    A leak is alerted of only above `process_mb`; shares and means only of `min_questions` or more. `webhook` is where
    budget alerts go, an address that is itself the secret.
    """

    slow_s: Annotated[float, Field(gt=0)] = 3.0
    slow_share: Annotated[float, Field(ge=0, le=1)] = 0.10
    error_share: Annotated[float, Field(ge=0, le=1)] = 0.05
    mean_tokens: PositiveInt = 5_000
    recall_ms: Annotated[float, Field(gt=0)] = 500.0
    process_mb: Annotated[float, Field(gt=0)] = 1_000.0
    min_questions: PositiveInt = 10
    webhook: Annotated[SecretStr | None, BeforeValidator(_none_from_word), AfterValidator(_web_address)] = None


class ReplSettings(_Section):
    """How the REPL is to be typed in."""

    keys: Literal["emacs", "vi"] = "emacs"


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
    cache: CacheSettings = CacheSettings()
    context: ContextSettings = ContextSettings()
    local: LocalSettings = LocalSettings()
    memory: MemorySettings = MemorySettings()
    alerts: AlertSettings = AlertSettings()
    repl: ReplSettings = ReplSettings()
    connections: dict[str, ConnectionSettings] = {}
    prices: dict[str, PriceSettings] = {}
