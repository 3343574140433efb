"""Clips without a hypothesis, hypotheses without a clip: counted, listed, and refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, get_args

from asrdq.errors import DataError, Problem, unknown

Ids = Literal["strict", "empty", "common"]
"""What to do where ids differ: refuse; count a missing hypothesis as empty; or leave out what only
one side has. A hypothesis of no clip is left out by the last two."""

EXAMPLES: Final = 20
WORDS: Final = "words"
_WHOLE: Final = (
    "; if the clips cover their recordings, --whole-recordings counts words between them as errors"
)


@dataclass(frozen=True, slots=True)
class IdMatch:
    """How the ids of hypotheses and of a manifest agree.

    Attributes:
        clips: Rows of the manifest.
        rows: Hypotheses.
        matched: Clips that have a hypothesis.
        missing: Clips that have none, or null.
        extra: Hypotheses of no clip.
        missing_ids: The first 20 of them, in order.
        extra_ids: The first 20 of them, in order.
        extra_lines: The lines that these stand on, where they come from a file.
        unit: What `rows` and `extra` count.
        unscored: How many of the rows lie where nothing is to be scored.
    """

    clips: int
    rows: int
    matched: int
    missing: int
    extra: int
    missing_ids: tuple[str, ...] = ()
    extra_ids: tuple[str, ...] = ()
    extra_lines: tuple[int, ...] = ()
    unit: str = "hypotheses"
    unscored: int = 0

    def require(self, ids: Ids, what: str, manifest: str, problems: Sequence[Problem] = ()) -> None:
        """Refuse ids that differ more than was asked for.

        Args:
            ids: What is asked for.
            what: The set or file, for the error.
            manifest: Name and version.
            problems: What else is wrong, to be listed first.

        Raises:
            DataError: They do; or no clip has a hypothesis at all.
        """
        if self.matched and (ids != "strict" or not (self.missing or self.extra)):
            return
        lacking = [Problem(f"no hypothesis of {utt_id!r}") for utt_id in self.missing_ids]
        lines = zip(self.extra_ids, self.extra_lines or (None,) * len(self.extra_ids), strict=True)
        beyond = [
            Problem(f"no clip of {utt_id!r}", None if line is None else what, line)
            for utt_id, line in lines
        ]
        raise DataError(
            f"{self.missing:,} of {self.clips:,} clips of {manifest} have no hypothesis, and "
            f"{self.extra:,} of {self.rows:,} {self.unit} have no clip",
            where=what,
            problems=[*problems, *lacking, *beyond],
            hint="--ids common leaves out what only one of them has, --ids empty counts a missing "
            f"hypothesis as an empty one{_WHOLE if self.extra and self.unit == WORDS else ''}"
            if self.matched
            else "mend the lines that cannot be read"
            if problems
            else None,
        )


def check_ids_rule(ids: str) -> Ids:
    """Return the rule if it is one.

    Raises:
        UsageError: It is none.
    """
    if ids not in get_args(Ids):
        raise unknown("rule for ids", ids, get_args(Ids))
    return ids  # type: ignore[return-value]
