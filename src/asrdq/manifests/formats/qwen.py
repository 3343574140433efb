"""Qwen3-ASR: JSON lines of `audio`, `text` as `language X<asr_text>…`, and `prompt`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final

from asrdq.manifests.columns import ID_NAMES, Aliases
from asrdq.manifests.formats.destination import Destination
from asrdq.manifests.formats.json_lines import JsonLines, first_object
from asrdq.manifests.formats.protocol import Chunk, Parsed
from asrdq.manifests.formats.qwen_languages import qwen_language, target_language

if TYPE_CHECKING:
    import pyarrow as pa

MARK = "<asr_text>"
_TAGGED = rf"^language (?P<language>[^<]*){MARK}(?P<text>(?s:.*))$"
_UNKNOWN = "None"
_LANGUAGE = "language"
_NAMES: Final[Aliases] = {
    "utt_id": ID_NAMES,
    "audio_path": ("audio",),
    "text": ("text",),
    "duration_s": ("duration",),
    "offset_s": ("offset",),
    "language": (_LANGUAGE,),
    "speaker": ("speaker",),
}


class QwenFormat(JsonLines):
    """JSON lines for fine-tuning Qwen3-ASR; the language stands in front of the text."""

    name: ClassVar[str] = "qwen"
    description: ClassVar[str] = "JSON lines as Qwen3-ASR is fine-tuned with"
    aliases: Aliases = _NAMES

    def sniff(self, path: Path, head: bytes) -> bool:
        """Return whether the first object has `audio` and a text with the mark of the model."""
        first = first_object(head) or {}
        return "audio" in first and MARK in str(first.get("text"))

    def parse(self, chunk: Chunk, as_text: frozenset[str]) -> Parsed:
        """Read lines, and take language and text apart."""
        parsed = super().parse(chunk, as_text)
        names = parsed.rows.column_names
        if "text" not in names or _LANGUAGE in names:
            return parsed
        return replace(parsed, rows=_apart(parsed.rows))

    def write(self, rows: pa.RecordBatchReader, out: Destination) -> None:
        """Write lines with the language in front of the text, `None` where it is not known.

        A code stands there as the name that the model knows, or, of a language it has no name for,
        as its name in English; what is no code stands there as it is. Both are noted.
        """
        import pyarrow as pa

        fields = [field for field in rows.schema if field.name != _LANGUAGE]
        together = (_together(batch, out) for batch in rows)
        batches: Iterator[pa.RecordBatch] = (
            batch.select([field.name for field in fields]) for batch in together
        )
        super().write(pa.RecordBatchReader.from_batches(pa.schema(fields), batches), out)


def _apart(rows: pa.Table) -> pa.Table:
    import pyarrow as pa
    import pyarrow.compute as pc

    tagged = rows["text"].cast(pa.string())
    parts = pc.extract_regex(tagged, _TAGGED)
    text = pc.coalesce(pc.struct_field(parts, "text"), tagged)
    language = pc.struct_field(parts, "language")
    known = pc.if_else(pc.equal(language, _UNKNOWN), pa.scalar(None, pa.string()), language)
    index = rows.column_names.index("text")
    return rows.set_column(index, "text", text).append_column(_LANGUAGE, known)


def _together(batch: pa.RecordBatch, out: Destination) -> pa.RecordBatch:
    import pyarrow as pa
    import pyarrow.compute as pc

    spoken = pa.nulls(batch.num_rows, pa.string())
    if _LANGUAGE in batch.schema.names:
        named = {
            language: _named(language, out) for language in pc.unique(batch[_LANGUAGE]).to_pylist()
        }
        spoken = pa.array([named[each] for each in batch[_LANGUAGE].to_pylist()], pa.string())
    spoken = pc.fill_null(spoken, _UNKNOWN)
    text = pc.binary_join_element_wise("language ", spoken, MARK, batch["text"], "")
    return batch.set_column(batch.schema.names.index("text"), "text", text)


def _named(language: str | None, out: Destination) -> str | None:
    if language is None:
        return None
    name = target_language(language)
    if qwen_language(language) is None:
        stands = "it stands there as it is" if name == language else f"'{name}' stands there"
        out.note(f"Qwen3-ASR has no name for the language '{language}': {stands}")
    return name
