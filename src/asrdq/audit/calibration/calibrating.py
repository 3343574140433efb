"""`asrdq calibrate`: thresholds fitted on half of the speakers, checked on the others, kept."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

from asrdq.alignment import Aligner, AlignerOptions
from asrdq.audit.calibration.calibrated import CalibrateResult
from asrdq.audit.calibration.language_fit import LanguageFit, fit_language
from asrdq.audit.calibration.stored import write_file
from asrdq.audit.calibration.thresholds import group_values
from asrdq.audit.folds import Judges
from asrdq.audit.plan import AuditPlan, Stage, no_progress
from asrdq.audit.planting import examine_sample
from asrdq.audit.selection import sampled_clips
from asrdq.audit.tables import CALIBRATION_CHECKS, CALIBRATION_COSTS, CALIBRATION_GROUPS
from asrdq.calibration_settings import CalibrationEntry, CalibrationRecord
from asrdq.errors import UsageError
from asrdq.sampling import SamplingPlan, standing_sample
from asrdq.settings import AuditSettings, RaySettings
from asrdq.workspace.locks import locked
from asrdq.workspace.settings_section import write_section

if TYPE_CHECKING:
    from asrdq.workspace import ManifestVersion, Workspace

SECTION: Final = "calibrations"
_REMARK: Final = "written by `asrdq calibrate`; what each threshold was shown to be worth"


@dataclass(frozen=True, slots=True)
class CalibratePlan:
    """What to calibrate.

    Attributes:
        aligner: What the aligner is built from, or its name and address as settings have them.
        by: A column whose values get thresholds of their own within each language.
        false_alarms: Share of right clips that may be flagged; None takes the settings'.
        seed: Of the planted faults and of the halves.
        cluster: The Ray cluster that reads and aligns; None: processes of this machine.
    """

    aligner: str | AlignerOptions
    by: str | None = None
    false_alarms: float | None = None
    seed: int = 42
    cluster: RaySettings | None = None


def calibrate_aligner(
    workspace: Workspace,
    manifest: ManifestVersion,
    plan: CalibratePlan,
    *,
    workers: int = 0,
    stage: Stage = no_progress,
) -> CalibrateResult:
    """Fit thresholds for an aligner and write them into `asrdq.yaml`.

    The clips are those that an audit would take, and what was aligned before, also by a killed run,
    comes from the cache. Faults are planted on copies; half of the speakers of each language sets
    the thresholds, the other half shows what they find and cost. A group whose faults hardly differ
    from right clips, or that has too few clips, gets no threshold, and the result says so. Entries
    of the same aligner and language are replaced, all other lines of `asrdq.yaml` stay.

    Args:
        workspace: Where the manifest is and the results go.
        manifest: The version to calibrate on.
        plan: What to do.
        workers: Processes; 0 is one a core, or as many as the cluster has room for.
        stage: Opens a progress display for each of the two stages.

    Raises:
        UsageError: The aligner does not exist, gives no evidence, or does not know the language;
            there is no such column; or `asrdq.yaml` cannot take the section.
        DataError: The sample is empty, or not one of its clips can be read.
    """
    settings = workspace.settings.audit
    if plan.false_alarms is not None:
        settings = settings.model_copy(update={"false_alarm_budget": plan.false_alarms})
    options = AuditPlan(plan.aligner, cluster=plan.cluster).options
    judges = Judges(options)
    aligner = judges.first
    _check_evidence(aligner)
    group_values(workspace, manifest, plan.by, [])
    default = SamplingPlan.from_settings(workspace.settings.sampling)
    sample = standing_sample(workspace, manifest, default)
    clips = sampled_clips(
        workspace, manifest, sample, aligner, workers=workers, cluster=plan.cluster
    )
    values = group_values(workspace, manifest, plan.by, [clip.utt_id for clip in clips])
    parameters = {
        **settings.model_dump(),
        "sample_run_id": sample.run_id,
        "aligner": aligner.name,
        "aligner_version": aligner.version,
        "by": plan.by,
        "seed": plan.seed,
        "engine": "ray" if plan.cluster else "local",
    }
    with workspace.run("calibrate", manifest, parameters) as run:
        audit_plan = AuditPlan(options, True, seed=plan.seed, cluster=plan.cluster)
        trials = examine_sample(workspace, judges, audit_plan, sample, clips, workers, stage)
        fitted = {
            language: fit_language(
                trials.chosen(np.array([clip.language == language for clip in trials.clips])),
                values,
                aligner,
                settings,
                plan.seed,
                run.run_id,
            )
            for language in sorted({clip.language for clip in clips})
        }
        entries = _files(workspace, manifest, aligner, settings, fitted, plan, run.run_id)
        result = CalibrateResult(
            run_id=run.run_id,
            manifest=str(manifest),
            fingerprint=manifest.fingerprint,
            aligner=f"{aligner.name} {aligner.version}",
            by=plan.by,
            false_alarm_budget=settings.false_alarm_budget,
            entries=entries,
            groups=_table(CALIBRATION_GROUPS, [one.group_rows for one in fitted.values()]),
            checks=_table(CALIBRATION_CHECKS, [one.check_rows for one in fitted.values()]),
            costs=_table(CALIBRATION_COSTS, [one.cost_rows for one in fitted.values()]),
        )
        for name, rows in result.tables().items():
            workspace.replace(name, rows, run_id=run.run_id)
        _enter(workspace, entries)
    return result


def _check_evidence(aligner: Aligner) -> None:
    """Refuse an aligner that says nothing of planted faults.

    Raises:
        UsageError: It does not.
    """
    if not aligner.aligns_copies or not aligner.evidence_names:
        raise UsageError(
            f"the aligner '{aligner.name}' gives no evidence about planted faults, so that no "
            "threshold can be fitted for it",
            hint="pocketsphinx, ctc:MODEL and qwen:MODEL do",
        )


def _table(schema: pa.Schema, parts: list[list[dict[str, Any]]]) -> pa.Table:
    return pa.Table.from_pylist([row for part in parts for row in part], schema=schema)


def _files(
    workspace: Workspace,
    manifest: ManifestVersion,
    aligner: Aligner,
    settings: AuditSettings,
    fitted: Mapping[str, LanguageFit],
    plan: CalibratePlan,
    run_id: str,
) -> tuple[CalibrationEntry, ...]:
    """Write the files beside `asrdq.yaml`; return what its section is to say of them."""
    entries = []
    for language, one in fitted.items():
        if one.groups:
            record = CalibrationRecord(
                aligner=aligner.name,
                aligner_version=aligner.version,
                language=language,
                by=plan.by,
                date=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
                run_id=run_id,
                manifest=str(manifest),
                fingerprint=manifest.fingerprint,
                seed=plan.seed,
                halves_by=one.halves_by,
                false_alarm_budget=settings.false_alarm_budget,
                groups=one.groups,
            )
            entries.append(write_file(workspace, record, aligner.evidence_names, one.instruments))
    return tuple(entries)


def _enter(workspace: Workspace, entries: Sequence[CalibrationEntry]) -> None:
    """Put entries into `asrdq.yaml`: they count from then on, so that their tables come first."""
    if not entries:
        return
    layout = workspace.store.layout
    replaced = {(entry.aligner, entry.language) for entry in entries}
    with locked(layout.lock("settings"), what="asrdq.yaml"):
        there = type(workspace).open(workspace.root).settings.calibrations
        kept = [one for one in there if (one.aligner, one.language) not in replaced]
        value = [one.model_dump(mode="json") for one in (*kept, *entries)]
        write_section(layout.settings_file, SECTION, value, _REMARK)
