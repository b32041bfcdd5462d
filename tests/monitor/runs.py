"""Made-up runs."""

from __future__ import annotations

import time
from typing import Any

from t2s.types.run import Run


def made(run_id: str, **values: Any) -> Run:
    """A run that went well a moment ago on a machine elsewhere, but for `values`."""
    plain = {
        "run_id": run_id,
        "at": time.time(),
        "user": "ann",
        "session_id": "s",
        "datasource": "shop",
        "target": "sample",
        "origin": "ask",
        "question": "how many?",
        "host": "elsewhere",
        "pid": 1,
        "process_started": "1",
        "status": "ok",
    }
    return Run(**(plain | values))
