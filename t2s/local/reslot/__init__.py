"""A verified query whose question differs only in values, dates, numbers or columns, with those put in their places."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

from t2s.local.dates import Period, find_periods
from t2s.local.names import FULL, NameIndex, index_names
from t2s.local.reslot.dates import Edits, Unplaced, dates_for, is_relative, redated
from t2s.local.reslot.places import compared_with, place_of_number, put_column, tables_of
from t2s.local.words import Token, lexicon, stems, tokens
from t2s.sql.parse import parse
from t2s.types.memory import Memory
from t2s.types.query import Candidate, Context, Problem

if TYPE_CHECKING:
    from sqlglot import exp

CONFIDENCE = 0.9
"""A person has verified all of the query but what was put in."""

MAX_CHANGES = 3
REACH = 3
"""So many words beside a difference may belong to it: `New York` and `New Orleans` differ in one."""

_EXACT = 2**53
"""Up to here a number is what was written."""

_PUNCTUATION = frozenset(".,;:?!…\"'()。，、；：？！（）")
"""Marks that mean nothing here; < and > and - and % do."""


@dataclass(frozen=True, slots=True)
class _Change:
    """Words of the old question, from `first` up to `last`, and those of the new one that stand there instead."""

    first: int
    last: int
    new_first: int
    new_last: int


def reslotted(context: Context) -> Candidate | None:
    """The candidate that the likest verified query gives; None where none differs in so little."""
    for memory in (*context.recalled.of("query"), *context.recalled.of("correction")):
        sql = memory.verified_sql
        if sql and not memory.stale and (found := _Slots(context, memory).fill(sql)) is not None:
            return found
    return None


class _Slots:
    """The differences between a verified question and a new one."""

    def __init__(self, context: Context, memory: Memory) -> None:
        self.context, self.schema = context, context.schema
        self.old_question = memory.data["question"]
        self.old, self.new = _words(self.old_question), _words(context.question)
        self.old_periods = find_periods(self.old_question, date.fromtimestamp(memory.valid_from))
        self.new_periods = find_periods(context.question, context.today)

    def fill(self, sql: str) -> Candidate | None:
        changes = self.changes()
        if not changes or any(self.said_again(change) for change in changes):
            return None
        tree = parse(sql, self.schema.dialect)
        if isinstance(tree, Problem):
            return None
        try:
            edits = self.dates(tree)
        except Unplaced:
            return None
        said, dated = [], bool(edits)
        for change in changes:
            done = (dated and self.period(change)) or self.number(tree, change, edits)
            done = done or self.value(tree, change, edits) or self.column(tree, change)
            if not done:
                return None
            said.append(done)
        for node, text in edits:  # all at once: what was put in is not to be taken for what was there
            node.set("this", text)
        return Candidate(
            sql=tree.sql(dialect=self.schema.dialect, pretty=True, max_text_width=100),
            explanation=f"The verified query for “{self.old_question}”, with {', '.join(said)}.",
            confidence=CONFIDENCE,
        )

    def changes(self) -> list[_Change] | None:
        """Where the questions differ; None where they differ in more than can be put in a place."""
        matcher = SequenceMatcher(a=[w.stem for w in self.old], b=[w.stem for w in self.new], autojunk=False)
        found = []
        for kind, i, j, k, m in matcher.get_opcodes():
            if kind == "replace":
                found.append(_Change(i, j, k, m))
            elif kind != "equal" and not all(_empty(w) for w in (*self.old[i:j], *self.new[k:m])):
                return None
        shared = sum(block.size for block in matcher.get_matching_blocks())
        changed = sum(change.last - change.first for change in found)
        return found if len(found) <= MAX_CHANGES and shared > changed else None

    def said_again(self, change: _Change) -> bool:
        """Whether the old question says the same elsewhere, so that one place in the query may stand for both."""
        words = [w.stem for w in self.old]
        change_words = words[change.first : change.last]
        if _period(self.old_periods, self.old[change.first]):
            return False  # the dates see to it themselves
        length = len(change_words)
        return sum(words[at : at + length] == change_words for at in range(len(words) - length + 1)) > 1

    def widened(self, change: _Change) -> Iterator[_Change]:
        """The change, and the change with the words that both questions have beside it."""
        for before in range(min(REACH, change.first, change.new_first) + 1):
            for after in range(min(REACH, len(self.old) - change.last, len(self.new) - change.new_last) + 1):
                yield _Change(
                    change.first - before, change.last + after, change.new_first - before, change.new_last + after
                )

    def texts(self, change: _Change) -> tuple[str, str]:
        return (
            self.old_question[self.old[change.first].start : self.old[change.last - 1].end],
            self.context.question[self.new[change.new_first].start : self.new[change.new_last - 1].end],
        )

    def dates(self, tree: exp.Expr) -> Edits:
        """The dates to write anew; `last month` names other days than it did, though no word has changed."""
        put = dates_for(self.old_periods, self.new_periods)
        if all(old == new for old, new in put.items()) and put and not any(map(is_relative, self.old_periods)):
            return []
        plain = [w for w in self.old if w.number is not None and not _period(self.old_periods, w)]
        return redated(tree, put, {w.number for w in plain if w.number is not None}) if self.old_periods else []

    def period(self, change: _Change) -> str | None:
        """Another year or month, whose dates are written already."""
        one = _period(self.old_periods, self.old[change.first])
        other = _period(self.new_periods, self.new[change.new_first])
        return f"{other.text} for {one.text}" if one and other else None

    def number(self, tree: exp.Expr, change: _Change, edits: Edits) -> str | None:
        """Another number."""
        old, new = self.old[change.first], self.new[change.new_first]
        single = change.last - change.first == change.new_last - change.new_first == 1
        if not single or old.number is None or new.number is None or new.number >= _EXACT:
            return None
        node = place_of_number(tree, old.number)
        if node is None:
            return None
        edits.append((node, str(int(new.number)) if new.number == int(new.number) else repr(new.number)))
        return f"{new.text} for {old.text}"

    def value(self, tree: exp.Expr, change: _Change, edits: Edits) -> str | None:
        """Another value of the one column that the old one is compared with."""
        from sqlglot import exp

        strings = [node for node in tree.find_all(exp.Literal) if node.is_string]
        for wider in self.widened(change):
            before, after = self.texts(wider)
            nodes = [node for node in strings if stems(node.name.split()) == stems(before.split())]
            columns = {compared_with(node, tree, self.schema) for node in nodes}
            value = self.stored(columns.pop(), after) if len(columns) == 1 else None
            if value is not None:
                edits += [(node, value) for node in nodes]
                return f"“{value}” for “{before}”"
        return None

    def stored(self, column: tuple[str, str] | None, text: str) -> str | None:
        """The stored value of a column that some words of the new question stand for."""
        wanted = stems(text.split())
        for match in self.context.values:
            if (match.table, match.column) == column and stems(match.text.split()) == wanted:
                return match.value
        table = self.schema.table(column[0]) if column else None
        found = table.column(column[1]) if table and column else None
        samples = found.samples if found else ()
        return next((sample for sample in samples if stems(sample.split()) == wanted), None)

    def column(self, tree: exp.Expr, change: _Change) -> str | None:
        """Another column of the same table and of a like type."""
        from sqlglot import exp

        index = index_names(self.schema)
        tables = {table.full_name: table for table in tables_of(tree, self.schema).values()}
        before = _columns(index, self.old[change.first : change.last])
        after = _columns(index, self.new[change.new_first : change.new_last])
        used = {(c.name.casefold()) for c in tree.find_all(exp.Column)}
        for table, name in before:
            if table not in tables or name.casefold() not in used:
                continue
            other = next((c for t, c in after if t == table and c != name), None)
            if other is None or not put_column(tree, self.schema, tables[table], name, other):
                return None
            return f"{other} for {name}"
        return None


def _words(question: str) -> list[Token]:
    return [token for token in tokens(question) if token.text not in _PUNCTUATION]


def _empty(word: Token) -> bool:
    return word.text.casefold() in lexicon().skipped


def _period(periods: tuple[Period, ...], word: Token) -> Period | None:
    return next((p for p in periods if p.start <= word.start < p.end), None)


def _columns(index: NameIndex, words: list[Token]) -> list[tuple[str, str]]:
    hits = index.hits(tuple(word.stem for word in words))
    return [(hit.table, hit.column) for hit in hits if hit.column and hit.score >= FULL]
