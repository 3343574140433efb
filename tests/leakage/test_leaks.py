"""Leaks between two manifests and repetitions within one, with values worked out by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest
import soundfile

from asrdq.audio import probe_manifest
from asrdq.errors import UsageError
from asrdq.leakage import LeakPlan, LeakResult, find_duplicates, find_leaks
from asrdq.leakage.leaks import LEAKS

if TYPE_CHECKING:
    from asrdq.workspace import ManifestVersion, Workspace

pytestmark = pytest.mark.slow

Row = dict[str, Any]
Ingest = Callable[..., "ManifestVersion"]
NO_AUDIO = LeakPlan(without=["audio", "overlap", "transcript"])


def row(name: str, text: str = "", **more: Any) -> Row:
    return {"id": name, "audio_filepath": f"{name}.wav", "duration": 36.0, "text": text, **more}


def found(result: LeakResult) -> dict[str, tuple[str, int, float]]:
    return {
        line["kind"]: (line["state"], line["rows"], round(line["share"], 4))
        for line in result.findings.to_pylist()
    }


def pairs(table: pa.Table, kind: str) -> dict[str, str]:
    return {
        line["utt_id"]: line["other_utt_id"] for line in table.to_pylist() if line["kind"] == kind
    }


def test_texts_speakers_and_terms(workspace: Workspace, ingest: Ingest) -> None:
    train = [
        row("t1", "Good morning, how are you today?", speaker="anna", term=["flu", "cold"]),
        row("t2", "good morning how are you today", speaker="bert", term=["fever"]),
        row("t3", "take two tablets of metformin every day", speaker="bert", term=[]),
        row("t4", "", speaker=None, term=None),
    ]
    dev = [
        row("d1", "good morning -- how are you TODAY", speaker="cora", term=["fever", "flu"]),
        row("d2", "take two tablets of aspirin every day", speaker="bert", term=["gout"]),
        row("d3", "something else", speaker="", term=[""]),
        row("d4", "", speaker=None, term=None),
    ]
    result = find_leaks(workspace, ingest(train, "train"), ingest(dev, "dev"), NO_AUDIO)
    assert found(result) == {
        "text": ("too_much", 1, 0.25),
        "near_text": ("found", 1, 0.25),
        "speaker": ("found", 1, 0.25),
        "term": ("found", 1, 0.25),
    }
    assert result.too_much == ("text",)
    assert result.findings["other_rows"].to_pylist() == [2, 1, 2, 2]
    assert result.findings["hours"].to_pylist() == pytest.approx([0.01] * 4)
    lines = {line["kind"]: line for line in result.leaks.to_pylist()}
    assert (lines["text"]["other_utt_id"], lines["text"]["others"]) == ("t1", 2)
    assert lines["near_text"]["similarity"] == pytest.approx(6 / 7)
    assert (lines["speaker"]["detail"], lines["speaker"]["others"]) == ("bert", 2)
    assert lines["term"]["detail"] == "fever, flu"
    stored = workspace.read("leaks", f"run_id = '{result.run_id}'", schema=LEAKS)
    assert stored.num_rows == 4


def test_limits(workspace: Workspace, ingest: Ingest) -> None:
    train = ingest([row("t", "the same text", speaker="a", session="1")], "train")
    dev = ingest(
        [row("d1", "the same text", speaker="a", session="1"), row("d2", "x", session="2")], "dev"
    )
    plan = LeakPlan(only=["text", "speaker"], max_share={"text": 0.5, "speaker": 0.4})
    assert find_leaks(workspace, train, dev, plan).too_much == ("speaker",)
    plan = LeakPlan(only=["session"], same=["session"], max_share={"session": 0.0})
    assert find_leaks(workspace, train, dev, plan).too_much == ("session",)
    with pytest.raises(UsageError, match="unknown kind 'speakers'"):
        LeakPlan(only=["speakers"])
    with pytest.raises(UsageError, match="from 0 to 1"):
        LeakPlan(max_share={"text": 2.0})
    with pytest.raises(UsageError, match="nearness"):
        LeakPlan(near=0.5)


def test_what_cannot_be_compared_is_not_fine(workspace: Workspace, ingest: Ingest) -> None:
    train = ingest([row("t", "one text", speaker="a")], "train")
    dev = ingest([row("d", "another thing")], "dev")
    result = find_leaks(workspace, train, dev)
    assert {kind: state for kind, (state, _, _) in found(result).items()} == {
        **dict.fromkeys(("audio", "overlap", "transcript", "speaker", "term"), "unknown"),
        **dict.fromkeys(("text", "near_text"), "fine"),
    }
    assert result.undecided == ("audio", "overlap", "transcript")
    details = result.findings["detail"].to_pylist()
    assert details[0] == "2 audio files cannot be read"
    assert details[-2:] == ["dev@0 states none", "train@0 has no column for it"]


def test_no_text_at_all_leaves_texts_unknown(workspace: Workspace, ingest: Ingest) -> None:
    train, dev = ingest([row("t", "one text")], "train"), ingest([row("d")], "dev")
    assert find_leaks(workspace, train, dev, NO_AUDIO).undecided == ("text",)
    assert found(find_duplicates(workspace, dev, LeakPlan(only=["text"]))) == {
        "text": ("unknown", 0, 0.0)
    }


def test_training_without_any_text_leaves_texts_unknown(
    workspace: Workspace, ingest: Ingest
) -> None:
    train, dev = ingest([row("t")], "train"), ingest([row("d", "one text")], "dev")
    assert find_leaks(workspace, train, dev, NO_AUDIO).undecided == ("text",)


def test_short_texts_may_be_left_out(workspace: Workspace, ingest: Ingest) -> None:
    train, dev = ingest([row("t", "thank you")], "train"), ingest([row("d", "Thank you!")], "dev")
    for words, state in ((2, "too_much"), (3, "unknown")):
        plan = LeakPlan(only=["text"], min_words=words)
        assert found(find_leaks(workspace, train, dev, plan))["text"][0] == state


def test_a_manifest_against_itself_is_refused(workspace: Workspace, ingest: Ingest) -> None:
    train = ingest([row("t", "one text")], "train")
    with pytest.raises(UsageError, match="are the same version"):
        find_leaks(workspace, train, train)


def noise(path: Path, seed: int) -> Path:
    path.write_bytes(bytes((seed * 31 + place * 7) % 251 for place in range(2000)))
    return path


def test_files_of_the_same_bytes_and_segments(
    workspace: Workspace, ingest: Ingest, tmp_path: Path
) -> None:
    noise(tmp_path / "long.wav", 1)
    noise(tmp_path / "copy-of-long.wav", 1)
    noise(tmp_path / "other.wav", 2)  # of the same size
    segment = {"audio_filepath": "long.wav", "text": "all of it"}
    train = [
        row("t-a", **segment | {"offset": 0.0, "duration": 10.0}),
        row("t-b", **segment | {"offset": 20.0, "duration": 10.0, "text": "some"}),
        row("t-c", audio_filepath="other.wav"),
    ]
    copy = {"audio_filepath": "copy-of-long.wav"}
    dev = [
        row("d-same", **copy | {"offset": 20.0, "duration": 10.0}),
        row("d-over", **copy | {"offset": 6.0, "duration": 10.0}),
        row("d-touch", **copy | {"offset": 10.0, "duration": 5.0}),
        row("d-text", **copy | {"offset": 40.0, "duration": 5.0, "text": "All of it."}),
    ]
    plan = LeakPlan(only=["audio", "overlap", "transcript"])
    result = find_leaks(workspace, ingest(train, "train"), ingest(dev, "dev"), plan)
    assert pairs(result.leaks, "audio") == {"d-same": "t-b"}
    assert pairs(result.leaks, "overlap") == {"d-over": "t-a"}
    assert pairs(result.leaks, "transcript") == {"d-text": "t-a"}
    [overlap] = [line for line in result.leaks.to_pylist() if line["kind"] == "overlap"]
    assert overlap["similarity"] == pytest.approx(0.4)
    assert overlap["detail"] == "4.00 s"
    assert result.undecided == ()


def test_other_containers_are_unknown_until_samples_are_compared(
    workspace: Workspace, ingest: Ingest, tmp_path: Path
) -> None:
    noise(tmp_path / "t.wav", 1)
    noise(tmp_path / "d.flac", 2)
    train = ingest([row("t")], "train")
    dev = ingest([row("d", audio_filepath="d.flac")], "dev")
    result = find_leaks(workspace, train, dev, LeakPlan(only=["audio"]))
    assert result.undecided == ("audio",)
    assert result.findings["detail"].to_pylist() == [
        "the bytes of .flac and .wav files tell nothing: asrdq probe both manifests"
    ]
    assert result.notes == (
        "audio was compared by the bytes of files: after asrdq probe, by its samples",
    )


def test_segments_of_copies_are_found_after_a_probe_too(
    workspace: Workspace, ingest: Ingest, tmp_path: Path
) -> None:
    samples = np.random.default_rng(1).normal(0, 0.1, 16000 * 4)
    for name in ("long.wav", "copy.wav"):
        soundfile.write(tmp_path / name, samples, 16000)
    part = {"audio_filepath": "long.wav", "offset": 0.0, "duration": 2.0}
    copy = {"audio_filepath": "copy.wav", "offset": 1.0, "duration": 2.0}
    train = ingest([row("t", "all of it", **part)], "train")
    dev = ingest([row("d", "all of it", **copy)], "dev")
    for _ in range(2):
        result = find_leaks(workspace, train, dev, LeakPlan(only=["overlap", "transcript"]))
        assert result.too_much == ("overlap", "transcript")
        for manifest in (train, dev):
            probe_manifest(workspace, manifest, workers=1)
    assert result.notes == ()


def test_file_hashes_are_kept_and_forgotten_with_the_file(
    workspace: Workspace, ingest: Ingest, tmp_path: Path
) -> None:
    noise(tmp_path / "t.wav", 1)
    noise(tmp_path / "d.wav", 1)
    train, dev = ingest([row("t")], "train"), ingest([row("d")], "dev")
    plan = LeakPlan(only=["audio"])
    for _ in range(2):
        assert find_leaks(workspace, train, dev, plan).too_much == ("audio",)
        assert workspace.cache("file_hashes").lookup(pa.array(["x"])).num_rows == 0
    noise(tmp_path / "d.wav", 3)
    assert find_leaks(workspace, train, dev, plan).too_much == ()


def test_each_display_ends_exactly_at_its_total(
    workspace: Workspace, ingest: Ingest, tmp_path: Path
) -> None:
    shown: dict[str, list[float]] = {}

    @dataclass
    class Bar:
        told: list[float]

        def advance(self, amount: float = 1, **fields: object) -> None:
            self.told[1] += amount

    @contextmanager
    def stage(name: str, total: float | None, unit: str) -> Iterator[Bar]:
        assert total is not None
        yield Bar(shown.setdefault(f"{name} in {unit}", [total, 0.0]))

    for name, seed in (("t", 1), ("d", 1), ("long", 2)):
        noise(tmp_path / f"{name}.wav", seed)
    pieces = [
        row(f"t-{n}", audio_filepath="long.wav", offset=10.0 * n, duration=10.0) for n in range(3)
    ]
    train, dev = ingest([row("t"), *pieces], "train"), ingest([row("d")], "dev")
    plan = LeakPlan(only=["audio"])
    find_leaks(workspace, train, dev, plan, stage=stage)
    assert shown == {"audio in rows": [5, 5], "hashes in files": [3, 3]}
    shown.clear()
    find_leaks(workspace, train, dev, plan, stage=stage)  # the hashes are known by now
    assert shown == {"audio in rows": [5, 5]}
    shown.clear()
    find_duplicates(workspace, train, plan, stage=stage)
    assert shown == {"audio in rows": [4, 4]}


def test_repetitions_within_a_manifest(
    workspace: Workspace, ingest: Ingest, tmp_path: Path
) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        noise(tmp_path / f"{name}.wav", seed)
    text = "a rather long sentence about nothing"
    rows = [row("a", text), row("b", text), row("c", text.replace("rather", "very"))]
    result = find_duplicates(workspace, ingest(rows, "train"))
    assert pairs(result.duplicates, "audio") == {"a": "b", "b": "a"}
    assert pairs(result.duplicates, "text") == {"a": "b", "b": "a"}
    assert pairs(result.duplicates, "near_text") == {"a": "c", "b": "c", "c": "a"}
    assert pairs(result.duplicates, "overlap") == {}
    assert result.too_much == ()
    limited = LeakPlan(max_share={"audio": 0.5})
    assert find_duplicates(workspace, workspace.manifest("train"), limited).too_much == ("audio",)
