"""The rows of a manifest as clips: the file of each, and where in it the clip lies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import polars as pl

from asrdq.audio.reachable import check_reachable
from asrdq.audio.segment import clip_segment

if TYPE_CHECKING:
    from asrdq.workspace import ManifestVersion, Workspace


def clip_rows(
    workspace: Workspace, manifest: ManifestVersion, more: Sequence[str] = ()
) -> pl.DataFrame:
    """Return one row a clip, ordered by `utt_id`.

    Columns: `utt_id`, `audio_path` and `duration_s` as the manifest has them, those of `more`,
    `file` on this machine, and `offset_s` and `segment_s` as `clip_segment` gives them.

    Raises:
        UsageError: Some audio lies at addresses of a kind that is not read.
        S3Error: Audio lies on a server that cannot be reached or refuses.
    """
    wanted = ["utt_id", "audio_path", "duration_s", "offset_s", *more]
    rows = pl.DataFrame(workspace.scan(manifest, wanted)).sort("utt_id")
    files = [workspace.audio_file(manifest, path) for path in rows["audio_path"]]
    check_reachable(files)
    segments = [clip_segment(*row) for row in rows.select("offset_s", "duration_s").iter_rows()]
    return rows.with_columns(
        pl.Series("file", files, dtype=pl.String),
        pl.Series("offset_s", [offset_s for offset_s, _ in segments], dtype=pl.Float64),
        pl.Series("segment_s", [length_s for _, length_s in segments], dtype=pl.Float64),
    )
