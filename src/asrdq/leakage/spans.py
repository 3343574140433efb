"""The same audio, overlapping segments and repeated transcripts, found in one join."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from asrdq.leakage.matches import MATCHES, Compared
from asrdq.leakage.plan import BY_FILE, Kind
from asrdq.leakage.recordings import Files, content_of, find_files
from asrdq.workspace.sql import connection, select_from

if TYPE_CHECKING:
    from asrdq.console import Stage
    from asrdq.workspace import ManifestVersion, Workspace

_EDGE_S = 0.001
"""Segments whose ends differ by no more are the same."""
_TOUCH_S = 0.01
"""Segments that share no more do not overlap."""

# The text is compared as `words.normalised` has it, but for rare compatibility characters.
_SEGMENTS = """
    SELECT utt_id, recording, coalesce(offset_s, 0) AS start_s,
        coalesce(offset_s, 0) + coalesce(duration_s, 'infinity'::DOUBLE) AS end_s,
        trim(regexp_replace(lower(nfc_normalize(text)), '[^\\p{{L}}\\p{{M}}\\p{{N}}]+', ' ', 'g'))
            AS words
    FROM ({rows}) JOIN {recordings} USING (audio_path)
"""
_PAIRS = """
    SELECT asked.utt_id, other.utt_id AS other_utt_id,
        least(asked.end_s, other.end_s) - greatest(asked.start_s, other.start_s) AS shared_s,
        asked.end_s - asked.start_s AS length_s,
        abs(asked.start_s - other.start_s) <= {edge}
            AND (asked.end_s = other.end_s OR abs(asked.end_s - other.end_s) <= {edge}) AS same,
        asked.words = other.words AND asked.words <> '' AS same_words
    FROM ({asked}) asked JOIN ({other}) other USING (recording)
    WHERE NOT {within} OR asked.utt_id <> other.utt_id
"""
_HASHED = """
    SELECT asked.utt_id, other.utt_id, NULL, NULL, true, false
    FROM facts_asked asked JOIN facts_other other USING (audio_hash)
    WHERE NOT {within} OR asked.utt_id <> other.utt_id
"""
_KINDS = {
    Kind.AUDIO: ("same", "1.0", "NULL"),
    Kind.OVERLAP: (
        f"NOT same AND shared_s > {_TOUCH_S}",
        "CASE WHEN isinf(length_s) THEN NULL ELSE least(1.0, shared_s / length_s) END",
        "printf('%.2f s', shared_s)",
    ),
    Kind.TRANSCRIPT: ("same_words AND NOT same", "1.0", "NULL"),
}
"""Condition, similarity and detail of a pair of each kind."""

_FACTS = """
    SELECT utt_id, any_value(audio_hash) AS audio_hash FROM audio_facts
    WHERE audio_hash IS NOT NULL AND run_id IN (
        SELECT run_id FROM runs WHERE command = 'probe' AND fingerprint = $fingerprint)
    GROUP BY utt_id
"""
_FACT_COLUMNS = pa.schema([("utt_id", pa.string()), ("audio_hash", pa.string())])


def shared_audio(
    workspace: Workspace,
    train: ManifestVersion,
    evaluation: ManifestVersion,
    stage: Stage,
) -> Compared:
    """Compare the recordings of a training manifest with those of an evaluation manifest."""
    with stage("audio", train.rows + evaluation.rows, "rows") as bar:
        asked = find_files(workspace, evaluation, None, bar.advance)
        other = find_files(workspace, train, asked, bar.advance)
    return _compare(workspace, evaluation, train, asked, other, stage)


def repeated_audio(workspace: Workspace, manifest: ManifestVersion, stage: Stage) -> Compared:
    """Compare the recordings of one manifest with each other."""
    with stage("audio", manifest.rows, "rows") as bar:
        files = find_files(workspace, manifest, None, bar.advance)
    return _compare(workspace, manifest, manifest, files, files, stage)


def _compare(
    workspace: Workspace,
    evaluation: ManifestVersion,
    train: ManifestVersion,
    asked: Files,
    other: Files,
    stage: Stage,
) -> Compared:
    facts = [_facts(workspace, manifest) for manifest in (evaluation, train)]
    probed = facts[0].num_rows == evaluation.rows and facts[1].num_rows == train.rows
    by_bytes = not probed or any(_has_segments(workspace, each) for each in (evaluation, train))
    content = content_of(workspace, [asked, other], stage) if by_bytes else {}
    within = str(evaluation == train).lower()
    segments = [
        _SEGMENTS.format(
            rows=select_from(workspace.store, manifest.table, manifest.version)[0],
            recordings=name,
        )
        for manifest, name in ((evaluation, "asked_files"), (train, "other_files"))
    ]
    pairs = _PAIRS.format(asked=segments[0], other=segments[1], edge=_EDGE_S, within=within)
    hashed = _HASHED.format(within=within)
    matches, touched = [MATCHES.empty_table()], {}
    with connection(workspace.store, ()) as (database, _):
        database.register("asked_files", asked.recordings(content))
        database.register("other_files", other.recordings(content))
        database.register("facts_asked", facts[0])
        database.register("facts_other", facts[1])
        database.execute(
            f"CREATE TEMP TABLE pairs AS SELECT * FROM ({pairs}) "
            f"WHERE same OR same_words OR shared_s > {_TOUCH_S} UNION ALL {hashed}"
        )
        for kind, (condition, similarity, detail) in _KINDS.items():
            best = _BEST.format(
                kind=kind, condition=condition, similarity=similarity, detail=detail
            )
            matches.append(database.sql(best).to_arrow_table().cast(MATCHES))
            [[touched[str(kind)]]] = database.sql(
                f"SELECT count(DISTINCT other_utt_id) FROM pairs WHERE {condition}"
            ).fetchall()
    gaps, notes = _unsure(asked, other, by_bytes, probed)
    return Compared(pa.concat_tables(matches), touched, gaps, notes)


def _unsure(
    asked: Files, other: Files, by_bytes: bool, probed: bool
) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return by kind what could not be compared, and what to know of how it was compared."""
    unread = asked.missing + (other.missing if other is not asked else 0) if by_bytes else 0
    gap = f"{unread:,} audio files cannot be read"
    gaps = {str(kind): gap for kind in BY_FILE} if unread else {}
    if probed:
        return gaps, ()
    if asked.kinds.isdisjoint(other.kinds):
        sides = " and ".join(", ".join(sorted(each.kinds)) for each in (asked, other))
        gaps.setdefault(
            str(Kind.AUDIO), f"the bytes of {sides} files tell nothing: asrdq probe both manifests"
        )
    return gaps, ("audio was compared by the bytes of files: after asrdq probe, by its samples",)


_BEST = """
    SELECT '{kind}' AS kind, utt_id, other_utt_id, others, similarity, detail FROM (
        SELECT utt_id, other_utt_id, {similarity} AS similarity, {detail} AS detail,
            count(DISTINCT other_utt_id) OVER (PARTITION BY utt_id) AS others
        FROM pairs WHERE {condition})
    QUALIFY row_number() OVER
        (PARTITION BY utt_id ORDER BY similarity DESC NULLS LAST, other_utt_id) = 1
"""


def _has_segments(workspace: Workspace, manifest: ManifestVersion) -> bool:
    """Return whether a row is a part of a recording, so that bytes tell which ones overlap."""
    with workspace.stream(manifest, ["utt_id"], "offset_s IS NOT NULL") as reader:
        return any(batch.num_rows for batch in reader)


def _facts(workspace: Workspace, manifest: ManifestVersion) -> pa.Table:
    """Return what a probe of exactly this content found: the hash of each clip's samples."""
    if not workspace.table_exists("audio_facts"):
        return _FACT_COLUMNS.empty_table()
    found = workspace.query(_FACTS, {"fingerprint": manifest.fingerprint})
    return found.cast(_FACT_COLUMNS)
