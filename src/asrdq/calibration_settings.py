"""The section `calibrations` of the settings, which `asrdq calibrate` writes."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from asrdq.strict import Share, Strict

Count = Annotated[int, Field(ge=0)]


class Halves(Strict):
    """How many there were in the half that was fitted on and in the half that it was checked on."""

    fitted: Count
    checked: Count


class MeasuredShare(Strict):
    """A share of the half that was checked, with its 95 % interval."""

    rate: Share
    low: Share
    high: Share
    clips: Count


class CalibratedGroup(Strict):
    """One language, or one value of a column within it.

    Attributes:
        value: The value of the column; None where the language was not divided.
        threshold: The score above which a clip is of low quality.
        fitted_on: The group, or the whole language where the group was too small for its own.
        speakers: Speakers of each half.
        clips: Untouched clips of each half.
        false_alarms: Share of right clips flagged.
        recall: Share found of each planted fault.
    """

    value: str | None
    threshold: float
    fitted_on: str
    speakers: Halves
    clips: Halves
    false_alarms: MeasuredShare
    recall: dict[str, MeasuredShare]


class CalibrationRecord(Strict):
    """Where thresholds come from, and what they were shown to be worth.

    Attributes:
        halves_by: `speaker`, or `clip` where one person speaks all.
    """

    aligner: str
    aligner_version: str
    language: str
    by: str | None
    date: str
    run_id: str
    manifest: str
    fingerprint: str
    seed: int
    halves_by: str
    false_alarm_budget: Annotated[float, Field(gt=0.0, lt=0.5)]
    groups: tuple[CalibratedGroup, ...]


class CalibrationEntry(CalibrationRecord):
    """A record with the file beside that holds the detectors, by its hash.

    Attributes:
        file: Path in the workspace.
        sha256: Of the bytes of the file.
    """

    file: str
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]

    def record(self) -> CalibrationRecord:
        """Return what the file holds too."""
        return CalibrationRecord(**self.model_dump(exclude={"file", "sha256"}))
