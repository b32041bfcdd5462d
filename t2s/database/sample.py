"""The sample: a shop of three years, made by code, the same everywhere."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from t2s.errors import DatabaseUnavailable

VERSION = 1
"""Part of the file's name: a changed sample is built anew."""

FIRST_DAY = date(2023, 1, 1)
LAST_DAY = date(2025, 12, 31)

_DDL = """
CREATE TABLE employees (
  id INTEGER PRIMARY KEY, name VARCHAR NOT NULL, title VARCHAR NOT NULL, department VARCHAR NOT NULL,
  salary DECIMAL(10, 2) NOT NULL, hired_on DATE NOT NULL, manager_id INTEGER REFERENCES employees (id));
CREATE TABLE customers (
  id INTEGER PRIMARY KEY, name VARCHAR NOT NULL, email VARCHAR, city VARCHAR NOT NULL, country VARCHAR NOT NULL,
  segment VARCHAR NOT NULL, signed_up_on DATE NOT NULL);
CREATE TABLE products (
  id INTEGER PRIMARY KEY, name VARCHAR NOT NULL, category VARCHAR NOT NULL, brand VARCHAR NOT NULL,
  price DECIMAL(10, 2) NOT NULL, cost DECIMAL(10, 2) NOT NULL, discontinued BOOLEAN NOT NULL);
CREATE TABLE orders (
  id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL REFERENCES customers (id),
  employee_id INTEGER REFERENCES employees (id), ordered_on DATE NOT NULL, shipped_on DATE, status VARCHAR NOT NULL,
  channel VARCHAR NOT NULL);
CREATE TABLE order_items (
  order_id INTEGER NOT NULL REFERENCES orders (id), line INTEGER NOT NULL,
  product_id INTEGER NOT NULL REFERENCES products (id), quantity INTEGER NOT NULL,
  unit_price DECIMAL(10, 2) NOT NULL, discount DECIMAL(4, 2) NOT NULL, PRIMARY KEY (order_id, line));
CREATE TABLE returns (
  id INTEGER PRIMARY KEY, order_id INTEGER NOT NULL REFERENCES orders (id),
  product_id INTEGER NOT NULL REFERENCES products (id), returned_on DATE NOT NULL, quantity INTEGER NOT NULL,
  reason VARCHAR NOT NULL);
COMMENT ON TABLE employees IS 'People who work for the shop';
COMMENT ON COLUMN employees.manager_id IS 'Whom the employee reports to';
COMMENT ON TABLE customers IS 'Everyone who has an account';
COMMENT ON COLUMN customers.segment IS 'Consumer, Small Business or Enterprise';
COMMENT ON TABLE products IS 'What the shop sells or has sold';
COMMENT ON COLUMN products.price IS 'List price in EUR';
COMMENT ON COLUMN products.cost IS 'What the shop pays for it, in EUR';
COMMENT ON TABLE orders IS 'One purchase of a customer';
COMMENT ON COLUMN orders.employee_id IS 'Who served the customer; none for web and app orders';
COMMENT ON TABLE order_items IS 'The products of an order, one line each';
COMMENT ON COLUMN order_items.unit_price IS 'Price at the time of the order, in EUR';
COMMENT ON COLUMN order_items.discount IS 'Share taken off the price, 0 to 1';
COMMENT ON TABLE returns IS 'Products that came back';
"""

_CITIES = {
    "Berlin": "Germany", "Hamburg": "Germany", "Munich": "Germany", "Paris": "France", "Lyon": "France",
    "London": "United Kingdom", "Manchester": "United Kingdom", "Madrid": "Spain", "Milan": "Italy",
    "Shanghai": "China", "Beijing": "China", "Shenzhen": "China", "Tokyo": "Japan", "Lagos": "Nigeria",
    "São Paulo": "Brazil", "New York": "United States", "Chicago": "United States", "Toronto": "Canada",
}  # fmt: skip
_FIRST = (
    "Anna Ben Chen Dana Emeka Fatima Georg Hana Ivan Julia Kofi Lena Mei Noah Olga Pablo Qing Rosa Sven Tomoko".split()
)
_LAST = """
Adeyemi Bauer Costa Dubois Eriksen Fischer Garcia Huang Ito Jansen Khan Li Moreau Novak Okafor Rossi Smith Tan
Weber Zhang
""".split()
_PRODUCTS = {
    "Coffee": (
        ("House Blend", 9.5),
        ("Espresso Roast", 11.0),
        ("Decaf", 10.5),
        ("Single Origin Ethiopia", 16.0),
    ),
    "Tea": (("Green Tea", 6.5), ("Earl Grey", 5.9), ("Oolong", 12.0), ("Jasmine Pearls", 14.5)),
    "Kitchen": (
        ("French Press", 29.0),
        ("Electric Kettle", 49.0),
        ("Burr Grinder", 89.0),
        ("Espresso Machine", 399.0),
    ),
    "Tableware": (("Mug", 8.0), ("Teapot", 34.0), ("Glass Set", 24.0), ("Serving Tray", 19.5)),
    "Snacks": (("Dark Chocolate", 4.2), ("Shortbread", 3.8), ("Roasted Almonds", 5.5), ("Dried Mango", 4.9)),
    "Books": (
        ("The Coffee Atlas", 32.0),
        ("Tea for Beginners", 18.0),
        ("Baking Bread", 27.5),
        ("Café Design", 45.0),
    ),
}
_BRANDS = ("Morgenrot", "Blue Heron", "Kopi & Co", "Lotus", "Northwind")
_REASONS = ("Damaged", "Wrong item", "No longer needed", "Too late", "Quality")


def sample_path(folder: Path) -> Path:
    """The sample's DuckDB file in `folder`; built there, whole or not at all, where it is missing."""
    path = folder / f"shop-{VERSION}" / "shop.duckdb"
    if path.exists():
        return path
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent) as scratch:
            built = Path(scratch) / "shop.duckdb"
            _build(built)
            built.replace(path)  # atomic, and two builders make the same file
    except OSError as e:
        raise DatabaseUnavailable(
            f"cannot build the sample in {folder}: {e.strerror}", hint="name your own data with --db, or set T2S_HOME"
        ) from e
    return path


def _build(path: Path) -> None:
    import duckdb

    chance = random.Random(20230101)  # noqa: S311  the same numbers everywhere, not secret ones
    with duckdb.connect(str(path)) as db:
        db.execute(_DDL)
        orders, items, returns = _sales(chance)
        for employee in _employees(chance):  # one by one: a manager must be there first
            _insert(db, "employees", [employee])
        for table, rows in (
            ("customers", list(_customers(chance))),
            ("products", list(_products(chance))),
            ("orders", orders),
            ("order_items", items),
            ("returns", returns),
        ):
            _insert(db, table, rows)


def _insert(db: Any, table: str, rows: list[tuple[Any, ...]]) -> None:
    """Insert by literals, a thousand rows at a time: much faster than a parameter for each value."""
    for start in range(0, len(rows), 1_000):
        values = ", ".join(f"({', '.join(map(_literal, row))})" for row in rows[start : start + 1_000])
        db.execute(f"INSERT INTO {table} VALUES {values}")  # noqa: S608  our own rows


def _literal(value: Any) -> str:
    if value is None:
        return "NULL"
    return str(value) if isinstance(value, int | float) else "'" + str(value).replace("'", "''") + "'"


def _name(number: int) -> str:
    return f"{_FIRST[number % 20]} {_LAST[(number // 20 + number * 7) % 20]}"


def _employees(chance: random.Random) -> Iterator[tuple[Any, ...]]:
    for number in range(24):
        if number == 0:
            title, department, pay, boss = "Managing Director", "Management", 9500, None
        elif number < 4:
            department = ("Sales", "Warehouse", "Support")[number - 1]
            title, pay, boss = f"Head of {department}", 6200, 1
        else:
            boss = number % 3 + 2
            department = ("Sales", "Warehouse", "Support")[boss - 2]
            title, pay = (
                {"Sales": "Sales Associate", "Warehouse": "Picker", "Support": "Support Agent"}[department],
                3100,
            )
        hired = date(2016, 3, 1) + timedelta(days=chance.randrange(2_400))
        yield number + 1, _name(number + 211), title, department, pay + chance.randrange(12) * 50, hired, boss


def _customers(chance: random.Random) -> Iterator[tuple[Any, ...]]:
    cities = list(_CITIES)
    for number in range(400):
        name = _name(number)
        city = cities[min(int(chance.expovariate(0.16)), len(cities) - 1)]
        handle = name.lower().replace(" ", ".")
        email = None if chance.random() < 0.06 else f"{handle}{number}@example.com"
        segment = chance.choices(("Consumer", "Small Business", "Enterprise"), (70, 22, 8))[0]
        signed_up = FIRST_DAY - timedelta(days=200) + timedelta(days=chance.randrange(1_200))
        yield number + 1, name, email, city, _CITIES[city], segment, signed_up


def _products(chance: random.Random) -> Iterator[tuple[Any, ...]]:
    for number, (category, (name, price)) in enumerate(_catalogue()):
        brand = _BRANDS[(number * 3) % 5]
        cost = round(price * (0.45 + 0.2 * chance.random()), 2)
        yield number + 1, name, category, brand, price, cost, number % 11 == 7


def _catalogue() -> list[tuple[str, tuple[str, float]]]:
    return [(category, product) for category, products in _PRODUCTS.items() for product in products]


def _sales(
    chance: random.Random,
) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    """Orders with their items and returns; more each year, most before Christmas."""
    orders: list[tuple[Any, ...]] = []
    items: list[tuple[Any, ...]] = []
    returns: list[tuple[Any, ...]] = []
    prices = [price for _, (_, price) in _catalogue()]
    weights = [1 / (1 + price / 40) for price in prices]
    day = FIRST_DAY
    while day <= LAST_DAY:
        season = {11: 1.5, 12: 1.9, 1: 0.8, 7: 0.8, 8: 0.75}.get(day.month, 1.0)
        growth = 1 + 0.25 * (day.year - FIRST_DAY.year)
        for _ in range(int(1.6 * season * growth + chance.random())):
            number = len(orders) + 1
            orders.append(_order(chance, number, day))
            status = orders[-1][5]
            bought = chance.choices(range(len(prices)), weights, k=chance.choice((1, 1, 2, 2, 3, 4)))
            for line, product in enumerate(dict.fromkeys(bought), 1):
                paid = round(prices[product] * (0.95 if day.year == 2023 else 1.0), 2)
                discount = chance.choice((0, 0, 0, 0, 0.1, 0.2))
                quantity = chance.choice((1, 1, 1, 2, 2, 3, 6))
                items.append((number, line, product + 1, quantity, paid, discount))
                if status == "delivered" and chance.random() < 0.05:
                    back = day + timedelta(days=chance.randrange(5, 30))
                    returns.append((len(returns) + 1, number, product + 1, back, 1, chance.choice(_REASONS)))
        day += timedelta(days=1)
    return orders, items, returns


def _order(chance: random.Random, number: int, day: date) -> tuple[Any, ...]:
    channel = chance.choices(("web", "app", "store", "phone"), (50, 25, 20, 5))[0]
    served = chance.randrange(5, 25) if channel in ("store", "phone") else None
    recent = day > LAST_DAY - timedelta(days=10)
    status = chance.choices(("delivered", "cancelled", "pending" if recent else "delivered"), (88, 7, 5 + 60 * recent))[
        0
    ]
    shipped = day + timedelta(days=chance.randrange(1, 6)) if status == "delivered" else None
    customer = min(int(chance.paretovariate(0.9) * 3) + chance.randrange(120), 392)  # a few never order
    return number, customer, served, day, shipped, status, channel
