"""Questions to SQL on this machine: no model service, no network, the same answer every time."""

from t2s.local.generator import LocalGenerator

__all__ = ["LocalGenerator"]
