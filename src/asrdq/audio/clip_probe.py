"""Measuring one clip in one pass over its samples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import soxr

from asrdq.audio.decoding import MODEL_RATE, segment_blocks, to_mono
from asrdq.audio.hashing import PcmHash, file_identity
from asrdq.audio.levels import LevelMeter, full_scale
from asrdq.audio.opening import open_audio
from asrdq.audio.readers import Reader, Samples
from asrdq.audio.reasons import AudioError, NotFetchedError
from asrdq.audio.spectrum import Spectrogram, effective_bandwidth_hz, estimate_snr_db
from asrdq.audio.voice import FRAME_S, VoiceDetector

OK = "ok"


@dataclass(frozen=True, slots=True)
class Clip:
    """A file, or a segment of it where `duration_s` or `offset_s` say so.

    `key` is for the caller, who knows the clip by it.
    """

    path: str
    offset_s: float = 0.0
    duration_s: float | None = None
    key: str = ""


def probe_clip(clip: Clip) -> dict[str, Any]:
    """Decode a clip once, in blocks, and measure it.

    Returns:
        The columns of `asrdq.audio.facts.MEASURED`. A clip that cannot be read has its reason
        in `status`; one that is cut off has also the facts of what there is.
    """
    row: dict[str, Any] = {"status": OK, "detail": None}
    identity = file_identity(clip.path)
    if identity is not None:
        row |= {"size_bytes": identity.size_bytes, "mtime_ns": identity.mtime_ns}
    meters: _Meters | None = None
    try:
        with open_audio(clip.path) as reader:
            row |= {
                "sample_rate": reader.rate,
                "channels": reader.channels,
                "codec": reader.codec,
                "sample_format": reader.sample_format,
            }
            meters = _Meters(reader)
            for block in segment_blocks(reader, clip.path, clip.offset_s, clip.duration_s):
                meters.add(block)
    except NotFetchedError as error:
        return {"status": str(error.reason), "detail": error.detail}
    except AudioError as error:
        row |= {"status": str(error.reason), "detail": error.detail}
    if meters is not None and meters.frames:
        row |= meters.facts()
    return row


class _Meters:
    """Everything that is measured of a clip, fed with the same blocks."""

    def __init__(self, reader: Reader) -> None:
        self.rate = reader.rate
        self.frames = 0
        self._hash = PcmHash(reader.rate, reader.channels)
        self._levels = LevelMeter(reader.channels, full_scale(reader.codec, reader.sample_format))
        self._spectrogram = Spectrogram(reader.rate)
        self._voice = VoiceDetector()
        self._voiced_frames = 0
        self._resampler = (
            None
            if reader.rate == MODEL_RATE
            else soxr.ResampleStream(reader.rate, MODEL_RATE, 1, dtype="float32")
        )

    def add(self, block: Samples) -> None:
        self.frames += len(block)
        self._hash.add(block)
        self._levels.add(block)
        mono = to_mono(block)
        self._spectrogram.add(mono)
        self._listen(mono, last=False)

    def facts(self) -> dict[str, Any]:
        if self._resampler is not None:
            self._listen(np.empty(0, dtype=np.float32), last=True)
        power = self._spectrogram.power()
        duration_s = self.frames / self.rate
        voiced_s = min(duration_s, self._voiced_frames * FRAME_S)
        return {
            "duration_s": duration_s,
            "level_dbfs": self._levels.level_dbfs,
            "peak_dbfs": self._levels.peak_dbfs,
            "clipping_share": self._levels.clipping_share,
            "dc_offset": self._levels.dc_offset,
            "voiced_s": voiced_s,
            "silence_s": duration_s - voiced_s,
            "snr_db": estimate_snr_db(power),
            "bandwidth_hz": effective_bandwidth_hz(power, self._spectrogram.bin_hz),
            "audio_hash": self._hash.hex(),
        }

    def _listen(self, mono: Samples, *, last: bool) -> None:
        if self._resampler is not None:
            mono = self._resampler.resample_chunk(mono, last=last)
        self._voiced_frames += int(self._voice.add(mono).sum())
