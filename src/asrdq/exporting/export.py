"""`asrdq export --audio`: a folder with converted audio and a manifest that names it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import polars as pl
import pyarrow as pa

from asrdq.audio import MODEL_RATE, nothing_readable
from asrdq.console import Stage, silent
from asrdq.errors import DataError, Problem, UsageError
from asrdq.exporting.clips import convert_clips, numbered_clips
from asrdq.exporting.conversion import CONVERTED
from asrdq.exporting.converted import Converted
from asrdq.exporting.folder import ExportFolder
from asrdq.exporting.target import AudioTarget
from asrdq.manifests.export import ExportResult, refuse_source, write_rows
from asrdq.manifests.formats.destination import Destination
from asrdq.manifests.formats.lhotse import LhotseFormat
from asrdq.manifests.formats.registry import find_writable
from asrdq.manifests.rewriting import Rewriting, refuse_names
from asrdq.results import Result
from asrdq.workspace.files import whole_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from asrdq.manifests.formats.protocol import WritableFormat
    from asrdq.workspace import ManifestVersion, Workspace

DIFFERS_S = 0.1
_EXAMPLES = 5
_FAILED = ("utt_id", "audio_path", "file", "offset_s", "segment_s", "status", "detail")


@dataclass(frozen=True)
class AudioExportResult(Result):
    """A written manifest with converted audio.

    Attributes:
        written: The manifest file, with its rows.
        folder: The folder of manifest and audio.
        audio: What the audio was converted to.
        hours: Duration of the rows that were written.
        converted: Clips that were converted now.
        known: Clips that had their file before.
        failed: The rows that are left out: `utt_id`, `audio_path`, `file`, `offset_s`,
            `segment_s`, `status` (the reason) and `detail`.
        failures: The file that lists them, a JSON object a line.
        notes: What else a person should know.
        run_id: The run.
    """

    main_table: ClassVar[str] = "failed"

    written: ExportResult
    folder: str
    audio: str
    hours: float
    converted: int
    known: int
    failed: pa.Table
    failures: str
    notes: tuple[str, ...]
    run_id: str

    def reasons(self) -> dict[str, int]:
        """Return the number of rows that are left out by reason, the most frequent first."""
        return _reasons(self.pl())

    def summary(self) -> str:
        """Return what was written where, and how much of it was converted now."""
        before = f", {self.known:,} were converted before" if self.known else ""
        return (
            f"{self.written.summary()}\n"
            f"  {self.hours:,.2f} h of {self.audio} audio in {self.folder}/audio: "
            f"{self.converted:,} clips converted{before}"
        )


def export_audio(
    workspace: Workspace,
    manifest: ManifestVersion,
    format_name: str,
    folder: Path,
    target: AudioTarget,
    *,
    relative: bool = False,
    rewriting: Rewriting | None = None,
    max_failed_share: float | None = None,
    workers: int = 0,
    stage: Stage = silent,
) -> AudioExportResult:
    """Convert the audio of a manifest version and write a manifest that names the new files.

    A row with an offset becomes a file of its own without one; rows that share a whole file, or
    whose samples are the same, share the converted file. What was converted before is not
    converted again as long as path, size and modification time of the source and the segment are
    the same. Killed at any moment, the same call goes on where it stopped.

    Args:
        workspace: Where the manifest is kept.
        manifest: The version.
        format_name: Name of the format.
        folder: A folder that is new or empty, or that a former call made.
        target: What the audio becomes.
        relative: Write audio paths relative to the folder.
        rewriting: How the new paths are rewritten for another machine.
        max_failed_share: Fail above this share of rows whose audio cannot be converted; by
            default the setting `ingest.max_reject_share`.
        workers: Number of processes; 0 is one for each core.
        stage: Shows progress.

    Raises:
        DataError: The manifest has no row, or too many clips cannot be converted: no manifest is
            written then. Or as for `export_manifest`.
        UsageError: The folder cannot be taken, the format holds no paths, some audio lies at
            addresses of another kind than S3; or as for `export_manifest`.
        S3Error: Audio lies on a server that cannot be reached, or refuses.
        ToolError: A file cannot be written.
    """
    form, place = find_writable(format_name), ExportFolder(folder)
    out = place.path / f"{manifest.name}{form.suffix}"
    _check_asked(manifest, form, place, out, relative, rewriting)
    if max_failed_share is None:
        max_failed_share = workspace.settings.ingest.max_reject_share
    parameters = {"audio": str(target), "format": form.name, "folder": str(place.path)}
    rows = numbered_clips(workspace, manifest)
    with (
        place.held(rows["file"]),
        workspace.run("export", manifest, parameters) as run,
    ):
        rows, known = convert_clips(workspace, rows, place, target, workers=workers, stage=stage)
        made = rows.filter(pl.col("status") == CONVERTED)
        failed = rows.filter(pl.col("status") != CONVERTED).select(_FAILED)
        _list(failed, place.failures(manifest.name))
        _check_share(failed, rows.height, max_failed_share, place, manifest)
        clips = Converted(
            made,
            "audio/" if relative else f"{place.audio}/",
            recordings=isinstance(form, LhotseFormat),
        )
        destination = Destination(out, replaces=True)
        written = write_rows(workspace, manifest, form, clips, destination, rewriting, stage)
        return AudioExportResult(
            written=written,
            folder=str(place.path),
            audio=str(target),
            hours=float(made["samples"].sum()) / MODEL_RATE / 3600,
            converted=made["number"].n_unique() - known,
            known=known,
            failed=failed.to_arrow(),
            failures=str(place.failures(manifest.name)),
            notes=(*written.notes, *_notes(made, manifest)),
            run_id=run.run_id,
        )


def _check_asked(
    manifest: ManifestVersion,
    form: WritableFormat,
    place: ExportFolder,
    out: Path,
    relative: bool,
    rewriting: Rewriting | None,
) -> None:
    """Refuse what cannot be done before anything is converted."""
    refuse_names(form, "--audio")
    if relative and rewriting is not None:
        raise UsageError("relative paths have no prefix to map", hint="leave --relative out")
    for file in (out, place.failures(manifest.name)):
        refuse_source(file, manifest)
    if rewriting is not None:
        _check_covered(place, rewriting)
    if manifest.rows == 0:
        raise DataError(f"manifest {manifest} has no row", hint="asrdq ingest FILE --name NAME")


def _check_covered(place: ExportFolder, rewriting: Rewriting) -> None:
    """Refuse a map that leaves out the new files."""
    if not rewriting.keep_unmapped and rewriting.path_map.find(f"{place.audio}/x") is None:
        raise UsageError(
            f"the new audio will be in {place.audio}, which has none of the mapped prefixes",
            hint=f"--map {place.path}=/where/it/is/there",
        )


def _list(failed: pl.DataFrame, file: Path) -> None:
    with whole_file(file) as out:
        for row in failed.iter_rows(named=True):
            out.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")


def _check_share(
    failed: pl.DataFrame, rows: int, limit: float, place: ExportFolder, manifest: ManifestVersion
) -> None:
    share = failed.height / rows
    if failed.height < rows and share <= limit:
        return
    listed = place.failures(manifest.name)
    counts = ", ".join(f"{count:,} × {reason}" for reason, count in _reasons(failed).items())
    if failed.height == rows and set(failed["status"]) == {"missing_audio"}:
        raise nothing_readable(rows, str(manifest))
    raise DataError(
        f"{failed.height:,} of {rows:,} rows ({share:.1%}) have audio that cannot be converted, "
        f"the limit is {limit:.1%}: no manifest was written ({counts})",
        problems=[
            Problem(f"{row['status']}: {row['detail']}", row["file"])
            for row in failed.head(_EXAMPLES).to_dicts()
        ],
        hint=f"see them all in {listed}; --max-reject-share lets more of them go",
    )


def _reasons(failed: pl.DataFrame) -> dict[str, int]:
    return dict(failed["status"].value_counts(sort=True).iter_rows())


def _notes(made: pl.DataFrame, manifest: ManifestVersion) -> Iterator[str]:
    clips = made.unique("number")
    if mixed := clips.filter(pl.col("channels") > 1).height:
        beside = " (the column channel is not looked at)" if "channel" in manifest.columns else ""
        yield f"{mixed:,} clips have several channels: their mean is written{beside}"
    if loud := clips.filter(pl.col("clipped") > 0).height:
        yield f"{loud:,} clips have samples beyond full scale, which are held at it"
    apart = (pl.col("samples") / MODEL_RATE - pl.col("duration_s")).abs()
    if differing := made.filter(apart > DIFFERS_S).height:
        yield (
            f"{differing:,} rows stated a duration that is more than {DIFFERS_S:g} s off: the "
            "manifest has that of the audio"
        )
    cut = made.filter((pl.col("offset_s") > 0) | pl.col("segment_s").is_not_null()).height
    if cut:
        yield f"{cut:,} rows are segments: each is a file of its own now, without an offset"
