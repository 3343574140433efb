"""Reading through FFmpeg (PyAV): mp3, m4a, mp4, aac, webm and whatever libsndfile refuses."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import av
import av.error
import numpy as np

from asrdq.audio.containers import states_mp3_length
from asrdq.audio.readers import Defect, Samples
from asrdq.audio.reasons import AudioReason

FORMATS = (
    "aac,ac3,eac3,aiff,amr,amrnb,amrwb,ape,asf,au,avi,caf,dts,flac,flv,g722,gsm,loas,matroska,webm,"
    "mov,mp4,m4a,3gp,3g2,mj2,mp3,mpeg,mpegts,nistsphere,ogg,rm,tta,voc,w64,wav,wv"
)
"""Only containers of audio: FFmpeg also reads playlists, which may point anywhere."""

STATES_ITS_LENGTH = ("mov", "matroska", "flac", "aiff", "caf", "nistsphere", "au", "mp3")
"""Containers whose header counts; FFmpeg guesses the length of others from the bit rate."""

PREROLL_S = 0.25
"""Decoded before a segment and dropped: lossy codecs need frames before the first good one."""


class PyavReader:
    """An audio file opened by FFmpeg; see `Reader`.

    Raises:
        ValueError: FFmpeg cannot make audio of the file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.defect: Defect | None = None
        self._open()
        try:
            self._look_at_first_frame()
        except ValueError:
            self._container.close()
            raise
        self.promised_frames = self._promised_frames()

    def _open(self) -> None:
        try:
            self._container = av.open(
                f"file:{self._path.absolute()}",
                options={"protocol_whitelist": "file", "format_whitelist": FORMATS},
                metadata_errors="replace",
            )
        except (av.error.FFmpegError, OSError) as error:
            raise ValueError(error.strerror or str(error)) from error
        if not self._container.streams.audio:
            self._container.close()
            raise ValueError("it has no audio stream")
        self._stream = self._container.streams.audio[0]
        self._tick_s = float(self._stream.time_base or 1 / av.time_base)

    def _look_at_first_frame(self) -> None:
        """Take rate and channels from what is decoded: headers of AAC may tell other ones."""
        first = next(self._frames(), None)
        if first is None and self.defect:
            raise ValueError(self.defect.detail)
        context = self._stream.codec_context
        self.rate: int = first.sample_rate if first else context.sample_rate
        self.channels: int = first.layout.nb_channels if first else context.channels
        self._first_s = first.time or 0.0 if first else 0.0
        name = context.codec.canonical_name
        self.codec = "pcm" if name.startswith("pcm_") else name
        self.sample_format = _sample_format(context)

    def blocks(self, start: int, frames: int | None) -> Iterator[Samples]:
        """See `Reader.blocks`."""
        self.defect = None
        self._seek(start / self.rate)
        position: int | None = None
        left = frames
        for frame in self._frames():
            if frame.sample_rate != self.rate or frame.layout.nb_channels != self.channels:
                detail = "the sample rate or the channels change on the way"
                self.defect = Defect(AudioReason.DAMAGED, detail)
                return
            if position is None:
                time_s = self._first_s if frame.time is None else frame.time
                position = round((time_s - self._first_s) * self.rate)
            block = _to_float32(frame, self.channels)
            skip = max(0, start - position)
            position += len(block)
            block = block[skip : None if left is None else skip + left]
            if len(block):
                yield block
            if left is not None:
                left -= len(block)
                if left <= 0:
                    return

    def close(self) -> None:
        """Close the file."""
        self._container.close()

    def _seek(self, start_s: float) -> None:
        """Go back to the beginning, or to a little before `start_s`."""
        target_s = self._first_s + max(0.0, start_s - PREROLL_S)
        offset = int(target_s / self._tick_s) if target_s > self._first_s else 0
        try:
            self._container.seek(offset, stream=self._stream, backward=True)
        except av.error.FFmpegError:  # a container that cannot seek is read from its beginning
            self._container.close()
            self._open()

    def _frames(self) -> Iterator[av.AudioFrame]:
        """Yield what can be decoded; packets that cannot be become the `defect`."""
        bad = 0
        try:
            for packet in self._container.demux(self._stream):
                if bad and packet.size:
                    self.defect = Defect(AudioReason.DAMAGED, f"{bad} packets cannot be decoded")
                try:
                    yield from packet.decode()
                except av.error.InvalidDataError:
                    bad += 1
                    self.defect = Defect(AudioReason.TRUNCATED, "the last packet is cut off")
        except av.error.FFmpegError as error:
            self.defect = Defect(AudioReason.DAMAGED, error.strerror or str(error))

    def _promised_frames(self) -> int | None:
        name = self._container.format.name.split(",")[0]
        if name not in STATES_ITS_LENGTH or (name == "mp3" and not states_mp3_length(self._path)):
            return None
        if self.codec == "pcm" and self._stream.frames:
            return self._stream.frames
        if self._stream.duration:
            return round(self._stream.duration * self._tick_s * self.rate)
        if self._container.duration:
            return round(self._container.duration / av.time_base * self.rate)
        return None


def _sample_format(context: av.AudioCodecContext) -> str:
    kind = context.format.name.removesuffix("p") if context.format else "flt"
    return {"flt": "f32", "dbl": "f64"}.get(kind, kind)


def _to_float32(frame: av.AudioFrame, channels: int) -> Samples:
    """Return the samples of a frame as (n, channels) in -1…1."""
    data = frame.to_ndarray()
    frames = data.T if frame.format.is_planar else data.reshape(-1, channels)
    if frames.dtype == np.uint8:
        return (frames.astype(np.float32) - 128.0) / 128.0
    if np.issubdtype(frames.dtype, np.integer):
        scale = 1.0 / (1 << (8 * frames.dtype.itemsize - 1))
        return (frames * scale).astype(np.float32)
    return np.ascontiguousarray(frames, dtype=np.float32)
