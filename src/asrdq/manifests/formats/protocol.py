"""What a manifest format is: a small protocol, so that a new one is one file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, ClassVar, Protocol, runtime_checkable

from asrdq.manifests.columns import Aliases
from asrdq.manifests.rejects import Reject

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

BLOCK_BYTES = 8 << 20


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a manifest file that can be parsed on its own.

    Attributes:
        data: Its bytes.
        first_line: Number in the file, from 1, of its first line.
        context: What the format needs to parse it, such as the header of a CSV file.
    """

    data: bytes
    first_line: int
    context: Any = None


@dataclass(frozen=True, slots=True)
class Parsed:
    """The rows of a chunk under the file's own column names.

    Attributes:
        rows: One row an utterance; every column has one type.
        lines: Line number of each row.
        rejects: Lines that could not be read.
        mixed: Columns whose values were of several types and are JSON text now.
    """

    rows: pa.Table
    lines: NDArray[np.int64]
    rejects: list[Reject]
    mixed: frozenset[str] = frozenset()


@runtime_checkable
class ManifestFormat(Protocol):
    """A manifest format, found through the entry points `asrdq.formats`.

    Attributes:
        name: What `--format` calls it.
        description: One line for people.
        aliases: Names its columns may have for each canonical column.
        typed: Whether values have types of their own (JSON) or all are text (CSV).
    """

    name: ClassVar[str]
    description: ClassVar[str]
    aliases: Aliases
    typed: ClassVar[bool]

    def sniff(self, path: Path, head: bytes) -> bool:
        """Return whether a file of this name that begins so is likely of this format."""

    def split(self, stream: BinaryIO) -> Iterator[Chunk]:
        """Cut a file into chunks, quickly and in order."""

    def parse(self, chunk: Chunk, as_text: frozenset[str]) -> Parsed:
        """Read a chunk; called from several threads at once.

        Args:
            chunk: What `split` gave.
            as_text: Columns to be left as text, whatever their values look like.
        """

    def write(self, rows: pa.RecordBatchReader, out: BinaryIO) -> None:
        """Write rows to a file of this format.

        Args:
            rows: Columns have the names that they are to have in the file: a canonical one has
                the first of its `aliases`. No two have the same.
            out: The open file.
        """
