"""Why a hand-off is refused: each reason with an id, what is missing, and what mends it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from asrdq.errors import DataError, Problem, counted

REASONS: Final[Mapping[str, str]] = {
    "rows_edited": "the rows of a version are not those of its fingerprint",
    "no_verdict": "the gate has given no verdict on this content",
    "other_policy": "the verdict was given by another policy",
    "stale_verdict": "the verdict would be another one by now",
    "undecided": "the gate says UNDECIDED",
    "stop": "the gate says STOP",
    "caution": "the gate says CAUTION, and nobody has accepted that",
    "not_signed": "a sign-off is asked for, and there is none of this content",
    "signoff_broken": "what was signed is no longer what is there",
    "signoff_other": "the sign-off accepts another verdict, or by another policy",
    "same_manifest": "training and validation have the same content",
    "leaks": "training and validation share too much",
    "leaks_unknown": "not everything could be compared between training and validation",
    "lint": "the recipe has errors",
    "audio_missing": "audio files are not there",
    "audio_remote": "audio lies at an address, where a trainer cannot open it",
    "audio_unmapped": "audio paths cannot be rewritten for where they will run",
}
"""Every reason, and what it means."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """One reason against a hand-off.

    Attributes:
        reason: Its id, one of `REASONS`.
        message: What is missing, with the names.
        mend: The command that mends it, or the first step to it.
    """

    reason: str
    message: str
    mend: str

    def __post_init__(self) -> None:
        if self.reason not in REASONS:
            raise ValueError(f"'{self.reason}' is no reason that is known")

    def __str__(self) -> str:
        return f"{self.reason}: {self.message} (mend it with: {self.mend})"


class RefusedError(DataError):
    """A hand-off that is refused, with all reasons at once."""

    def __init__(self, what: str, refusals: Sequence[Refusal]) -> None:
        super().__init__(
            f"{what} is not handed off: {counted(len(refusals), 'reason')}",
            problems=[Problem(str(refusal)) for refusal in refusals],
            hint=refusals[0].mend,
        )
        self.refusals = tuple(refusals)
