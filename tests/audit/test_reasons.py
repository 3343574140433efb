"""Every reason and every failing of the instrument, on real files."""

from __future__ import annotations

import json
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import soundfile

from asrdq.alignment import AlignerOptions, build_aligner, parse_aligner
from asrdq.audit import AuditPlan, audit
from asrdq.audit.collection import CACHE, OnClip, clip_task, collect_evidence
from asrdq.audit.examination import ClipTask
from asrdq.audit.faults import Fault, PlantedClip
from asrdq.audit.folds import Judges
from asrdq.audit.judgement import judge
from asrdq.audit.planting import examine_sample
from asrdq.audit.selection import sampled_clips
from asrdq.audit.trials import Trials
from asrdq.errors import ToolError, UsageError
from asrdq.manifests import ingest_manifest
from asrdq.sampling import SamplingPlan, draw_sample
from asrdq.workspace import Workspace

pytestmark = pytest.mark.slow

RATE = 16_000


def prepare(workspace: Workspace, rows: list[dict[str, Any]], **plan: Any) -> Any:
    """Ingest rows and draw all of them; return manifest and sample."""
    file = workspace.root / "m.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    ingest_manifest(workspace, [file], "m")
    manifest = workspace.manifest("m")
    return manifest, draw_sample(workspace, manifest, SamplingPlan(fraction=1.0, **plan))


def no_progress(_name: str, _clips: int) -> AbstractContextManager[OnClip]:
    return nullcontext(lambda _seconds: None)


def write(folder: Path, name: str, samples: np.ndarray, rate: int = RATE) -> str:
    soundfile.write(folder / name, samples, rate, subtype="FLOAT")
    return str(folder / name)


@pytest.fixture(scope="module")
def examined(
    tmp_path_factory: pytest.TempPathFactory, data_samples: Path
) -> tuple[Trials, dict[str, dict[str, Any]]]:
    """One clip for each thing that can be wrong, aligned with the embedded aligner."""
    folder = tmp_path_factory.mktemp("reasons")
    Workspace.init(folder)
    workspace = Workspace.open(folder)
    (folder / "text.wav").write_text("this is no audio")
    (folder / "zero.wav").touch()
    line = json.loads((data_samples / "manifest.jsonl").read_text().splitlines()[1])
    speech, rate = soundfile.read(data_samples / line["audio_filepath"])
    broken = speech.copy()
    broken[100] = np.nan
    quiet = np.zeros(2 * RATE)
    right = str(data_samples / line["audio_filepath"])
    text = line["text"]
    files = {
        "right": (right, text),
        "missing": (str(folder / "absent.wav"), text),
        "folder": (str(folder), text),
        "unreadable": (str(folder / "text.wav"), text),
        "no_bytes": (str(folder / "zero.wav"), text),
        "no_samples": (write(folder, "none.wav", np.zeros(0)), text),
        "not_numbers": (write(folder, "nan.wav", broken, rate), text),
        "silent": (write(folder, "quiet.wav", quiet), text),
        "no_text": (right, ""),
        "no_word": (right, "… ?!"),
        "too_fast": (write(folder, "short.wav", speech[: rate // 5], rate), text),
        "too_slow": (right, "please call"),
        "strange_word": (right, f"{text} שלום"),
        "too_long": (write(folder, "long.wav", np.zeros(121 * 8000), 8000), text),
    }
    rows = [{"id": name, "audio_filepath": at, "text": said} for name, (at, said) in files.items()]
    stated = {
        "rounded": {"duration": line["duration"] + 0.49},
        "half_stated": {"duration": line["duration"] / 2},
        "segment_inside": {"offset": 0.0, "duration": line["duration"]},
        "segment_beyond": {"offset": 0.0, "duration": line["duration"] + 1.0},
    }
    rows += [
        {"id": name, "audio_filepath": right, "text": text, **said} for name, said in stated.items()
    ]
    manifest, sample = prepare(workspace, rows)
    aligner = build_aligner("pocketsphinx")
    clips = sampled_clips(workspace, manifest, sample, aligner)
    plan = AuditPlan("pocketsphinx", calibrate=False, plant=False)
    judges = Judges(plan.options)
    trials = examine_sample(workspace, judges, plan, sample, clips, 1, no_progress)
    unscored = np.full(len(clips), np.nan)
    verdicts = dict.fromkeys(trials.groups, "ok")
    found = judge(trials, unscored, unscored, verdicts, 0.5)
    answers = {
        str(utt_id): {
            "reasons": {reason.value for reason, flags in found.rules.items() if flags[at]},
            "low_quality": bool(found.low_quality[at]),
            "instrument": str(found.instrument[at]),
            "confidence": float(found.confidence[at]),
        }
        for at, utt_id in enumerate(trials.utt_ids)
    }
    return trials, answers


@pytest.mark.parametrize(
    ("clip", "reasons"),
    [
        ("right", set()),
        ("missing", {"missing_audio"}),
        ("folder", {"unreadable_audio"}),
        ("unreadable", {"unreadable_audio"}),
        ("no_bytes", {"empty_audio"}),
        ("no_samples", {"empty_audio"}),
        ("not_numbers", {"unreadable_audio"}),
        ("no_text", {"empty_text", "no_alignment", "length_mismatch"}),
        ("no_word", {"empty_text", "no_alignment", "length_mismatch"}),
        ("too_fast", {"no_alignment", "length_mismatch"}),
        ("rounded", set()),
        ("half_stated", {"duration_differs"}),
        ("segment_inside", set()),
        ("segment_beyond", {"duration_differs"}),
    ],
)
def test_reasons(
    examined: tuple[Trials, dict[str, dict[str, Any]]], clip: str, reasons: set[str]
) -> None:
    answer = examined[1][clip]
    assert answer["reasons"] == reasons
    assert answer["low_quality"] is bool(reasons)
    assert answer["instrument"] == "ok"


def test_silence_is_named(examined: tuple[Trials, dict[str, dict[str, Any]]]) -> None:
    assert "silent_audio" in examined[1]["silent"]["reasons"]


def test_speech_without_words_is_low_speech_coverage(
    examined: tuple[Trials, dict[str, dict[str, Any]]],
) -> None:
    reasons = examined[1]["too_slow"]["reasons"]
    assert {"low_speech_coverage", "length_mismatch"} <= reasons


@pytest.mark.parametrize(
    ("clip", "instrument"), [("strange_word", "out_of_vocabulary"), ("too_long", "too_long")]
)
def test_what_the_instrument_cannot_judge_is_neither_good_nor_bad(
    examined: tuple[Trials, dict[str, dict[str, Any]]], clip: str, instrument: str
) -> None:
    answer = examined[1][clip]
    assert answer["instrument"] == instrument
    assert np.isnan(answer["confidence"])


def test_a_language_the_aligner_lacks_is_refused_before_work_starts(
    workspace: Workspace,
) -> None:
    rows = [
        {"audio_filepath": "a.wav", "text": "hello", "lang": "en"},
        {"audio_filepath": "b.wav", "text": "שלום", "lang": "iw-IL"},
    ]
    manifest, _ = prepare(workspace, rows)
    with pytest.raises(UsageError, match="does not know the language he"):
        audit(workspace, manifest)
    assert not workspace.table_exists(f"cache/{CACHE}")
    assert "audit" not in workspace.read("runs")["command"].to_pylist()


def test_an_aligner_is_not_compared_with_itself(workspace: Workspace) -> None:
    manifest, _ = prepare(workspace, [{"audio_filepath": "a.wav", "text": "hello"}])
    with pytest.raises(UsageError, match="the second aligner is the first"):
        audit(workspace, manifest, AuditPlan("pocketsphinx", second="pocketsphinx"))
    assert "audit" not in workspace.read("runs")["command"].to_pylist()


def tasks_of(workspace: Workspace, texts: list[str], clip: Path, aligner: str) -> list[ClipTask]:
    rows = [
        {"id": f"u{at}", "audio_filepath": str(clip), "text": text} for at, text in enumerate(texts)
    ]
    manifest, sample = prepare(workspace, rows)
    built = build_aligner(aligner)
    return [
        clip_task(one, PlantedClip(one.utt_id, Fault.UNTOUCHED, one.words), built, 1)
        for one in sampled_clips(workspace, manifest, sample, built)
    ]


def collect(workspace: Workspace, tasks: list[ClipTask]) -> pa.Table:
    options = AlignerOptions("crashing")
    aligner = build_aligner(options)
    return collect_evidence(workspace, aligner, options, tasks, workers=1, on_clip=lambda _: None)


def test_a_crash_costs_its_clip_and_nothing_else(
    workspace: Workspace, trial_aligners: Path, data_samples: Path
) -> None:
    clip = sorted((data_samples / "audio").glob("*.flac"))[0]
    texts = ["one two", "three crash", "four five", "six raise", "seven eight"]
    tasks = tasks_of(workspace, texts, clip, "crashing")
    found = collect(workspace, tasks)
    expected = ["aligned", "aligner_crashed", "aligned", "aligner_failed", "aligned"]
    assert found["status"].to_pylist() == expected
    asked = trial_aligners.read_text().splitlines()
    assert asked.count("three crash") == 2
    assert {text: asked.count(text) for text in ("one two", "four five", "seven eight")} == {
        "one two": 1,
        "four five": 1,
        "seven eight": 1,
    }
    trial_aligners.write_text("")
    again = collect(workspace, tasks)
    assert again["status"].to_pylist() == expected
    # Neither is kept: the next run may have more memory.
    assert set(trial_aligners.read_text().splitlines()) == {"three crash", "six raise"}


def test_a_crash_in_a_batch_costs_its_clip_and_nothing_else(
    workspace: Workspace, trial_aligners: Path, data_samples: Path
) -> None:
    clip = sorted((data_samples / "audio").glob("*.flac"))[0]
    texts = ["one two", "three crash", "four five", "six raise", "seven eight", "nine ten"]
    options = AlignerOptions("batching")
    tasks = tasks_of(workspace, texts, clip, "batching")
    told: list[float] = []
    found = collect_evidence(
        workspace, build_aligner(options), options, tasks, workers=1, on_clip=told.append
    )
    assert found["status"].to_pylist() == [
        "aligned",
        "aligner_crashed",
        "aligned",
        "aligner_failed",
        "aligned",
        "aligned",
    ]
    assert len(told) == len(texts)
    assert "one two three crash four five six raise" in trial_aligners.read_text()


def test_ctrl_c_keeps_what_was_answered(
    workspace: Workspace, trial_aligners: Path, data_samples: Path
) -> None:
    clip = sorted((data_samples / "audio").glob("*.flac"))[0]
    tasks = tasks_of(workspace, ["one two", "four five", "seven eight"], clip, "crashing")
    told: list[float] = []

    def stop_at_the_third(seconds: float) -> None:
        told.append(seconds)
        if len(told) == 3:
            raise KeyboardInterrupt

    options = AlignerOptions("crashing")
    aligner = build_aligner(options)
    with pytest.raises(KeyboardInterrupt):
        collect_evidence(workspace, aligner, options, tasks, workers=1, on_clip=stop_at_the_third)
    trial_aligners.write_text("")
    assert collect(workspace, tasks)["status"].to_pylist() == ["aligned"] * 3
    assert len(trial_aligners.read_text().splitlines()) == 1


def test_files_that_cannot_be_hashed_answer_for_themselves_alone(
    workspace: Workspace, trial_aligners: Path, tmp_path: Path
) -> None:
    """The same text, and no bytes to tell them apart by."""
    files = [str(tmp_path / "absent.wav"), str(tmp_path)]
    rows = [{"id": f"u{at}", "audio_filepath": at, "text": "one"} for at in files]
    manifest, sample = prepare(workspace, rows)
    aligner = build_aligner("pocketsphinx")
    tasks = [
        clip_task(one, PlantedClip(one.utt_id, Fault.UNTOUCHED, one.words), aligner, 1)
        for one in sampled_clips(workspace, manifest, sample, aligner)
    ]
    by_path = dict(
        zip(
            (task.path for task in tasks),
            collect(workspace, tasks)["status"].to_pylist(),
            strict=True,
        )
    )
    assert by_path == {files[0]: "missing_audio", files[1]: "unreadable_audio"}
    assert not workspace.table_exists(f"cache/{CACHE}")


def test_what_language_a_clip_is_of_makes_another_answer(
    workspace: Workspace, tmp_path: Path
) -> None:
    """Imported words too are spelled out by it: `5` is five in one and fünf in the other."""
    (tmp_path / "alignments").mkdir()
    (tmp_path / "alignments/u0.json").write_text(
        '{"segments": [{"words": [{"word": "5", "start": 0.1, "end": 0.5}]}]}', encoding="utf-8"
    )
    aligner = build_aligner(parse_aligner(f"import:{tmp_path / 'alignments'}"))
    manifest, sample = prepare(workspace, [{"id": "u0", "audio_filepath": "a.wav", "text": "x"}])
    [english] = sampled_clips(workspace, manifest, sample, aligner)
    keys = [
        clip_task(one, PlantedClip("u0", Fault.UNTOUCHED, ("x",)), aligner, 1).key
        for one in (english, replace(english, language="de"), english)
    ]
    assert keys[0] == keys[2] != keys[1]


def test_an_aligner_that_cannot_run_stops_the_audit(
    workspace: Workspace, trial_aligners: Path, data_samples: Path
) -> None:
    clip = sorted((data_samples / "audio").glob("*.flac"))[0]
    prepare(workspace, [{"audio_filepath": str(clip), "text": "one two"}])
    manifest = workspace.manifest("m")
    with pytest.raises(ToolError, match="the model of 'unloadable' is missing"):
        audit(workspace, manifest, AuditPlan("unloadable"), workers=1)
    assert not workspace.table_exists("audits")
    with pytest.raises(ToolError, match="'unbuildable' cannot be built: KeyError: 'model'"):
        audit(workspace, manifest, AuditPlan("unbuildable"), workers=1)


def test_the_run_names_the_aligner_that_worked(
    workspace: Workspace, trial_aligners: Path, data_samples: Path
) -> None:
    clip = sorted((data_samples / "audio").glob("*.flac"))[0]
    prepare(workspace, [{"audio_filepath": str(clip), "text": "one two"}])
    audit(workspace, workspace.manifest("m"), AuditPlan("everywhere"), workers=1)
    [run] = workspace.query("SELECT parameters FROM runs WHERE command = 'audit'").to_pylist()
    assert workspace.settings.audit.aligner == "pocketsphinx"
    parameters = json.loads(run["parameters"])
    assert (parameters["aligner"], parameters["aligner_version"]) == ("everywhere", "1")
    assert parameters["minimum_auc"] == 0.9


def test_a_language_without_a_speaking_rate_is_refused_before_work_starts(
    workspace: Workspace,
) -> None:
    file = workspace.root / "asrdq.yaml"
    file.write_text("audit:\n  characters_per_second: {de: 13}\n", encoding="utf-8")
    opened = Workspace.open(workspace.root)
    manifest, _ = prepare(opened, [{"audio_filepath": "a.wav", "text": "hello"}])
    with pytest.raises(UsageError, match="no rate for the language 'en'") as raised:
        audit(opened, manifest)
    assert raised.value.hint == "it has: de; add `en: 10`"
    assert "audit" not in opened.read("runs")["command"].to_pylist()


def test_the_same_content_is_aligned_once(
    workspace: Workspace, trial_aligners: Path, data_samples: Path
) -> None:
    clip = sorted((data_samples / "audio").glob("*.flac"))[0]
    tasks = tasks_of(workspace, ["one two", "One, two!", "two one"], clip, "crashing")
    found = collect(workspace, tasks)
    assert found["status"].to_pylist() == ["aligned"] * 3
    assert sorted(trial_aligners.read_text().splitlines()) == ["one two", "two one"]


def test_an_aligner_that_places_every_word_whatever_the_audio_is_not_believed(
    workspace: Workspace, trial_aligners: Path, data_samples: Path
) -> None:
    lines = (data_samples / "manifest.jsonl").read_text().splitlines()[:24]
    rows = [json.loads(line) for line in lines]
    for row in rows:
        row["audio_filepath"] = str(data_samples / row["audio_filepath"])
    manifest, _ = prepare(workspace, rows)
    result = audit(workspace, manifest, AuditPlan("everywhere"), workers=2)
    assert result.calibrations["verdict"].to_pylist() == ["too_weak"]
    assert result.judged == 0
    assert set(result.audits["instrument"].to_pylist()) == {"too_weak"}
    assert "instrument too_weak" in result.summary()
