"""How a failure is told: one line and a hint on standard error, or one JSON envelope."""

from __future__ import annotations

import sys

from t2s.errors import T2SError


def report(error: T2SError, *, as_json: bool) -> None:
    """Tell of an error; with `as_json` on standard output, as the success would have been."""
    if as_json:
        from t2s.cli.envelopes import print_envelope
        from t2s.render.envelope import error_of

        print_envelope(lambda request_id, ms: error_of(error, request_id=request_id, ms=ms))
        return
    from t2s.render.answer import print_error

    print_error(error, sys.stderr)
