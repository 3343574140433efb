"""Reading manifest files block by block: parsed and checked by threads, given in order."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from asrdq.errors import DataError, UsageError, nearest
from asrdq.manifests.block import Block, Source, make_block
from asrdq.manifests.clip_store import ClipStore
from asrdq.manifests.columns import AUDIO_PATH, FieldMap
from asrdq.manifests.fetching import Fetched
from asrdq.manifests.formats.protocol import Chunk, ManifestFormat, Parsed
from asrdq.manifests.paths import Root, locate

if TYPE_CHECKING:
    import pyarrow as pa

Advance = Callable[[int], None]


@dataclass
class Input:
    """A manifest file to be read.

    Attributes:
        path: The file.
        format: How to read it.
        source: Its name in results, and the folder that its relative paths start from.
        columns: Canonical columns to the names that the user says they have in it.
        fields: Which of its columns is which.
    """

    path: Path
    format: ManifestFormat
    source: Source
    columns: Mapping[str, str] = field(default_factory=dict)
    fields: FieldMap = field(init=False)

    def __post_init__(self) -> None:
        self.fields = FieldMap(self.format.aliases)

    def names(self, rows: pa.Table) -> list[str]:
        """Return the column of the manifest table for each column of a block.

        Raises:
            UsageError: No column holds the audio path, or one that was named is not there.
        """
        names = self.fields.outputs(rows.column_names)
        absent = [c for c in (AUDIO_PATH, *self.columns) if c not in self.fields.chosen]
        if absent and rows.num_rows:
            raise self._without(absent[0])
        return names

    def _without(self, column: str) -> UsageError:
        own = self.columns.get(column)
        guess = nearest(own or self.format.aliases[column][0], self.fields.names())
        return UsageError(
            f"it has no column '{own}'" if own else f"no column of it is known to hold {column}",
            where=self.source.file,
            hint=f"its columns are {', '.join(self.fields.names())}; say which one it is: "
            f"--column {column}={guess or 'NAME'}",
        )


@dataclass
class Reader:
    """Reads files into blocks.

    Attributes:
        inputs: The files in order.
        root: The audio root; unless fixed it widens while blocks come.
        former_root: The root of the version before, kept if audio still lies in it.
        max_duration_s: Longest possible clip.
        workers: Number of threads.
        clips: Where audio goes that comes inside a manifest.
        fetched: Where files come from that are copies.
        as_text: Columns of untyped formats that hold more than numbers.
        advance: Told the number of bytes read.
    """

    inputs: Sequence[Input]
    root: Root
    former_root: str | None
    max_duration_s: float
    workers: int
    clips: ClipStore
    fetched: Fetched = field(default_factory=Fetched)
    as_text: frozenset[str] = frozenset()
    advance: Advance = lambda _: None

    def blocks(self) -> Iterator[Block]:
        """Give all blocks in order of the files and lines."""
        parsing: deque[tuple[Input, Chunk, Future[Parsed]]] = deque()
        making: deque[Future[Block]] = deque()
        with ThreadPoolExecutor(self.workers) as pool:
            try:
                chunks = self._chunks()
                yield from self._first(chunks)
                for given, chunk in chunks:
                    parsed = pool.submit(self._parsed, given, chunk)
                    parsing.append((given, chunk, parsed))
                    if len(parsing) > self.workers:
                        making.append(self._make(pool, *parsing.popleft()))
                    if len(making) > self.workers:
                        yield self._taken(making.popleft().result())
                while parsing:
                    making.append(self._make(pool, *parsing.popleft()))
                while making:
                    yield self._taken(making.popleft().result())
            finally:
                pool.shutdown(wait=True, cancel_futures=True)

    def _chunks(self) -> Iterator[tuple[Input, Chunk]]:
        for given in self.inputs:
            try:
                for chunk in given.format.split(given.path):
                    yield given, chunk
                    self.advance(chunk.consumed)
            except DataError as error:
                where = error.where or given.source.file
                raise DataError(error.message, where=where, hint=error.hint) from None

    def _parsed(self, given: Input, chunk: Chunk) -> Parsed:
        parsed = given.format.parse(chunk, self.as_text)
        return self.clips.keep(parsed, given.format.aliases[AUDIO_PATH][0])

    def _first(self, chunks: Iterator[tuple[Input, Chunk]]) -> Iterator[Block]:
        """Read the first chunk alone: it settles the audio root for most files."""
        for given, chunk in chunks:
            parsed = self._parsed(given, chunk)
            names = given.names(parsed.rows)
            block = make_block(chunk, parsed, names, given.source, self.root, self.max_duration_s)
            if not self.root.fixed and self.former_root and _lies_in(block, self.former_root):
                self.root = Root(self.former_root, fixed=True)
                block = make_block(
                    chunk, parsed, names, given.source, self.root, self.max_duration_s
                )
            yield self._taken(block)
            return

    def _make(
        self, pool: ThreadPoolExecutor, given: Input, chunk: Chunk, parsed: Future[Parsed]
    ) -> Future[Block]:
        names = given.names(parsed.result().rows)
        return pool.submit(
            make_block,
            chunk,
            parsed.result(),
            names,
            given.source,
            self.root,
            self.max_duration_s,
        )

    def _taken(self, block: Block) -> Block:
        if self.fetched.origins:
            block = self._as_named(block)
        if block.root.folder:
            self.root = self.root.widened(block.root.folder)
        return block

    def _as_named(self, block: Block) -> Block:
        """Return a block whose files are called as on S3."""
        named = self.fetched.named
        rejects = [replace(reject, file=named(reject.file)) for reject in block.rejects]
        return replace(
            block, source=replace(block.source, file=named(block.source.file)), rejects=rejects
        )


def _lies_in(block: Block, root: str) -> bool:
    import pyarrow.compute as pc

    full = locate(block.rows["audio_path"], block.source.folder).full
    return bool(pc.any(pc.starts_with(full, root.rstrip("/") + "/")).as_py())


def thread_count(setting: int) -> int:
    """Return how many threads read: as set, or one a core, 8 at most."""
    return setting or min(os.cpu_count() or 1, 8)
