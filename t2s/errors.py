"""Everything that can go wrong, as a tree; each leaf knows its exit code and its name in JSON.

T2SError                     70  internal
├── UsageError                2  usage          a flag, a file or a question that makes no sense
│   └── ConfigError           2  config         a setting with a bad value; names its source
├── DatabaseUnavailable       3  connection     cannot open or reach the database
├── QueryError                1  query          the engine refused or broke off the query
│   └── QueryTimeout          4  timeout        it ran longer than allowed
├── ProviderError             5  provider       the model service, its key or its answer
│   ├── ProviderKeyError      5  provider_key   no key, or a key the service does not take
│   └── ProviderUnavailable   5  provider_down  cannot be reached, overloaded, or broken off
├── GuardRefused              6  guard          SQL that is not a single harmless query
├── BudgetRefused             7  budget         a limit of tokens or USD would be passed
│   ├── BudgetSpent           7  budget         it is a session's or a day's: something smaller may still fit
│   └── Throttled             7  throttled      too many calls at once or in a minute, for too long
├── LedgerError              70  ledger         the record of sessions and usage cannot be kept
├── MemoryRefused             1  memory         what should be remembered is wrong, secret or unknown
├── EmbedderUnavailable       5  embedder       nothing turns texts into vectors just now
├── IndexUnavailable         70  index          the vector store cannot be opened, read or written
├── ArchiveError             70  archive        an archive cannot be written, read, or is damaged
└── Cancelled               130  cancelled      the user pressed Ctrl-C
"""

from __future__ import annotations

from typing import ClassVar


class T2SError(Exception):
    """A failure that is worth one clear line: what is wrong, where, and (in the hint) what to do."""

    code: ClassVar[str] = "internal"
    exit_code: ClassVar[int] = 70

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(T2SError):
    """The command was asked for something that makes no sense."""

    code = "usage"
    exit_code = 2


class ConfigError(UsageError):
    """A setting has a bad value; the message names the setting and where it was set."""

    code = "config"


class DatabaseUnavailable(T2SError):
    """The database cannot be opened or reached."""

    code = "connection"
    exit_code = 3


class QueryError(T2SError):
    """The engine refused the query or broke it off."""

    code = "query"
    exit_code = 1


class QueryTimeout(QueryError):
    """The query ran longer than it was allowed to."""

    code = "timeout"
    exit_code = 4


class ProviderError(T2SError):
    """The model service answered with something that cannot be used."""

    code = "provider"
    exit_code = 5


class ProviderKeyError(ProviderError):
    """There is no key, or the service does not accept it."""

    code = "provider_key"


class ProviderUnavailable(ProviderError):
    """The service cannot be reached, is overloaded, or broke off, and retrying did not help."""

    code = "provider_down"


class GuardRefused(T2SError):
    """The SQL is not a single harmless query."""

    code = "guard"
    exit_code = 6


class BudgetRefused(T2SError):
    """The call would pass a limit of tokens or USD."""

    code = "budget"
    exit_code = 7


class BudgetSpent(BudgetRefused):
    """What is left of a session's or a day's budget is less than the call may take."""


class Throttled(BudgetRefused):
    """Too many calls were under way, or began within a minute, for longer than one may wait."""

    code = "throttled"


class LedgerError(T2SError):
    """The record of sessions and usage cannot be read or written."""

    code = "ledger"


class MemoryRefused(T2SError):
    """What should be remembered is wrong, secret or not there."""

    code = "memory"
    exit_code = 1


class EmbedderUnavailable(T2SError):
    """Nothing turns texts into vectors just now."""

    code = "embedder"
    exit_code = 5


class IndexUnavailable(T2SError):
    """The vector store cannot be opened, read or written."""

    code = "index"


class ArchiveError(T2SError):
    """An archive cannot be written or read, or is not what was written."""

    code = "archive"


class Cancelled(T2SError):
    """The user pressed Ctrl-C."""

    code = "cancelled"
    exit_code = 130
