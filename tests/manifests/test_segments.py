"""TextGrid and STM as sources of segments; STM and TRN as outputs that sclite reads."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from asrdq.errors import DataError, UsageError
from asrdq.manifests.export import export_manifest
from asrdq.manifests.ingest import ingest_manifest
from asrdq.workspace import Workspace

SHORT = """File type = "ooTextFile"
Object class = "TextGrid"

0
4.5
<exists>
2
"IntervalTier"
"words [1]"
0
4.5
3
0
1
""
1
2.25
"say ""x"" 5
times"
2.25
2.25
"nothing"
"TextTier"
"points"
0
4.5
1
2
"bell"
"""
FIELDS = ("offset_s", "duration_s", "text", "tier")


def values(rows: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """What is compared of rows."""
    return [tuple(row.get(name) for name in FIELDS) for row in rows]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_short_text_grid(ingest: Any, tmp_path: Path, encoding: str) -> None:
    file = tmp_path / "talk.TextGrid"
    file.write_text(SHORT, encoding=encoding)
    (tmp_path / "talk.flac").touch()
    result, rows = ingest(file)
    assert result.formats == {str(file): "textgrid"}
    assert values(rows) == [(1.0, 1.25, 'say "x" 5 times', "words [1]")]
    assert rows[0]["audio_path"] == "talk.flac"
    (reject,) = result.rejects.to_pylist()
    assert (reject["line"], reject["reason"], reject["raw"]) == (20, "bad_interval", "nothing")


@pytest.mark.parametrize("end", [40, 150, -3])
def test_a_text_grid_that_ends_early(ingest: Any, tmp_path: Path, end: int) -> None:
    file = tmp_path / "talk.TextGrid"
    file.write_text(SHORT[: SHORT.index('"bell"')][:end])
    with pytest.raises(DataError, match="no complete TextGrid") as caught:
        ingest(file, format_name="textgrid")
    assert caught.value.where == str(file)


def test_a_damaged_text_grid_in_a_folder_costs_its_rows_alone(ingest: Any, tmp_path: Path) -> None:
    folder = tmp_path / "talks"
    folder.mkdir()
    (folder / "a.TextGrid").write_text(SHORT)
    (folder / "b.TextGrid").write_text(SHORT[: SHORT.index('"bell"')])
    (folder / "c.TextGrid").write_bytes(b"\xff\xfe\x00")
    alone, rows_alone = ingest(folder / "a.TextGrid", name="alone")
    made, rows = ingest(folder)
    assert [row["text"] for row in rows] == [row["text"] for row in rows_alone] != []
    assert made.rejected == {**alone.rejected, "bad_file": 2}
    told = [row for row in made.rejects.to_pylist() if row["reason"] == "bad_file"]
    assert [Path(row["file"]).name for row in told] == ["b.TextGrid", "c.TextGrid"]
    assert "no complete TextGrid" in told[0]["detail"]


def test_a_text_grid_that_is_too_large(
    ingest: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("asrdq.manifests.formats.textgrid._LARGEST_BYTES", len(SHORT) - 1)
    file = tmp_path / "talk.TextGrid"
    file.write_text(SHORT)
    with pytest.raises(DataError, match="is longer than") as caught:
        ingest(file)
    assert caught.value.where == str(file)


def test_a_text_grid_that_is_no_text(ingest: Any, tmp_path: Path) -> None:
    file = tmp_path / "talk.TextGrid"
    file.write_bytes(SHORT.encode().replace(b"bell", b"\xff"))
    with pytest.raises(DataError, match="not valid utf-8"):
        ingest(file)


def test_real_text_grids(ingest: Any, shared_data: Path) -> None:
    folder = shared_data / "primock57"
    result, rows = ingest(folder)
    interval = re.compile(r'xmin = (\S+)\s+xmax = (\S+)\s+text = "(.*)"')
    expected = []
    for file in sorted(folder.glob("*.TextGrid")):
        for start, end, text in interval.findall(file.read_text(encoding="utf-8")):
            if text.strip():
                words = " ".join(text.replace('""', '"').split())
                expected.append((file.stem + ".wav", words, float(end) - float(start)))
    assert len(rows) == len(expected) > 500
    assert not result.rejected
    assert [(row["audio_path"], row["text"]) for row in rows] == [item[:2] for item in expected]
    assert sum(row["duration_s"] for row in rows) == pytest.approx(sum(e[2] for e in expected))
    assert {row["tier"] for row in rows} == {"Doctor", "Patient", "Speaker"}


def test_stm_lines(ingest: Any, tmp_path: Path) -> None:
    file = tmp_path / "a.stm"
    file.write_bytes(
        b";; comment\nr1 A spk 0.5 2 <o,f0> two words\nr1 A unknown 2 3\n\nr1 A spk 3 2 x\n"
        b"r1 A spk 4 5 IGNORE_TIME_SEGMENT_IN_SCORING\nr1 A spk x 5 y\nr2 1 s 0 1 \xff\n"
    )
    (tmp_path / "r1.sph").touch()
    result, rows = ingest(file)
    assert [(row["line"], row["reason"]) for row in result.rejects.to_pylist()] == [
        (5, "bad_interval"),
        (6, "not_a_clip"),
        (7, "bad_line"),
        (8, "invalid_utf8"),
    ]
    columns = ("audio_path", "offset_s", "duration_s", "text", "speaker", "channel", "label")
    assert [tuple(row.get(c) for c in columns) for row in rows] == [
        ("r1.sph", 0.5, 1.5, "two words", "spk", "A", "<o,f0>"),
        ("r1.sph", 2.0, 1.0, "", None, "A", None),
    ]


def test_a_real_stm(ingest: Any, shared_data: Path) -> None:
    file = shared_data / "sctk" / "lvc_ref.stm"
    lines = [line.split() for line in file.read_text().splitlines() if not line.startswith(";;")]
    times = [float(cells[4]) - float(cells[3]) for cells in lines if cells]
    result, rows = ingest(file)
    assert result.formats == {str(file): "stm"}
    assert len(rows) == len(times)
    assert sum(row["duration_s"] for row in rows) == pytest.approx(sum(times))


ROWS = [
    {"audio_filepath": "b.wav", "id": "u2", "text": "b  {x}", "duration": 1.0, "snr": 3},
    {"audio_filepath": "a.wav", "id": "u1", "text": "a", "duration": 1.5, "offset": 2.0},
]


def test_outputs_for_sclite(workspace: Workspace, make_manifest: Any, tmp_path: Path) -> None:
    made = make_manifest(ROWS)
    stm = export_manifest(workspace, made, "stm", tmp_path / "o.stm")
    assert (tmp_path / "o.stm").read_text() == "a 1 unknown 2 3.5 a\nb 1 unknown 0 1 b {x}\n"
    assert stm.lost == ("snr", "utt_id")
    assert stm.notes == (
        "a recording is called by the name of its file alone",
        "blanks and line ends of texts are single blanks there",
    )
    trn = export_manifest(workspace, made, "trn", tmp_path / "o.trn")
    assert sorted((tmp_path / "o.trn").read_text().splitlines()) == ["a (u1)", "b {x} (u2)"]
    assert trn.lost == ("audio_path", "duration_s", "offset_s", "snr")
    assert any("alternatives" in note for note in trn.notes)
    with pytest.raises(UsageError, match="no manifest can be made"):
        ingest_manifest(workspace, [tmp_path / "o.trn"], "trn", format_name="trn")


@pytest.mark.parametrize(
    ("target", "row", "message"),
    [
        ("stm", {"duration": None}, "no duration"),
        ("stm", {"audio_filepath": "a b.wav"}, "blank"),
        ("stm", {"speaker": "a b"}, "blank"),
        ("stm", {"text": "<sil> x"}, "label"),
        ("trn", {"id": "a(b"}, "parentheses"),
        ("trn", {"text": ";; x"}, "comment"),
        ("ljspeech", {"text": "a|b"}, "LJ Speech"),
        ("commonvoice", {"text": "a\tb"}, "tab or line end"),
        ("ljspeech", {"offset": 1.0}, "no place for offset_s"),
    ],
)
def test_what_cannot_stand_there_is_refused(
    workspace: Workspace,
    make_manifest: Any,
    tmp_path: Path,
    target: str,
    row: dict[str, Any],
    message: str,
) -> None:
    base = {"audio_filepath": "a.wav", "id": "u", "text": "a", "duration": 1.0}
    made = make_manifest([{**base, **row}])
    with pytest.raises(DataError, match=message):
        export_manifest(workspace, made, target, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("target", ["stm", "ljspeech"])
def test_two_files_of_one_name_are_not_mixed_up(
    workspace: Workspace, make_manifest: Any, tmp_path: Path, target: str
) -> None:
    rows = [{"audio_filepath": f"{i}/a.wav", "text": "a", "duration": 1.0} for i in range(2)]
    with pytest.raises(DataError, match="called 'a'"):
        export_manifest(workspace, make_manifest(rows), target, tmp_path / "out")


def test_a_text_grid_with_endless_tiers(ingest: Any, tmp_path: Path) -> None:
    file = tmp_path / "a.TextGrid"
    head = '"ooTextFile"\n"TextGrid"\n0\n1\n<exists>\n'
    file.write_text(f'{head}1e999\n"IntervalTier"\n"t"\n0\n1\n1\n0\n1\n"hi"\n', encoding="utf-8")
    with pytest.raises(DataError, match="no complete TextGrid"):
        ingest(file)
