"""What is scored, and how."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from asrdq.errors import UsageError
from asrdq.hypotheses.ids import Ids, check_ids_rule
from asrdq.manifests.columns import DURATION, SPEAKER
from asrdq.scoring.resampling import REPLICATES

DURATION_BUCKET = "duration_bucket"
DURATION_BUCKETS: Mapping[str, str] = {
    "< 5 s": f"{DURATION} < 5",
    "5 to 15 s": f"{DURATION} < 15",
    "15 s and longer": f"{DURATION} >= 15",
}
"""Names of the durations of utterances, with the condition of each in SQL; the first holds."""

TOGETHER = "+"

ENTITY_CATEGORY, IPA_SOURCE, NOISE_LEVEL = "entity_category", "ipa_source", "noise_level"
LEADERBOARD_COLUMNS = (ENTITY_CATEGORY, IPA_SOURCE, NOISE_LEVEL)
"""Columns that the leaderboard groups by: they are scored wherever a manifest has them."""


@dataclass(frozen=True, slots=True)
class ScorePlan:
    """What is scored, and how.

    Attributes:
        by: Groupings: a column each, or several joined by `+`; `duration_bucket` is one as well.
        normaliser: Name of the normaliser.
        equivalences: File of spelling variants.
        term: Column with a term or a list of terms of each row; where it is missing no keyword
            is scored.
        entities: Column with tagged spans, each with a label and its text.
        blocks: Column whose values make utterances belong together; none for single utterances.
        ids: What becomes of rows without a hypothesis: `strict` refuses, `empty` counts it as
            empty, `common` leaves them out.
        sample: Whether only the rows of the standing sample are scored, with its weights.
        macro: Whether the mean of each utterance's own WER is given too.
        seed: Seed of the intervals.
        replicates: How often blocks are drawn again for an interval.
    """

    by: Sequence[str] = ()
    normaliser: str = "basic"
    equivalences: str | None = None
    term: str = "term"
    entities: str = "entities"
    blocks: str | None = SPEAKER
    ids: Ids = "strict"
    sample: bool = False
    macro: bool = False
    seed: int = 0
    replicates: int = REPLICATES

    def __post_init__(self) -> None:
        check_ids_rule(self.ids)
        if self.replicates < 100:
            raise UsageError(f"an interval needs 100 replicates at least, not {self.replicates}")

    def groupings(self) -> list[tuple[str, ...]]:
        """Return the columns of each grouping, the first one being all utterances together."""
        return [(), *dict.fromkeys(tuple(own.split(TOGETHER)) for own in self.by)]

    def for_leaderboard(self, columns: Sequence[str]) -> ScorePlan:
        """Return the plan with what the leaderboard groups by, of these columns of a manifest."""
        more = [name for name in LEADERBOARD_COLUMNS if name in columns and name not in self.by]
        return dataclasses.replace(self, by=[*self.by, *more])

    def columns(self) -> list[str]:
        """Return every column that makes groups, once each."""
        return list(dict.fromkeys(name for grouping in self.groupings() for name in grouping))

    def parameters(self) -> dict[str, Any]:
        """Return the plan as JSON types, for the record of the run."""
        return {name: getattr(self, name) for name in self.__slots__} | {"by": list(self.by)}
