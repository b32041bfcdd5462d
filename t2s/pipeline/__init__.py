"""The way of a question: link, generate, check, repair, execute, vote."""

from t2s.pipeline.ask import Options, ask
from t2s.pipeline.link import link

__all__ = ["Options", "ask", "link"]
