"""The way of a question: link, generate, check, repair, execute, vote."""

from t2s.pipeline.ask import MEMORY, Options, ask
from t2s.pipeline.link import link

__all__ = ["MEMORY", "Options", "ask", "link"]
