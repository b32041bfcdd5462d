"""What a generator is shown: the whole schema while it fits, else its best and connected part."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from t2s.linking.memories import PINNED, Memories
from t2s.linking.values import index_values, match_values
from t2s.pipeline.link import link
from t2s.pipeline.prompt import schema_text
from t2s.types.schema import Column, ForeignKey, Schema, Table

NAMES = "customers orders order_items products returns employees stores suppliers invoices payments".split()


def words(text: str, model: str = "") -> int:
    return len(text.split())


def table(name: str, *targets: str, columns: tuple[Column, ...] = ()) -> Table:
    keys = tuple(ForeignKey(columns=(f"{t}_id",), target_table=t, target_columns=("id",)) for t in targets)
    own = [Column(name="id", type="int"), *(Column(name=f"{t}_id", type="int") for t in targets), *columns]
    return Table(name=name, columns=tuple(own), primary_key=("id",), foreign_keys=keys)


def schema(*tables: Table) -> Schema:
    return Schema(dialect="duckdb", fingerprint=repr(tables), tables=tables)


SHOP = schema(
    table("customers", columns=(Column(name="city", type="text", samples=("Berlin", "Lyon")),)),
    table("orders", "customers"),
    table("order_items", "orders", "products"),
    table("products", columns=(Column(name="price", type="decimal", comment="List price in EUR"),)),
    *(table(name) for name in NAMES[4:]),
)


def part(
    question: str,
    shop: Schema = SHOP,
    *,
    budget: int = 40,
    max_tables: int = 5,
    values: dict[tuple[str, str], tuple[str, ...]] | None = None,
    memories: Memories | None = None,
) -> Schema:
    return link(
        question,
        shop,
        match_values(question, index_values(values or {})),
        memories=memories,
        tokens=words,
        model="",
        privacy="values",
        max_tokens=budget,
        max_tables=max_tables,
    ).schema


def names(shown: Schema) -> list[str]:
    return [t.name for t in shown.tables]


def test_what_fits_is_shown_whole() -> None:
    assert part("x", budget=1_000, max_tables=3) is SHOP


def test_the_best_part_comes_with_the_tables_that_connect_it() -> None:
    shown = part("products of customers", max_tables=4)
    assert names(shown) == ["customers", "orders", "order_items", "products"]
    assert [c.name for c in shown.tables[2].columns] == ["id", "orders_id", "products_id"]


def test_a_key_to_a_table_that_is_not_shown_is_left_out() -> None:
    (shown,) = part("how many orders are there?", budget=12, max_tables=1).tables
    assert (shown.name, shown.foreign_keys) == ("orders", ())


def test_a_value_of_the_question_brings_its_table() -> None:
    shown = part("who is in Berlin?", budget=8, max_tables=1, values={("stores", "id"): ("Berlin",)})
    assert names(shown) == ["stores"]


def test_a_table_that_the_user_wants_is_shown_whatever_the_question_is() -> None:
    shown = part("products of customers", budget=30, memories=Memories(related={"payments": PINNED}))
    assert "payments" in names(shown)


def test_what_the_query_of_a_like_question_read_is_shown() -> None:
    used = {"suppliers": 0.9, "suppliers.id": 0.9}
    assert names(part("who delivers late?", max_tables=1, memories=Memories(used=used))) == ["suppliers"]


def test_columns_are_dropped_by_rank_and_details_go_to_the_likeliest() -> None:
    flags = [Column(name=f"{word}_flag", type="int", comment="no comment " * 9) for word in ("red", "green", "blue")]
    wide = table("sales", columns=(*flags, Column(name="net_amount", type="decimal", comment="without tax")))
    (tight,) = part("total net amount", schema(wide), budget=10).tables
    assert "net_amount" in [c.name for c in tight.columns]
    assert len(tight.columns) < len(wide.columns)
    (loose,) = part("total net amount", schema(wide), budget=24).tables
    assert [c.name for c in loose.columns if c.comment] == ["net_amount"]


@given(st.lists(st.sampled_from(NAMES), max_size=5), st.integers(15, 60), st.integers(1, 8))
def test_the_part_never_costs_more_than_the_budget(said: list[str], budget: int, most: int) -> None:
    shown = part(" ".join(said), budget=budget, max_tables=most)
    assert words(schema_text(shown, "values")) <= budget
    assert shown is SHOP or 1 <= len(shown.tables) <= most
