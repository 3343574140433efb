"""How fast an aligner is, tried on a few clips of the manifest in one worker."""

from __future__ import annotations

import functools
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from asrdq.alignment import AlignerOptions, build_aligner
from asrdq.audit.batches import batches
from asrdq.audit.collection import clip_task
from asrdq.audit.examination import examine, start_worker
from asrdq.audit.faults import Fault, PlantedClip
from asrdq.audit.selection import sampled_clips
from asrdq.engine import run_tasks
from asrdq.errors import DataError
from asrdq.sampling import SampleResult, SamplingPlan
from asrdq.sampling.draw import draw

if TYPE_CHECKING:
    from asrdq.workspace import ManifestVersion, Workspace


@dataclass(frozen=True, slots=True)
class AuditSpeed:
    """Seconds of audio that one worker examines in a second, and where that is from."""

    times_real_time: float
    why: str


def measure_speed(
    workspace: Workspace, manifest: ManifestVersion, options: AlignerOptions, clips: int
) -> AuditSpeed:
    """Decode, align and measure some clips of a manifest in one worker; nothing is written.

    The clock runs from the first answer to the last, so that loading a model is not in it.

    Args:
        workspace: Where the manifest is.
        manifest: The manifest.
        options: The aligner.
        clips: How many to draw, at random by the seed of the settings; three batches at least.

    Raises:
        UsageError: The aligner does not exist or does not know a language.
        DataError: Too few clips can be examined for a speed.
    """
    aligner = build_aligner(options)
    settings = workspace.settings
    plan = SamplingPlan(
        rows=min(manifest.rows, max(clips, 3 * aligner.batch_size)), seed=settings.sampling.seed
    )
    _, drawn = draw(workspace, manifest, plan)
    chances = pa.array([1.0] * drawn.num_rows)
    sample = SampleResult(
        run_id="",
        manifest=str(manifest),
        fingerprint=manifest.fingerprint,
        plan=plan,
        asked=False,
        strata=pa.table({}),
        clips=drawn.append_column("inclusion_probability", chances),
    )
    tasks = [
        clip_task(clip, PlantedClip(clip.utt_id, Fault.UNTOUCHED, clip.words), aligner, plan.seed)
        for clip in sampled_clips(workspace, manifest, sample, aligner)
        if clip.audio_hash is not None
    ]
    outcomes = run_tasks(
        functools.partial(examine, options),
        batches(tasks, aligner.batch_size, settings.audit.batch_seconds),
        workers=1,
        initializer=start_worker,
        initargs=(options,),
    )
    began: float | None = None
    audio_s, examined = 0.0, 0
    for outcome in outcomes:
        if began is None:
            began = time.monotonic()
            continue
        for found in outcome.value or ():
            audio_s += found.duration_s or 0.0
            examined += found.duration_s is not None
    if began is None or not audio_s:
        raise DataError(
            f"{examined} of {len(tasks)} clips of {manifest} could be examined: too few to "
            "measure a speed",
            hint="--measure 100 takes more, --speed takes one that you know",
        )
    took_s = time.monotonic() - began
    why = f"measured on {examined} clips, {audio_s:.0f} s of audio in {took_s:.1f} s"
    return AuditSpeed(audio_s / took_s, why)
