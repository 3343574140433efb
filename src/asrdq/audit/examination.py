"""What a worker does with one clip: decode it, align it, measure it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

from asrdq.alignment import Aligner, AlignerOptions, Alignment, Utterance, WordSpan, build_aligner
from asrdq.audio import (
    FRAME_S,
    AudioError,
    AudioReason,
    NotFetchedError,
    decode,
    voice_activity,
)
from asrdq.audit.coverage import Coverage, measure_coverage
from asrdq.audit.faults import Fault, damaged_audio


@dataclass(frozen=True, slots=True)
class ClipTask:
    """One clip to examine, as it is or with a fault on its audio.

    Attributes:
        key: Content key of the answer in the cache.
        utt_id: The utterance; with the seed it decides the noise that a fault puts in.
        path: The audio file.
        offset_s: Where the clip starts in it.
        length_s: How long it is; None to the end of the file.
        words: Spoken words to align.
        language: Code of their language.
        fault: What to do to the audio first.
        seed: Seed of the planted faults.
        readable: Whether the bytes of the file could be read before.
        stated_s: How long it is by the manifest; None where that says nothing.
    """

    key: str
    utt_id: str
    path: str
    offset_s: float
    length_s: float | None
    words: tuple[str, ...]
    language: str
    fault: Fault
    seed: int
    readable: bool = True
    stated_s: float | None = None


@dataclass(frozen=True, slots=True)
class ClipEvidence:
    """What was found about one clip, before any judgement.

    `status` is an `AlignmentStatus`, or an `AudioReason` where the audio could not be decoded.
    """

    key: str
    status: str
    detail: str = ""
    duration_s: float | None = None
    voiced_s: float | None = None
    coverage: Coverage = field(default_factory=lambda: Coverage((), 0.0, 0.0))
    spans: tuple[WordSpan, ...] = ()
    evidence: Mapping[str, float] = field(default_factory=dict)


@cache
def worker_aligner(wanted: str | AlignerOptions) -> Aligner:
    """Return the aligner of this process, built and loaded once."""
    aligner = build_aligner(wanted)
    aligner.load()
    return aligner


def start_worker(wanted: str | AlignerOptions) -> None:
    """Load the aligner before the first clip, so that a failure stops the audit at once."""
    worker_aligner(wanted)


def examine(wanted: str | AlignerOptions, tasks: Sequence[ClipTask]) -> list[ClipEvidence]:
    """Decode, damage, align and measure clips, and answer in their order.

    Raises:
        NotFetchedError: A server did not give the audio, which says nothing of the clip.
    """
    aligner = worker_aligner(wanted)
    heard = [_heard(aligner.sample_rate, task) for task in tasks]
    utterances = [one for one in heard if isinstance(one, Utterance)]
    alignments = iter(aligner.align(utterances) if utterances else ())
    return [
        one
        if isinstance(one, ClipEvidence)
        else _measured(task, one, next(alignments), aligner.sample_rate)
        for task, one in zip(tasks, heard, strict=True)
    ]


def _heard(rate: int, task: ClipTask) -> Utterance | ClipEvidence:
    """Decode and damage a clip; evidence in its place says why it cannot be decoded."""
    try:
        audio = decode(task.path, rate=rate, offset_s=task.offset_s, duration_s=task.length_s)
    except AudioError as error:
        if isinstance(error, NotFetchedError) and error.reason is not AudioReason.MISSING:
            raise
        return ClipEvidence(task.key, error.reason.value, error.detail)
    samples = damaged_audio(audio.samples, audio.rate, task.fault, task.utt_id, task.seed)
    return Utterance(
        samples=samples,
        words=task.words,
        voiced=voice_activity(samples),
        language=task.language,
        utt_id=task.utt_id,
        path=task.path,
        offset_s=task.offset_s,
    )


def _measured(task: ClipTask, heard: Utterance, alignment: Alignment, rate: int) -> ClipEvidence:
    duration_s = len(heard.samples) / rate
    return ClipEvidence(
        key=task.key,
        status=alignment.status.value,
        detail=alignment.detail,
        duration_s=duration_s,
        voiced_s=float(heard.voiced.sum()) * FRAME_S,
        coverage=measure_coverage(
            alignment.spans, len(task.words), heard.voiced, FRAME_S, duration_s
        ),
        spans=alignment.spans,
        evidence=alignment.evidence,
    )
