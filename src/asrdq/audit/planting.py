"""Which clips of a sample get copies with planted faults."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from asrdq.audit.faults import Donor, FaultPlanter, PlantedClip
from asrdq.audit.selection import Clip

if TYPE_CHECKING:
    from asrdq.sampling.samples import SampleResult


def plant_faults(
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
