"""The audit: sample, align, plant faults, calibrate, judge, and write down all of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from asrdq.alignment import Aligner, AlignerOptions, parse_aligner
from asrdq.audit.calibration.thresholds import Source, Thresholds, choose_thresholds
from asrdq.audit.conclusion import Conclusion, conclude
from asrdq.audit.folds import Judges
from asrdq.audit.hypotheses import hypothesis_reasons, hypothesis_signals, with_run
from asrdq.audit.plan import AuditPlan, Stage, no_progress
from asrdq.audit.planting import examine_sample
from asrdq.audit.result import AuditResult
from asrdq.audit.rows import alignment_rows, audit_rows, fault_rows, span_rows
from asrdq.audit.second import SecondInstrument, second_instrument
from asrdq.audit.selection import Clip, sampled_clips
from asrdq.audit.trials import Trials
from asrdq.errors import UsageError
from asrdq.sampling import SamplingPlan, standing_sample
from asrdq.settings import AuditSettings

if TYPE_CHECKING:
    from asrdq.sampling.samples import SampleResult
    from asrdq.workspace import ManifestVersion, Workspace


def audit(
    workspace: Workspace,
    manifest: ManifestVersion,
    plan: AuditPlan | None = None,
    *,
    workers: int = 0,
    stage: Stage = no_progress,
) -> AuditResult:
    """Audit a sample of a manifest.

    The newest sample drawn for this content is taken if it holds (`standing_sample`), else one is
    drawn by the settings. Every clip is aligned; faults are planted on copies and the same is done
    to them; thresholds are fitted so that few right clips are flagged; every clip is judged by an
    instrument that did not learn from its speaker. What was aligned before, also by a killed run,
    is taken from the cache.

    Args:
        workspace: Where the manifest is and the results go.
        manifest: The version to audit.
        plan: What to do; by default calibrate with the aligner of the settings.
        workers: Processes; 0 is one a core, or as many as the cluster has room for.
        stage: Opens a progress display for each of the two stages.

    Raises:
        UsageError: The aligner does not exist or does not know the language, the shipped
            thresholds are not for it, or clips lie at addresses.
        DataError: The sample is empty, not one of its clips can be read, or some are in no fold.
    """
    settings = workspace.settings.audit
    plan = plan or AuditPlan(_settled(settings))
    judges = Judges(plan.options, plan.folds)
    _check_plan(plan, judges.first)
    default = SamplingPlan.from_settings(workspace.settings.sampling)
    sample = standing_sample(workspace, manifest, default)
    clips = sampled_clips(
        workspace, manifest, sample, judges.first, workers=workers, cluster=plan.cluster
    )
    judges.check(clips)
    means = _means(workspace, manifest, plan, judges, clips)
    with workspace.run("audit", manifest, means.parameters(plan, sample, settings)) as run:
        trials = examine_sample(workspace, judges, plan, sample, clips, workers, stage)
        concluded = conclude(trials, judges.first, means.thresholds, settings, run.run_id)
        result = _result(manifest, sample, run.run_id, means, trials, concluded, settings)
        if (second := means.second) is not None:
            told = second.stage(stage)
            theirs = examine_sample(
                workspace, second.judges, second.plan, sample, clips, workers, told
            )
            agreements, agreement = second.compare(
                trials, concluded.judgement, theirs, settings, run.run_id, result.aligner
            )
            result = replace(result, agreements=agreements, instrument_agreement=agreement)
        for name, rows in result.tables().items():
            workspace.replace(name, rows, run_id=run.run_id)
    return result


@dataclass(frozen=True)
class _Means:
    """What clips are judged by.

    Attributes:
        judges: The aligner of each clip.
        thresholds: Where low quality begins.
        second: A second aligner with its thresholds, None where there is none.
        signals: The hypotheses beside the transcripts, None where there are none.
    """

    judges: Judges
    thresholds: Thresholds
    second: SecondInstrument | None
    signals: pa.Table | None

    def parameters(
        self, plan: AuditPlan, sample: SampleResult, settings: AuditSettings
    ) -> dict[str, Any]:
        """Return what the table of runs keeps."""
        return {
            **settings.model_dump(),
            "sample_run_id": sample.run_id,
            "aligner": self.judges.first.name,
            "aligner_version": self.judges.version,
            "out_of_fold": len(plan.folds),
            "calibrate": self.thresholds.source is Source.DATA,
            "thresholds": self.thresholds.source.value,
            "thresholds_told": self.thresholds.told,
            "thresholds_note": self.thresholds.note,
            "plant": plan.plants,
            "seed": plan.seed,
            "second": self.second.name if self.second else "",
            "second_thresholds": self.second.thresholds.told if self.second else "",
            "hypotheses": plan.hypotheses or "",
            "engine": "ray" if plan.cluster else "local",
        }


def _means(
    workspace: Workspace,
    manifest: ManifestVersion,
    plan: AuditPlan,
    judges: Judges,
    clips: list[Clip],
) -> _Means:
    """Find what clips are judged by, before one is aligned."""
    thresholds = choose_thresholds(
        workspace, manifest, judges.first, clips, plan.calibrate, judges.version
    )
    second = second_instrument(workspace, manifest, plan, clips)
    signals = (
        hypothesis_signals(workspace, manifest, plan.hypotheses, clips) if plan.hypotheses else None
    )
    return _Means(judges, thresholds, second, signals)


def _result(
    manifest: ManifestVersion,
    sample: SampleResult,
    run_id: str,
    means: _Means,
    trials: Trials,
    concluded: Conclusion,
    settings: AuditSettings,
) -> AuditResult:
    """Build all tables of the first aligner."""
    judges, thresholds, signals = means.judges, means.thresholds, means.signals
    judgement = concluded.judgement
    if signals is not None:
        judgement = judgement.with_reasons(hypothesis_reasons(signals, trials, settings))
    untouched = [clip for clip, own in zip(trials.clips, trials.untouched, strict=True) if own]
    return AuditResult(
        run_id=run_id,
        sample_run_id=sample.run_id,
        manifest=str(manifest),
        fingerprint=manifest.fingerprint,
        aligner=f"{judges.first.name} {judges.version}",
        calibrated=thresholds.source in (Source.DATA, Source.STORED),
        thresholds=thresholds.told,
        thresholds_note=thresholds.note,
        audits=audit_rows(trials, judgement, run_id),
        alignments=alignment_rows(trials, judges, run_id),
        word_spans=span_rows(trials, run_id),
        fault_trials=fault_rows(trials, concluded.judgement, run_id),
        detections=concluded.detections,
        calibrations=concluded.calibrations,
        folds=judges.rows(untouched, run_id) if judges.folds else None,
        hypothesis_signals=None if signals is None else with_run(signals, run_id),
    )


def _settled(settings: AuditSettings) -> AlignerOptions:
    """Return the aligner of the settings."""
    return parse_aligner(settings.aligner, device=settings.device, batch_size=settings.batch_size)


def _check_plan(plan: AuditPlan, aligner: Aligner) -> None:
    """Refuse to plant faults for an aligner that cannot be asked about them.

    Raises:
        UsageError: It is to.
    """
    if plan.plants and not aligner.aligns_copies:
        raise UsageError(
            "alignments made elsewhere say nothing about planted faults, so that no threshold can "
            f"be fitted for the aligner '{aligner.name}'",
            hint="an aligner that listens itself, such as pocketsphinx or ctc:MODEL"
            if plan.plant
            else "--no-calibration judges by coverage alone, and the verdict says so",
        )
