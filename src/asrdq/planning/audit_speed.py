"""How fast an aligner is, tried on a few clips of the manifest in one worker."""

from __future__ import annotations

import functools
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from asrdq.alignment import AlignerOptions, build_aligner
from asrdq.audit.batches import Batch, batches
from asrdq.audit.collection import OnClip, clip_task
from asrdq.audit.examination import ClipEvidence, examine, start_worker
from asrdq.audit.faults import Fault, PlantedClip
from asrdq.audit.plan import Stage, no_progress
from asrdq.audit.selection import sampled_clips
from asrdq.engine import Outcome, run_tasks
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
    workspace: Workspace,
    manifest: ManifestVersion,
    options: AlignerOptions,
    clips: int,
    stage: Stage = no_progress,
) -> AuditSpeed:
    """Decode, align and measure some clips of a manifest in one worker; nothing is written.

    The clock runs from the first answer to the last, so that loading a model is not in it.

    Args:
        workspace: Where the manifest is.
        manifest: The manifest.
        options: The aligner.
        clips: How many to draw, at random by the seed of the settings; three batches at least.
        stage: Opens a progress display.

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
    run = functools.partial(
        run_tasks,
        functools.partial(examine, options),
        batches(tasks, aligner.batch_size, settings.audit.batch_seconds),
        workers=1,
        initializer=start_worker,
        initargs=(options,),
    )
    with stage("measure", len(tasks)) as on_clip:
        audio_s, examined, took_s = _timed(run(), on_clip)
    if not audio_s:
        raise DataError(
            f"{examined} of {len(tasks)} clips of {manifest} could be examined: too few to "
            "measure a speed",
            hint="--measure 100 takes more, --speed takes one that you know",
        )
    why = f"measured on {examined} clips, {audio_s:.0f} s of audio in {took_s:.1f} s"
    return AuditSpeed(audio_s / took_s, why)


def _timed(
    outcomes: Iterable[Outcome[Batch, list[ClipEvidence]]], on_clip: OnClip
) -> tuple[float, int, float]:
    """Return the seconds of audio and the clips after the first answer, and what they took."""
    began: float | None = None
    audio_s, examined = 0.0, 0
    for outcome in outcomes:
        found = outcome.value or []
        if began is not None:
            audio_s += sum(one.duration_s or 0.0 for one in found)
            examined += sum(one.duration_s is not None for one in found)
        for one in found:
            on_clip(one.duration_s or 0.0)
        began = began or time.monotonic()
    return audio_s, examined, time.monotonic() - (began or 0.0)
