"""The rows of each side become a version of a manifest of its own."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from asrdq.errors import ToolError
from asrdq.manifests.block import identify
from asrdq.manifests.columns import AUDIO_PATH, DURATION, TEXT, UTT_ID
from asrdq.manifests.commit import commit_parts
from asrdq.manifests.identity import Fingerprint
from asrdq.manifests.parts import ROWS_A_FILE, Part
from asrdq.manifests.paths import Root, locate
from asrdq.sampling.keys import Keys, draw_keys
from asrdq.workspace.lineage import Lineage, Parent
from asrdq.workspace.staging import staging

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from asrdq.workspace import ManifestVersion, Workspace

_ROW_GROUP_ROWS = 250_000
_AHEAD = 8
_UNREPEATED = (UTT_ID, AUDIO_PATH, TEXT, DURATION)


@dataclass
class SideWriter:
    """Writes the rows of one side; the digest of the first side is found by subtraction."""

    folder: Path
    root: Root
    digested: bool
    parts: list[Part] = field(default_factory=list)
    digest: Fingerprint = field(default_factory=Fingerprint)
    rows: int = 0
    seconds: float = 0.0
    _waiting: list[pa.RecordBatch] = field(default_factory=list)
    _waiting_rows: int = 0
    _open: pq.ParquetWriter | None = None
    _open_rows: int = 0

    def add(self, batch: pa.RecordBatch) -> None:
        """Take rows; they are written in large groups."""
        self._waiting.append(batch)
        self._waiting_rows += batch.num_rows
        if self._waiting_rows >= _ROW_GROUP_ROWS:
            self._write()

    def close(self) -> None:
        """Write what waits and finish the last file."""
        self._write()
        if self._open is not None:
            self._open.close()

    def _write(self) -> None:
        if not self._waiting_rows:
            return
        rows = pa.Table.from_batches(self._waiting)
        self._waiting, self._waiting_rows = [], 0
        if self._open is None or self._open_rows >= ROWS_A_FILE:
            self._begin(rows.schema)
        assert self._open is not None
        self._open.write_table(rows)
        self._open_rows += rows.num_rows
        self.rows += rows.num_rows
        self.seconds += float(pc.sum(rows[DURATION]).as_py() or 0.0)
        if self.digested:
            located = locate(rows[AUDIO_PATH], self.root.folder)
            self.digest += identify(rows, located, self.root.folder, self.root)[1].digest

    def _begin(self, schema: pa.Schema) -> None:
        if self._open is not None:
            self._open.close()
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"part-{len(self.parts):05d}.parquet"
        repeated = [name for name in schema.names if name not in _UNREPEATED]
        self._open = pq.ParquetWriter(
            path, schema, use_dictionary=repeated, write_statistics=repeated
        )
        self._open_rows = 0
        self.parts.append(Part(path, schema, self.root))


def write_sides(
    workspace: Workspace,
    manifest: ManifestVersion,
    names: Sequence[str],
    side_of_row: NDArray[np.int8],
    keys: Keys,
    seed: int,
    run_id: str,
    advance: Callable[[float], None],
) -> list[ManifestVersion]:
    """Write a version of each named manifest from the rows of its side.

    Args:
        workspace: Where the manifests are.
        manifest: The version that is split.
        names: Manifests to write, in the order of the sides.
        side_of_row: Side of each row in the order of the table.
        keys: Key of each row, to make sure that the order is the same.
        seed: Seed of the keys.
        run_id: The run.
        advance: Told of the number of rows written.

    Raises:
        ToolError: The table cannot be read in the same order again, or nothing can be written.
    """
    root = Root(manifest.audio_root, fixed=True)
    with staging(workspace.store, run_id) as folder:
        writers = [SideWriter(folder / name, root, number > 0) for number, name in enumerate(names)]
        with workspace.stream(manifest) as reader:
            schema = pa.schema([field.remove_metadata() for field in reader.schema])
            checked = _checked(reader, manifest, keys, seed)
            _distribute(checked, writers, side_of_row, advance)
        others = sum((writer.digest for writer in writers[1:]), Fingerprint())
        writers[0].digest = Fingerprint.parse(manifest.fingerprint) - others
        return [
            _commit(workspace, manifest, name, writer, schema, run_id)
            for name, writer in zip(names, writers, strict=True)
        ]


def _checked(
    batches: Iterable[pa.RecordBatch], manifest: ManifestVersion, keys: Keys, seed: int
) -> Iterator[tuple[int, pa.RecordBatch]]:
    """Give each batch with the place of its first row, making sure that it is the right one."""
    start = 0
    for batch in batches:
        here = keys[start : start + batch.num_rows]
        if not np.array_equal(draw_keys(batch.column(UTT_ID), seed), here):
            raise ToolError(f"the rows of {manifest} came in another order than before")
        yield start, batch
        start += batch.num_rows


def _distribute(
    batches: Iterable[tuple[int, pa.RecordBatch]],
    writers: Sequence[SideWriter],
    side_of_row: NDArray[np.int8],
    advance: Callable[[float], None],
) -> None:
    """Write the rows of each side, the first side in a thread of its own, a few batches behind."""

    def add(numbers: range, start: int, batch: pa.RecordBatch) -> None:
        sides = side_of_row[start : start + batch.num_rows]
        for number in numbers:
            writers[number].add(batch.filter(pa.array(sides == number)))

    lanes = [range(1), range(1, len(writers))]
    with ThreadPoolExecutor(1) as first, ThreadPoolExecutor(1) as others:
        pending: deque[Future[None]] = deque()
        for start, batch in batches:
            for pool, numbers in zip((first, others), lanes, strict=True):
                pending.append(pool.submit(add, numbers, start, batch))
            while len(pending) > _AHEAD:
                pending.popleft().result()
            advance(batch.num_rows)
        while pending:
            pending.popleft().result()
    for writer in writers:
        writer.close()


def _commit(
    workspace: Workspace,
    manifest: ManifestVersion,
    name: str,
    writer: SideWriter,
    schema: pa.Schema,
    run_id: str,
) -> ManifestVersion:
    facts = _facts(manifest, writer, run_id)
    version, _ = commit_parts(workspace.store, name, writer.parts, schema, facts)
    return version


def _facts(manifest: ManifestVersion, writer: SideWriter, run_id: str) -> dict[str, Any]:
    return {
        "fingerprint": str(writer.digest),
        "rows": writer.rows,
        "hours": writer.seconds / 3600,
        "audio_root": manifest.audio_root,
        "sources": list(manifest.sources),
        "renamed": dict(manifest.renamed),
        "run_id": run_id,
        "lineage": asdict(_lineage(manifest, writer)),
    }


def _lineage(manifest: ManifestVersion, writer: SideWriter) -> Lineage:
    parent = Parent(
        name=manifest.name,
        version=manifest.version,
        fingerprint=manifest.fingerprint,
        gained_rows=0,
        gained_hours=0.0,
        lost_rows=manifest.rows - writer.rows,
        lost_hours=manifest.hours - writer.seconds / 3600,
        changed_rows=0,
    )
    return Lineage(f"asrdq split {manifest}: {writer.folder.name}", (parent,), {})
