"""Printing the JSON envelope with the request's id and time."""

from __future__ import annotations

import json
import sys
import time
import uuid
from collections.abc import Callable
from typing import Any

from t2s.render.envelope import envelope

_BEGAN = time.perf_counter()


def print_envelope(make: Callable[[str, float], dict[str, Any]]) -> None:
    """Print what `make` gives for an id and the milliseconds since the program began."""
    document = make(str(uuid.uuid4()), (time.perf_counter() - _BEGAN) * 1000)
    sys.stdout.write(json.dumps(document, ensure_ascii=sys.stdout.isatty(), allow_nan=False, indent=2) + "\n")


def print_data(data: Any) -> None:
    """Print facts as a success."""
    print_envelope(lambda request_id, ms: envelope(data, request_id=request_id, ms=ms))
