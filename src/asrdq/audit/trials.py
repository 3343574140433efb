"""All examined clips and copies as columns: what calibration and judgement compute on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from asrdq.alignment import Aligner, AlignmentStatus
from asrdq.audio import AudioReason
from asrdq.audit.coverage import is_length_mismatch
from asrdq.audit.faults import Fault, PlantedClip
from asrdq.audit.reasons import INSTRUMENT_FAULTS, UNUSABLE, Reason
from asrdq.audit.selection import Clip
from asrdq.settings import AuditSettings
from asrdq.text import character_count

Flags = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.float64]
Names = npt.NDArray[np.str_]

_AUDIO_REASONS = {
    AudioReason.MISSING: Reason.MISSING_AUDIO,
    AudioReason.UNREADABLE: Reason.UNREADABLE_AUDIO,
    AudioReason.TRUNCATED: Reason.UNREADABLE_AUDIO,
    AudioReason.DAMAGED: Reason.UNREADABLE_AUDIO,
    AudioReason.EMPTY: Reason.EMPTY_AUDIO,
    AudioReason.OUTSIDE: Reason.EMPTY_AUDIO,
}
UNREADABLE: Final = frozenset(
    audio_reason.value
    for audio_reason, reason in _AUDIO_REASONS.items()
    if reason in (Reason.MISSING_AUDIO, Reason.UNREADABLE_AUDIO)
)
"""Statuses of clips that cannot be read at all."""
_ROUNDING_S: Final = 0.5
_ROUNDING_SHARE: Final = 0.05


class Group(NamedTuple):
    """Entries of one stratum that one model judged.

    Attributes:
        stratum: The stratum.
        fold: The fold whose model it is; empty where one aligner is for all.
    """

    stratum: str
    fold: str = ""


@dataclass(frozen=True)
class Trials:
    """Columns of equal length (n,), one entry an examined clip or copy.

    Attributes:
        clips: The clip each entry is of.
        faults: What was planted, `untouched` for the clip as it is.
        speakers: Who speaks; the clip's own id where the manifest does not say.
        utt_ids: Id of the clip.
        strata: Stratum of the clip.
        folds: Fold of the clip; empty where one aligner is for all.
        aligned: Whether the aligner found an alignment.
        evidence: (n, evidence); NaN without an alignment and where a measure does not apply.
        strained: Whether it took the aligner extraordinary effort, or there is no alignment.
        coverage: The lower of text and speech coverage.
        chars_per_second: Letters and digits of the text ÷ seconds; NaN without audio.
        rules: For each reason that needs no calibration, whether it applies.
        duration_differs: Whether the manifest states another duration than the audio has; never of
            copies, since it says nothing about what was planted.
        judgeable: Whether the instrument could say anything about the entry.
        table: The evidence rows as they came (`EVIDENCE_TABLE`).
    """

    clips: tuple[Clip, ...]
    faults: Names
    speakers: Names
    utt_ids: Names
    strata: Names
    folds: Names
    aligned: Flags
    evidence: Numbers
    strained: Flags
    coverage: Numbers
    chars_per_second: Numbers
    rules: dict[Reason, Flags]
    duration_differs: Flags
    judgeable: Flags
    table: pa.Table

    @property
    def untouched(self) -> Flags:
        """The entries that are clips as they are."""
        found: Flags = self.faults == Fault.UNTOUCHED.value
        return found

    @property
    def groups(self) -> list[Group]:
        """The groups that there are, sorted; each is to have an instrument."""
        return sorted(set(map(Group, self.strata.tolist(), self.folds.tolist())))

    def of(self, group: Group) -> Flags:
        """Return the entries of a group."""
        found: Flags = (self.strata == group.stratum) & (self.folds == group.fold)
        return found

    @property
    def usable(self) -> Flags:
        """The entries to calibrate and to count with: judgeable, of clips with audio and text."""
        without = np.any([self.rules[reason] for reason in UNUSABLE], axis=0)
        found: Flags = self.judgeable & ~np.isin(self.utt_ids, self.utt_ids[without])
        return found

    def chosen(self, rows: Flags) -> Trials:
        """Return some of the entries, in their order."""
        columns: dict[str, Any] = {}
        for column in fields(self):
            value = getattr(self, column.name)
            if column.name == "clips":
                value = tuple(clip for clip, keep in zip(value, rows, strict=True) if keep)
            elif column.name == "rules":
                value = {reason: flags[rows] for reason, flags in value.items()}
            elif column.name == "table":
                value = value.filter(pa.array(rows))
            else:
                value = value[rows]
            columns[column.name] = value
        return Trials(**columns)

    @property
    def length_mismatch(self) -> Flags:
        """The entries whose text is far too long or too short for their audio."""
        return self.rules[Reason.LENGTH_MISMATCH]

    @property
    def ruled(self) -> Flags:
        """The entries that a rule makes low quality, whatever the aligner's evidence."""
        found: Flags = np.any(list(self.rules.values()), axis=0)
        return found


def is_usable(clip: Clip, status: str) -> bool:
    """Say whether a clip has the text and, by the status of its evidence, the audio to align."""
    return bool(clip.words) and status in set(AlignmentStatus)


def build_trials(
    clips: Sequence[Clip],
    planted: Sequence[PlantedClip],
    table: pa.Table,
    aligner: Aligner,
    settings: AuditSettings,
    folds: Sequence[str] | None = None,
) -> Trials:
    """Put examined clips into columns and apply the rules that need no calibration.

    Args:
        clips: The clip of each entry.
        planted: The words and fault of each entry, in the same order.
        table: Its evidence, in the same order.
        aligner: Whose evidence it is; its names are the columns of `Trials.evidence`.
        settings: Thresholds.
        folds: The fold of each entry; None where one aligner is for all.
    """
    status = np.array(table["status"].to_pylist(), dtype=np.str_)
    faults = np.array([one.fault.value for one in planted], dtype=np.str_)
    untouched = faults == Fault.UNTOUCHED.value
    duration_s = number_column(table["duration_s"])
    characters = np.array(
        [_characters(clip, one) for clip, one in zip(clips, planted, strict=True)], np.float64
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        chars_per_second = characters / duration_s
    usual = _usual_rates(clips, chars_per_second, untouched, settings)
    rules = {
        **_audio_rules(status),
        Reason.EMPTY_TEXT: characters == 0,
        **_coverage_rules(table, status, characters, settings.coverage_minimum),
        Reason.LENGTH_MISMATCH: _mismatches(characters, duration_s, usual),
    }
    evidence = _evidence(table, aligner.evidence_names)
    return Trials(
        clips=tuple(clips),
        faults=faults,
        speakers=np.array([clip.speaker or clip.utt_id for clip in clips], dtype=np.str_),
        utt_ids=np.array([clip.utt_id for clip in clips], dtype=np.str_),
        strata=np.array([clip.stratum for clip in clips], dtype=np.str_),
        folds=np.array(folds or [""] * len(clips), dtype=np.str_),
        aligned=status == AlignmentStatus.ALIGNED.value,
        evidence=evidence,
        strained=_strained(evidence, aligner) | rules[Reason.NO_ALIGNMENT],
        coverage=np.minimum(
            number_column(table["text_coverage"]), number_column(table["speech_coverage"])
        ),
        chars_per_second=chars_per_second,
        rules=rules,
        duration_differs=untouched & _durations_differ(clips, duration_s),
        judgeable=~np.isin(status, [fault.value for fault in INSTRUMENT_FAULTS]),
        table=table,
    )


def _strained(evidence: Numbers, aligner: Aligner) -> Flags:
    if aligner.strain is None:
        return np.zeros(len(evidence), dtype=np.bool_)
    found: Flags = evidence[:, aligner.evidence_names.index(aligner.strain)] == 1.0
    return found


def _audio_rules(status: Names) -> dict[Reason, Flags]:
    rules: dict[Reason, Flags] = {}
    for audio_reason, reason in _AUDIO_REASONS.items():
        found = status == audio_reason.value
        rules[reason] = rules.get(reason, np.zeros(len(status), np.bool_)) | found
    return rules


def _coverage_rules(
    table: pa.Table, status: Names, characters: Numbers, minimum: float
) -> dict[Reason, Flags]:
    aligned = status == AlignmentStatus.ALIGNED.value
    voiceless = number_column(table["voiced_s"]) == 0.0
    return {
        Reason.SILENT_AUDIO: voiceless & (characters > 0),
        Reason.NO_ALIGNMENT: status == AlignmentStatus.NO_ALIGNMENT.value,
        Reason.LOW_TEXT_COVERAGE: aligned & (number_column(table["text_coverage"]) < minimum),
        Reason.LOW_SPEECH_COVERAGE: aligned & (number_column(table["speech_coverage"]) < minimum),
    }


def _characters(clip: Clip, planted: PlantedClip) -> float:
    """Return the characters of a text; of one with planted words as it would be written.

    Words are spelled out, `25` as twenty-five: what is planted counts by the share of them.
    """
    spoken = character_count("".join(clip.words))
    planted_ones = character_count("".join(planted.words))
    return clip.characters * planted_ones / spoken if spoken else planted_ones


def _usual_rates(
    clips: Sequence[Clip], found: Numbers, untouched: Flags, settings: AuditSettings
) -> Numbers:
    """Return the usual characters per second of each entry, by its language.

    `auto` is the median of the sampled clips as they are; planted copies would move it. NaN where
    none of them has audio, and nothing a length.
    """
    languages = np.array([clip.language for clip in clips], dtype=np.str_)
    rates = np.full(len(clips), np.nan)
    for language in np.unique(languages):
        rows = languages == language
        rate = settings.speaking_rate(str(language))
        if rate is None:
            known = found[rows & untouched & np.isfinite(found)]
            rate = float(np.median(known)) if len(known) else np.nan
        rates[rows] = rate
    return rates


def _mismatches(characters: Numbers, duration_s: Numbers, rates: Numbers) -> Flags:
    values = zip(characters, duration_s, rates, strict=True)
    return np.array([d > 0 and is_length_mismatch(int(c), d, r) for c, d, r in values], np.bool_)


def _durations_differ(clips: Sequence[Clip], duration_s: Numbers) -> Flags:
    """Compare stated with decoded durations; a segment is decoded only as far as its file goes."""
    stated_s = np.array([clip.stated_s for clip in clips], np.float64)
    rounding_s = np.maximum(_ROUNDING_S, _ROUNDING_SHARE * duration_s)
    found: Flags = np.abs(stated_s - duration_s) > rounding_s
    return found


def _evidence(table: pa.Table, names: Sequence[str]) -> Numbers:
    rows = [dict(row) for row in table["evidence"].to_pylist()]
    return np.array(
        [[row.get(name, np.nan) for name in names] for row in rows], np.float64
    ).reshape(len(rows), len(names))


def number_column(column: Any) -> Numbers:
    """Return a column as numbers, NaN where it is null."""
    values: Numbers = column.cast(pa.float64()).combine_chunks().to_numpy(zero_copy_only=False)
    return values
