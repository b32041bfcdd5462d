"""What is known of a question beside the schema."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

PINNED = 10.0
"""How related a table is that the user wants to see."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Memories:
    """What is known beside the schema, by `table` or `table.column`, 0..1.

    `related`: how well the memory finds a table's description fit; `used`: how like the question is to one whose query
    read this. From `PINNED` on a table is wanted whatever the question is.
    """

    related: Mapping[str, float] = field(default_factory=dict)
    used: Mapping[str, float] = field(default_factory=dict)
