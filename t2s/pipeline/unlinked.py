"""What of a question its query does not account for."""

from __future__ import annotations

from t2s.memory.words import fold, has_cjk, terms
from t2s.types.query import Context, Valid

PREFIX = 4
"""Words that begin alike for so many letters are taken for one: `manages` and `manager`."""

_SAID_BY_SQL = frozenset(
    """
    age among amount ascending alphabetical alphabetically all also average both bottom common commonly contain count
    database decreasing descending different distinct either equal exceed exist fewer fewest find first following
    found go great greater greatest group have high higher highest include increasing information kind large larger
    largest last latest least less letter like list long longer longest low lower lowest make max maximum mean min
    minimum name neither newest number old older oldest one only order other out overall part percent
    percentage please popular provide rank return recent record same separate short shorter shortest show single small
    smaller smallest sort sorted sum than top total type unique use value year young younger youngest
    two three four five six seven eight nine ten
    """.split()
)
"""Words that stand for parts of SQL, or for nothing that is in a database."""


def unlinked(context: Context, valid: Valid) -> float:
    """The share (0..1) of a question's words that neither names nor values of the query account for.

    0 for Chinese questions: their words are in no English schema.
    """
    if has_cjk(context.question):
        return 0.0
    asked = {term for term in terms(context.question) if not term.isdigit() and len(term) > 2} - _SAID_BY_SQL
    known = set(terms(valid.sql)) | _described(context, valid)
    missing = [term for term in asked if not any(_alike(term, other) for other in known)]
    return len(missing) / len(asked) if asked else 0.0


def ignored_values(context: Context, valid: Valid) -> float:
    """The share (0..1) of the values found in the question that do not stand in the query."""
    sql = fold(valid.sql)
    texts = {match.text: False for match in context.values}
    for match in context.values:
        texts[match.text] |= fold(match.value) in sql or fold(match.text) in sql
    return 1 - sum(texts.values()) / len(texts) if texts else 0.0


def _described(context: Context, valid: Valid) -> set[str]:
    """The words of what the query reads: names and comments of its tables and columns."""
    found: set[str] = set()
    for name in valid.tables:
        table = context.schema.table(name)
        found |= set(terms(name)) | set(terms(table.comment or "") if table else ())
        for column in table.columns if table else ():
            if f"{name}.{column.name}" in valid.columns:
                found |= set(terms(column.name)) | set(terms(column.comment or ""))
    return found


def _alike(one: str, other: str) -> bool:
    return one == other or (len(one) >= PREFIX and len(other) >= PREFIX and one[:PREFIX] == other[:PREFIX])
