"""What a manifest format is: a small protocol, so that a new one is one file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, runtime_checkable

from asrdq.manifests.columns import Aliases
from asrdq.manifests.rejects import Reject

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from asrdq.manifests.formats.destination import Destination

BLOCK_BYTES = 16 << 20


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a manifest that can be parsed on its own.

    Attributes:
        data: Its bytes.
        first_line: Number in the file, from 1, of its first line.
        context: What the format needs to parse it, such as the header of a CSV file.
        consumed: Bytes on disk that were read since the chunk before.
        file: The file its lines stand in, where that is not the path that was given.
    """

    data: bytes
    first_line: int
    context: Any = None
    consumed: int = 0
    file: str | None = None


@dataclass(frozen=True, slots=True)
class Clip:
    """Audio that lies in the manifest itself: its bytes, and the suffix of a file of its kind."""

    content: bytes
    suffix: str


@dataclass(frozen=True, slots=True)
class Parsed:
    """The rows of a chunk under the file's own column names.

    Attributes:
        rows: One row an utterance; every column has one type.
        lines: Line number of each row.
        rejects: Lines that could not be read; one that names no file stands in the chunk's.
        mixed: Columns whose values were of several types and are JSON text now.
        clips: The audio of each row where it came with the manifest; such rows need no path.
    """

    rows: pa.Table
    lines: NDArray[np.int64]
    rejects: list[Reject]
    mixed: frozenset[str] = frozenset()
    clips: Sequence[Clip | None] | None = None


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
        """Return whether a path is likely of this format.

        Args:
            path: A file or a folder.
            head: The first bytes of a file, decompressed; none of a folder.
        """

    def split(self, path: Path) -> Iterator[Chunk]:
        """Cut a file or folder into chunks, quickly and in order.

        Raises:
            DataError: It is damaged as a whole.
            UsageError: It is not there, or a folder where a file is needed.
        """

    def parse(self, chunk: Chunk, as_text: frozenset[str]) -> Parsed:
        """Read a chunk; called from several threads at once.

        Args:
            chunk: What `split` gave.
            as_text: Columns to be left as text, whatever their values look like.
        """


@runtime_checkable
class WritableFormat(ManifestFormat, Protocol):
    """A format that manifests can be exported to as well.

    Attributes:
        holds: Columns of the manifest table that it has a place for; None where it holds all.
        order: Columns that the rows must be ordered by, as far as there are such columns.
        suffix: Suffix of the file it writes; empty where it writes a folder.
        keeps_paths: Whether the whole path of the audio stands in it, not only a name.
    """

    holds: ClassVar[frozenset[str] | None]
    order: ClassVar[tuple[str, ...]]
    suffix: ClassVar[str]
    keeps_paths: ClassVar[bool]

    def write(self, rows: pa.RecordBatchReader, out: Destination) -> None:
        """Write rows in this format.

        Args:
            rows: Only columns that the format holds. They have the names that they are to have
                in the file: a canonical one has the first of its `aliases`. No two are alike.
            out: Where to; it gives a file or a folder, and takes notes of what was altered.

        Raises:
            DataError: A value cannot stand in this format.
        """
