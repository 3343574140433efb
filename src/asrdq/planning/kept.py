"""What the loader will keep of a manifest, and what it drops for which reason."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

from asrdq.errors import DataError, unknown
from asrdq.manifests.columns import DURATION, TEXT
from asrdq.recipes.recipe import DataSection
from asrdq.sampling.weights import GroupSize, group_value

if TYPE_CHECKING:
    from asrdq.workspace import ManifestVersion, Workspace


class Dropped(enum.StrEnum):
    """Why a loader drops a row; the first that holds, in this order."""

    NO_DURATION = "no_duration"
    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    EMPTY_TEXT = "empty_text"


@dataclass(frozen=True, slots=True)
class Filtered:
    """Rows and hours that are dropped for one reason; hours are 0 where no duration is known."""

    reason: Dropped
    rows: int
    hours: float


@dataclass(frozen=True, slots=True)
class Kept:
    """What a loader makes of a manifest.

    Attributes:
        rows: Rows that are trained on.
        hours: Their audio.
        longest_s: The longest of them.
        loaded_hours: Hours that fill batches: those of `hours`, or more where long clips count
            for more (`quadratic_duration_s`).
        dropped: What is left out, by reason, none that did not occur.
    """

    rows: int
    hours: float
    longest_s: float
    loaded_hours: float
    dropped: tuple[Filtered, ...]

    @property
    def mean_s(self) -> float:
        """The mean length of a clip."""
        return self.hours * 3600 / self.rows


def count_kept(workspace: Workspace, manifest: ManifestVersion, data: DataSection) -> Kept:
    """Count what a loader with these filters keeps of a manifest.

    A clip of exactly the least or the greatest length stays, as in NeMo and Lhotse.

    Raises:
        DataError: Nothing is left.
    """
    quadratic = (
        f"{DURATION} * {DURATION} / {data.quadratic_duration_s!r}"
        if data.quadratic_duration_s
        else "0"
    )
    counted = workspace.query(
        f"SELECT {_reason(data)} AS reason, count(*) AS rows, "
        f"coalesce(sum({DURATION}), 0) / 3600 AS hours, max({DURATION}) AS longest, "
        f"coalesce(sum({DURATION} + {quadratic}), 0) / 3600 AS loaded "
        f'FROM "{manifest}" GROUP BY ALL'
    )
    found = {row["reason"]: row for row in counted.to_pylist()}
    dropped = tuple(
        Filtered(reason, found[reason]["rows"], found[reason]["hours"])
        for reason in Dropped
        if reason in found
    )
    if None not in found:
        why = ", ".join(f"{item.reason} {item.rows:,}" for item in dropped) or "it has no rows"
        raise DataError(
            f"the loader would keep nothing of {manifest}: {why}",
            hint=f"it takes {data.min_duration_s:g} to {data.max_duration_s:g} s; "
            "asrdq probe measures durations that are missing",
        )
    kept = found[None]
    return Kept(kept["rows"], kept["hours"], kept["longest"], kept["loaded"], dropped)


def kept_groups(
    workspace: Workspace, manifest: ManifestVersion, data: DataSection
) -> list[GroupSize]:
    """Return rows and hours that are kept of each innermost group of `data.mix_by`.

    Raises:
        UsageError: The manifest lacks a column of them.
    """
    for name in data.mix_by:
        if name not in manifest.columns:
            raise unknown("column", name, manifest.columns, where=f"data.mix_by, for {manifest}")
    levels = ", ".join(group_value(name) for name in data.mix_by)
    counted = workspace.query(
        f"SELECT [{levels}] AS path, count(*) AS rows, sum({DURATION}) / 3600 AS hours "
        f'FROM "{manifest}" WHERE ({_reason(data)}) IS NULL GROUP BY ALL ORDER BY ALL'
    )
    return [GroupSize(tuple(row["path"]), row["rows"], row["hours"]) for row in counted.to_pylist()]


def _reason(data: DataSection) -> str:
    """Return the SQL of the reason that a row is dropped for, null where it is kept."""
    lacks_text = f"NOT regexp_matches(coalesce({TEXT}, ''), '[^\\s\\pZ]')"
    rules = {
        Dropped.NO_DURATION: f"{DURATION} IS NULL",
        Dropped.TOO_SHORT: f"{DURATION} < {data.min_duration_s!r}",
        Dropped.TOO_LONG: f"{DURATION} > {data.max_duration_s!r}",
        Dropped.EMPTY_TEXT: "false" if data.keep_empty_text else lacks_text,
    }
    cases = " ".join(f"WHEN {rule} THEN '{reason}'" for reason, rule in rules.items())
    return f"CASE {cases} END"
