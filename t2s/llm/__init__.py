"""Model services behind one seam: Claude, OpenAI-compatible endpoints, recorded answers."""

from t2s.llm.prices import cost_usd, known_models, model_info
from t2s.llm.reply import parse_json
from t2s.llm.service import build_llm, warm
from t2s.llm.tokens import estimate_request, estimate_tokens

DEFAULT_MODEL = "claude-sonnet-5-5"
"""What answers when there is a key and nothing else was chosen."""

__all__ = [
    "DEFAULT_MODEL",
    "build_llm",
    "cost_usd",
    "estimate_request",
    "estimate_tokens",
    "known_models",
    "model_info",
    "parse_json",
    "warm",
]
