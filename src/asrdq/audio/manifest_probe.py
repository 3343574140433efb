"""Measuring every clip of a manifest, once: in parallel, cached, and resumable."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Protocol

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from asrdq.audio.clip_probe import OK, Clip, probe_clip
from asrdq.audio.clips import clip_rows
from asrdq.audio.facts import AUDIO_FACTS, MEASURED, PROBE_VERSION
from asrdq.audio.hashing import FileIdentity, file_identities
from asrdq.audio.probe_result import ProbeResult
from asrdq.audio.reasons import AudioReason
from asrdq.engine import Outcome, commit_in_pieces, run_tasks
from asrdq.errors import DataError

if TYPE_CHECKING:
    from asrdq.settings import RaySettings
    from asrdq.workspace import ContentCache, ManifestVersion, Workspace

TABLE = "audio_facts"
CACHE = "probe"
CACHED = pa.schema([("key", pa.string()), *MEASURED])

LONGEST_PROBE_S = 1800.0
_COMMIT_EVERY_S = 1.0

_KEPT = (
    pc.field("status").isin(
        [OK, *(str(reason) for reason in AudioReason if reason is not AudioReason.MISSING)]
    )
    & ~pc.field("size_bytes").is_null()
)
"""What may be cached, of files that have a size: a crash, a missing file or one that could not be
fetched may be otherwise next time."""

Row = dict[str, Any]


class OnClip(Protocol):
    """Told of clips as they are done, for a progress display."""

    def __call__(self, clips: int, audio_s: float | None) -> None:
        """Count clips, with the seconds of audio decoded for them; None: they were known before."""


def _nothing(clips: int, audio_s: float | None) -> None:
    pass


def probe_manifest(
    workspace: Workspace,
    manifest: ManifestVersion,
    *,
    workers: int = 0,
    on_clip: OnClip = _nothing,
    cluster: RaySettings | None = None,
) -> ProbeResult:
    """Measure every clip of a manifest version and write the table `audio_facts`.

    What was measured before is taken from the cache as long as path, size and modification time
    of the file and the segment are the same. Killed at any moment, the same call goes on where
    it stopped. The rows of a former probe of the same content are replaced.

    Args:
        workspace: Where the manifest, the cache and the table are.
        manifest: The version to measure.
        workers: Processes; 0 is one for each core, or as many as the cluster has room for.
        on_clip: Told of progress.
        cluster: The Ray cluster that measures; None: this machine.

    Raises:
        DataError: The manifest has no row.
        UsageError: Some audio lies at addresses of another kind than S3.
        S3Error: Some audio lies on a server that does not answer, or refuses.
    """
    if manifest.rows == 0:
        raise DataError(f"manifest {manifest} has no row", hint="asrdq ingest FILE --name NAME")
    parameters = {"probe_version": PROBE_VERSION, "engine": "ray" if cluster else "local"}
    with workspace.run("probe", manifest, parameters) as run:
        started = time.monotonic()
        clips = _clips(workspace, manifest)
        cache = workspace.cache(CACHE)
        known = _known(cache, clips)
        on_clip(_count(clips, known), None)
        measured = _measure(_open_clips(clips, known), cache, workers, on_clip, cluster)
        facts = _facts(clips, pl.concat([known, measured]), run.run_id)
        superseded = _former_runs(workspace, manifest)
        workspace.replace(TABLE, facts, run_id=[run.run_id, *superseded])
        return ProbeResult(
            run_id=run.run_id,
            manifest=str(manifest),
            fingerprint=manifest.fingerprint,
            wall_s=time.monotonic() - started,
            decoded=len(measured),
            decoded_s=float(measured["duration_s"].sum() or 0.0),
            facts=facts,
        )


def _former_runs(workspace: Workspace, manifest: ManifestVersion) -> list[str]:
    found = workspace.query(
        "SELECT DISTINCT run_id FROM runs WHERE command = 'probe' AND manifest = $name "
        "AND fingerprint = $fingerprint",
        {"name": manifest.name, "fingerprint": manifest.fingerprint},
    )
    run_ids: list[str] = found["run_id"].to_pylist()
    return run_ids


def _clips(workspace: Workspace, manifest: ManifestVersion) -> pl.DataFrame:
    """Return one row a clip, ordered by `utt_id`, with its file, segment and cache key."""
    rows = clip_rows(workspace, manifest)
    known = file_identities(rows["file"])
    keys = [
        _key(known[file], file, *part)
        for file, *part in rows.select("file", "offset_s", "segment_s").iter_rows()
    ]
    return rows.with_columns(pl.Series("key", keys, dtype=pl.String))


def _key(
    identity: FileIdentity | None, file: str, offset_s: float, duration_s: float | None
) -> str:
    """Return what facts are cached under: the file as it is now, the segment, the measures."""
    parts = (PROBE_VERSION, identity, file, offset_s, duration_s)
    return hashlib.blake2b(repr(parts).encode(), digest_size=16).hexdigest()


def _known(cache: ContentCache, clips: pl.DataFrame) -> pl.DataFrame:
    found = cache.lookup(clips["key"].unique().to_arrow())
    table = found.select(CACHED.names).cast(CACHED) if found.num_rows else CACHED.empty_table()
    return pl.DataFrame(table)


def _count(clips: pl.DataFrame, known: pl.DataFrame) -> int:
    return clips.join(known, on="key", how="semi").height


def _open_clips(clips: pl.DataFrame, known: pl.DataFrame) -> Iterator[Clip]:
    left = clips.join(known, on="key", how="anti").unique("key", maintain_order=True)
    for row in left.select("file", "offset_s", "segment_s", "key").iter_rows():
        yield Clip(*row)


def _measure(
    clips: Iterator[Clip],
    cache: ContentCache,
    workers: int,
    on_clip: OnClip,
    cluster: RaySettings | None,
) -> pl.DataFrame:
    """Measure what is not known."""
    outcomes = run_tasks(
        probe_clip, clips, workers=workers, timeout_s=LONGEST_PROBE_S, cluster=cluster
    )
    measured = [CACHED.empty_table()]

    def commit(rows: list[Row]) -> None:
        measured.append(pa.Table.from_pylist(rows, schema=CACHED))
        cache.add(measured[-1].filter(_KEPT))

    commit_in_pieces(_rows(outcomes, on_clip), commit, _COMMIT_EVERY_S)
    return pl.DataFrame(pa.concat_tables(measured))


def _rows(outcomes: Iterable[Outcome[Clip, Row]], on_clip: OnClip) -> Iterator[Row]:
    for outcome in outcomes:
        row = _row(outcome)
        on_clip(1, row.get("duration_s") or 0.0)
        yield {"key": outcome.item.key, **row}


def _row(outcome: Outcome[Clip, Row]) -> Row:
    if outcome.failure is not None:
        kind = f"probe_{outcome.failure.kind}"
        return {"status": kind, "detail": outcome.failure.detail}
    assert outcome.value is not None
    return outcome.value


def _facts(clips: pl.DataFrame, measured: pl.DataFrame, run_id: str) -> pa.Table:
    """Join the clips with what was measured, and find equal audio."""
    stated = clips.rename({"duration_s": "manifest_duration_s"})
    difference = pl.col("duration_s") - pl.col("manifest_duration_s")
    first = pl.col("utt_id").first().over("audio_hash")
    repeated = pl.col("audio_hash").is_not_null() & (pl.col("utt_id") != first)
    facts = (
        stated.join(measured, on="key", how="left", validate="m:1")
        .sort("utt_id")
        .with_columns(
            pl.lit(run_id).alias("run_id"),
            difference.alias("duration_difference_s"),
            pl.when(repeated).then(first).alias("duplicate_of"),
        )
    )
    return facts.select(AUDIO_FACTS.names).to_arrow().cast(AUDIO_FACTS)
