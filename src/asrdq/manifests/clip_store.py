"""Audio that came inside manifests, kept in files that are called by their content."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

from asrdq.manifests.formats.protocol import Clip, Parsed
from asrdq.places import Place
from asrdq.workspace.files import whole_file

if TYPE_CHECKING:
    from asrdq.workspace import Workspace


class ClipStore:
    """A folder of clips, each written once: `3f/3f1c….flac`."""

    def __init__(self, folder: Place) -> None:
        self.folder = folder

    @classmethod
    def of(cls, workspace: Workspace) -> ClipStore:
        """Return the store of a workspace, beside its tables."""
        return cls(workspace.store.layout.tables / ".audio")

    def put(self, clip: Clip) -> str:
        """Write a clip unless it is there, and return its path."""
        digest = hashlib.sha256(clip.content).hexdigest()
        path = self.folder / f"{digest[:2]}/{digest}{clip.suffix}"
        if not path.exists():
            with whole_file(path) as file:
                file.write(clip.content)
        return str(path)

    def keep(self, parsed: Parsed, column: str) -> Parsed:
        """Return rows whose embedded clips are in the store, with the paths in a column."""
        import pyarrow as pa

        if parsed.clips is None:
            return parsed
        rows = parsed.rows
        paths: list[str | None] = [None] * rows.num_rows
        if column in rows.column_names:
            paths = rows[column].to_pylist()
            rows = rows.drop_columns([column])
        for index, clip in enumerate(parsed.clips):
            if clip is not None:
                paths[index] = self.put(clip)
        rows = rows.append_column(column, pa.array(paths, pa.string()))
        return replace(parsed, rows=rows, clips=None)
