"""Every format gives the same set, and what cannot be read costs its row."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from asrdq.errors import DataError, UsageError
from asrdq.workspace import ManifestVersion

pytestmark = pytest.mark.slow

EXPECTED = {"a": "red apple", "b": "", "c": "blew plum"}

NEMO = """\
{"audio_filepath": "/audio/x/a.wav", "text": "THE REFERENCE", "pred_text": "red apple"}
{"audio_filepath": "/audio/x/b.wav", "text": "THE REFERENCE", "pred_text": ""}
{"audio_filepath": "/audio/y/c.wav", "text": "THE REFERENCE", "pred_text": "blew plum"}
"""
ARRAY = [
    {"id": "a", "prediction": "red apple", "reference": "THE REFERENCE"},
    {"id": "b", "prediction": ""},
    {"id": "c", "prediction": "blew plum"},
]
FILES: dict[str, str] = {
    "nemo.jsonl": NEMO,
    "ids.jsonl": "".join(json.dumps(row) + "\n" for row in ARRAY),
    "generated.json": json.dumps(
        [{"id": r["id"], "generated_text": r["prediction"]} for r in ARRAY]
    ),
    "pred_str.json": json.dumps(
        [{"id": r["id"], "pred_str": r["prediction"]} for r in ARRAY], indent=1
    ),
    "hyps.csv": 'utt_id,hypothesis,text\na,"red apple",x\nb,,x\nc,blew plum,x\n',
    "hyps.tsv": "path\tprediction\na.wav\tred apple\nb.wav\t\nc.wav\tblew plum\n",
    "hyps.trn": ";; made by hand\nred apple (a)\n(b)\n\nblew plum (c)\n",
    "hyps.ctm": ";; by hand\na 1 0.0 0.4 red 0.5\na 1 0.5 0.3 apple 1.0\n"
    "c 1 0.1 0.2 blew 0.25\nc 1 0.4 0.2 plum 0.25\nb 1 1.0 0.1 zzz 0.1\n",
    "plain.txt": "red apple (a)\n(b)\nblew plum (c)\n",
}


@pytest.mark.parametrize("file", sorted(set(FILES) - {"hyps.ctm"}))
def test_each_format(manifest: ManifestVersion, load: Any, stored: Any, file: str) -> None:
    result = load(manifest, file, FILES[file])
    assert stored() == EXPECTED
    assert (result.ids.clips, result.ids.matched, result.ids.missing, result.ids.extra) == (
        3,
        3,
        0,
        0,
    )
    assert "1 hypotheses are empty" in result.notes


def test_gzip(manifest: ManifestVersion, load: Any, stored: Any) -> None:
    load(manifest, "r1.trn.gz", gzip.compress(FILES["hyps.trn"].encode()))
    assert stored() == EXPECTED


def test_parquet_with_audio_and_confidence(
    manifest: ManifestVersion, load: Any, stored: Any, tmp_path: Path
) -> None:
    rows = pa.table(
        {
            "audio": [{"path": "a.wav", "bytes": b"x"}] * 3,
            "utt_id": ["a", "b", "c"],
            "prediction": pa.array(["red apple", "", "blew plum"], pa.large_string()),
            "confidence": pa.array([0.5, None, 1], pa.float32()),
        }
    )
    pq.write_table(rows, tmp_path / "made.parquet")
    load(manifest, "r1.parquet", (tmp_path / "made.parquet").read_bytes())
    assert stored() == EXPECTED
    assert stored(column="confidence") == {"a": 0.5, "b": None, "c": 1.0}


def test_predictions_beside_audio_with_a_path(
    manifest: ManifestVersion, load: Any, stored: Any, tmp_path: Path
) -> None:
    """As `datasets` writes a map over an audio column: nothing else says whose they are."""
    rows = pa.table(
        {
            "audio": [{"bytes": b"x", "path": f"/audio/{name}.wav"} for name in ("x/a", "x/b")]
            + [{"bytes": None, "path": "/audio/y/c.wav"}],
            "scores": [[0.5], [], None],
            "prediction": ["red apple", "", "blew plum"],
        }
    )
    pq.write_table(rows, tmp_path / "made.parquet")
    result = load(manifest, "r1.parquet", (tmp_path / "made.parquet").read_bytes())
    assert stored() == EXPECTED
    assert result.key == "audio path"


def test_ctm_words_are_put_together_with_their_mean_confidence(
    manifest: ManifestVersion, load: Any, stored: Any
) -> None:
    load(manifest, "r1.ctm", FILES["hyps.ctm"])
    assert stored() == {"a": "red apple", "b": "zzz", "c": "blew plum"}
    assert stored(column="confidence") == {"a": 0.75, "b": 0.1, "c": 0.25}


def test_a_recording_without_words_is_missing_and_not_empty(
    manifest: ManifestVersion, load: Any
) -> None:
    with pytest.raises(DataError, match="1 of 3 clips") as caught:
        load(manifest, "r1.ctm", "a 1 0 1 red\nc 1 0 1 plum\n")
    assert "no hypothesis of 'b'" in str(caught.value)


SEGMENTS = [
    {"audio_filepath": "/audio/call.wav", "text": "one", "duration": 2.0, "offset": 0.0},
    {"audio_filepath": "/audio/call.wav", "text": "two", "duration": 2.0, "offset": 2.0},
    {"audio_filepath": "/audio/call.wav", "text": "three", "duration": 1.0, "offset": 5.0},
]


def test_ctm_words_go_to_the_segment_that_their_middle_lies_in(
    ingest: Any, workspace: Any, load: Any
) -> None:
    manifest = ingest(SEGMENTS)
    words = "call A 1.5 0.4 one\ncall A 1.9 0.4 two\ncall A 3.0 0.5 too\n"
    load(manifest, "r1.ctm", words)
    found = workspace.query(
        "SELECT m.text, h.hypothesis FROM hypotheses h JOIN eval m USING (utt_id) ORDER BY offset_s"
    )
    assert found.to_pylist() == [
        {"text": "one", "hypothesis": "one"},
        {"text": "two", "hypothesis": "two too"},  # its middle is at 2.1 s
        {"text": "three", "hypothesis": ""},
    ]


def test_ctm_words_between_segments_are_named(ingest: Any, load: Any, stored: Any) -> None:
    manifest = ingest(SEGMENTS)
    words = "call A 1.0 0.2 one\ncall A 4.4 0.2 lost\n"
    with pytest.raises(DataError, match="1 of 2 words have no clip") as caught:
        load(manifest, "r1.ctm", words)
    assert "r1.ctm:2: no clip of 'call A 4.5 s lost'" in str(caught.value)
    result = load(manifest, "r1.ctm", words, ids="common")
    assert "1 of 2 words have no clip and are left out" in result.notes
    assert sorted(stored().values()) == ["", "", "one"]


def test_ctm_words_of_overlapping_segments_are_refused(ingest: Any, load: Any) -> None:
    manifest = ingest([*SEGMENTS, {**SEGMENTS[0], "offset": 1.0, "text": "over"}])
    with pytest.raises(DataError, match="1 words lie in more than one segment") as caught:
        load(manifest, "r1.ctm", "call A 0.1 0.2 one\ncall A 1.4 0.2 both\n")
    assert "line 2: 'both'" in str(caught.value)


def test_ctm_channels(ingest: Any, load: Any, stored: Any) -> None:
    words = "call A 0.1 0.2 hello\ncall B 0.5 0.2 hi\n"
    with pytest.raises(DataError, match="several channels") as caught:
        load(ingest(SEGMENTS[:1]), "r1.ctm", words)
    assert "call: channels A, B" in str(caught.value)
    row = SEGMENTS[0]
    sides = [{**row, "utt_id": side, "channel": side} for side in ("A", "B")]
    load(ingest(sides), "r1.ctm", words)
    assert stored() == {"A": "hello", "B": "hi"}
    load(ingest(sides), "r1.ctm", words.replace(" A ", " a "))
    assert stored() == {"A": "hello", "B": "hi"}


def test_ctm_channels_that_differ_by_case_alone(ingest: Any, load: Any, stored: Any) -> None:
    row = SEGMENTS[0]
    sides = [{**row, "utt_id": side, "channel": side} for side in ("a", "A")]
    load(ingest(sides), "r1.ctm", "call A 0.1 0.2 hello\ncall a 0.5 0.2 hi\n")
    assert stored() == {"A": "hello", "a": "hi"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("b 1 * * <ALT_BEGIN>", "a choice without <ALT_END>"),
        ("b 1 * * <ALT>", "<ALT> stands outside"),
        ("b 1 * * <ALT_BEGIN>\nb 1 * * <ALT_END>", "a choice without a word"),
        ("b 1 0.1 0.2 {", "'{' in '{' is no word"),
        ("b 1 0.1 0.2 @", "'@' in '@' is no word"),
        ("b 1 0.1 0.2 A\\S", "is no word"),
        ("b 1 nan 0.2 word", "not seconds"),
        ("b 1 0.1 -1 word", "not seconds"),
        ("b 1 0.1 0.2 word x", "confidence"),
        ("b 1 0.1", "not RECORDING"),
    ],
)
def test_a_bad_ctm_line_voids_its_recording(
    manifest: ManifestVersion, load: Any, stored: Any, line: str, said: str
) -> None:
    text = f"a 1 0 1 red\nb 1 0 1 good\n{line}\nc 1 0 1 plum\n"
    with pytest.raises(DataError, match="1 of 3 clips") as caught:
        load(manifest, "r1.ctm", text)
    assert "r1.ctm:3: bad_line" in str(caught.value) and said in str(caught.value)
    assert "0 of 2 words have no clip" in str(caught.value)
    load(manifest, "r1.ctm", text, ids="common")
    assert stored() == {"a": "red", "c": "plum"}


@pytest.mark.slow
@pytest.mark.parametrize("words", ["th {e/is} is", "a \\{ b", "red @ apple", "@", "{ a b }"])
def test_braces_outside_of_choices_in_trn_are_refused(
    manifest: ManifestVersion, load: Any, words: str
) -> None:
    with pytest.raises(DataError, match="1 of 3 clips") as caught:
        load(manifest, "r1.trn", f"red (a)\n{words} (b)\nplum (c)\n")
    assert "r1.trn:2: bad_line" in str(caught.value)
    assert "no hypothesis of 'b'" in str(caught.value)


def test_an_address_is_no_alternative_in_trn(
    manifest: ManifestVersion, load: Any, stored: Any
) -> None:
    load(manifest, "r1.trn", "me@home (a)\n(uh) well (b)\nx (c)\n")
    assert stored() == {"a": "me@home", "b": "(uh) well", "c": "x"}


def test_ids_of_trn_in_any_case_where_that_is_unambiguous(
    ingest: Any, manifest: ManifestVersion, load: Any, stored: Any
) -> None:
    assert load(manifest, "r1.trn", "x (A)\ny (B)\nz (C)\n").key == "id in any case"
    assert stored() == {"a": "x", "b": "y", "c": "z"}
    twins = ingest([{"utt_id": "s", "audio_filepath": "1.wav", "text": ""},
                    {"utt_id": "S", "audio_filepath": "2.wav", "text": ""},
                    {"utt_id": "t", "audio_filepath": "3.wav", "text": ""}])  # fmt: skip
    with pytest.raises(DataError, match="2 of 3 clips"):
        load(twins, "r1.trn", "x (s)\ny (T)\n")


BAD_LINES = {
    b'{"utt_id": "b", "pred_text": "cut off': "broken_json",
    b'{"utt_id": "b", "pred_text": NaN}': "wrong_type",
    b'{"utt_id": "b", "pred_text": 7}': "wrong_type",
    b'{"utt_id": "b", "pred_text": ["x"]}': "wrong_type",
    b'{"utt_id": "b", "pred_text": "\xff"}': "invalid_utf8",
    b'{"utt_id": "b", "pred_text": "half \\ud800 of it"}': "invalid_utf8",
    b'{"utt_id": null, "pred_text": "whose?"}': "bad_id",
    b'{"utt_id": "b", "pred_text": "x", "confidence": NaN}': "wrong_type",
    b'{"utt_id": "b", "pred_text": "x", "confidence": "high"}': "wrong_type",
    b"[1]": "not_an_object",
}


@pytest.mark.slow
@pytest.mark.parametrize("line", BAD_LINES, ids=lambda line: line.decode("latin-1"))
def test_a_bad_line_costs_its_row_and_is_named(
    manifest: ManifestVersion, workspace: Any, load: Any, stored: Any, line: bytes
) -> None:
    content = b"".join(
        [
            b'{"utt_id": "a", "pred_text": "red"}\n',
            line,
            b'\n{"utt_id": "c", "pred_text": "plum"}\n',
        ]
    )
    with pytest.raises(DataError, match="1 of 3 clips") as caught:
        load(manifest, "r1.jsonl", content)
    assert f"r1.jsonl:2: {BAD_LINES[line]}" in str(caught.value)
    assert "no hypothesis of 'b'" in str(caught.value)
    assert not workspace.table_exists("hypotheses")
    result = load(manifest, "r1.jsonl", content, ids="common")
    assert stored() == {"a": "red", "c": "plum"}
    assert result.rejected == {BAD_LINES[line]: 1}
    assert result.rejects["line"].to_pylist() == [2]


def test_all_problems_at_once(manifest: ManifestVersion, load: Any) -> None:
    with pytest.raises(DataError) as caught:
        load(manifest, "r1.csv", b"utt_id,hyp\na,red\nb,x,y\nc,\xff\nd,x\n")
    said = str(caught.value)
    for part in (
        "r1.csv:3: ragged_row",
        "r1.csv:4: invalid_utf8",
        "of 'b'",
        "of 'c'",
        "r1.csv:5: no clip of 'd'",
    ):
        assert part in said


@pytest.mark.slow
@pytest.mark.parametrize("content", ["", "\n\n", "\ufeff"])
@pytest.mark.parametrize("file", ["r1.jsonl", "r1.csv", "r1.trn", "r1.txt"])
def test_an_empty_file(manifest: ManifestVersion, load: Any, file: str, content: str) -> None:
    with pytest.raises(DataError, match="no hypothesis in it"):
        load(manifest, file, content)


@pytest.mark.parametrize(
    ("file", "content"), [("r.json", "[]"), ("r.csv", "utt_id,hyp\n"), ("r.trn", ";; x\n")]
)
def test_a_file_with_no_row(manifest: ManifestVersion, load: Any, file: str, content: str) -> None:
    with pytest.raises(DataError, match="no hypothesis in it"):
        load(manifest, file, content)


def test_texts_stay_as_they_came(manifest: ManifestVersion, load: Any, stored: Any) -> None:
    texts = {
        "a": " ".join(["word"] * 10_000),
        "b": "\u05e9\u05dc\u05d5\u05dd \u202bעולם\u202c مرحبا",
        "c": "tab\there, bell\x07, line\nend, nul\x00 and \U0001f600",
    }
    content = "".join(json.dumps({"utt_id": k, "hyp": v}) + "\n" for k, v in texts.items())
    load(manifest, "r1.jsonl", content)
    assert stored() == texts


def test_a_file_of_no_known_format(manifest: ManifestVersion, load: Any) -> None:
    with pytest.raises(UsageError, match="not recognised"):
        load(manifest, "r1.txt", "just some words\n")
    with pytest.raises(UsageError, match="did you mean 'jsonl'"):
        load(manifest, "r1.txt", "x", format="jsonlines")


def test_a_file_that_is_not_there(
    manifest: ManifestVersion, workspace: Any, tmp_path: Path
) -> None:
    from asrdq.hypotheses import load_hypotheses

    (tmp_path / "r2.trn").write_text("x (a)\n")
    with pytest.raises(UsageError, match=r"did you mean 'r2\.trn'"):
        load_hypotheses(workspace, manifest, tmp_path / "r1.trn", name="r1")
    with pytest.raises(UsageError, match="is a folder"):
        load_hypotheses(workspace, manifest, tmp_path, name="r1")
