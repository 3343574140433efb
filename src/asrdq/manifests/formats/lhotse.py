"""Lhotse: cuts, or recordings and supervisions; JSON lines, compressed or not, or one array."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from asrdq.errors import DataError, UsageError
from asrdq.manifests.columns import CANONICAL, Aliases
from asrdq.manifests.formats.destination import Destination
from asrdq.manifests.formats.exact_json import json_objects
from asrdq.manifests.formats.json_array import array_items
from asrdq.manifests.formats.json_lines import first_object
from asrdq.manifests.formats.lhotse_records import Unfit, cut_rows, number, supervision_row
from asrdq.manifests.formats.lhotse_writing import write_cuts, write_pair
from asrdq.manifests.formats.lines import BOM, line_chunks
from asrdq.manifests.formats.opening import read_head
from asrdq.manifests.formats.protocol import Chunk, Parsed
from asrdq.manifests.formats.records import Records, parse_records
from asrdq.manifests.rejects import Reject, RejectReason, shorten

if TYPE_CHECKING:
    import pyarrow as pa

_RECORDINGS, _SUPERVISIONS = "recordings", "supervisions"
_CUT_KEYS = frozenset({"id", "start", "duration", "supervisions"})
_SUPERVISION_KEYS = frozenset({"id", "recording_id", "start", "duration"})
_RECORDING_KEYS = frozenset({"id", "sources", "sampling_rate"})


@dataclass(frozen=True)
class _Context:
    """What a chunk is read with.

    Attributes:
        recordings: By id, where the objects are supervisions; None where they are cuts.
        lines: What the chunk is to the reader of JSON lines.
        objects: The objects with their lines, where they came in one array.
    """

    recordings: Mapping[str, dict[str, Any]] | None
    lines: Any = None
    objects: tuple[tuple[int, Any], ...] | None = None


class LhotseFormat:
    """Cuts, or a supervisions file or folder with the recordings file beside it."""

    name: ClassVar[str] = "lhotse"
    description: ClassVar[str] = "Lhotse cuts, or recordings and supervisions; written as cuts"
    typed: ClassVar[bool] = True
    holds: ClassVar[frozenset[str] | None] = None
    order: ClassVar[tuple[str, ...]] = ()
    suffix: ClassVar[str] = ".jsonl.gz"
    keeps_paths: ClassVar[bool] = True
    aliases: Aliases = {column: (column,) for column in CANONICAL}  # noqa: RUF012

    def sniff(self, path: Path, head: bytes) -> bool:
        """Return whether the first object has the fields of a cut, recording or supervision."""
        if path.is_dir():
            return _supervisions_of(path) is not None
        first = first_object(head)
        if first is None and head.removeprefix(BOM).lstrip()[:1] == b"[":
            return all(b'"%s"' % key.encode() in head for key in ("id", "start", "supervisions"))
        kinds = (_CUT_KEYS, _SUPERVISION_KEYS, _RECORDING_KEYS)
        return first is not None and any(kind <= first.keys() for kind in kinds)

    def split(self, path: Path) -> Iterator[Chunk]:
        """Cut at line ends; recordings are read first, whole."""
        file = _supervisions_of(path) if path.is_dir() else path
        if file is None:
            raise UsageError("is no folder with a supervisions file", where=str(path))
        head = read_head(file)
        first = first_object(head)
        if head.removeprefix(BOM).lstrip()[:1] == b"[":
            yield _array_chunk(file)
            return
        keys = first.keys() if first else set[str]()
        if keys >= _RECORDING_KEYS and not keys & {"start", "supervisions"}:
            raise UsageError(
                "recordings are read together with their supervisions",
                where=str(file),
                hint="name the supervisions file, or the folder that has both",
            )
        supervised = "recording_id" in keys and "supervisions" not in keys
        recordings = _recordings_of(file) if supervised else None
        name = str(file) if file != path else None
        for chunk in line_chunks(file):
            yield replace(chunk, context=_Context(recordings, chunk.context), file=name)

    def parse(self, chunk: Chunk, as_text: frozenset[str]) -> Parsed:
        """Make each object its rows."""
        context: _Context = chunk.context
        lines = json_objects(replace(chunk, context=context.lines), {})
        found = ((number_, raw, item) for number_, raw, item in lines)
        if context.objects is not None:
            found = ((line, json.dumps(item).encode(), item) for line, item in context.objects)
        records = Records()
        for line, raw, item in found:
            for each in _rows(line, raw, item, context.recordings):
                records.add(each)
        return parse_records(records)

    def write(self, rows: pa.RecordBatchReader, out: Destination) -> None:
        """Write a cut with one supervision a row."""
        write_cuts(rows, out)


class LhotsePairFormat(LhotseFormat):
    """The same, written as a folder of recordings and supervisions."""

    name: ClassVar[str] = "lhotse-pair"
    description: ClassVar[str] = "Lhotse recordings and supervisions in a folder"
    suffix: ClassVar[str] = ""

    def sniff(self, path: Path, head: bytes) -> bool:
        """Return False: what is read is read as `lhotse`."""
        return False

    def write(self, rows: pa.RecordBatchReader, out: Destination) -> None:
        """Write a supervision a row, and each recording once."""
        write_pair(rows, out)


def _rows(
    line: int, raw: bytes, item: Any, recordings: Mapping[str, dict[str, Any]] | None
) -> Iterator[tuple[int, dict[str, Any]] | Reject]:
    if isinstance(item, Reject):
        yield item
        return
    try:
        if not isinstance(item, dict):
            raise Unfit(RejectReason.NOT_AN_OBJECT, "not a JSON object")
        if recordings is None:
            for row in list(cut_rows(item)):
                yield line, row
            return
        recording = recordings.get(str(item.get("recording_id")))
        if recording is None:
            detail = f"there is no recording '{item.get('recording_id')}'"
            raise Unfit(RejectReason.MISSING_PART, detail)
        number(item, "start")
        yield line, supervision_row(item, recording, {})
    except Unfit as unfit:
        yield Reject(line, unfit.reason, unfit.detail, shorten(raw))


def _array_chunk(file: Path) -> Chunk:
    """Return the objects of a file that is one JSON array."""
    objects = tuple(array_items(file))
    return Chunk(b"", 1, _Context(None, None, objects), file.stat().st_size)


def _supervisions_of(folder: Path) -> Path | None:
    found = sorted(folder.glob(f"*{_SUPERVISIONS}*.jsonl*"))
    return found[0] if len(found) == 1 else None


def _recordings_of(supervisions: Path) -> dict[str, dict[str, Any]]:
    """Return the recordings that lie beside a supervisions file, by id.

    Raises:
        UsageError: There is no such file.
        DataError: A line of it cannot be read.
    """
    names = [supervisions.name.replace(_SUPERVISIONS, _RECORDINGS)]
    names += [names[0].removesuffix(".gz"), names[0] + ".gz"]
    beside = (supervisions.parent / name for name in names if name != supervisions.name)
    file = next((path for path in beside if path.is_file()), None)
    if file is None:
        raise UsageError(
            "its recordings are not beside it",
            where=str(supervisions),
            hint=f"put {names[0]} into {supervisions.parent}",
        )
    recordings: dict[str, dict[str, Any]] = {}
    for chunk in line_chunks(file):
        for line, _, item in json_objects(chunk, {}):
            if isinstance(item, Reject):
                raise DataError(f"{item.reason}: {item.detail}", where=f"{file}:{line}")
            recordings[str(item.get("id"))] = item
    return recordings
