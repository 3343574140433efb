"""Opening any audio file, or saying why it cannot be."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from asrdq.audio.containers import read_sphere_header
from asrdq.audio.pyav_reader import PyavReader
from asrdq.audio.readers import Reader
from asrdq.audio.reasons import AudioError, AudioReason
from asrdq.audio.remote import copy_of
from asrdq.audio.soundfile_reader import NotForSoundfileError, SoundfileReader
from asrdq.places import is_remote

LOWEST_RATE, HIGHEST_RATE = 1_000, 768_000
MOST_CHANNELS = 64


@contextlib.contextmanager
def open_audio(path: str | os.PathLike[str]) -> Iterator[Reader]:
    """Open an audio file with the library that can read it; one on S3 is fetched first.

    Only regular files are opened, so that a pipe or a device cannot block.

    Raises:
        AudioError: There is no such file, or it cannot be audio.
    """
    audio = os.fspath(path)
    if is_remote(audio):
        with copy_of(audio) as copy, _opened(copy, PurePosixPath(audio).suffix) as reader:
            yield reader
        return
    with _opened(Path(path), Path(path).suffix) as reader:
        yield reader


@contextlib.contextmanager
def _opened(path: Path, suffix: str) -> Iterator[Reader]:
    _check_file(path)
    try:
        reader = _reader(path, suffix.lower())
    except OSError as error:
        raise AudioError(
            AudioReason.UNREADABLE, error.strerror or str(error), where=str(path)
        ) from error
    with contextlib.closing(reader):
        _check_header(reader, path)
        yield reader


def _check_file(path: Path) -> None:
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise AudioError(AudioReason.MISSING, "there is no such file", where=str(path)) from error
    except (OSError, ValueError) as error:
        detail = getattr(error, "strerror", None) or str(error)
        raise AudioError(AudioReason.UNREADABLE, detail, where=str(path)) from error
    if not stat.S_ISREG(status.st_mode):
        kind = "a directory" if stat.S_ISDIR(status.st_mode) else "not a regular file"
        raise AudioError(AudioReason.UNREADABLE, f"it is {kind}", where=str(path))
    if status.st_size == 0:
        raise AudioError(AudioReason.EMPTY, "the file has 0 bytes", where=str(path))
    if not os.access(path, os.R_OK, effective_ids=os.access in os.supports_effective_ids):
        raise AudioError(AudioReason.UNREADABLE, "no permission to read it", where=str(path))


def _reader(path: Path, suffix: str) -> Reader:
    coding = read_sphere_header(path).get("sample_coding", "")
    if "shorten" in coding or "wavpack" in coding or "shortpack" in coding:
        raise AudioError(
            AudioReason.UNREADABLE,
            f"SPHERE file compressed as '{coding}', which no library here reads: "
            "expand it with sph2pipe or w_decode",
            where=str(path),
        )
    try:
        return SoundfileReader(path, suffix)
    except NotForSoundfileError as refusal:
        try:
            return PyavReader(path)
        except ValueError as error:
            detail = f"libsndfile: {refusal}; FFmpeg: {error}"
            raise AudioError(AudioReason.UNREADABLE, detail, where=str(path)) from error


def _check_header(reader: Reader, path: Path) -> None:
    if not LOWEST_RATE <= reader.rate <= HIGHEST_RATE:
        raise AudioError(
            AudioReason.UNREADABLE,
            f"its header says {reader.rate} samples a second",
            where=str(path),
        )
    if not 1 <= reader.channels <= MOST_CHANNELS:
        raise AudioError(
            AudioReason.UNREADABLE, f"its header says {reader.channels} channels", where=str(path)
        )
