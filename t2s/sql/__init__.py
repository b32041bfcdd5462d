"""SQL as text and as trees: guard, check against a schema, doubt, mend, format, transpile, compare."""

from t2s.sql.doubts import suspicions
from t2s.sql.guard import guard
from t2s.sql.literals import Compared, compared
from t2s.sql.mend import mend
from t2s.sql.names import nearest, plain, slipped, surely
from t2s.sql.resolve import check
from t2s.sql.text import extract_sql, fingerprint, format_sql, transpile

__all__ = [
    "Compared",
    "check",
    "compared",
    "extract_sql",
    "fingerprint",
    "format_sql",
    "guard",
    "mend",
    "nearest",
    "plain",
    "slipped",
    "surely",
    "suspicions",
    "transpile",
]
