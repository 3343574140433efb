"""The audit: sample, align, plant faults, calibrate, judge, and write down all of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from asrdq.alignment import Aligner, AlignerOptions, build_aligner, parse_aligner
from asrdq.audio import nothing_readable
from asrdq.audit.collection import OnClip, clip_task, collect_evidence
from asrdq.audit.conclusion import conclude
from asrdq.audit.faults import Donor, Fault, FaultPlanter, PlantedClip
from asrdq.audit.hypotheses import hypothesis_reasons, hypothesis_signals, with_run
from asrdq.audit.result import AuditResult
from asrdq.audit.rows import alignment_rows, audit_rows, fault_rows, span_rows
from asrdq.audit.second import second_instrument
from asrdq.audit.selection import Clip, sampled_clips
from asrdq.audit.thresholds import Source, choose_thresholds
from asrdq.audit.trials import UNREADABLE, Trials, build_trials, is_usable
from asrdq.errors import UsageError
from asrdq.sampling import SamplingPlan, standing_sample
from asrdq.settings import AuditSettings

if TYPE_CHECKING:
    from asrdq.sampling.samples import SampleResult
    from asrdq.workspace import ManifestVersion, Workspace

Stage = Callable[[str, int], AbstractContextManager[OnClip]]
"""Opens a progress display: given a name and a number of clips, to be called after each."""


@dataclass(frozen=True, slots=True)
class AuditPlan:
    """What an audit does beyond its settings.

    Attributes:
        aligner: What the aligner is built from, or its name and address as settings have them.
        calibrate: True: fit thresholds on faults planted on this data. None: take those of
            `asrdq calibrate` where they are for this aligner, version and language, otherwise fit.
            False: fit nothing; without those of `asrdq calibrate` the shipped values are used, and
            the verdict says so.
        plant: Whether to plant faults and measure what is found, also where nothing is fitted.
        seed: Seed of the planted faults.
        second: A second aligner to compare with, as `aligner`.
        hypotheses: A set of hypotheses to compare the transcripts with, or a file of them.
    """

    aligner: str | AlignerOptions
    calibrate: bool | None = None
    plant: bool = True
    seed: int = 42
    second: str | AlignerOptions | None = None
    hypotheses: str | None = None

    @property
    def plants(self) -> bool:
        """Whether faults are planted."""
        return self.plant or self.calibrate is not False

    @property
    def options(self) -> AlignerOptions:
        """What the aligner is built from."""
        return _options(self.aligner)

    def of_second(self) -> AuditPlan | None:
        """Return what to do with the second aligner; one that cannot be calibrated is not."""
        if self.second is None:
            return None
        if build_aligner(self.second).aligns_copies:
            return dataclasses.replace(self, aligner=self.second)
        return dataclasses.replace(self, aligner=self.second, calibrate=False, plant=False)


def _options(wanted: str | AlignerOptions) -> AlignerOptions:
    return parse_aligner(wanted) if isinstance(wanted, str) else wanted


def no_progress(_name: str, _clips: int) -> AbstractContextManager[OnClip]:
    """Show nothing."""
    return nullcontext(lambda _seconds: None)


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
        workers: Processes; 0 is one a core.
        stage: Opens a progress display for each of the two stages.

    Raises:
        UsageError: The aligner does not exist or does not know the language, the shipped
            thresholds are not for it, or clips lie at addresses.
        DataError: The sample is empty, or not one of its clips can be read.
    """
    settings = workspace.settings.audit
    plan = plan or AuditPlan(_settled(settings))
    aligner = build_aligner(plan.options)
    _check_plan(plan, aligner)
    default = SamplingPlan.from_settings(workspace.settings.sampling)
    sample = standing_sample(workspace, manifest, default)
    clips = sampled_clips(workspace, manifest, sample, aligner)
    thresholds = choose_thresholds(workspace, manifest, aligner, clips, plan.calibrate)
    second_plan = plan.of_second()
    second = second_plan and second_instrument(
        workspace, manifest, second_plan.options, clips, second_plan.calibrate
    )
    signals = (
        hypothesis_signals(workspace, manifest, plan.hypotheses, clips) if plan.hypotheses else None
    )
    parameters = {
        **settings.model_dump(),
        "sample_run_id": sample.run_id,
        "aligner": aligner.name,
        "aligner_version": aligner.version,
        "calibrate": thresholds.source is Source.DATA,
        "thresholds": thresholds.source.value,
        "thresholds_told": thresholds.told,
        "thresholds_note": thresholds.note,
        "plant": plan.plants,
        "seed": plan.seed,
        "second": second.name if second else "",
        "second_thresholds": second.thresholds.told if second else "",
        "hypotheses": plan.hypotheses or "",
    }
    with workspace.run("audit", manifest, parameters) as run:
        trials = examine_sample(workspace, aligner, plan, sample, clips, workers, stage)
        concluded = conclude(trials, aligner, thresholds, settings, run.run_id)
        judgement = concluded.judgement
        if signals is not None:
            reasons = hypothesis_reasons(signals, trials, settings)
            judgement = judgement.with_reasons(reasons)
        result = AuditResult(
            run_id=run.run_id,
            sample_run_id=sample.run_id,
            manifest=str(manifest),
            fingerprint=manifest.fingerprint,
            aligner=f"{aligner.name} {aligner.version}",
            calibrated=thresholds.source in (Source.DATA, Source.STORED),
            thresholds=thresholds.told,
            thresholds_note=thresholds.note,
            audits=audit_rows(trials, judgement, run.run_id),
            alignments=alignment_rows(trials, aligner, run.run_id),
            word_spans=span_rows(trials, run.run_id),
            fault_trials=fault_rows(trials, concluded.judgement, run.run_id),
            detections=concluded.detections,
            calibrations=concluded.calibrations,
            hypothesis_signals=None if signals is None else with_run(signals, run.run_id),
        )
        if second_plan and second:
            told = second.stage(stage)
            theirs = examine_sample(
                workspace, second.aligner, second_plan, sample, clips, workers, told
            )
            agreements, agreement = second.compare(
                trials, concluded.judgement, theirs, settings, run.run_id, result.aligner
            )
            result = dataclasses.replace(
                result, agreements=agreements, instrument_agreement=agreement
            )
        for name, rows in result.tables().items():
            workspace.replace(name, rows, run_id=run.run_id)
    return result


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
            hint="--no-calibration judges by coverage alone, and the verdict says so",
        )


def examine_sample(
    workspace: Workspace,
    aligner: Aligner,
    plan: AuditPlan,
    sample: SampleResult,
    clips: Sequence[Clip],
    workers: int,
    stage: Stage,
) -> Trials:
    """Align the clips, then the copies with planted faults; return both as columns.

    Raises:
        DataError: Not one of the clips can be read; nothing is planted then.
    """

    def examined(name: str, owners: Sequence[Clip], copies: Sequence[PlantedClip]) -> pa.Table:
        pairs = zip(owners, copies, strict=True)
        tasks = [clip_task(clip, copy, aligner, plan.seed) for clip, copy in pairs]
        with stage(name, len(tasks)) as on_clip:
            return collect_evidence(
                workspace, aligner, plan.options, tasks, workers=workers, on_clip=on_clip
            )

    settings = workspace.settings.audit
    owners = list(clips)
    copies = [PlantedClip(clip.utt_id, Fault.UNTOUCHED, clip.words) for clip in clips]
    evidence = examined("align", owners, copies)
    statuses = evidence["status"].to_pylist()
    if UNREADABLE.issuperset(statuses):
        raise nothing_readable(len(clips), sample.manifest)
    if plan.plants:
        whole = [
            clip for clip, status in zip(clips, statuses, strict=True) if is_usable(clip, status)
        ]
        damaged, planted = _plant(whole, sample, plan.seed, settings.calibration_clips)
        evidence = pa.concat_tables([evidence, examined("prove", damaged, planted)])
        owners, copies = owners + damaged, copies + planted
    return build_trials(owners, copies, evidence, aligner, settings)


def _plant(
    clips: Sequence[Clip], sample: SampleResult, seed: int, most: int
) -> tuple[list[Clip], list[PlantedClip]]:
    """Return copies with faults of at most so many clips a stratum, the first of the draw.

    Args:
        clips: Those with audio and text: others carry no fault, and would be found by anything.
        sample: The draw.
        seed: Seed of the faults.
        most: Clips of a stratum to make copies of.

    Returns:
        The clip of each copy, and the copies.
    """
    planters = _planters(clips, seed)
    drawn = sample.clips.select(["utt_id", "rank"]).to_pylist()
    ranks = {row["utt_id"]: row["rank"] for row in drawn}
    chosen: dict[str, list[str]] = {}
    for clip in sorted(clips, key=lambda clip: ranks[clip.utt_id]):
        chosen.setdefault(clip.stratum, []).append(clip.utt_id)
    first = {utt_id for ids in chosen.values() for utt_id in ids[:most]}
    owners: list[Clip] = []
    copies: list[PlantedClip] = []
    for clip in clips:
        if clip.utt_id in first:
            planted = list(planters[clip.language].plant(clip.utt_id, clip.words))
            owners += [clip] * len(planted)
            copies += planted
    return owners, copies


def _planters(clips: Sequence[Clip], seed: int) -> dict[str, FaultPlanter]:
    """Return a planter for each language, which takes words from clips of that language."""
    donors: dict[str, list[Donor]] = {}
    for clip in clips:
        donors.setdefault(clip.language, []).append(Donor(clip.utt_id, clip.words))
    return {language: FaultPlanter(some, seed) for language, some in donors.items()}
