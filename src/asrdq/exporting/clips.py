"""All clips of a manifest converted, each once: in parallel, and resumable."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from asrdq.audio import clip_rows, file_identities
from asrdq.console import Progress, Stage
from asrdq.engine import Outcome, commit_in_pieces, run_tasks
from asrdq.errors import ToolError
from asrdq.exporting.conversion import (
    CONVERTED,
    FILES,
    NOT_WRITTEN,
    Conversion,
    convert,
)
from asrdq.exporting.folder import ExportFolder
from asrdq.exporting.target import AudioTarget

if TYPE_CHECKING:
    from asrdq.workspace import ContentCache, ManifestVersion, Workspace

CACHE = "converted"
LONGEST_S = 1800.0
_COMMIT_EVERY_S = 1.0

Row = dict[str, Any]

_OUTCOMES = pa.schema(
    [("number", pa.uint32()), ("status", pa.string()), ("detail", pa.string()), *FILES]
)
_PLACE = ["file", "offset_s", "segment_s"]


def numbered_clips(workspace: Workspace, manifest: ManifestVersion) -> pl.DataFrame:
    """Return the rows of a manifest as `clip_rows` does; those of one clip share a `number`."""
    rows = clip_rows(workspace, manifest)
    clips = rows.select(_PLACE).unique().sort(_PLACE).with_row_index("number")
    return rows.join(clips, on=_PLACE, how="left", nulls_equal=True, maintain_order="left")


def convert_clips(
    workspace: Workspace,
    rows: pl.DataFrame,
    folder: ExportFolder,
    target: AudioTarget,
    *,
    workers: int,
    stage: Stage,
) -> tuple[pl.DataFrame, int]:
    """Convert every clip that has no file yet.

    Returns:
        The rows with the columns of `FILES`, `status` and `detail`; and how many clips had their
        file before.

    Raises:
        ToolError: A file cannot be written.
    """
    clips = rows.select("number", *_PLACE).unique("number").sort("number")
    cache = workspace.cache(CACHE)
    with stage("convert", clips.height, "clips") as bar:
        known = _known(cache, clips, folder, target)
        bar.skip(known.height)
        left = clips.join(known, on="number", how="anti", maintain_order="left")
        made = _convert(_conversions(left, folder, target), cache, workers, bar)
    outcomes = pl.concat([known, pl.DataFrame(made)])
    joined = rows.join(outcomes, on="number", how="left", maintain_order="left", validate="m:1")
    return joined, known.height


def _conversions(
    clips: pl.DataFrame, folder: ExportFolder, target: AudioTarget
) -> Iterator[Conversion]:
    audio, drafts = str(folder.audio), str(folder.drafts)
    for number, file, offset_s, segment_s in clips.select("number", *_PLACE).iter_rows():
        yield Conversion(file, offset_s, segment_s, target, audio, drafts, number)


def _known(
    cache: ContentCache, clips: pl.DataFrame, folder: ExportFolder, target: AudioTarget
) -> pl.DataFrame:
    """Return the outcomes of clips whose file was made before and is still whole."""
    sources = file_identities(clips["file"])
    keys = [clip.key(sources[clip.source]) for clip in _conversions(clips, folder, target)]
    found = cache.lookup(pa.array(keys, pa.string()))
    files = pl.DataFrame(found.select(FILES.names) if found.num_rows else FILES.empty_table())
    whole = [_is_whole(folder, *row) for row in files.select("name", "size_bytes").iter_rows()]
    return (
        clips.select("number", pl.Series("key", keys, dtype=pl.String))
        .join(files.filter(pl.Series(whole, dtype=pl.Boolean)), on="key")
        .with_columns(pl.lit(CONVERTED).alias("status"), pl.lit(None, pl.String).alias("detail"))
        .select(_OUTCOMES.names)
    )


def _is_whole(folder: ExportFolder, name: str, size_bytes: int) -> bool:
    try:
        return (folder.audio / name).stat().st_size == size_bytes
    except OSError:
        return False


def _convert(
    clips: Iterator[Conversion], cache: ContentCache, workers: int, bar: Progress
) -> pa.Table:
    outcomes = run_tasks(convert, clips, workers=workers, timeout_s=LONGEST_S)
    made = [_OUTCOMES.empty_table()]

    def commit(rows: list[Row]) -> None:
        made.append(pa.Table.from_pylist(rows, schema=_OUTCOMES))
        cache.add(made[-1].filter(pc.field("status") == CONVERTED).select(FILES.names))

    commit_in_pieces(_rows(outcomes, bar), commit, _COMMIT_EVERY_S)
    return pa.concat_tables(made)


def _rows(outcomes: Iterable[Outcome[Conversion, Row]], bar: Progress) -> Iterator[Row]:
    """Give what became of each clip, until nothing more can be written."""
    for outcome in outcomes:
        row = _row(outcome)
        if row["status"] == NOT_WRITTEN:
            raise ToolError(
                f"converted audio cannot be written: {row['detail']}",
                hint="is the disk full? The same command goes on where it stopped",
            )
        bar.advance(1)
        yield {**row, "number": outcome.item.number}


def _row(outcome: Outcome[Conversion, Row]) -> Row:
    if outcome.failure is not None:
        kind = f"conversion_{outcome.failure.kind}"
        return {"status": kind, "detail": outcome.failure.detail}
    assert outcome.value is not None
    return outcome.value
