"""What a run has found out so far, kept so that nothing is asked and paid for twice."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from t2s.errors import UsageError
from t2s.evaluate.outcome import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The first line: which run this is, what all its answers have in common, and how many there are to be."""

    run: str
    settings: str
    questions: int


def journal_path(folder: Path, dataset: Path, databases: str) -> Path:
    """Where the run of a data set over these databases is kept."""
    name = hashlib.sha256(f"{dataset.resolve()}\n{databases}".encode("utf-8", "surrogateescape")).hexdigest()[:16]
    return folder / f"{dataset.stem[:40]}-{name}.jsonl"


def begin(path: Path, head: Head) -> None:
    """Start a journal anew."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.unlink(missing_ok=True)
    _append(path, asdict(head))


def keep(path: Path, outcome: Outcome) -> None:
    """Add an outcome for good; several processes may do so at once."""
    _append(path, asdict(outcome))


def read_journal(path: Path) -> tuple[Head, tuple[Outcome, ...]] | None:
    """The head and what was found out; None where there is none. A last line cut in the middle is no outcome."""
    try:
        lines = path.read_text(encoding="utf-8", errors="surrogatepass").splitlines()
    except FileNotFoundError:
        return None
    except OSError as e:
        raise UsageError(f"cannot read {path}: {e.strerror}") from e
    try:
        head = Head(**json.loads(lines[0]))
    except (IndexError, ValueError, TypeError):
        return None
    found: dict[tuple[str, str], Outcome] = {}
    for line in lines[1:]:
        try:
            outcome = outcome_of(json.loads(line))
        except (ValueError, TypeError, KeyError):
            continue
        found[outcome.model, outcome.id] = outcome
    return head, tuple(found.values())


def outcome_of(document: dict[str, Any]) -> Outcome:
    """An outcome as JSON has it."""
    lists = {name: tuple(document[name]) for name in ("gold", "mistakes")}
    return Outcome(**{**document, **lists})


def _append(path: Path, document: dict[str, Any]) -> None:
    line = json.dumps(document, ensure_ascii=False) + "\n"
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(handle, line.encode("utf-8", "surrogatepass"))  # one write: lines of several processes do not mix
        os.fsync(handle)
    finally:
        os.close(handle)
