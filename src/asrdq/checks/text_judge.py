"""What judges texts that SQL cannot: the protocol, and where its findings are kept."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Protocol

import pyarrow as pa

from asrdq.places import Place

Locate = Callable[[str], Place]

FINDINGS = "findings"
"""The table in the database of a check."""
ASKED = "findings_of_this"
"""Stands in the SQL of a rule for its own rows of `findings`."""
FINDINGS_SCHEMA = pa.schema([(name, pa.string()) for name in ("asked", "text", "beside", "shown")])
"""One row an expectation and text that a library judges to fail it: the key of the expectation, the
text, what stands beside it (its stated language), and what is shown of it."""


@dataclass(frozen=True, slots=True)
class Texts:
    """Some different texts of a manifest.

    Attributes:
        text: The texts.
        beside: What the other column has that the judge asked for; None where there is nothing.
        rows: How many rows have both.
    """

    text: list[str]
    beside: list[str | None]
    rows: list[int]


@dataclass(slots=True)
class Judged:
    """What a judge says of some texts.

    Attributes:
        found: What it has against some: text, what stands beside it, and what is shown of it.
        told: Number of rows that it could judge.
        untold: Number of rows that it could not, by the reason.
    """

    found: list[tuple[str, str | None, str]] = field(default_factory=list)
    told: int = 0
    untold: Counter[str] = field(default_factory=Counter)


class TextJudge(Protocol):
    """Judges texts by something that is not SQL."""

    @property
    def beside(self) -> str | None:
        """A column that it needs to see next to the text."""

    def judge(self, batches: Iterable[Texts]) -> Iterator[Judged]:
        """Judge texts batch by batch, in any order.

        Raises:
            ToolError: A library is missing, or failed.
            UsageError: A file is missing, or a parameter is none of the valid ones.
        """


def key_of(name: str, column: str, arguments: dict[str, Any]) -> str:
    """Return what the findings of an expectation are kept under."""
    return sha256(json.dumps([name, column, arguments], sort_keys=True).encode()).hexdigest()[:16]


def own_findings(sql: str, name: str, column: str, arguments: dict[str, Any]) -> str:
    """Return the SQL of a rule with its own findings put in."""
    key = key_of(name, column, arguments)
    return sql.replace(ASKED, f"(SELECT * FROM {FINDINGS} WHERE asked = '{key}')")
