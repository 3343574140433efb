"""Where a derived manifest came from: its query, and what it took from each parent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Parent:
    """A manifest version that a query read, and how the outcome differs from it.

    Attributes:
        name: Name of the manifest.
        version: Its version when the query ran.
        fingerprint: The content of that version.
        gained_rows: Rows of the outcome whose id the parent does not have.
        gained_hours: Their duration.
        lost_rows: Rows of the parent whose id the outcome does not have.
        lost_hours: Their duration.
        changed_rows: Rows of both that differ in a column which both have.
    """

    name: str
    version: int
    fingerprint: str
    gained_rows: int
    gained_hours: float
    lost_rows: int
    lost_hours: float
    changed_rows: int

    def __str__(self) -> str:
        return f"{self.name}@{self.version}"


@dataclass(frozen=True, slots=True)
class Lineage:
    """How a version was derived.

    Attributes:
        query: The SELECT.
        parents: The manifest versions that it read.
        tables: The result tables that it read, with their Delta versions.
    """

    query: str
    parents: tuple[Parent, ...]
    tables: Mapping[str, int]

    @classmethod
    def parse(cls, facts: Mapping[str, Any]) -> Lineage:
        """Return the lineage that stands in the metadata of a commit."""
        parents = tuple(Parent(**parent) for parent in facts["parents"])
        return cls(facts["query"], parents, facts["tables"])
