"""What models cost: a dated table, overruled by the settings; an unknown model has no price, which is not free."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from importlib import resources
from typing import Any

from t2s.settings import PriceSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """USD per million tokens."""

    input: float
    output: float
    cache_write: float
    cache_read: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelInfo:
    """A model of the table; `long` replaces `price` for the whole call when the prompt is above `long_above`."""

    name: str
    price: Price
    effective: date
    effort: bool
    context: int
    max_output: int
    long_above: int | None = None
    long: Price | None = None
    ends: date | None = None
    note: str = field(default="")


@cache
def known_models() -> Mapping[str, ModelInfo]:
    """Every model of the bundled table by its id."""
    return {name: _info(name, entry) for name, entry in _table()["models"].items()}


def model_info(model: str) -> ModelInfo | None:
    """What is known of a model; a dated id (`…-20261007`) is its undated one; None for a stranger."""
    known = known_models()
    return known.get(model) or known.get(model.rpartition("-20")[0])


def prices_checked() -> date:
    """When the table was last compared with what is published."""
    checked: date = _table()["checked"]
    return checked


def price_of(model: str, prompt_tokens: int, overrides: Mapping[str, PriceSettings]) -> Price | None:
    """The price that holds for a prompt of that length; None where none is known."""
    if own := overrides.get(model):
        return Price(
            input=own.input,
            output=own.output,
            cache_write=own.cache_write if own.cache_write is not None else own.input * 1.25,
            cache_read=own.cache_read if own.cache_read is not None else own.input * 0.1,
        )
    info = model_info(model)
    if info is None:
        return None
    return info.long if info.long and prompt_tokens > (info.long_above or 0) else info.price


def cost_usd(
    model: str,
    overrides: Mapping[str, PriceSettings],
    *,
    input_tokens: int,
    output_tokens: int,
    cache_write_tokens: int = 0,
    cache_read_tokens: int = 0,
) -> float | None:
    """The cost of a call in USD; None where the model has no known price."""
    prompt = input_tokens + cache_write_tokens + cache_read_tokens
    price = price_of(model, prompt, overrides)
    if price is None:
        return None
    return (
        input_tokens * price.input
        + output_tokens * price.output
        + cache_write_tokens * price.cache_write
        + cache_read_tokens * price.cache_read
    ) / 1_000_000


def saved_by_prompt_cache(
    model: str, overrides: Mapping[str, PriceSettings], *, write_tokens: int, read_tokens: int
) -> float | None:
    """What the prompt cache has saved in USD: reading is cheaper than sending, writing dearer; None where unpriced."""
    price = price_of(model, 0, overrides)
    if price is None:
        return None
    gained, paid = read_tokens * (price.input - price.cache_read), write_tokens * (price.cache_write - price.input)
    return (gained - paid) / 1_000_000


@cache
def _table() -> dict[str, Any]:
    text = resources.files("t2s.llm").joinpath("models.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def _info(name: str, entry: Mapping[str, object]) -> ModelInfo:
    rest = dict(entry)
    long = rest.pop("long_prompt", None)
    price = Price(**{key: rest.pop(key) for key in _PRICES})  # type: ignore[arg-type]  # the table is our own
    if isinstance(long, dict):
        rest |= {"long_above": long["above"], "long": Price(**{key: long[key] for key in _PRICES})}
    return ModelInfo(name=name, price=price, **rest)  # type: ignore[arg-type]


_PRICES = ("input", "output", "cache_write", "cache_read")
