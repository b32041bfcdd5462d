"""What is offered while typing."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document

from t2s.repl.commands import BY_NAME
from t2s.repl.complete import SchemaCompleter
from t2s.repl.names import Index, Name, Names
from t2s.types.schema import Column, Schema, Table

SHOP = Schema(
    dialect="postgres",
    fingerprint="made up",
    tables=(
        Table(
            name="customers",
            columns=(
                Column(name="id", type="INTEGER"),
                Column(name="City", type="TEXT", samples=("Berlin", "Bern", "L'Aquila")),
            ),
        ),
        Table(
            name="orders",
            columns=(
                Column(name="id", type="INTEGER"),
                Column(name="customer_id", type="INTEGER"),
                Column(name="状态", type="TEXT"),
            ),
        ),
        Table(name="order lines", namespace="old", columns=(Column(name="amount", type="NUMERIC"),)),
    ),
)


def offered(text: str, names: Names | None = None) -> list[str]:
    """The texts that are offered at the end of an entry."""
    chat = SimpleNamespace(names=names or Names.of(SHOP), ready=None)
    completer = SchemaCompleter(chat, BY_NAME)  # type: ignore[arg-type]
    return [c.text for c in completer.get_completions(Document(text), CompleteEvent())]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("how many cust", ["customers", "customer_id"]),
        ("orders from Ber", ["Berlin", "Bern"]),
        ("多少状", ["状态"]),
        ("show @ord", ["@orders", "@old.order lines"]),
        ("SELECT * FROM cu", ["customers"]),
        ("SELECT * FROM lines", ['old."order lines"']),
        ("SELECT * FROM customers c WHERE c.", ["id", '"City"']),
        ("SELECT c.x FROM customers AS c JOIN orders o ON o.cust", ["customer_id"]),
        ("SELECT * FROM customers WHERE City = 'be", ["Berlin", "Bern"]),
        ("SELECT * FROM customers WHERE City IN ('Bern', 'L", ["L''Aquila", "Berlin"]),
        ("SELECT * FROM customers WHE", ["WHERE"]),
        ("/sch", ["/schema"]),
        ("/schema cust", ["customers"]),
        ("\\d", ["\\d", "\\dt"]),
    ],
)
def test_what_fits_comes_first(text: str, first: list[str]) -> None:
    assert offered(text)[: len(first)] == first


@pytest.mark.parametrize("text", ["", "a", "how many ", "SELECT 'it''s", "/nothing x", "@", "\\"])
def test_nothing_breaks_where_nothing_fits(text: str) -> None:
    assert all(offer for offer in offered(text))


def test_a_name_cannot_speak_to_the_terminal() -> None:
    evil = Schema(
        dialect="sqlite",
        fingerprint="evil",
        tables=(Table(name="ev\x1b]0;pwned\x07il", columns=(Column(name="id", type="INT"),)),),
    )
    assert offered("show @ev", Names.of(evil)) == ["@evil"]


@given(st.lists(st.text(min_size=1, max_size=8), max_size=30), st.text(min_size=1, max_size=3))
def test_every_name_that_begins_so_is_found_and_whatever_is_found_holds_it(texts: list[str], part: str) -> None:
    index = Index.of(Name(text, "table", "") for text in texts)
    found = [name.text for name in index.find(part)]
    assert all(part.casefold() in text.casefold() for text in found)
    known = {text.casefold() for text in texts}
    assert {t.casefold() for t in found} >= {
        text for text in known if text.startswith(part.casefold()) and "\n" not in text
    }
