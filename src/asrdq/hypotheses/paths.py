"""The clips of a manifest by audio paths that do not depend on where the audio is mounted."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from asrdq.hypotheses.columns import CHANNEL
from asrdq.manifests.columns import AUDIO_PATH, DURATION, OFFSET, UTT_ID
from asrdq.manifests.paths import keys_under, locate
from asrdq.workspace.sql import select_from

if TYPE_CHECKING:
    from asrdq.workspace import ManifestVersion, Workspace

CLIPS: Final = pa.schema(
    [
        (UTT_ID, pa.string()),
        (AUDIO_PATH, pa.string()),
        (OFFSET, pa.float64()),
        (DURATION, pa.float64()),
        (CHANNEL, pa.string()),
    ]
)
"""A clip as hypotheses are matched with it; the channel is null where the manifest has none."""


@dataclass(frozen=True, slots=True)
class AudioRoots:
    """The folders that the audio of a manifest lies in.

    Attributes:
        ingested: The audio root when it was ingested.
        present: The one of this machine, None where it has not moved.
    """

    ingested: str
    present: str | None

    @classmethod
    def of(cls, workspace: Workspace, manifest: ManifestVersion) -> AudioRoots:
        """Return the roots of a manifest."""
        return cls(manifest.audio_root, workspace.audio_root())

    def keys(self, paths: pa.ChunkedArray) -> pa.ChunkedArray:
        """Return paths relative to the root; absolute ones elsewhere stay, null stays null."""
        if paths.null_count == len(paths):
            return paths
        found = locate(pc.fill_null(paths, ""), self.ingested).full
        for root in (self.ingested, self.present):
            if root:
                found = keys_under(found, root)
        return pc.if_else(paths.is_valid(), found, pa.scalar(None, pa.string()))


@dataclass(frozen=True, slots=True)
class Clips:
    """The clips of a manifest version, as hypotheses are matched with them.

    Attributes:
        workspace: Where the manifest is.
        manifest: The version.
        roots: What its audio paths are relative to.
        folder: Where a file of them may be put.
    """

    workspace: Workspace
    manifest: ManifestVersion
    roots: AudioRoots
    folder: Path

    def rows(self) -> str:
        """Return SQL for them as they stand in the manifest."""
        store = self.workspace.store
        body, _ = select_from(store, self.manifest.table, self.manifest.version)
        return f"SELECT {UTT_ID}, {AUDIO_PATH}, {OFFSET} FROM ({body})"

    def located(self) -> Path:
        """Write them as `CLIPS`, with paths relative to the root, in a stream."""
        path = self.folder / "clips.parquet"
        columns = [name for name in CLIPS.names if name in self.manifest.columns]
        with (
            self.workspace.stream(self.manifest, columns) as reader,
            pq.ParquetWriter(path, CLIPS) as writer,
        ):
            for batch in reader:
                rows = pa.table(batch)
                if CHANNEL not in columns:
                    rows = rows.append_column(CHANNEL, pa.nulls(rows.num_rows, pa.string()))
                keys = self.roots.keys(rows[AUDIO_PATH])
                writer.write_table(rows.set_column(1, AUDIO_PATH, keys).cast(CLIPS))
        return path
