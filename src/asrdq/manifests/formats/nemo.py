"""NeMo manifests: one JSON object a line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final

from asrdq.manifests.columns import ID_NAMES, Aliases
from asrdq.manifests.formats.destination import Destination
from asrdq.manifests.formats.json_lines import JsonLines, first_object

if TYPE_CHECKING:
    import pyarrow as pa

_OFFSET, _RATE = "offset", "sampling_rate"

_ALIASES: Final[Aliases] = {
    "utt_id": ID_NAMES,
    "audio_path": ("audio_filepath", "audio_path", "audio_file"),
    "text": ("text", "transcript"),
    "duration_s": ("duration", "duration_s"),
    "offset_s": ("offset", "offset_s"),
    "language": ("lang", "language", "source_lang"),
    "speaker": ("speaker", "speaker_id"),
}


class NemoFormat(JsonLines):
    """NeMo JSON lines: `audio_filepath`, `duration`, `text`, and any fields besides."""

    name: ClassVar[str] = "nemo"
    description: ClassVar[str] = "JSON lines as NeMo reads them"
    aliases: Aliases = _ALIASES

    def sniff(self, path: Path, head: bytes) -> bool:
        """Return whether the first line that is not blank begins as a JSON object."""
        return first_object(head) is not None

    def write(self, rows: pa.RecordBatchReader, out: Destination) -> None:
        """Write lines, segments without `sampling_rate`.

        Where a row states it, NeMo's Lhotse loader takes the duration of the row for the length of
        its file (`LazyNeMoIterator._create_recording`), and a segment is cut short or lost.
        """
        import pyarrow as pa

        if {_OFFSET, _RATE} <= set(rows.schema.names):
            batches = (_without_rate(batch, out) for batch in rows)
            rows = pa.RecordBatchReader.from_batches(rows.schema, batches)
        super().write(rows, out)


def _without_rate(batch: pa.RecordBatch, out: Destination) -> pa.RecordBatch:
    import pyarrow as pa
    import pyarrow.compute as pc

    rate = batch[_RATE]
    segment = pc.fill_null(pc.greater(batch[_OFFSET], 0), False)
    if not pc.any(pc.and_(segment, rate.is_valid())).as_py():
        return batch
    out.note(
        f"segments are written without {_RATE}: NeMo would take their duration for that of the file"
    )
    left = pc.if_else(segment, pa.scalar(None, rate.type), rate)
    return batch.set_column(batch.schema.get_field_index(_RATE), batch.schema.field(_RATE), left)
