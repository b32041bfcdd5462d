"""What a list is ordered by."""

from __future__ import annotations

from t2s.local.columns import hinted, is_number, labels
from t2s.local.plan import ColumnRef, Expression
from t2s.local.reading import Ranking
from t2s.local.scene import Scene, Unclear, columns_of


def order_of(
    scene: Scene, ranking: Ranking | None, subject: str, anchors: tuple[str, ...], shown: list[ColumnRef]
) -> tuple[tuple[tuple[Expression, bool], ...], ColumnRef | None]:
    """What a list is ordered by, and the column to show beside the subject."""
    if ranking is None:
        return (), None
    if ranking.hint:
        found = hinted(scene.table(subject), ranking.hint)
        if found is None:
            raise Unclear(f"I find nothing in {subject} that tells “{ranking.hint}”")
        column, reverse = found
        scene.assume(f"ranked by {column.table}.{column.column}", 0.97)
        return ((column, ranking.descending != reverse),), column
    if ranking.item is None:
        columns = shown[:1] or list(labels(scene.table(subject))[:1])
        return ((columns[0], ranking.descending),), None
    fits = is_number if ranking.limit else None
    try:
        (column, *_) = columns_of(scene, ranking.item, (subject, *anchors), fits)
    except Unclear:
        (column, *_) = columns_of(scene, ranking.item, (subject, *anchors))
    return ((column, ranking.descending),), column
