"""SQL as text and as trees: guard, check against a schema, format, transpile, compare."""

from t2s.sql.guard import guard
from t2s.sql.names import nearest
from t2s.sql.resolve import check
from t2s.sql.text import extract_sql, fingerprint, format_sql, transpile

__all__ = ["check", "extract_sql", "fingerprint", "format_sql", "guard", "nearest", "transpile"]
