"""What a call to a model used and cost."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens and USD of one or several calls, as the provider counted them.

    `input_tokens` are the uncached ones only: all that was read is input + cache_write + cache_read.
    `cost_usd` is None when any of the calls went to a model without a known price: unknown is not free.
    """

    model: str
    input_tokens: int = 0
    output_tokens: int = 0
    cache_write_tokens: int = 0
    cache_read_tokens: int = 0
    cost_usd: float | None = 0.0
    calls: int = 0

    @property
    def total_tokens(self) -> int:
        """Everything that counts against a token budget."""
        return self.input_tokens + self.output_tokens + self.cache_write_tokens + self.cache_read_tokens

    def __add__(self, other: Usage) -> Usage:
        """Both together; the name is the later model's where any call was made."""
        known = self.cost_usd is not None and other.cost_usd is not None
        return Usage(
            model=other.model if other.calls or not self.calls else self.model,
            input_tokens=self.input_tokens + other.input_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            cache_write_tokens=self.cache_write_tokens + other.cache_write_tokens,
            cache_read_tokens=self.cache_read_tokens + other.cache_read_tokens,
            cost_usd=(self.cost_usd or 0.0) + (other.cost_usd or 0.0) if known else None,
            calls=self.calls + other.calls,
        )


def in_usd(amount: float) -> str:
    """An amount in USD with four decimals, a very small one with six: what was paid must not look free."""
    digits = 6 if 0 < abs(amount) < 0.001 else 4
    return f"{'-' if amount < 0 else ''}${abs(amount):,.{digits}f}"
