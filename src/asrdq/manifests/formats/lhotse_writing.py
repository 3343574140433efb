"""Rows as Lhotse's cuts, or as recordings and supervisions."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, BinaryIO

from asrdq.errors import DataError
from asrdq.manifests.columns import (
    AUDIO_PATH,
    CANONICAL,
    DURATION,
    LANGUAGE,
    OFFSET,
    SPEAKER,
    TEXT,
    UTT_ID,
)
from asrdq.manifests.formats.audio_headers import audio_header
from asrdq.manifests.formats.destination import Destination
from asrdq.manifests.formats.lhotse_records import (
    CHANNEL,
    NUM_SAMPLES,
    RECORDING_ID,
    SAMPLING_RATE,
)
from asrdq.results import plain

if TYPE_CHECKING:
    import pyarrow as pa

_OWN = frozenset({*CANONICAL, CHANNEL, RECORDING_ID, SAMPLING_RATE, NUM_SAMPLES, "gender"})


def write_cuts(rows: pa.RecordBatchReader, out: Destination) -> None:
    """Write a cut with one supervision a row.

    Raises:
        DataError: The sampling rate or length of a recording cannot be found out.
    """
    with out.file() as file:
        for recording, words in _parts(rows):
            cut = {
                "id": words["id"],
                "start": words["start"],
                "duration": words["duration"],
                "channel": words["channel"],
                "supervisions": [{**words, "start": 0.0}],
                "recording": recording,
                "type": "MonoCut",
            }
            _put(file, cut)


def write_pair(rows: pa.RecordBatchReader, out: Destination) -> None:
    """Write `recordings.jsonl.gz` and `supervisions.jsonl.gz`.

    Raises:
        DataError: The sampling rate or length of a recording cannot be found out, or two
            recordings have one id.
    """
    seen: dict[str, str] = {}
    with (
        out.folder() as folder,
        gzip.GzipFile(folder / "recordings.jsonl.gz", "wb", mtime=0) as recordings,
        gzip.GzipFile(folder / "supervisions.jsonl.gz", "wb", mtime=0) as supervisions,
    ):
        for recording, words in _parts(rows):
            source = recording["sources"][0]["source"]
            if recording["id"] not in seen:
                _put(recordings, recording)  # type: ignore[arg-type]
            elif seen[recording["id"]] != source:
                raise DataError(f"two recordings have the id '{recording['id']}'")
            seen[recording["id"]] = source
            _put(supervisions, words)  # type: ignore[arg-type]


def _put(file: BinaryIO, record: dict[str, Any]) -> None:
    file.write(json.dumps(record, ensure_ascii=False).encode() + b"\n")


def _parts(rows: pa.RecordBatchReader) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Give the recording of each row, and its supervision with the start in the recording."""
    for batch in rows:
        for row in batch.to_pylist():
            recording = _recording(row)
            start = row.get(OFFSET) or 0.0
            duration = row.get(DURATION)
            if duration is None:
                duration = recording["duration"] - start
            words = {
                "id": row[UTT_ID],
                "recording_id": recording["id"],
                "start": start,
                "duration": duration,
                "channel": recording["sources"][0]["channels"][0],
                "text": row[TEXT],
                "language": row.get(LANGUAGE),
                "speaker": row.get(SPEAKER),
                "gender": row.get("gender"),
                "custom": {key: plain(row[key]) for key in row.keys() - _OWN} or None,
            }
            yield recording, {key: value for key, value in words.items() if value is not None}


def _recording(row: dict[str, Any]) -> dict[str, Any]:
    path = row[AUDIO_PATH]
    rate, samples = row.get(SAMPLING_RATE), row.get(NUM_SAMPLES)
    if rate is None or samples is None:
        header = audio_header(path)
        if header is None:
            raise DataError(
                "Lhotse needs the sampling rate and length of each recording, and this one "
                "cannot be read",
                where=path,
                hint="export where the audio is",
            )
        rate, samples = header.sampling_rate, header.samples
    channel = row.get(CHANNEL)
    return {
        "id": row.get(RECORDING_ID) or path,
        "sources": [
            {
                "type": "url" if "://" in path else "file",
                "channels": [channel if isinstance(channel, int) else 0],
                "source": path,
            }
        ],
        "sampling_rate": rate,
        "num_samples": samples,
        "duration": samples / rate,
    }
