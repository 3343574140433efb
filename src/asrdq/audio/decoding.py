"""Decoding a file or a segment of it to mono samples."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import soxr

from asrdq.audio.opening import open_audio
from asrdq.audio.readers import Reader, Samples
from asrdq.audio.reasons import AudioError, AudioReason

MODEL_RATE = 16_000
"""What speech models and the voice activity detector take, in samples a second."""

MISSING_TOLERANCE_S = 0.05
"""Less than this missing of what the header promises is rounding, not truncation."""

LARGEST_SAMPLE = 2.0**31
"""Floats may be scaled as 16 or 32 bit integers are; above that it is damage, not sound."""


@dataclass(frozen=True, slots=True, eq=False)
class Audio:
    """Decoded audio.

    Attributes:
        samples: Mono float32 samples (n,), the mean of the channels, in -1…1.
        rate: Samples a second.
    """

    samples: Samples
    rate: int

    @property
    def duration_s(self) -> float:
        """Seconds of audio."""
        return len(self.samples) / self.rate


def decode(
    path: str | os.PathLike[str],
    *,
    rate: int | None = MODEL_RATE,
    offset_s: float = 0.0,
    duration_s: float | None = None,
) -> Audio:
    """Decode a file, or a segment of it, to mono float32.

    A segment that reaches past the end gives what there is; compare `Audio.duration_s`.

    Args:
        path: A file in any format that libsndfile or FFmpeg reads.
        rate: Samples a second to resample to (soxr, high quality); None keeps the file's own.
        offset_s: Where the segment begins; the file is not decoded up to there where its
            container can seek.
        duration_s: Length of the segment; to the end by default.

    Raises:
        AudioError: No such file, unreadable, empty, cut off, damaged, or the segment begins
            after its end; with the reason and a detail.
    """
    with open_audio(path) as reader:
        blocks = segment_blocks(reader, path, offset_s, duration_s)
        mono = np.concatenate([to_mono(block) for block in blocks])
        if rate is not None and rate != reader.rate:
            mono = soxr.resample(mono, reader.rate, rate)
        return Audio(mono, rate or reader.rate)


def to_mono(block: Samples) -> Samples:
    """Return the mean of the channels of a block (n, channels) as (n,)."""
    if block.shape[1] == 1:
        return block[:, 0]
    mono: Samples = block.mean(axis=1, dtype=np.float32)
    return mono


def segment_blocks(
    reader: Reader, path: str | os.PathLike[str], offset_s: float, duration_s: float | None
) -> Iterator[Samples]:
    """Yield the blocks of a segment, all of finite samples; raise if it was not all there.

    Raises:
        AudioError: Empty, cut off, damaged, or the segment begins after the end.
    """
    start = round(offset_s * reader.rate)
    asked = None if duration_s is None else round(duration_s * reader.rate)
    read = 0
    for block in reader.blocks(start, asked):
        if not max(float(block.max()), -float(block.min())) <= LARGEST_SAMPLE:
            detail = "some samples are not numbers, or too large to be sound"
            raise AudioError(AudioReason.DAMAGED, detail, where=os.fspath(path))
        read += len(block)
        yield block
    fault = _find_fault(reader, start, asked, read)
    if fault is not None:
        raise AudioError(*fault, where=os.fspath(path))


def _find_fault(
    reader: Reader, start: int, asked: int | None, read: int
) -> tuple[AudioReason, str] | None:
    promised = reader.promised_frames
    tolerance = MISSING_TOLERANCE_S * reader.rate
    defect = reader.defect
    if promised is not None:
        wanted = promised if asked is None else min(promised, start + asked)
        if start + read < wanted - tolerance and (read or start < promised):
            end_s, promised_s = (start + read) / reader.rate, promised / reader.rate
            detail = f"it ends at {end_s:.2f} s of {promised_s:.2f} s"
            return AudioReason.TRUNCATED, f"{detail} ({defect.detail})" if defect else detail
    if defect and asked is None:
        return defect
    if read:
        return None
    if start:
        return (
            AudioReason.OUTSIDE,
            f"the segment begins at {start / reader.rate:.2f} s, after the end",
        )
    return AudioReason.EMPTY, "it has a header and no sample"
