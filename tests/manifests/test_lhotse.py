"""Lhotse: what cuts and supervisions mean as rows, checked on its own test manifests."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from asrdq.errors import DataError, UsageError
from asrdq.manifests.export import export_manifest
from asrdq.workspace import Workspace


def recording(name: str, **fields: Any) -> dict[str, Any]:
    """A recording of ten seconds in one file."""
    source = {"type": "file", "channels": [0], "source": f"{name}.wav"}
    facts = {"sampling_rate": 16000, "num_samples": 160000, "duration": 10.0}
    return {"id": name, "sources": [source], **facts, **fields}


def words(utt_id: str, start: float, duration: float, **fields: Any) -> dict[str, Any]:
    """A supervision of the recording `r`."""
    times = {"start": start, "duration": duration, "channel": 0}
    return {"id": utt_id, "recording_id": "r", **times, "text": f"text of {utt_id}", **fields}


def cut(utt_id: str, start: float, duration: float, **fields: Any) -> dict[str, Any]:
    """A cut of the recording `r`."""
    times = {"start": start, "duration": duration, "channel": 0}
    about = {"supervisions": [], "recording": recording("r"), "type": "MonoCut"}
    return {"id": utt_id, **times, **about, **fields}


def write_lines(file: Path, *objects: Any) -> Path:
    """Write objects as JSON lines, compressed where the name says so."""
    content = "".join(json.dumps(item) + "\n" for item in objects).encode()
    file.write_bytes(gzip.compress(content) if file.suffix == ".gz" else content)
    return file


def test_cuts_of_each_kind(ingest: Any, tmp_path: Path) -> None:
    command = {"type": "command", "channels": [0], "source": f"touch {tmp_path}/ran |"}
    file = write_lines(
        tmp_path / "cuts.jsonl",
        cut("whole", 0, 10.0),
        cut("part", 2, 3, supervisions=[words("s", 0, 3, speaker="p", custom={"snr": 5})]),
        cut("two", 1, 8, supervisions=[words("x", 0.5, 1), words("y", 2, 2)], custom={"take": 2}),
        cut("mixed", 0, 1, type="MixedCut"),
        cut("none", 0, 1, recording=None),
        cut("command", 0, 1, recording=recording("c", sources=[command])),
        cut("fast", 0, 1, recording=recording("f", transforms=[{"name": "Speed"}])),
        cut("odd", "0", 1),
        ["no object"],
    )
    result, rows = ingest(file)
    assert result.formats == {str(file): "lhotse"}
    found = [(row["line"], row["reason"]) for row in result.rejects.to_pylist()]
    assert found == [
        (4, "not_a_clip"),
        (5, "not_a_clip"),
        (6, "command_pipe"),
        (7, "not_a_clip"),
        (8, "wrong_type"),
        (9, "not_an_object"),
    ]
    assert not (tmp_path / "ran").exists()
    columns = ("utt_id", "offset_s", "duration_s", "text", "snr", "take")
    assert [tuple(row.get(c) for c in columns) for row in rows] == [
        ("whole", None, 10.0, "", None, None),
        ("part", 2.0, 3.0, "text of s", 5, None),
        ("x", 1.5, 1.0, "text of x", None, 2),
        ("y", 3.0, 2.0, "text of y", None, 2),
    ]


def test_supervisions_find_their_recordings(ingest: Any, tmp_path: Path) -> None:
    write_lines(tmp_path / "a_recordings.jsonl.gz", recording("r"), recording("other"))
    file = write_lines(
        tmp_path / "a_supervisions.jsonl.gz",
        words("s", 0.5, 1, gender="f"),
        words("lost", 0, 1, recording_id="q"),
    )
    for path in (file, tmp_path):
        result, rows = ingest(path)
        (reject,) = result.rejects.to_pylist()
        assert (reject["file"], reject["line"]) == (str(file), 2)
        assert "no recording 'q'" in reject["detail"]
        assert [(row["utt_id"], row["audio_path"], row["gender"]) for row in rows] == [
            ("s", "r.wav", "f")
        ]
    with pytest.raises(UsageError, match="together with their supervisions"):
        ingest(tmp_path / "a_recordings.jsonl.gz")


def test_supervisions_without_recordings(ingest: Any, tmp_path: Path) -> None:
    file = write_lines(tmp_path / "supervisions.jsonl", words("s", 0, 1))
    with pytest.raises(UsageError, match="recordings are not beside it"):
        ingest(file)
    (tmp_path / "recordings.jsonl").write_text("{broken\n")
    with pytest.raises(DataError, match="broken_json") as caught:
        ingest(file)
    assert str(caught.value.where).endswith("recordings.jsonl:1")


def test_an_array_that_is_none(ingest: Any, tmp_path: Path) -> None:
    file = tmp_path / "cuts.json"
    file.write_text(json.dumps([cut("a", 0, 1)], indent=1) + "x")
    assert ingest(file)[0].manifest.rows == 1
    file.write_text(json.dumps([cut("a", 0, 1)], indent=1)[:-9])
    with pytest.raises(DataError, match="no JSON array"):
        ingest(file)


def test_an_array_that_is_too_long(
    ingest: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("asrdq.manifests.formats.json_array._ARRAY_BYTES", 1 << 20)
    cuts = [cut(f"c{number}", 0, 1) for number in range(2000)]
    file = tmp_path / "cuts.json"
    file.write_text(json.dumps(cuts).ljust(1 << 20))
    assert ingest(file)[0].manifest.rows == len(cuts)
    file.write_text(json.dumps(cuts).ljust((1 << 20) + 1))
    with pytest.raises(DataError, match="is longer than 1 MB") as caught:
        ingest(file)
    assert caught.value.where == str(file)
    assert caught.value.hint is not None
    assert "jq -c '.[]' cuts.json > cuts.jsonl" in caught.value.hint


@pytest.mark.parametrize(
    ("name", "cuts", "hours"),
    [
        ("libri/cuts.json", 1, 10.0),
        ("libri/cuts_no_feats.json", 1, 10.0),
        ("ljspeech/cuts.json", 2, 1.5396371882086168 + 1.5976870748299319),
    ],
)
def test_real_cuts(ingest: Any, shared_data: Path, name: str, cuts: int, hours: float) -> None:
    file = shared_data / "lhotse" / name
    result, rows = ingest(file)
    assert result.formats == {str(file): "lhotse"}
    assert (len(rows), result.manifest.hours * 3600) == (cuts, pytest.approx(hours))
    assert [row["utt_id"] for row in rows] == [item["id"] for item in json.loads(file.read_text())]


def test_cuts_without_audio_are_rejected_with_their_line(ingest: Any, shared_data: Path) -> None:
    with pytest.raises(DataError, match="not_a_clip: the cut has no recording") as caught:
        ingest(shared_data / "lhotse" / "libri" / "cuts_no_recording.json", max_reject_share=0)
    assert caught.value.problems[0].line == 2


def test_real_audio_gives_what_lhotse_needs(
    workspace: Workspace, ingest: Any, librispeech: Path, tmp_path: Path
) -> None:
    made = ingest(librispeech)[0].manifest
    result = export_manifest(workspace, made, "lhotse", tmp_path / "cuts.jsonl.gz")
    assert result.lost == ()
    back, _ = ingest(tmp_path / "cuts.jsonl.gz", name="back")
    assert (back.manifest.rows, back.manifest.hours) == (made.rows, pytest.approx(made.hours))
    lhotse = pytest.importorskip("lhotse", reason="lhotse needs torch: it is in no light extra")
    cuts = lhotse.load_manifest(tmp_path / "cuts.jsonl.gz")
    assert len(cuts) == made.rows
    assert sum(each.duration for each in cuts) == pytest.approx(made.hours * 3600)
    assert next(iter(cuts)).load_audio().shape[0] == 1


def test_a_recording_that_cannot_be_read_is_named(
    workspace: Workspace, make_manifest: Any, tmp_path: Path
) -> None:
    made = make_manifest([{"audio_filepath": "gone.wav", "text": "a", "duration": 1.0}])
    with pytest.raises(DataError, match="sampling rate") as caught:
        export_manifest(workspace, made, "lhotse", tmp_path / "cuts.jsonl")
    assert str(caught.value.where).endswith("gone.wav")
    assert not (tmp_path / "cuts.jsonl").exists()


UNFIT = [
    cut("bad", 0, 1.0, supervisions={"a": 1}),
    cut("bad", 0, 1.0, supervisions="text"),
    cut("bad", 0, 1.0, supervisions=["text"]),
    cut("bad", 0, 1.0, supervisions=[5, 6]),
    cut("bad", 0, 1.0, recording=recording("r", transforms=["Resample"])),
    cut("bad", 0, 1.0, recording=recording("r", transforms={"name": 3})),
    cut("bad", 0, 1.0, recording=recording("r", sources={"type": "file"})),
    cut("bad", 0, 1.0, recording=recording("r", sources="r.wav")),
]


@pytest.mark.parametrize("bad", UNFIT)
def test_an_object_of_another_shape_costs_its_row_alone(
    ingest: Any, tmp_path: Path, bad: dict[str, Any]
) -> None:
    result, rows = ingest(write_lines(tmp_path / "cuts.jsonl", cut("good", 0, 1.0), bad))
    assert [row["utt_id"] for row in rows] == ["good"]
    assert result.rejected == {"wrong_type": 1}
    assert result.rejects["line"].to_pylist() == [2]


def test_a_custom_field_with_the_name_of_a_column_is_kept(ingest: Any, tmp_path: Path) -> None:
    spoken = words("s", 0, 1.0, custom={"text": "as it was said", "channel": "left"})
    _, [row] = ingest(write_lines(tmp_path / "cuts.jsonl", cut("c", 0, 1.0, supervisions=[spoken])))
    assert (row["text"], row["text_2"]) == ("text of s", "as it was said")
    assert (row["channel"], row["channel_2"]) == (0, "left")
