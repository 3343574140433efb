"""One clip becomes a file of 16 kHz, mono, 16 bits, called by the hash of its samples."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import soundfile
import soxr
from numpy.typing import NDArray

from asrdq.audio.decoding import MODEL_RATE, segment_blocks, to_mono
from asrdq.audio.hashing import FileIdentity, PcmHash, file_identity
from asrdq.audio.opening import open_audio
from asrdq.audio.readers import Reader, Samples
from asrdq.audio.reasons import AudioError
from asrdq.exporting.target import AudioTarget

CONVERSION_VERSION = 1
"""Raised when converted samples change, so that no file of an older version is taken for one."""

FULL_SCALE = 1 << 15
LOUDEST = 4.0
"""A file whose samples reach 12 dB above full scale is not scaled to full scale at all."""

MOST_SAMPLES = (1 << 31) - 64
"""What the 32-bit size in the header of a wav file can tell, in samples of 16 bits."""

CONVERTED = "converted"
NOT_WRITTEN = "not_written"

FILES: Final = pa.schema(
    [
        ("key", pa.string()),
        ("name", pa.string()),
        ("samples", pa.int64()),
        ("size_bytes", pa.int64()),
        ("clipped", pa.int64()),
        ("channels", pa.int64()),
    ]
)
"""What is known of a converted file.

`name` is its path in the folder of audio, `clipped` how many samples were beyond full scale and
are held at it, `channels` how many the source has."""


@dataclass(frozen=True, slots=True)
class Conversion:
    """A clip to convert: a file, or a segment of it.

    Attributes:
        source: The file.
        offset_s: Where the clip begins.
        duration_s: How long it is, None where it goes on to the end of the file.
        target: What it becomes.
        folder: Where converted files are.
        drafts: Where files in the making are, on the same disk.
        number: For the caller, who knows the clip by it.
    """

    source: str
    offset_s: float
    duration_s: float | None
    target: AudioTarget
    folder: str
    drafts: str
    number: int = 0

    def key(self, identity: FileIdentity | None) -> str:
        """Return what its file answers for: the source as it is, the segment, the target."""
        parts = (CONVERSION_VERSION, identity, self.offset_s, self.duration_s, str(self.target))
        return hashlib.blake2b(repr(parts).encode(), digest_size=16).hexdigest()


class _UnfitError(Exception):
    """Audio that can be decoded and not be written: reason and detail."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason, self.detail = reason, detail


class _DiskError(Exception):
    """The new file cannot be written, whatever the clip is."""


def convert(clip: Conversion) -> dict[str, Any]:
    """Decode a clip in blocks and write it; the file appears complete or not at all.

    Channels are mixed to their mean, and soxr resamples at its high quality. A sample is rounded
    to 16 bits without dither, so a source of 16 kHz, mono and 16 bits keeps each of its samples.

    Returns:
        The columns of `FILES`, and `status`: `converted`; a reason of `AudioReason`,
        `beyond_full_scale`, `too_long` or `changed_audio`, with `detail`; or `not_written` where
        the disk is to blame and not the clip.
    """
    key = clip.key(file_identity(clip.source))
    draft = Path(clip.drafts) / f"{secrets.token_hex(8)}{clip.target.suffix}"
    try:
        facts = _write(clip, draft)
        if clip.key(file_identity(clip.source)) != key:
            raise _UnfitError("changed_audio", "the file changed while it was read")
        name = _settle(draft, Path(clip.folder), facts.pop("hash") + clip.target.suffix)
    except AudioError as error:
        return {"status": str(error.reason), "detail": error.detail}
    except _UnfitError as error:
        return {"status": error.reason, "detail": error.detail}
    except _DiskError as error:
        return {"status": NOT_WRITTEN, "detail": str(error)}
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
    return {"status": CONVERTED, "key": key, "name": name, **facts}


def _settle(draft: Path, folder: Path, name: str) -> str:
    place = folder / name[:2] / name
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        draft.replace(place)
    except OSError as error:
        raise _DiskError(f"{place}: {error.strerror or error}") from error
    return f"{name[:2]}/{name}"


def _write(clip: Conversion, draft: Path) -> dict[str, Any]:
    """Write the draft and return what is known of it, with the hash of its samples."""
    digest = PcmHash(MODEL_RATE, 1)
    samples, clipped = 0, 0
    with open_audio(clip.source) as reader, _DraftFile(draft) as file:
        for block in _resampled(reader, clip):
            pcm, beyond = _rounded(block)
            samples, clipped = samples + len(pcm), clipped + beyond
            if samples > MOST_SAMPLES:
                raise _UnfitError("too_long", "it lasts longer than a wav file can, 37 hours")
            digest.add(pcm[:, np.newaxis].astype(np.float32) / np.float32(FULL_SCALE))
            file.write(pcm)
        channels = reader.channels
    if not samples:
        raise _UnfitError("empty_audio", f"it is shorter than a sample at {MODEL_RATE} Hz")
    return {
        "hash": digest.hex(),
        "samples": samples,
        "size_bytes": _size_of(draft, samples),
        "clipped": clipped,
        "channels": channels,
    }


def _resampled(reader: Reader, clip: Conversion) -> Iterator[Samples]:
    blocks = segment_blocks(reader, clip.source, clip.offset_s, clip.duration_s)
    if reader.rate == MODEL_RATE:
        yield from map(to_mono, blocks)
        return
    stream = soxr.ResampleStream(reader.rate, MODEL_RATE, 1, dtype="float32")
    for block in blocks:
        yield stream.resample_chunk(to_mono(block))
    yield stream.resample_chunk(np.empty(0, dtype=np.float32), last=True)


def _rounded(block: Samples) -> tuple[NDArray[np.int16], int]:
    """Return samples of 16 bits, and how many were beyond full scale."""
    scaled = np.rint(block * np.float32(FULL_SCALE))
    peak = float(np.abs(block).max(initial=0.0))
    if peak > LOUDEST:
        raise _UnfitError(
            "beyond_full_scale",
            f"a sample is {peak:g} and full scale is 1: floats that are scaled as integers",
        )
    held = np.clip(scaled, -FULL_SCALE, FULL_SCALE - 1)
    return held.astype(np.int16), int(np.count_nonzero(np.abs(scaled) > FULL_SCALE))


class _DraftFile:
    """A sound file in the making."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> _DraftFile:
        try:
            self._file = soundfile.SoundFile(self._path, "w", MODEL_RATE, 1, "PCM_16")
        except (soundfile.LibsndfileError, OSError) as error:
            raise _DiskError(f"{self._path}: {error}") from error
        return self

    def write(self, pcm: NDArray[np.int16]) -> None:
        try:
            self._file.write(pcm)
        except (soundfile.LibsndfileError, OSError, AssertionError) as error:
            raise _DiskError(f"{self._path}: {error or 'not all could be written'}") from error

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            self._file.close()
        except (soundfile.LibsndfileError, OSError) as error:
            if kind is None:
                raise _DiskError(f"{self._path}: {error}") from error


def _size_of(draft: Path, samples: int) -> int:
    """Return the size of a finished draft, read back to see that the disk took all of it."""
    try:
        written = soundfile.info(draft).frames
        size = draft.stat().st_size
    except (soundfile.LibsndfileError, OSError) as error:
        raise _DiskError(f"{draft}: {error}") from error
    if written != samples:
        raise _DiskError(f"{draft}: {written:,} of {samples:,} samples were written")
    return size
