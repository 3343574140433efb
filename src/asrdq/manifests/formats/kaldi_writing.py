"""Rows as the files of a Kaldi data folder."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from asrdq.errors import DataError
from asrdq.manifests.columns import AUDIO_PATH, DURATION, OFFSET, SPEAKER, TEXT, UTT_ID
from asrdq.manifests.formats.destination import Destination
from asrdq.manifests.formats.kaldi_lines import (
    GENDER,
    RECO2DUR,
    SEGMENTS,
    SPK2GENDER,
    TEXTS,
    UTT2SPK,
    WAV_SCP,
)
from asrdq.manifests.formats.seconds import written_seconds


class KaldiWriter:
    """Writes rows that come ordered by id."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._folder, self._stack = folder, stack
        self._texts, self._speakers = self._file(TEXTS), self._file(UTT2SPK)
        self._segments = self._file(SEGMENTS)
        self._recordings: dict[str, str] = {}
        self._names: set[str] = set()
        self._genders: dict[str, str] = {}
        self._lengths: dict[str, float] = {}
        self._needs_segments = False

    def _file(self, name: str) -> BinaryIO:
        return self._stack.enter_context((self._folder / name).open("wb"))

    def add(self, row: dict[str, Any], out: Destination) -> None:
        """Write the lines of an utterance."""
        utt_id, path = _key(row[UTT_ID]), _value(row[AUDIO_PATH], "audio path")
        text = " ".join(row[TEXT].split())
        if text != row[TEXT]:
            out.note("blanks and line ends of texts are single blanks there")
        start, duration = row.get(OFFSET), row.get(DURATION)
        recording = self._recording(utt_id, path, start)
        self._needs_segments |= start is not None or recording != utt_id
        if start is None and duration is not None:
            self._lengths[recording] = duration
        end = -1.0 if start is None or duration is None else start + duration
        speaker = row.get(SPEAKER)
        _put(self._texts, utt_id, text)
        _put(
            self._segments,
            utt_id,
            f"{recording} {written_seconds(start or 0.0)} {written_seconds(end)}",
        )
        if speaker is not None:
            _put(self._speakers, utt_id, _key(speaker))
            if gender := row.get(GENDER):
                self._genders[speaker] = _key(str(gender))
        elif row.get(GENDER):
            out.note("a gender without a speaker has no place there")

    def _recording(self, utt_id: str, path: str, start: float | None) -> str:
        if path not in self._recordings:
            own = utt_id if start is None else PurePosixPath(path).stem
            name = base = "_".join(own.split()) or "recording"
            number = 2
            while name in self._names:
                name, number = f"{base}-{number}", number + 1
            self._names.add(name)
            self._recordings[path] = name
        return self._recordings[path]

    def finish(self) -> None:
        """Write the files that go by recording and speaker."""
        tables: dict[str, dict[str, str]] = {
            WAV_SCP: {name: path for path, name in self._recordings.items()},
            SPK2GENDER: self._genders,
            RECO2DUR: {name: written_seconds(length) for name, length in self._lengths.items()},
        }
        for name, table in tables.items():
            if table or name == WAV_SCP:
                with (self._folder / name).open("wb") as file:
                    for key in sorted(table, key=str.encode):
                        _put(file, key, table[key])
        if not self._needs_segments:
            (self._folder / SEGMENTS).unlink()


def _put(file: BinaryIO, key: str, value: str) -> None:
    file.write(f"{key} {value}".rstrip(" ").encode() + b"\n")


def _key(text: str) -> str:
    if not text or len(text.split()) != 1 or text.strip() != text:
        raise DataError(
            f"{text!r} cannot be an id or a speaker in a Kaldi folder: there is a blank in it",
            hint="rename them in the manifest and ingest it again",
        )
    return text


def _value(text: str, what: str) -> str:
    if text.endswith("|") or text.strip() != text:
        raise DataError(f"the {what} {text!r} would be read as something else in a Kaldi folder")
    return text
