"""The fingerprint of a stored manifest version, made again from its rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pyarrow as pa

from asrdq.manifests.block import identify
from asrdq.manifests.columns import AUDIO_PATH, DURATION, LANGUAGE, OFFSET, TEXT, UTT_ID
from asrdq.manifests.identity import Fingerprint
from asrdq.manifests.paths import Root, locate

if TYPE_CHECKING:
    from asrdq.workspace import ManifestVersion, Workspace

_COLUMNS = (UTT_ID, AUDIO_PATH, TEXT, DURATION, OFFSET, LANGUAGE)


def recomputed_fingerprint(
    workspace: Workspace, manifest: ManifestVersion, advance: Callable[[int], None] | None = None
) -> str:
    """Return the fingerprint that the rows of a version have now, whatever its commit says.

    Args:
        workspace: Where the manifest is.
        manifest: The version.
        advance: Told how many rows were read.
    """
    root, digest = Root(manifest.audio_root, fixed=True), Fingerprint()
    with workspace.stream(manifest, _COLUMNS) as batches:
        for batch in batches:
            rows = pa.Table.from_batches([batch])
            located = locate(rows[AUDIO_PATH], root.folder)
            digest += identify(rows, located, root.folder, root)[1].digest
            if advance:
                advance(batch.num_rows)
    return str(digest)
