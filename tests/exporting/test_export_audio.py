"""A manifest with converted audio: which rows get which file, what is left out, what is refused."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import failing_conversions
import pytest
import soundfile

from asrdq.audio import probe_manifest
from asrdq.errors import DataError, ToolError, UsageError
from asrdq.exporting import AudioExportResult, AudioTarget, clips, export_audio
from asrdq.exporting.folder import MARK
from asrdq.manifests import PathMap, Rewriting, ingest_manifest, listed_in
from asrdq.workspace import Workspace
from asrdq.workspace.locks import locked

pytestmark = pytest.mark.slow

WriteTone = Callable[..., Path]
Export = Callable[..., AudioExportResult]


@pytest.fixture
def export(workspace: Workspace, tmp_path: Path) -> Export:
    """Ingest rows and export them: `export([{"audio_filepath": …}], relative=True)`."""

    def run(
        rows: list[dict[str, Any]] | None = None, format_name: str = "nemo", **options: Any
    ) -> AudioExportResult:
        if rows is not None:
            file = tmp_path / "in.jsonl"
            lines = [json.dumps({"text": f"row {n}", **row}) + "\n" for n, row in enumerate(rows)]
            file.write_text("".join(lines))
            ingest_manifest(workspace, [file], "m")
        options = {"workers": 1, "max_failed_share": 0.0, **options}
        folder = options.pop("folder", tmp_path / "out")
        target = options.pop("target", AudioTarget.WAV16K)
        version = workspace.manifest("m")
        return export_audio(workspace, version, format_name, folder, target, **options)

    return run


def written(made: AudioExportResult) -> list[dict[str, Any]]:
    """The lines of a NeMo manifest in the order of the rows that went in."""
    rows = [json.loads(line) for line in Path(made.written.file).read_text().splitlines()]
    return sorted(rows, key=lambda row: int(row["text"].split()[-1]))


def seconds(path: str) -> float:
    return float(soundfile.info(path).duration)


def test_whole_files_are_shared_and_segments_are_cut(export: Export, write_tone: WriteTone) -> None:
    a = str(write_tone("a.wav", 3.0, rate=8_000, hertz=[440.7]))
    b = str(write_tone("b.wav", 2.0, rate=48_000, hertz=[440.0, 700.0]))
    made = export(
        [
            {"audio_filepath": a, "duration": 9.9, "utt_id": "whole"},
            {"audio_filepath": a, "utt_id": "whole again"},
            {"audio_filepath": a, "offset": 0.0, "duration": 1.0},
            {"audio_filepath": a, "offset": 0.3, "duration": 1.0},
            {"audio_filepath": a, "offset": 2.5, "duration": 9.0},
            {"audio_filepath": b},
        ]
    )
    rows = written(made)
    lengths = [3.0, 3.0, 1.0, 1.0, 0.5, 2.0]
    assert [row["duration"] for row in rows] == lengths
    assert [seconds(row["audio_filepath"]) for row in rows] == lengths
    assert all("offset" not in row for row in rows)
    files = [row["audio_filepath"] for row in rows]
    assert files[0] == files[1]
    assert len(set(files)) == 5
    assert (made.converted, made.known, made.written.rows) == (5, 0, 6)
    assert made.hours == pytest.approx(10.5 / 3600)
    assert made.notes == (
        "1 clips have several channels: their mean is written",
        "2 rows stated a duration that is more than 0.1 s off: the manifest has that of the audio",
        "3 rows are segments: each is a file of its own now, without an offset",
    )


def test_files_of_one_name_in_several_folders_stay_apart(
    export: Export, write_tone: WriteTone
) -> None:
    hertz = {"one": 300.0, "two": 600.0, "three/../four": 900.0}
    paths = [write_tone(f"{folder}/a.wav", hertz=[value]) for folder, value in hertz.items()]
    rows = written(export([{"audio_filepath": str(path)} for path in paths]))
    assert len({row["audio_filepath"] for row in rows}) == 3
    for row, value in zip(rows, hertz.values(), strict=True):
        samples, rate = soundfile.read(row["audio_filepath"])
        crossings = ((samples[:-1] < 0) & (samples[1:] >= 0)).sum() * rate / len(samples)
        assert crossings == pytest.approx(value, abs=2)


def test_the_names_of_sources_do_not_matter(
    export: Export, write_tone: WriteTone, tmp_path: Path
) -> None:
    names = ["a b.wav", "-rf.wav", "$(x) 'q' \"d\".wav", "שלום.wav", "%2e%2e.wav", "a\\b.wav", "…"]
    sources = [write_tone(name + ".wav", hertz=[200.7 + n]) for n, name in enumerate(names)]
    sources = [source.rename(tmp_path / name) for source, name in zip(sources, names, strict=True)]
    rows = written(export([{"audio_filepath": str(source)} for source in sources]))
    files = {Path(row["audio_filepath"]) for row in rows}
    assert len(files) == len(names)
    for file in files:
        assert file.relative_to(tmp_path / "out" / "audio").parts == (file.stem[:2], file.name)
        assert set(file.stem) <= set("0123456789abcdef")


def test_audio_that_cannot_be_converted_is_listed_and_left_out(
    export: Export, write_tone: WriteTone, tmp_path: Path
) -> None:
    good = str(write_tone("a.wav"))
    (tmp_path / "b.wav").write_text("no audio")
    rows = [
        {"audio_filepath": good, "utt_id": "good"},
        {"audio_filepath": str(tmp_path / "b.wav"), "utt_id": "bad"},
        {"audio_filepath": good, "utt_id": "late", "offset": 5.0, "duration": 1.0},
    ]
    with pytest.raises(DataError, match=r"2 of 3 rows \(66.7%\).*the limit is 66.0%: no manifest"):
        export(rows, max_failed_share=0.66)
    listed = tmp_path / "out" / "m.failed.jsonl"
    failed = {row["utt_id"]: row for row in map(json.loads, listed.read_text().splitlines())}
    assert {key: row["status"] for key, row in failed.items()} == {
        "bad": "unreadable_audio",
        "late": "segment_outside_audio",
    }
    assert failed["late"]["file"] == good
    assert failed["late"]["detail"] == "the segment begins at 5.00 s, after the end"
    assert not (tmp_path / "out" / "m.jsonl").exists()
    made = export(max_failed_share=0.67)
    assert [row["utt_id"] for row in written(made)] == ["good"]
    assert made.failures == str(listed)
    assert made.reasons() == {"unreadable_audio": 1, "segment_outside_audio": 1}
    assert (made.converted, made.known) == (0, 1)
    (tmp_path / "b.wav").unlink()
    write_tone("b.wav", hertz=[700.0])
    export(rows[:2])
    assert listed.read_text() == ""


def test_a_crash_costs_its_clip(
    export: Export, write_tone: WriteTone, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [{"audio_filepath": str(write_tone(f"{name}.wav"))} for name in "abc"]
    with monkeypatch.context() as patch:
        patch.setattr(clips, "convert", failing_conversions.crash_on_b)
        made = export(rows, max_failed_share=0.5)
    assert made.reasons() == {"conversion_crashed": 1}
    assert [row["text"] for row in written(made)] == ["row 0", "row 2"]
    assert len(written(export())) == 3


def test_a_full_disk_stops_the_export_and_not_the_clip(
    export: Export, write_tone: WriteTone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hertz = {"a": 300.0, "b": 400.0}
    rows = [{"audio_filepath": str(write_tone(f"{n}.wav", hertz=[h]))} for n, h in hertz.items()]
    with monkeypatch.context() as patch:
        patch.setattr(clips, "convert", failing_conversions.full_disk_on_b)
        with pytest.raises(ToolError, match="No space left on device"):
            export(rows)
    assert not (tmp_path / "out" / "m.failed.jsonl").exists()
    assert export().known == 1


def test_the_limit_is_that_of_an_ingest_unless_told(
    export: Export, write_tone: WriteTone, tmp_path: Path
) -> None:
    good = str(write_tone("a.wav"))
    rows = [{"audio_filepath": good, "utt_id": str(n)} for n in range(98)]
    rows.append({"audio_filepath": str(tmp_path / "b.wav")})
    with pytest.raises(DataError, match="1 of 99"):
        export(rows, max_failed_share=None)
    rows.append({"audio_filepath": good, "utt_id": "the hundredth"})
    assert export(rows, max_failed_share=None).written.rows == 99


def test_where_no_audio_is_found_the_audio_root_is_to_blame(export: Export) -> None:
    with pytest.raises(DataError, match="not one of 1 clips") as raised:
        export([{"audio_filepath": "/absent/a.wav"}], max_failed_share=1.0)
    assert "audio_root" in str(raised.value.hint)


def test_only_what_changed_is_converted_again(
    export: Export, write_tone: WriteTone, tmp_path: Path
) -> None:
    paths = [write_tone(f"{n}.wav", hertz=[200.0 + n]) for n in range(4)]
    first = export([{"audio_filepath": str(path)} for path in paths])
    before = [Path(row["audio_filepath"]) for row in written(first)]
    inodes = [file.stat().st_ino for file in before]
    write_tone("1.wav", 0.5)
    before[2].write_bytes(before[2].read_bytes()[:-2])
    before[3].unlink()
    again = export()
    assert (again.converted, again.known) == (3, 1)
    after = [Path(row["audio_filepath"]) for row in written(again)]
    assert [old == new for old, new in zip(before, after, strict=True)] == [True, False, True, True]
    assert after[0].stat().st_ino == inodes[0]
    assert [seconds(str(file)) for file in after] == [1.0, 0.5, 1.0, 1.0]
    assert export(folder=tmp_path / "elsewhere").converted == 4


def test_a_probe_of_the_export_finds_what_its_manifest_says(
    export: Export, workspace: Workspace, data_samples: Path
) -> None:
    lines = (data_samples / "manifest.jsonl").read_text().splitlines()[:5]
    rows = [json.loads(line) for line in lines]
    for row in rows:
        row["audio_filepath"] = str(data_samples / row["audio_filepath"])
    made = export(rows, target=AudioTarget.FLAC16K)
    again = ingest_manifest(workspace, [Path(made.written.file)], "again").manifest
    facts = probe_manifest(workspace, again, workers=1).facts.to_pylist()
    assert [row["status"] for row in facts] == ["ok"] * 5
    assert {row["sample_rate"] for row in facts} == {16_000}
    assert [row["duration_difference_s"] for row in facts] == [0.0] * 5
    assert [row["audio_hash"] for row in facts] == [Path(row["audio_path"]).stem for row in facts]


def test_every_format_with_paths_names_the_new_files(
    export: Export, workspace: Workspace, write_tone: WriteTone
) -> None:
    source = str(write_tone("a.wav", 2.0, rate=48_000, hertz=[440.7]))
    described = {"sampling_rate": 48_000, "num_samples": 96_000, "channel": 1, "recording_id": "r"}
    rows: list[dict[str, Any]] | None = [
        {"audio_filepath": source, "utt_id": f"u{n}", "offset": n / 2, "duration": 0.5, **described}
        for n in range(3)
    ]
    for format_name in ("nemo", "qwen", "csv", "parquet", "lhotse", "kaldi", "kaldi"):
        made = export(rows, format_name)
        rows = None
        again = ingest_manifest(workspace, [Path(made.written.file)], "again").manifest
        back = workspace.scan(again).to_pylist()
        assert {row["utt_id"]: row["duration_s"] for row in back} == {
            f"u{n}": 0.5 for n in range(3)
        }
        for row in back:
            assert seconds(workspace.audio_file(again, row["audio_path"])) == 0.5
            assert not row["offset_s"]
            if format_name != "kaldi":
                facts = [row[column] for column in ("sampling_rate", "num_samples", "channel")]
                assert facts == [16_000, 8_000, 0], format_name


def test_lhotse_has_recordings_of_their_own_without_such_columns(
    export: Export, write_tone: WriteTone
) -> None:
    source = str(write_tone("a.wav", 2.0, rate=48_000, hertz=[440.7]))
    rows = [{"audio_filepath": source, "offset": n / 2, "duration": 0.5} for n in range(2)]
    mapped = Rewriting(PathMap.parse([f"{Path(source).parent}=/data"]), check=None)
    made = export(rows, "lhotse-pair", rewriting=mapped)
    lines = gzip.decompress((Path(made.written.file) / "recordings.jsonl.gz").read_bytes())
    recordings = [json.loads(line) for line in lines.splitlines()]
    assert len({recording["id"] for recording in recordings}) == 2
    for recording in recordings:
        assert (recording["sampling_rate"], recording["num_samples"]) == (16_000, 8_000)
        assert recording["sources"][0]["source"].startswith("/data/out/audio/")


def test_relative_paths_move_with_the_folder(
    export: Export, write_tone: WriteTone, workspace: Workspace, tmp_path: Path
) -> None:
    export([{"audio_filepath": str(write_tone("a.wav"))}], relative=True)
    (tmp_path / "out").rename(tmp_path / "moved")
    moved = ingest_manifest(workspace, [tmp_path / "moved" / "m.jsonl"], "moved").manifest
    (row,) = workspace.scan(moved).to_pylist()
    assert row["audio_path"].startswith("audio/")
    assert seconds(workspace.audio_file(moved, row["audio_path"])) == 1.0


def test_the_new_paths_can_be_mapped_and_looked_up(
    export: Export, write_tone: WriteTone, tmp_path: Path
) -> None:
    rows = [{"audio_filepath": str(write_tone("a.wav"))}]
    path_map = PathMap.parse([f"{tmp_path}/out=/data/train"])
    first = written(export(rows, rewriting=Rewriting(path_map, check=None)))
    assert first[0]["audio_filepath"].startswith("/data/train/audio/")
    listing = tmp_path / "files.txt"
    listing.write_text(first[0]["audio_filepath"])
    checked = export(rewriting=Rewriting(path_map, check=listed_in(listing)))
    assert (written(checked), checked.known) == (first, 1)
    with pytest.raises(DataError, match="1 of 1 rewritten audio paths"):
        export(rewriting=Rewriting(path_map))


def test_a_map_without_the_new_folder_is_refused_before_anything_is_done(
    export: Export, write_tone: WriteTone, tmp_path: Path
) -> None:
    rewriting = Rewriting(PathMap.parse(["/laptop=/data"]), check=None)
    with pytest.raises(UsageError, match="none of the mapped prefixes"):
        export([{"audio_filepath": str(write_tone("a.wav"))}], rewriting=rewriting)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("way", ["file", "full", "source", "newline", "bytes", "source folder"])
def test_folders_that_cannot_be_taken(
    export: Export, write_tone: WriteTone, workspace: Workspace, tmp_path: Path, way: str
) -> None:
    source = write_tone("clips/a.wav")
    before = source.read_bytes()
    out, rows = tmp_path / "out", [{"audio_filepath": str(source)}]
    match way:
        case "file":
            out.write_text("mine")
        case "full":
            out.mkdir()
            (out / "mine").touch()
        case "source":
            made = ingest_manifest(workspace, [Path(export(rows).written.file)], "n").manifest
            with pytest.raises(UsageError, match="lies in it"):
                export_audio(workspace, made, "nemo", out, AudioTarget.WAV16K)
            return
        case "newline":
            out = tmp_path / "o\nut"
        case "bytes":
            out = tmp_path / os.fsdecode(b"\xff")
        case "source folder":
            out = source.parent
    with pytest.raises(UsageError):
        export(rows, folder=out)
    assert source.read_bytes() == before
    assert list(source.parent.iterdir()) == [source]


def test_the_audio_may_lie_on_another_disk(
    export: Export, write_tone: WriteTone, tmp_path: Path
) -> None:
    disk = Path("/dev/shm")
    if not disk.is_dir() or disk.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is no second disk at /dev/shm")
    with tempfile.TemporaryDirectory(dir=disk) as elsewhere:
        (tmp_path / "out").mkdir()
        (tmp_path / "out" / MARK).touch()
        (tmp_path / "out" / "audio").symlink_to(elsewhere)
        source = write_tone("a.wav")
        (row,) = written(export([{"audio_filepath": str(source)}]))
        assert Path(row["audio_filepath"]).resolve().is_relative_to(elsewhere)
        copy = shutil.copy(source, elsewhere)
        with pytest.raises(UsageError, match="lies in it"):
            export([{"audio_filepath": str(copy)}])


def test_a_manifest_in_the_folder_that_is_a_source_stays(
    export: Export, write_tone: WriteTone, workspace: Workspace, tmp_path: Path
) -> None:
    made = export([{"audio_filepath": str(write_tone("a.wav"))}])
    ingest_manifest(workspace, [Path(made.written.file)], "m")
    with pytest.raises(UsageError, match="never written over"):
        export()


@pytest.mark.parametrize("format_name", ["ljspeech", "stm", "trn", "an4"])
def test_formats_that_cannot_name_the_files(
    export: Export, write_tone: WriteTone, tmp_path: Path, format_name: str
) -> None:
    with pytest.raises(UsageError, match=r"whole paths|only read"):
        export([{"audio_filepath": str(write_tone("a.wav"))}], format_name)
    assert not (tmp_path / "out").exists()


def test_audio_at_an_address_of_another_kind_is_refused(export: Export) -> None:
    with pytest.raises(UsageError, match=r"https://b/a\.wav"):
        export([{"audio_filepath": "https://b/a.wav"}])


def test_audio_on_s3_is_converted_once(
    export: Export, write_tone: WriteTone, bucket: str, s3_server: Any
) -> None:
    tone = write_tone("a.wav")
    s3_server.client.upload_file(str(tone), bucket, "clips/a.wav")
    rows = [{"audio_filepath": f"s3://{bucket}/clips/a.wav"}, {"audio_filepath": str(tone)}]
    made = export(rows)
    assert (made.converted, made.known) == (2, 0)
    far, near = written(made)
    assert far["audio_filepath"] == near["audio_filepath"]
    assert soundfile.info(far["audio_filepath"]).samplerate == 16_000
    again = export(rows)
    assert (again.converted, again.known) == (0, 2)


def test_one_export_at_a_time_writes_in_a_folder(
    export: Export, write_tone: WriteTone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("asrdq.exporting.folder._LOCK_WAIT_S", 0.05)
    rows = [{"audio_filepath": str(write_tone("a.wav"))}]
    with locked(tmp_path / "out" / MARK), pytest.raises(ToolError, match="this folder"):
        export(rows)
    export(rows)


def test_what_a_killed_export_left_half_written_is_cleared_away(
    export: Export, write_tone: WriteTone, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    (out / "audio" / ".drafts").mkdir(parents=True)
    (out / MARK).touch()
    (out / "audio" / ".drafts" / "0123456789abcdef.wav").write_bytes(b"RIFF")
    (out / f".{'0' * 16}.part").write_text("half a manifest")
    (out / f".{'1' * 16}.part").mkdir()
    (out / ".mine.part").touch()
    export([{"audio_filepath": str(write_tone("a.wav"))}])
    assert sorted(file.name for file in out.iterdir()) == [
        *(MARK, ".mine.part", "audio", "m.failed.jsonl", "m.jsonl")
    ]
    assert not (out / "audio" / ".drafts").exists()


def test_a_folder_that_cannot_be_written(export: Export, write_tone: WriteTone) -> None:
    with pytest.raises(ToolError, match="cannot be written"):
        export([{"audio_filepath": str(write_tone("a.wav"))}], folder=Path("/proc/asrdq"))


def test_the_run_is_in_the_table_of_runs(
    export: Export, write_tone: WriteTone, workspace: Workspace
) -> None:
    made = export([{"audio_filepath": str(write_tone("a.wav"))}])
    (run,) = workspace.query(
        "SELECT command, state, manifest FROM runs WHERE run_id = $id", {"id": made.run_id}
    ).to_pylist()
    assert run == {"command": "export", "state": "done", "manifest": "m"}
    document = json.loads(made.to_json())
    assert (document["written"]["rows"], document["converted"], document["failed"]) == (1, 1, [])
