"""Manifests from queries: content, lineage, checks, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest

from asrdq.errors import DataError, UsageError
from asrdq.versions import derive_manifest, manifest_history
from asrdq.workspace import ManifestVersion, Parent, Workspace

pytestmark = pytest.mark.slow

Ingest = Callable[..., ManifestVersion]
Clip = Callable[..., dict[str, Any]]


@pytest.fixture
def train(ingest: Ingest, clip: Clip) -> ManifestVersion:
    """Four clips of one hour, with columns of several types."""
    return ingest(clip(name, take=n, words=[name]) for n, name in enumerate("abcd"))


def test_rows_audited_bad_are_left_out(workspace: Workspace, train: ManifestVersion) -> None:
    workspace.append("audits", pa.table({"utt_id": ["b", "c"], "low_quality": [True, False]}))
    query = "SELECT * FROM train ANTI JOIN (FROM audits WHERE low_quality) USING (utt_id)"
    result = derive_manifest(workspace, "train_clean", query)
    assert result.new_version
    assert workspace.scan(result.manifest)["utt_id"].to_pylist() == ["a", "c", "d"]
    assert result.manifest.columns == train.columns
    assert result.manifest.audio_root == train.audio_root
    assert (result.manifest.rows, result.manifest.hours) == (3, 3.0)
    lineage = workspace.manifest("train_clean").lineage
    assert lineage == result.lineage
    assert lineage is not None
    assert lineage.query == query
    assert lineage.parents == (
        Parent("train", 0, train.fingerprint, 0, 0.0, lost_rows=1, lost_hours=1.0, changed_rows=0),
    )
    assert lineage.tables == {"audits": 0}
    assert "-1 rows (-1.00 h)" in result.summary()
    assert json.loads(result.to_json())["lineage"]["parents"][0]["lost_rows"] == 1


def test_the_same_rows_have_the_same_fingerprint(
    workspace: Workspace, train: ManifestVersion
) -> None:
    copy = derive_manifest(workspace, "copy", "SELECT * FROM train ORDER BY utt_id DESC").manifest
    assert copy.fingerprint == train.fingerprint


def test_the_same_content_again_makes_no_version(
    workspace: Workspace, train: ManifestVersion
) -> None:
    query = "SELECT * FROM train WHERE take < 2"
    first = derive_manifest(workspace, "few", query)
    again = derive_manifest(workspace, "few", query)
    assert (first.new_version, again.new_version) == (True, False)
    assert again.manifest == first.manifest
    other = derive_manifest(workspace, "few", query.replace("2", "3"))
    assert other.manifest.version == 1


def test_parents_are_exactly_what_the_query_reads(
    workspace: Workspace, train: ManifestVersion, ingest: Ingest, clip: Clip
) -> None:
    later = ingest([clip("a", take=0), clip("z", take=9)])
    ingest([clip("q")], "dev")
    query = """
        WITH dev AS (SELECT * FROM "train@0" WHERE text <> 'audits train_clean')
        SELECT utt_id, audio_path, text, duration_s, take FROM dev
        UNION SELECT utt_id, audio_path, text, duration_s, take FROM train
    """
    lineage = derive_manifest(workspace, "all", query).lineage
    assert [str(parent) for parent in lineage.parents] == ["train@0", "train@1"]
    gained = [(parent.gained_rows, parent.lost_rows) for parent in lineage.parents]
    assert gained == [(1, 0), (3, 0)]
    assert lineage.parents[1].fingerprint == later.fingerprint
    assert lineage.tables == {}


def test_a_manifest_may_be_its_own_parent(workspace: Workspace, train: ManifestVersion) -> None:
    made = derive_manifest(workspace, "train", "SELECT * FROM train WHERE utt_id <> 'a'").manifest
    assert str(made) == "train@1"
    assert made.lineage is not None
    assert [str(parent) for parent in made.lineage.parents] == ["train@0"]


def test_changed_values_and_new_columns(workspace: Workspace, train: ManifestVersion) -> None:
    query = 'SELECT * REPLACE (upper(text) AS text), take * 2 AS "two takes" FROM train'
    result = derive_manifest(workspace, "loud", query)
    assert result.lineage.parents[0].changed_rows == 4
    assert result.manifest.renamed == {"two_takes": "two takes"}
    rows = workspace.scan(result.manifest).to_pylist()
    assert [(row["text"], row["two_takes"], row["words"]) for row in rows[:2]] == [
        ("WORDS OF A", 0, ["a"]),
        ("WORDS OF B", 2, ["b"]),
    ]


def test_columns_that_the_query_does_not_give(workspace: Workspace, train: ManifestVersion) -> None:
    result = derive_manifest(workspace, "bare", "SELECT utt_id, audio_path FROM train")
    assert result.notes == (
        "the query gives no text, duration_s, offset_s, language, speaker: nothing is known of it",
    )
    assert result.manifest.hours == 0.0


def test_relative_paths_of_several_roots_become_absolute(
    workspace: Workspace, ingest: Ingest, clip: Clip
) -> None:
    ingest([clip("a", audio_filepath="1/a.wav")], "one", root="/data/one")
    ingest([clip("b", audio_filepath="/data/two/b.wav"), clip("c", audio_filepath="s3://x/c")],
           "two", root="/data/two")  # fmt: skip
    result = derive_manifest(workspace, "both", "FROM one UNION ALL FROM two")
    paths = workspace.scan(result.manifest)["audio_path"].to_pylist()
    assert sorted(paths) == ["/data/one/1/a.wav", "/data/two/b.wav", "s3://x/c"]
    assert result.manifest.audio_root == "/data"
    assert "different audio roots: it is /data now" in result.notes[0]


def test_unfit_rows_are_rejected_as_in_an_ingest(
    workspace: Workspace, train: ManifestVersion
) -> None:
    query = """
        SELECT * REPLACE (CASE utt_id WHEN 'b' THEN 0/0::DOUBLE ELSE duration_s END AS duration_s,
            CASE utt_id WHEN 'c' THEN NULL ELSE audio_path END AS audio_path) FROM train
        UNION ALL SELECT * REPLACE (2.5 AS duration_s) FROM train WHERE utt_id = 'a'
    """
    with pytest.raises(DataError, match=r"3 of 5 rows \(60.0%\) were rejected"):
        derive_manifest(workspace, "odd", query)
    assert "odd" not in workspace.manifests()
    result = derive_manifest(workspace, "odd", query, max_reject_share=0.6)
    reasons = {"nan_duration": 1, "missing_audio_path": 1, "duplicate_id": 1}
    assert result.rejected == reasons
    stored = workspace.read("rejects", f"run_id = '{result.run_id}'")
    assert sorted(stored["line"].to_pylist()) == [2, 3, 5]
    assert set(stored["file"].to_pylist()) == {"query"}
    assert workspace.scan(result.manifest)["utt_id"].to_pylist() == ["a", "d"]


def test_an_empty_outcome_is_an_error(workspace: Workspace, train: ManifestVersion) -> None:
    with pytest.raises(DataError, match="empty"):
        derive_manifest(workspace, "none", "SELECT * FROM train WHERE false")
    assert workspace.manifests() == ["train"]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("SELECT utt_id FROM train", "gives no column audio_path"),
        ("SELECT 1 AS n FROM train", r"(?s)no column utt_id.*no column audio_path"),
        ("SELECT * REPLACE ('1' AS duration_s) FROM train", r"CAST\(duration_s AS DOUBLE\)"),
        ("SELECT * REPLACE (1 AS text) FROM train", r"CAST\(text AS VARCHAR\)"),
        ("SELECT *, 1::HUGEINT AS h FROM train", r"CAST\(h AS DOUBLE\)"),
        ("SELECT *, TIME '10:00' AS t FROM train", r"CAST\(t AS VARCHAR\)"),
        ("SELECT *, TIMESTAMP_NS '2026-01-01' AS t FROM train", r"CAST\(t AS VARCHAR\)"),
        ("SELECT *, 'new' AS text FROM train", r"gives text 2 times: write \* REPLACE"),
        ("SELECT *, 'new' AS Text FROM train", r"gives text 2 times"),
        ("FROM train a JOIN train b ON a.utt_id = b.utt_id", r"gives utt_id 2 times"),
        ("SELECT 'a' AS utt_id, 'b' AS audio_path", "reads no manifest"),
        ("SELECT nope FROM train", "unknown column 'nope'"),
        ("FROM trian", "did you mean 'train'"),
        ("FROM train; FROM train", "one statement at a time"),
        ("COPY train TO '/tmp/x'", "only reads"),
        ("FROM read_parquet('/etc/*')", "cannot reach files"),
        ("SELECT *, $n AS n FROM train", r"\$n has no value"),
    ],
)
def test_queries_that_make_no_manifest(
    workspace: Workspace, train: ManifestVersion, query: str, message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        derive_manifest(workspace, "other", query)
    assert workspace.manifests() == ["train"]


@pytest.mark.parametrize("name", ["runs", "tags", "Other", "a@1"])
def test_names_are_those_of_manifests(
    workspace: Workspace, train: ManifestVersion, name: str
) -> None:
    with pytest.raises(UsageError):
        derive_manifest(workspace, name, "FROM train")


def test_history_shows_where_versions_came_from(
    workspace: Workspace, train: ManifestVersion, ingest: Ingest, clip: Clip
) -> None:
    query = "SELECT * FROM train WHERE utt_id <> 'a'"
    derive_manifest(workspace, "train", query)
    ingest([clip("b", text="new", take=1, words=["b"]), clip("x", take=7, words=["x"])])
    found = manifest_history(workspace, "train")
    rows = found.arrow().to_pylist()
    assert [row["version"] for row in rows] == ["train@2", "train@1", "train@0"]
    assert [row["made_by"] for row in rows] == ["ingest", "derive", "ingest"]
    counts = [[row[f"{w}_rows"] for w in ("added", "removed", "changed")] for row in rows]
    assert counts == [[1, 2, 1], [0, 1, 0], [None, None, None]]
    assert rows[1]["origin"] == ["train@0 +0 rows (+0.00 h) -1 rows (-1.00 h)", query]
    assert rows[0]["origin"][0].endswith("train.jsonl")
    assert query in found.summary()


def test_history_leaves_out_what_would_take_long(
    workspace: Workspace, ingest: Ingest, clip: Clip
) -> None:
    for count in (1, 2, 3):
        ingest(clip(name) for name in "abc"[:count])
    found = manifest_history(workspace, "train", compared_rows=5)
    assert [entry.changes is not None for entry in found.entries] == [True, False, False]
    with pytest.raises(UsageError, match="unknown manifest"):
        manifest_history(workspace, "trian")
