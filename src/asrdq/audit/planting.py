"""Every clip aligned, and copies of some with planted faults: what the instrument is shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import pyarrow as pa

from asrdq.audio import nothing_readable
from asrdq.audit.faults import Donor, Fault, FaultPlanter, PlantedClip
from asrdq.audit.folds import Judges
from asrdq.audit.plan import AuditPlan, Stage
from asrdq.audit.selection import Clip
from asrdq.audit.trials import UNREADABLE, Group, Trials, build_trials, is_usable

if TYPE_CHECKING:
    from asrdq.sampling.samples import SampleResult
    from asrdq.workspace import Workspace


def examine_sample(
    workspace: Workspace,
    judges: Judges,
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
        with stage(name, len(owners)) as on_clip:
            return judges.collect(
                workspace,
                owners,
                copies,
                plan.seed,
                workers=workers,
                on_clip=on_clip,
                cluster=plan.cluster,
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
        groups = {clip.utt_id: Group(clip.stratum, judges.fold_of(clip)) for clip in whole}
        damaged, planted = _plant(whole, groups, sample, plan.seed, settings.calibration_clips)
        evidence = pa.concat_tables([evidence, examined("prove", damaged, planted)])
        owners, copies = owners + damaged, copies + planted
    folds = [judges.fold_of(clip) for clip in owners]
    return build_trials(owners, copies, evidence, judges.first, settings, folds)


def _plant(
    clips: Sequence[Clip],
    groups: Mapping[str, Group],
    sample: SampleResult,
    seed: int,
    most: int,
) -> tuple[list[Clip], list[PlantedClip]]:
    """Return copies with faults of at most so many clips a group, the first of the draw.

    Args:
        clips: Those with audio and text: others carry no fault, and would be found by anything.
        groups: The group of each by its id.
        sample: The draw.
        seed: Seed of the faults.
        most: Clips of a group to make copies of.

    Returns:
        The clip of each copy, and the copies.
    """
    planters = _planters(clips, seed)
    drawn = sample.clips.select(["utt_id", "rank"]).to_pylist()
    ranks = {row["utt_id"]: row["rank"] for row in drawn}
    chosen: dict[Group, list[str]] = {}
    for clip in sorted(clips, key=lambda clip: ranks[clip.utt_id]):
        chosen.setdefault(groups[clip.utt_id], []).append(clip.utt_id)
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
