"""Which table a plan starts from, and the joins that lead to the others."""

from __future__ import annotations

from t2s.local.joins import tree
from t2s.local.plan import Join
from t2s.local.scene import Scene, Unclear


def row_table(scene: Scene, tables: list[str]) -> str:
    """The table each row of which has one row in all the others; the first where they do not hang together so."""
    for start in dict.fromkeys(tables):
        near = scene.graph.ways(start, to_one=True)
        if all(table in near for table in tables):
            return start
    for table in scene.schema.tables:
        near = scene.graph.ways(table.full_name, to_one=True)
        if all(wanted in near for wanted in tables):
            return table.full_name
    raise Unclear(f"I see no one way to bring {' and '.join(sorted(set(tables)))} together")


def joins_of(scene: Scene, base: str, tables: list[str]) -> tuple[Join, ...]:
    """The joins that lead from `base` to all `tables`; keys that were only guessed are assumptions."""
    near = scene.graph.ways(base, to_one=True)
    ways = scene.ways(base)
    paths = []
    for table in dict.fromkeys(tables):
        if table not in ways:
            raise Unclear(f"I see no way to join {base} with {table}")
        paths.append(near.get(table, ways[table]))
    guessed = {step.edge for path in paths for step in path if step.edge.guessed}
    for edge in sorted(guessed, key=lambda e: (e.table, e.columns)):
        scene.assume(f"{edge.table}.{edge.columns[0]} points at {edge.target}", 0.85)
    return tree(paths)
