"""What people have taught, put into effect without a model: words of the glossary and standing preferences.

A word is taken out of the question before it is read, and what it means is put into the SQL afterwards.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from t2s.memory.words import STANDING, has_cjk, stem
from t2s.sql.expression import Expression, read_expression
from t2s.sql.parse import parse
from t2s.types.query import Candidate, Context, Problem

if TYPE_CHECKING:
    from sqlglot import exp

    from t2s.types.memory import Memory
    from t2s.types.schema import Schema

MAX_WORDS = 6
"""A definition in more words than this is an explanation, not another name."""

_ONLY = ("only", "只看", "只算")
_ROUND = re.compile(r"\bround\w*\b.*?\b(\d)\b|保留(\d)位", re.IGNORECASE)
_ROWS = re.compile(r"\b(?:at most|limit(?: to)?|no more than)\s+(\d+)\b(?:\s+rows)?|最多(\d+)[行条]", re.IGNORECASE)

Amendment = Callable[["exp.Expr"], bool]
"""Changes a tree in place; false where it finds nothing to hold on to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taught:
    """The question as it can be read, and what must be done to its SQL; each with the assumption that it makes."""

    question: str
    required: tuple[tuple[str, Amendment], ...] = ()
    wished: tuple[tuple[str, Amendment], ...] = ()


def taught(context: Context) -> Taught:
    """Take the glossary's words out of the question."""
    question, required = context.question, []
    entries = sorted(context.recalled.of("glossary"), key=lambda m: -len(m.data["term"]))
    for memory in entries:
        found = _mention(memory.data["term"]).search(question)
        meaning = read_expression(memory.data["definition"], context.schema)
        if found is None or isinstance(meaning, Problem):
            continue
        said = f"“{memory.data['term']}” means {memory.data['definition']}"
        if meaning is None:
            if len(memory.data["definition"].split()) <= MAX_WORDS:
                question = question[: found.start()] + memory.data["definition"] + question[found.end() :]
        elif len(meaning.tables) == 1 and meaning.kind != "value":
            noun = _noun(meaning.tables[0], question[found.end() :], context.schema)
            if meaning.kind == "figure":
                noun = f"数量{noun}" if has_cjk(question) and not noun else f"number of {meaning.tables[0]}"
            question = question[: found.start()] + noun + question[found.end() :]
            required.append((said, _amendment(meaning, context.schema)))
    wishes = tuple(
        (f"as you prefer: {memory.content}", amendment)
        for memory in context.recalled.of("preference")
        for amendment in _wishes(memory, context.schema)
    )
    return Taught(question=" ".join(question.split()), required=tuple(required), wished=wishes)


def amended(candidate: Candidate, lesson: Taught, schema: Schema) -> Candidate | None:
    """The candidate with what was taught put in; None where it has no place for a word of the glossary."""
    if not lesson.required and not lesson.wished:
        return candidate
    tree = parse(candidate.sql, schema.dialect)
    if isinstance(tree, Problem):
        return None
    assumptions = list(candidate.assumptions)
    for said, amend in lesson.required:
        if not amend(tree):
            return None
        assumptions.append(said)
    assumptions += [said for said, amend in lesson.wished if amend(tree)]
    sql = tree.sql(dialect=schema.dialect, pretty=True, max_text_width=100)
    return replace(candidate, sql=sql, assumptions=tuple(assumptions))


def _mention(term: str) -> re.Pattern[str]:
    """Finds a term in a question, in any case and with a plural's ending."""
    pattern = re.escape(term.strip())
    if has_cjk(term):
        return re.compile(pattern, re.IGNORECASE)
    return re.compile(rf"(?<!\w){pattern}(?:s|es)?(?!\w)", re.IGNORECASE)


def _noun(table: str, following: str, schema: Schema) -> str:
    """The table's name, unless the question goes on with it."""
    name = table.rpartition(".")[2]
    word = re.match(r"\s*(\w+)", following)
    if word and stem(word.group(1).casefold()) == stem(name.casefold()):
        return ""
    return name.replace("_", " ")


def _amendment(meaning: Expression, schema: Schema) -> Amendment:
    if meaning.kind == "figure":
        return lambda tree: _put_figure(tree, meaning, schema)
    return lambda tree: _put_condition(tree, meaning, schema)


def _wishes(memory: Memory, schema: Schema) -> Iterator[Amendment]:
    text = memory.content.strip().rstrip(".。")
    if standing := STANDING.match(text):
        meaning = read_expression(standing.group(2), schema)
        if isinstance(meaning, Expression) and meaning.kind == "condition" and len(meaning.tables) == 1:
            keeps = standing.group(1).casefold() in _ONLY
            wanted = meaning if keeps else replace(meaning, sql=f"NOT ({meaning.sql})")
            yield lambda tree: _put_condition(tree, wanted, schema)
    if rounding := _ROUND.search(text):
        digits = int(rounding.group(1) or rounding.group(2))
        yield lambda tree: _round(tree, digits)
    if rows := _ROWS.search(text):
        count = int(rows.group(1) or rows.group(2))
        yield lambda tree: _limit(tree, count)


def _put_condition(tree: exp.Expr, meaning: Expression, schema: Schema) -> bool:
    """Add a condition wherever its table is read."""
    from sqlglot import exp

    done = False
    for select, table, join in _readings(tree, meaning.tables[0]):
        condition = _under(meaning.sql, table.alias_or_name, schema)
        if join is not None and str(join.side).upper() == "LEFT":  # in WHERE it would drop what has no match
            join.set("on", exp.and_(join.args.get("on"), condition))
        else:
            select.where(condition, copy=False)
        done = True
    return done


def _put_figure(tree: exp.Expr, meaning: Expression, schema: Schema) -> bool:
    """Put a figure where the rows of its table are counted."""
    from sqlglot import exp

    done = False
    for select, table, _ in _readings(tree, meaning.tables[0]):
        for count in [node for node in select.find_all(exp.Count) if node.parent_select is select]:
            count.replace(_under(meaning.sql, table.alias_or_name, schema))
            done = True
    return done


def _readings(tree: exp.Expr, name: str) -> Iterator[tuple[exp.Select, exp.Table, exp.Join | None]]:
    from sqlglot import exp

    wanted = name.rpartition(".")[2].casefold()
    for table in list(tree.find_all(exp.Table)):
        select = table.parent_select
        if table.name.casefold() == wanted and isinstance(select, exp.Select):
            yield select, table, table.parent if isinstance(table.parent, exp.Join) else None


def _under(sql: str, alias: str, schema: Schema) -> exp.Expr:
    """An expression whose columns are those of the table as it is called in the query."""
    from sqlglot import exp

    tree = parse(f"SELECT ({sql})", schema.dialect)
    assert isinstance(tree, exp.Select)
    inner = tree.selects[0]
    for column in inner.find_all(exp.Column):
        column.set("table", exp.to_identifier(alias))
        column.set("db", None)
    return inner if isinstance(inner.unnest(), exp.Connector) else inner.unnest()


def _round(tree: exp.Expr, digits: int) -> bool:
    from sqlglot import exp

    done = False
    for select in tree.find_all(exp.Select):
        for projection in select.selects:
            value = projection.unalias()
            if isinstance(value, exp.Avg | exp.Div) and select.parent is None:
                exact = exp.cast(value.copy(), "decimal(38, 10)")
                rounded = exp.Round(this=exact, decimals=exp.Literal.number(digits))
                name = projection.alias_or_name or value.key
                projection.replace(exp.alias_(rounded, name))
                done = True
    return done


def _limit(tree: exp.Expr, rows: int) -> bool:
    from sqlglot import exp

    if not isinstance(tree, exp.Query) or tree.args.get("limit"):
        return False
    tree.limit(rows, copy=False)
    return True
