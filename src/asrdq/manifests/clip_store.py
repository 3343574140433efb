"""Audio that came inside manifests, kept in files that are called by their content."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from asrdq.manifests.formats.protocol import Clip, Parsed

if TYPE_CHECKING:
    from asrdq.workspace import Workspace


class ClipStore:
    """A folder of clips, each written once: `3f/3f1c….flac`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def of(cls, workspace: Workspace) -> ClipStore:
        """Return the store of a workspace, beside its tables."""
        return cls(workspace.store.layout.tables / ".audio")

    def put(self, clip: Clip) -> str:
        """Write a clip unless it is there, and return its path."""
        digest = hashlib.sha256(clip.content).hexdigest()
        path = self.folder / digest[:2] / f"{digest}{clip.suffix}"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            draft = path.with_name(f".{secrets.token_hex(8)}.part")
            try:
                draft.write_bytes(clip.content)
                draft.replace(path)
            finally:
                draft.unlink(missing_ok=True)
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
