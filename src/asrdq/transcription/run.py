"""`asrdq transcribe`: a manifest's clips become a set of hypotheses, piece by piece."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from asrdq.audio import AudioReason, nothing_readable
from asrdq.console import Progress, Stage, silent
from asrdq.engine import commit_in_pieces
from asrdq.errors import UsageError
from asrdq.hypotheses import check_set_name, set_name_of
from asrdq.models.devices import workers_on
from asrdq.transcription.backends import build_transcriber
from asrdq.transcription.clips import clips_to_transcribe, keyed_clips, without_bytes
from asrdq.transcription.collection import answers
from asrdq.transcription.protocol import Transcriber, TranscriberOptions
from asrdq.transcription.result import TranscriptionResult
from asrdq.transcription.writing import SetWriter

if TYPE_CHECKING:
    from asrdq.settings import RaySettings
    from asrdq.transcription.work import Answer
    from asrdq.workspace import ManifestVersion, Workspace


@dataclass(frozen=True, slots=True)
class TranscriptionPlan:
    """What is to be transcribed, by what.

    Attributes:
        options: What the transcriber is built from.
        name: Name of the set; by default that of the transcriber or its model.
        sample: Whether only the clips of the newest sample are wanted.
        cluster: The Ray cluster that does it; None: this machine.
    """

    options: TranscriberOptions
    name: str | None = None
    sample: bool = False
    cluster: RaySettings | None = None


def transcribe(
    workspace: Workspace,
    manifest: ManifestVersion,
    plan: TranscriptionPlan,
    *,
    workers: int = 0,
    stage: Stage = silent,
) -> TranscriptionResult:
    """Transcribe a manifest into a set of the table `hypotheses`.

    The set is filled as answers come, and what was answered is cached by the content of the clip:
    killed at any moment, the same call goes on where it stopped. A clip that cannot be transcribed
    has no hypothesis; it stands with its reason in `transcription_failures`.

    Args:
        workspace: Where the manifest is and the set goes.
        manifest: The version to transcribe.
        plan: What to do.
        workers: Processes; 0 is one a core, or as many as the cluster has room for.
        stage: Shows progress; `console.progress` is one.

    Raises:
        DataError: There is no clip, or not one can be read.
        UsageError: The transcriber does not exist, or does not know a language or its options, or
            asks a server and is to do that from a cluster.
        ToolError: It cannot run, or its server fails; what was transcribed before is kept.
    """
    if plan.name is not None:
        check_set_name(plan.name)
    transcriber = build_transcriber(replace(plan.options, workers_on=workers_on(plan.cluster)))
    try:
        if transcriber.remote:
            _check_engine(transcriber, plan)
            transcriber.load()
        name = plan.name or set_name_of(_model_name(transcriber, plan.options))
        return _transcribe(workspace, manifest, plan, transcriber, name, workers, stage)
    finally:
        transcriber.close()


def _check_engine(transcriber: Transcriber, plan: TranscriptionPlan) -> None:
    if plan.cluster is not None:
        raise UsageError(
            f"'{transcriber.name}' asks its server from this machine, and from no cluster",
            hint="--engine local",
        )


def _model_name(transcriber: Transcriber, options: TranscriberOptions) -> str:
    if transcriber.remote:
        return transcriber.version
    if options.address is None:
        return transcriber.name
    return PurePath(options.address).name.removesuffix(".nemo")


def _transcribe(
    workspace: Workspace,
    manifest: ManifestVersion,
    plan: TranscriptionPlan,
    transcriber: Transcriber,
    name: str,
    workers: int,
    stage: Stage,
) -> TranscriptionResult:
    rows = clips_to_transcribe(workspace, manifest, transcriber, sample=plan.sample)
    with stage("hash", rows["file"].n_unique(), "files") as bar:
        clips = keyed_clips(rows, transcriber, name, bar.advance, workers, plan.cluster)
    parameters: dict[str, Any] = {
        "hyps": name,
        "sample": plan.sample,
        "transcriber": transcriber.name,
        "transcriber_version": transcriber.version,
        "engine": "ray" if plan.cluster else "local",
    }
    with workspace.run("transcribe", manifest, parameters) as run:
        started = time.monotonic()
        writer = SetWriter(workspace, manifest, name, transcriber, clips, run.run_id)
        known = writer.begin()
        left = {clip.task.key: clip.task for clip in clips if clip.task.key not in known}
        cached = sum(clip.task.key in known for clip in clips)
        writer.add([without_bytes(task) for task in left.values() if not task.readable])
        work = [task for task in left.values() if task.readable]
        shown = stage if work else silent
        with shown("transcribe", len(work), "clips") as bar:
            meter = _Meter(bar)
            found = answers(transcriber, plan.options, work, workers, plan.cluster) if work else ()
            commit_in_pieces(meter.counted(found), writer.add)
        failures = writer.finish()
        if writer.statuses <= {reason.value for reason in AudioReason}:
            raise nothing_readable(len(clips), str(manifest))
    return TranscriptionResult(
        run_id=run.run_id,
        name=name,
        manifest=str(manifest),
        transcriber=f"{transcriber.name} {transcriber.version}",
        clips=len(clips),
        transcribed=writer.transcribed,
        cached=cached,
        audio_s=meter.audio_s,
        wall_s=time.monotonic() - started,
        failures=failures,
    )


class _Meter:
    """Counts answers on a progress display, with the speed against real time."""

    def __init__(self, bar: Progress) -> None:
        self._bar = bar
        self._started = time.monotonic()
        self.audio_s = 0.0

    def counted(self, found: Iterable[Answer]) -> Iterator[Answer]:
        """Give answers on, and count them."""
        for answer in found:
            self.audio_s += answer.duration_s
            speed = self.audio_s / max(time.monotonic() - self._started, 1e-9)
            self._bar.advance(1, speed=f"{speed:,.1f} × real time")
            yield answer
