"""Every corpus of the shared recordings, read whole: rows and hours as other readers count them."""

from __future__ import annotations

import csv
import gzip
import json
import shutil
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from asrdq.errors import DataError


def seconds(files: list[Path]) -> float:
    """How long audio files are together, as libsndfile decodes them to the end."""
    return sum(len(sound) / rate for sound, rate in map(soundfile.read, files))


def summary(result: Any) -> tuple[int, Any]:
    """Rows and seconds of a manifest."""
    return result.manifest.rows, pytest.approx(result.manifest.hours * 3600, abs=1e-3)


def test_librispeech_as_nemo(ingest: Any, librispeech: Path) -> None:
    lines = [json.loads(line) for line in librispeech.read_text(encoding="utf-8").splitlines()]
    result, _ = ingest(librispeech)
    assert summary(result) == (120, sum(line["duration"] for line in lines))
    files = sorted((librispeech.parent / "audio").glob("*.flac"))
    assert result.manifest.hours * 3600 == pytest.approx(seconds(files), rel=1e-3)


@pytest.mark.parametrize("given", ["", "metadata.csv"])
def test_lj_speech(ingest: Any, shared_data: Path, given: str) -> None:
    folder = shared_data / "ljspeech"
    with (folder / "metadata.csv").open(encoding="utf-8", newline="") as lines:
        expected = list(csv.reader(lines, delimiter="|", quoting=csv.QUOTE_NONE))
    result, rows = ingest(folder / given)
    assert set(result.formats.values()) == {"ljspeech"}
    assert [[r["utt_id"], r["text"], r["normalized_text"]] for r in rows] == expected
    assert summary(result) == (
        len(expected),
        seconds([folder / "audio" / f"{cells[0]}.flac" for cells in expected]),
    )


def test_artie_as_common_voice(ingest: Any, shared_data: Path) -> None:
    file = shared_data / "artie" / "data" / "artie-bias-corpus.tsv"
    with file.open(encoding="utf-8", newline="") as lines:
        expected = list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))
    result, rows = ingest(file)
    assert result.formats == {str(file): "commonvoice"}
    assert not result.rejected
    assert len(rows) == len(expected) == 1712
    for row, line in zip(rows, expected, strict=True):
        assert row["audio_path"] == f"clips/{line['path']}"
        assert (row["speaker"], row["text"]) == (line["client_id"], line["sentence"])
        assert (row["up_votes"], row["gender"]) == (int(line["up_votes"]), line["gender"])


@pytest.mark.slow
def test_spoken_digits_by_pattern(ingest: Any, shared_data: Path) -> None:
    folder = shared_data / "fsdd"
    files = sorted((folder / "recordings").glob("*.wav"))
    result, rows = ingest(folder, pattern="{label}_{speaker}_{index}.wav")
    assert result.formats == {str(folder): "pattern"}
    assert summary(result) == (3000, seconds(files))
    named = [tuple(file.stem.split("_")) for file in files]
    assert [(row["label"], row["speaker"], row["index"]) for row in rows] == named


def an4_expected(folder: Path) -> tuple[int, Any]:
    lists = [folder / "etc" / f"an4_{part}.fileids" for part in ("train", "test")]
    ids = [line for file in lists for line in file.read_text().split()]
    return len(ids), seconds([folder / "wav" / f"{each}.sph" for each in ids])


def test_an4_as_a_folder_and_as_an_archive(ingest: Any, shared_data: Path, tmp_path: Path) -> None:
    folder = shared_data / "an4"
    result, rows = ingest(folder)
    assert result.formats == {str(folder): "an4"}
    assert summary(result) == an4_expected(folder)
    first = next(row for row in rows if row["utt_id"] == "an251-fash-b")
    assert (first["text"], first["speaker"], first["subset"]) == ("YES", "fash", "train")
    packed = tmp_path / "an4_sphere.tar.gz"
    with tarfile.open(packed, "w:gz") as archive:
        archive.add(folder / "wav", "an4/wav")
        archive.add(folder / "etc", "an4/etc")
    again, back = ingest(packed, name="packed")
    assert again.formats == {str(packed): "an4"}
    assert summary(again) == an4_expected(folder)
    columns = ("utt_id", "text", "speaker", "subset", "duration_s")
    one, two = ({tuple(row[c] for c in columns) for row in each} for each in (rows, back))
    assert one == two
    root = Path(again.manifest.audio_root)
    original = (folder / "wav" / "an4_clstk" / "fash" / "an251-fash-b.sph").read_bytes()
    kept = next(row for row in back if row["utt_id"] == "an251-fash-b")["audio_path"]
    assert (root / kept).read_bytes() == original


@pytest.mark.parametrize("name", ["mini_librispeech", "mini_librispeech2"])
def test_kaldi_folders(ingest: Any, shared_data: Path, tmp_path: Path, name: str) -> None:
    """The recordings are commands there; with files in their place the folders are read whole."""
    with pytest.raises(DataError, match="command_pipe"):
        ingest(shared_data / "lhotse" / name, max_reject_share=0.9)
    folder = tmp_path / name
    shutil.copytree(shared_data / "lhotse" / name, folder)
    keys = [line.split()[0] for line in (folder / "wav.scp").read_text().splitlines()]
    (folder / "wav.scp").write_text("".join(f"{key} {key}.wav\n" for key in keys))
    result, rows = ingest(folder)
    packed = folder / "lhotse" / "supervisions.jsonl.gz"
    oracle = [json.loads(line) for line in gzip.decompress(packed.read_bytes()).splitlines()]
    times = np.loadtxt(folder / "segments", usecols=(2, 3))
    assert summary(result) == (len(oracle), (times[:, 1] - times[:, 0]).sum())
    fields = ("text", "speaker", "gender")
    assert {row["utt_id"]: [row[f] for f in fields] for row in rows} == {
        item["id"]: [item[f] for f in fields] for item in oracle
    }


@pytest.mark.parametrize("folder", ["mini_librispeech/lhotse", "mini_librispeech2/lhotse"])
def test_lhotse_pairs(ingest: Any, shared_data: Path, tmp_path: Path, folder: str) -> None:
    """Commands again; with files in their place they say what Lhotse's own supervisions say."""
    source = shared_data / "lhotse" / folder
    with pytest.raises(DataError, match="command_pipe"):
        ingest(source, max_reject_share=0.9)
    recordings = gzip.decompress((source / "recordings.jsonl.gz").read_bytes())
    made = recordings.replace(b'"type": "command"', b'"type": "file"')
    (tmp_path / "recordings.jsonl").write_bytes(made)
    shutil.copy(source / "supervisions.jsonl.gz", tmp_path)
    result, rows = ingest(tmp_path / "supervisions.jsonl.gz")
    content = gzip.decompress((source / "supervisions.jsonl.gz").read_bytes())
    oracle = [json.loads(line) for line in content.splitlines()]
    assert summary(result) == (len(oracle), sum(item["duration"] for item in oracle))
    assert [(row["utt_id"], row["text"], row["speaker"]) for row in rows] == [
        (item["id"], item["text"], item["speaker"]) for item in oracle
    ]


def test_text_grids_of_aeneas(ingest: Any, shared_data: Path) -> None:
    file = shared_data / "aeneas" / "tests" / "res" / "syncmaps" / "sonnet001.textgrid"
    lines = file.read_text(encoding="utf-8").splitlines()
    texts = [line.split('"')[1] for line in lines if line.strip().startswith("text =")]
    result, rows = ingest(file)
    assert [row["text"] for row in rows] == [text for text in texts if text]
    times = np.array([(row["offset_s"], row["duration_s"]) for row in rows])
    assert times.sum(axis=1).max() == pytest.approx(53.24)
    assert result.formats == {str(file): "textgrid"}
