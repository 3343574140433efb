"""TRN, the transcripts of NIST's sclite: the words and then the id in parentheses."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from asrdq.errors import DataError, UsageError
from asrdq.manifests.columns import TEXT, UTT_ID, Aliases
from asrdq.manifests.formats.destination import Destination
from asrdq.manifests.formats.protocol import Chunk, Parsed

if TYPE_CHECKING:
    import pyarrow as pa


class TrnFormat:
    """`words (id)` a line. It names no audio, so it is only written."""

    name: ClassVar[str] = "trn"
    description: ClassVar[str] = "TRN transcripts as sclite reads them; written only"
    typed: ClassVar[bool] = True
    holds: ClassVar[frozenset[str] | None] = frozenset({UTT_ID, TEXT})
    order: ClassVar[tuple[str, ...]] = ()
    suffix: ClassVar[str] = ".trn"
    keeps_paths: ClassVar[bool] = False
    aliases: Aliases = {UTT_ID: (UTT_ID,), TEXT: (TEXT,)}  # noqa: RUF012

    def sniff(self, path: Path, head: bytes) -> bool:
        """Return False: there is no audio to read of."""
        return False

    def split(self, path: Path) -> Iterator[Chunk]:
        """Refuse.

        Raises:
            UsageError: Always.
        """
        raise UsageError("TRN names no audio, so no manifest can be made of it", where=str(path))

    def parse(self, chunk: Chunk, as_text: frozenset[str]) -> Parsed:
        """Refuse.

        Raises:
            UsageError: Always.
        """
        raise UsageError("TRN names no audio, so no manifest can be made of it")

    def write(self, rows: pa.RecordBatchReader, out: Destination) -> None:
        """Write a line a row."""
        with out.file() as file:
            for batch in rows:
                for row in batch.to_pylist():
                    utt_id, text = row[UTT_ID], " ".join(row[TEXT].split())
                    if set(utt_id) & set("() \t") or not utt_id:
                        raise DataError(f"the id {utt_id!r} cannot stand in parentheses in TRN")
                    if text.startswith(";;"):
                        raise DataError(f"{text!r:.60} would be read as a comment in TRN")
                    if text != row[TEXT]:
                        out.note("blanks and line ends of texts are single blanks there")
                    if set(text) & set("{}"):
                        out.note("sclite reads braces in texts as alternatives")
                    file.write(f"{text} ({utt_id})\n".encode())
