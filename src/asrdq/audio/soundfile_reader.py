"""Reading through libsndfile: wav of all kinds, flac, ogg, opus, aiff, SPHERE."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import soundfile

from asrdq.audio.containers import ends_inside_ogg_page, find_payload, looks_like_mpeg
from asrdq.audio.readers import BLOCK_FRAMES, Defect, Samples
from asrdq.audio.reasons import AudioReason

SAMPLE_FORMATS = {
    "PCM_S8": "s8",
    "PCM_U8": "u8",
    "PCM_16": "s16",
    "PCM_24": "s24",
    "PCM_32": "s32",
    "FLOAT": "f32",
    "DOUBLE": "f64",
    "ALAC_16": "s16",
    "ALAC_20": "s20",
    "ALAC_24": "s24",
    "ALAC_32": "s32",
    "ALAW": "s16",
    "ULAW": "s16",
}
"""Type of a sample by libsndfile's subtype; lossy ones decode to float."""

USUAL_SAMPLE_BYTES = 2


class NotForSoundfileError(Exception):
    """libsndfile does not know the file, or must not read it."""


class SoundfileReader:
    """An audio file opened by libsndfile; see `Reader`."""

    def __init__(self, path: Path, suffix: str) -> None:
        if looks_like_mpeg(path, suffix):
            raise NotForSoundfileError("libsndfile fills up what is missing of a cut MP3 file")
        if suffix == ".raw":
            raise NotForSoundfileError("raw samples do not say their rate and type")
        try:
            self._file = soundfile.SoundFile(path)
        except soundfile.LibsndfileError as error:
            raise NotForSoundfileError(error.error_string.strip(" .")) from error
        self.rate: int = self._file.samplerate
        self.channels: int = self._file.channels
        self.codec = _codec(self._file.format, self._file.subtype)
        self.sample_format = SAMPLE_FORMATS.get(self._file.subtype, "f32")
        self.promised_frames = _promised_frames(path, self._file)
        self.defect: Defect | None = None
        if self._file.format == "OGG" and ends_inside_ogg_page(path):
            self.defect = Defect(AudioReason.TRUNCATED, "the last Ogg page is cut off")

    def blocks(self, start: int, frames: int | None) -> Iterator[Samples]:
        """See `Reader.blocks`."""
        left = self._file.frames - start if frames is None else frames
        if start >= self._file.frames:
            return
        try:
            self._go_to(start)
            while left > 0:
                block: Samples = self._file.read(
                    min(left, BLOCK_FRAMES), dtype="float32", always_2d=True
                )
                if not len(block):
                    return
                left -= len(block)
                yield block
        except soundfile.LibsndfileError as error:
            detail = error.error_string.removeprefix("Error : ").strip(" .")
            self.defect = Defect(AudioReason.DAMAGED, detail)

    def _go_to(self, start: int) -> None:
        if self._file.format != "OGG":
            self._file.seek(start)
            return
        # libsndfile's seek lands in the wrong place in the last page of an Ogg file
        while (left := start - self._file.tell()) > 0:
            if not len(self._file.read(min(left, BLOCK_FRAMES), dtype="float32")):
                return

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _codec(container: str, subtype: str) -> str:
    if container == "FLAC":
        return "flac"
    if subtype.startswith("PCM_") or subtype in ("FLOAT", "DOUBLE"):
        return "pcm"
    return "alac" if subtype.startswith("ALAC") else subtype.lower()


def _promised_frames(path: Path, file: soundfile.SoundFile) -> int | None:
    """Scale what libsndfile found by what the header promises and the file does not hold."""
    frames: int = file.frames
    payload = find_payload(path)
    if payload is None or not payload.cut_off:
        return frames
    if frames == 0:
        channels: int = file.channels
        return 1 + payload.promised // (channels * USUAL_SAMPLE_BYTES)
    return int(frames * payload.promised / payload.present)
