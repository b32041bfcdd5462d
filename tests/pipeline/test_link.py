"""What a generator is shown: the whole schema while it fits, else its best and connected part."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from t2s.pipeline.link import link
from t2s.pipeline.values import match_values
from t2s.types.schema import Column, ForeignKey, Schema, Table

NAMES = "customers orders order_items products returns employees stores suppliers invoices payments".split()


def table(name: str, *targets: str) -> Table:
    keys = tuple(ForeignKey(columns=(f"{t}_id",), target_table=t, target_columns=("id",)) for t in targets)
    columns = [Column(name="id", type="int"), *(Column(name=f"{t}_id", type="int") for t in targets)]
    return Table(name=name, columns=tuple(columns), foreign_keys=keys)


SCHEMA = Schema(
    dialect="duckdb",
    fingerprint="x",
    tables=(
        table("customers"),
        table("orders", "customers"),
        table("order_items", "orders", "products"),
        table("products"),
        *(table(name) for name in NAMES[4:]),
    ),
)


def names(schema: Schema) -> list[str]:
    return [t.name for t in schema.tables]


def test_what_fits_is_shown_whole() -> None:
    assert link("x", SCHEMA, (), related={}, costs=[10] * 10, max_tokens=100, max_tables=3) is SCHEMA


def test_the_best_part_comes_with_the_tables_that_connect_it() -> None:
    part = link("products of customers", SCHEMA, (), related={}, costs=[10] * 10, max_tokens=50, max_tables=5)
    assert names(part) == ["customers", "orders", "order_items", "products"]


def test_a_value_of_the_question_brings_its_table() -> None:
    matches = match_values("who is in Berlin?", {("stores", "city"): ("Berlin",)})
    part = link("who is in Berlin?", SCHEMA, matches, related={}, costs=[10] * 10, max_tokens=10, max_tables=1)
    assert names(part) == ["stores"]


@given(
    st.lists(st.sampled_from(NAMES), max_size=5),
    st.lists(st.integers(1, 50), min_size=10, max_size=10),
    st.integers(50, 300),
)
def test_the_part_never_costs_more_than_the_budget(words: list[str], costs: list[int], budget: int) -> None:
    part = link(" ".join(words), SCHEMA, (), related={}, costs=costs, max_tokens=budget, max_tables=4)
    by_name = dict(zip(NAMES, costs, strict=True))
    whole = sum(costs) <= budget
    assert sum(by_name[name] for name in names(part)) <= budget
    assert whole or 1 <= len(part.tables) <= 4


def test_values_are_found_whole_in_any_case_and_the_longest_wins() -> None:
    values = {("c", "city"): ("New York", "York", "Paris"), ("c", "state"): ("new york",), ("p", "name"): ("上海茶",)}
    found = match_values("Orders from NEW YORK, not from Yorkshire", values)
    assert [(m.column, m.value) for m in found] == [("city", "New York"), ("state", "new york")]
    assert [m.value for m in match_values("有多少上海茶的订单", values)] == ["上海茶"]
    assert match_values("all orders of 2024", {("o", "year"): ("2024",), ("o", "x"): ("of", "all")}) == ()
