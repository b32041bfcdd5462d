"""Tables hang together by their keys, and where none are declared, by how columns are named."""

from __future__ import annotations

from t2s.linking.index import index_schema
from t2s.types.schema import Column, ForeignKey, Schema, Table


def table(name: str, columns: str, *keys: ForeignKey, primary: str = "") -> Table:
    own = tuple(Column(name=column, type="int") for column in columns.split())
    return Table(name=name, columns=own, foreign_keys=keys, primary_key=tuple(primary.split()))


def joins(*tables: Table) -> list[dict[int, tuple[str, ...]]]:
    index = index_schema(Schema(dialect="sqlite", tables=tables, fingerprint=repr(tables)))
    return [dict(found) for found in index.joins]


def test_foreign_keys_connect_both_ways() -> None:
    key = ForeignKey(columns=("owner",), target_table="people", target_columns=("nr",))
    assert joins(table("dogs", "id owner", key), table("people", "nr name")) == [{1: ("owner",)}, {0: ("nr",)}]


def test_without_them_equal_names_of_keys_do() -> None:
    found = joins(table("writes", "aid pid"), table("author", "aid name"), table("publication", "pid name year"))
    assert found == [{1: ("aid",), 2: ("pid",)}, {0: ("aid",)}, {0: ("pid",)}]


def test_and_names_behind_a_prefix_that_all_columns_of_a_table_have() -> None:
    found = joins(table("sbCustomer", "sbCustId sbCustName sbCustCity"), table("sbTx", "sbTxId sbTxCustId sbTxDate"))
    assert found == [{1: ("sbCustId",)}, {0: ("sbTxCustId",)}]


def test_and_a_key_that_names_its_table() -> None:
    assert joins(table("restaurant", "id name"), table("location", "restaurant_id city")) == [
        {1: ("id",)},
        {0: ("restaurant_id",)},
    ]


def test_equal_names_that_say_no_key_connect_nothing() -> None:
    assert joins(table("cats", "id name age"), table("dogs", "id name age")) == [{}, {}]
