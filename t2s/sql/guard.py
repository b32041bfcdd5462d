"""The first of two layers: only a single, harmless query passes, whatever engine it is meant for.

Nodes and functions are let through by lists of what is known to be harmless; what is on neither is refused.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Container, Iterator
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from t2s.sql.parse import parse, place
from t2s.types.query import Problem
from t2s.types.schema import Dialect

if TYPE_CHECKING:
    from sqlglot import exp

_HARMLESS_NODES = frozenset(
    """
    Alias Aliases All Any AtTimeZone BitString Boolean Bracket ByteString CTE CharacterSet Column ColumnDef
    Comprehension Cube DataType DataTypeParam Distinct Except Fetch Filter FormatJson From FromTimeZone Group
    GroupingSets Having HavingMax HexString Identifier IgnoreNulls In IndexTableHint Interval IntervalSpan
    Intersect Introducer JSON JSONColumnDef JSONExtractQuote JSONKeyValue JSONPath JSONPathFilter JSONPathKey
    JSONPathPart JSONPathRecursive JSONPathRoot JSONPathScript JSONPathSelector JSONPathSlice JSONPathSubscript
    JSONPathUnion JSONPathWildcard JSONSchema JSONValue Join Lambda Lateral Limit LimitOptions Literal National
    Null Offset OnCondition Opclass Order Ordered OverflowTruncateBehavior Partition Pivot PivotAlias PivotAny
    PositionalColumn Pseudocolumn PseudoType Qualify RawString RecursiveWithSearch RespectNulls Rollup Select
    Slice Sort Star Subquery Table TableAlias TableColumn TableFromRows TableSample Tuple UnicodeString Union
    UnpivotColumns Values Var Variadic Where Window WindowSpec With WithOperator WithTableHint WithinGroup
    XMLKeyValueOption XMLNamespace ObjectIdentifier Between Check JSONTable When PropertyEQ
    """.split()
)

_DANGEROUS_FUNCTIONS = frozenset(
    """
    ReadCSV ReadParquet ToFile Secret NetFunc Host NextValueFor GenerateEmbedding VectorSearch Predict
    DynamicIdentifier StoredProcedure AIAgg AIClassify AIEmbed AIForecast AIGenerate AISimilarity
    AISummarizeAgg MLForecast MLTranslate CurrentIpAddress Search Apply Generator OpenJSON
    """.split()
)
"""Functions that sqlglot knows by a class of their own and that are not harmless everywhere."""

_TABLE_FUNCTIONS = {
    "sqlite": {"generate_series", "json_each", "json_tree"},
    "duckdb": {
        "generate_series",
        "range",
        "unnest",
        "json_each",
        "json_tree",
        "generate_subscripts",
        "repeat_row",
    },
    "postgres": {
        *("generate_series", "unnest", "json_each", "json_each_text", "jsonb_each", "jsonb_each_text"),
        *(
            "json_array_elements",
            "json_array_elements_text",
            "jsonb_array_elements",
            "jsonb_array_elements_text",
        ),
        *(
            "json_object_keys",
            "jsonb_object_keys",
            "json_to_recordset",
            "jsonb_to_recordset",
            "json_to_record",
        ),
        *(
            "jsonb_to_record",
            "regexp_matches",
            "regexp_split_to_table",
            "string_to_table",
            "generate_subscripts",
        ),
        *("jsonb_path_query", "json_populate_recordset", "jsonb_populate_recordset", "unaccent"),
    },
    "mysql": {"json_table"},
}

_FILE_LIKE = re.compile(
    r"[/\\*?:]|\.(csv|tsv|txt|json|jsonl|ndjson|parquet|db|duckdb|sqlite3?|xlsx|gz|zst|arrow)$", re.I
)

_SYSTEM_TABLES = re.compile(r"^(pg_(?!temp)|sqlite_|duckdb_|pragma_)")
_SYSTEM_NAMESPACES = {"pg_catalog", "mysql", "performance_schema", "sys", "pg_toast", "system"}


def guard(sql: str, dialect: Dialect) -> tuple[Problem, ...]:
    """What is dangerous in `sql`, at most one problem of a kind; empty for a single harmless query."""
    tree = parse(sql, dialect)
    return (tree,) if isinstance(tree, Problem) else guard_tree(tree, dialect)


def guard_tree(tree: exp.Expr, dialect: Dialect, own: Container[str] = ()) -> tuple[Problem, ...]:
    """The same for a tree that has been parsed already; `own` are further functions known to be harmless."""
    from sqlglot import exp

    if not isinstance(tree, exp.Query | exp.Values):
        return (_problem(tree, f"{_statement(tree)} is not a query; only SELECT may run"),)
    try:
        found = {problem.message: problem for problem in _offences(tree, dialect, own)}
    except RecursionError:
        return (Problem(code="syntax", message="the query is nested too deeply"),)
    return tuple(found.values())


def _offences(tree: exp.Expr, dialect: Dialect, own: Container[str]) -> Iterator[Problem]:
    from sqlglot import exp

    for node in tree.walk():
        match node:
            case exp.Into():
                yield _problem(node.parent or node, "SELECT INTO writes a table")
            case exp.Lock():
                yield _problem(node.parent or node, "FOR UPDATE and FOR SHARE lock rows")
            case exp.Parameter() | exp.SessionParameter() | exp.Placeholder():
                yield _problem(node, "variables and parameters may not be used")
            case exp.Func():
                if problem := _function(node, dialect, own):
                    yield problem
            case exp.Table():
                yield from _table(node, dialect, own)
            case exp.Binary() | exp.Unary() | exp.Predicate():
                continue
            case _ if type(node).__name__ not in _HARMLESS_NODES:
                yield _problem(node, f"{_statement(node)} is not allowed in a query")


def _function(node: exp.Func, dialect: Dialect, own: Container[str]) -> Problem | None:
    from sqlglot import exp

    if isinstance(node, exp.Anonymous | exp.AnonymousAggFunc | exp.ParameterizedAgg):
        name = node.name.casefold() or str(node.this).casefold()
        if isinstance(node.parent, exp.Table):
            return None  # a table function: `_table` looks at it
        if name not in harmless_functions(dialect) and name not in own:
            return _problem(node, f"the function {name}() is not known to be harmless")
    elif type(node).__name__ in _DANGEROUS_FUNCTIONS:
        return _problem(node, f"the function {node.sql_name().lower()}() is not known to be harmless")
    return None


def _table(node: exp.Table, dialect: Dialect, own: Container[str]) -> Iterator[Problem]:
    from sqlglot import exp

    source = node.this
    if isinstance(source, exp.Anonymous):
        name = source.name.casefold()
        if name not in _TABLE_FUNCTIONS[dialect] and name not in own:
            yield _problem(source, f"the table function {name}() is not known to be harmless")
    elif isinstance(source, exp.Func):
        return  # typed functions are judged by their own node
    elif dialect == "duckdb" and _FILE_LIKE.search(node.name):
        yield _problem(node, f"the table {node.name!r} looks like a file or an address")
    if _SYSTEM_TABLES.match(node.name.casefold()) or node.db.casefold() in _SYSTEM_NAMESPACES:
        yield _problem(node, f"{node.name} is a system table")


@cache
def harmless_functions(dialect: Dialect) -> frozenset[str]:
    """Names, in lower case, of the functions of an engine that neither write, wait, nor reach outside."""
    text = resources.files("t2s.sql").joinpath("functions.toml").read_text(encoding="utf-8")
    names: str = tomllib.loads(text)[dialect]
    return frozenset(names.split())


def _statement(node: exp.Expr) -> str:
    """How the user knows this kind of node."""
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(node).__name__).upper()
    return str(node.this).upper() if name == "COMMAND" else name


def _problem(node: exp.Expr, message: str) -> Problem:
    line, column = place(node)
    return Problem(code="guard", message=message, line=line, column=column)
