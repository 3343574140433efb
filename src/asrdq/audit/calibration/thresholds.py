"""Which thresholds an audit judges by: fitted on its own data, stored, or shipped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from asrdq.alignment import Aligner
from asrdq.audit.calibration.fitting import Calibration, Instrument, calibrate, shipped_calibration
from asrdq.audit.calibration.stored import GroupName, read_groups, stored_instruments
from asrdq.audit.selection import Clip
from asrdq.audit.trials import Group, Trials
from asrdq.calibration_settings import CalibrationEntry
from asrdq.errors import UsageError
from asrdq.sampling.strata import stratum_parts
from asrdq.settings import SETTINGS_FILE
from asrdq.workspace.sql import connection, select_from

if TYPE_CHECKING:
    from asrdq.workspace import ManifestVersion, Workspace


_NAMED = 5


class Source(StrEnum):
    """Where thresholds come from."""

    DATA = "data"
    """Fitted on faults planted on the audited data."""
    STORED = "stored"
    """Fitted by `asrdq calibrate` for this aligner, version and language."""
    SHIPPED = "shipped"
    """They came along: nothing says that they fit this aligner, language and data."""
    NONE = "none"
    """The aligner gives no evidence: coverage alone judges."""


@dataclass(frozen=True)
class Thresholds:
    """The thresholds of an audit.

    Attributes:
        source: Where they come from.
        told: One sentence about that.
        note: Why stored ones were not taken, where there are some for this aligner.
    """

    source: Source
    told: str
    note: str = ""
    shipped: Calibration | None = None
    groups: Mapping[GroupName, Calibration] = field(default_factory=dict)
    group_of: Mapping[str, GroupName] = field(default_factory=dict)
    seeds: Mapping[str, int] = field(default_factory=dict)

    def instruments(
        self, trials: Trials, names: Sequence[str], budget: float
    ) -> Mapping[Group, Instrument]:
        """Return the instrument of each group; groups that cannot have one are missing."""
        if self.source is Source.STORED:
            return stored_instruments(
                trials, self.groups, self.group_of, self.seeds, self.told, budget
            )
        if self.shipped is not None:
            return dict.fromkeys(trials.groups, self.shipped)
        return calibrate(trials, names, budget)


def choose_thresholds(
    workspace: Workspace,
    manifest: ManifestVersion,
    aligner: Aligner,
    clips: Sequence[Clip],
    fit: bool | None,
    version: str | None = None,
) -> Thresholds:
    """Choose the thresholds for clips.

    Args:
        workspace: Whose `asrdq.yaml` may have some.
        manifest: Where the clips are from.
        aligner: Who aligns them.
        clips: What is to be judged.
        fit: True: fit on the data whatever is stored. None: take the stored ones where they are for
            this aligner, its version and every language and group of the clips, otherwise fit.
            False: fit nothing.
        version: What its version is held against instead, where there are several of it.

    Raises:
        UsageError: A file of stored thresholds is missing or was changed. Or nothing is to be
            fitted, and those of `asrdq.yaml` are for something else, or there are none and the
            shipped ones are for another aligner.
    """
    version = version or aligner.version
    here = f"{aligner.name} {version}"
    on_data = "fitted on faults planted on this data"
    if not aligner.aligns_copies:
        return Thresholds(Source.NONE, f"none, {aligner.name} is judged by coverage")
    entries = [e for e in workspace.settings.calibrations if e.aligner == aligner.name]
    if fit or (fit is None and not entries):
        return Thresholds(Source.DATA, on_data)
    languages = sorted({clip.language for clip in clips})
    if not entries:
        told = f"shipped, not calibrated for {here} and {', '.join(languages)}: asrdq calibrate"
        return Thresholds(Source.SHIPPED, told, shipped=shipped_calibration(aligner))
    fitting = [e for e in entries if e.aligner_version == version]
    group_of = _groups(workspace, manifest, clips, fitting)
    note = _uncovered(entries, fitting, group_of, here, languages)
    if note and fit is False:
        raise UsageError(
            f"no threshold is calibrated for this audit: {note}",
            where=SETTINGS_FILE,
            hint=f"asrdq calibrate {manifest.name}; or leave out --no-calibration, and thresholds "
            "are fitted on this data",
        )
    if note:
        return Thresholds(Source.DATA, on_data, note)
    used = [e for e in fitting if e.language in languages]
    groups = {
        (e.language, value): known
        for e in used
        for value, known in read_groups(workspace, e, aligner.evidence_names).items()
    }
    made = "; ".join(f"{e.language}: {e.manifest}, {e.date[:10]}" for e in used)
    told = f"of asrdq calibrate, for {here} ({made})"
    seeds = {e.language: e.seed for e in used}
    return Thresholds(Source.STORED, told, groups=groups, group_of=group_of, seeds=seeds)


def group_values(
    workspace: Workspace, manifest: ManifestVersion, column: str | None, ids: Sequence[str]
) -> dict[str, str | None]:
    """Return the value of a column for clips by id; None where there is no column.

    Raises:
        UsageError: The manifest has no such column; the nearest is named.
    """
    if column is None:
        return dict.fromkeys(ids)
    [expression] = stratum_parts(column, manifest)
    wanted = set(ids)
    body, _ = select_from(workspace.store, manifest.table, manifest.version)
    with connection(workspace.store, ()) as (database, _):
        rows = database.sql(f"SELECT utt_id, {expression} AS value FROM ({body})").fetchall()
    return {utt_id: value for utt_id, value in rows if utt_id in wanted}


def _groups(
    workspace: Workspace,
    manifest: ManifestVersion,
    clips: Sequence[Clip],
    entries: Sequence[CalibrationEntry],
) -> dict[str, GroupName]:
    """Return the group of each clip; the language alone where no column divides it here."""
    columns = {e.language: e.by for e in entries}
    values = {
        column: group_values(workspace, manifest, column, [clip.utt_id for clip in clips])
        for column in set(columns.values())
        if column is None or column in manifest.columns
    }
    return {
        clip.utt_id: (
            clip.language,
            values.get(columns.get(clip.language), {}).get(clip.utt_id),
        )
        for clip in clips
    }


def _uncovered(
    entries: Sequence[CalibrationEntry],
    fitting: Sequence[CalibrationEntry],
    group_of: Mapping[str, GroupName],
    here: str,
    languages: Sequence[str],
) -> str:
    """Say what the entries of an aligner lack for an audit; empty where they lack nothing."""
    if not fitting:
        others = ", ".join(sorted({e.aligner_version for e in entries}))
        return f"they are for version {others}, and this is {here}"
    have = {(e.language, group.value) for e in fitting for group in e.groups}
    calibrated = {language for language, _ in have}
    missing = [language for language in languages if language not in calibrated]
    if missing:
        known = ", ".join(sorted(calibrated))
        return f"{here} is calibrated for {known}, and not for {', '.join(missing)}"
    columns = {e.language: e.by for e in fitting}
    strange = {
        f"{columns[language]} {value or '(no such column)'} in {language}"
        for language, value in group_of.values()
        if (language, value) not in have
    }
    named = ", ".join(sorted(strange)[:_NAMED])
    return f"{here} is not calibrated for {named}" if strange else ""
