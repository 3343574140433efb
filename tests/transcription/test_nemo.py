"""NeMo's models say what NeMo makes of them, whatever batch a clip is in, with times that hold."""

from __future__ import annotations

import json
import shutil
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from asrdq.errors import ToolError, UsageError
from asrdq.manifests import ingest_manifest
from asrdq.transcription import (
    TranscriberOptions,
    TranscriptionPlan,
    TranscriptionStatus,
    build_transcriber,
    transcribe,
)
from asrdq.transcription.nemo import NemoTranscriber
from asrdq.workspace import Workspace

sys.path.append(str(Path(__file__).parent))

from tone_words import RATE, SENTENCES, spoken, taught

pytest.importorskip("nemo.collections.asr", reason="the extra train is not installed")
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

FAMILIES = ("ctc", "rnnt", "tdt", "hybrid", "aed")
NOISES = [
    np.random.default_rng(seed).normal(0.0, 0.1, round(seconds * RATE)).astype(np.float32)
    for seed, seconds in enumerate((0.4, 1.3, 2.0, 0.9))
]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Tiny models of each family, with random weights."""
    from asrdq.training.nemo.tiny import tiny_model

    folder = tmp_path_factory.mktemp("tiny")
    return {family: tiny_model(family, SENTENCES, folder / family) for family in FAMILIES}


@pytest.fixture(scope="module")
def learned(models: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CTC model that knows the words `low` and `high`."""
    return taught(models["ctc"], tmp_path_factory.mktemp("taught") / "taught.nemo")


def loaded(model: Path | str, **options: Any) -> NemoTranscriber:
    built = build_transcriber(TranscriberOptions("nemo", str(model), device="cpu", **options))
    assert isinstance(built, NemoTranscriber)
    built.load()
    return built


def plain(model: Path, clip: Any, **more: Any) -> Any:
    """Return what NeMo itself makes of one clip in a file."""
    import torch
    from omegaconf import open_dict

    from asrdq.models.nemo import load_nemo, quiet_nemo

    nemo = load_nemo(str(model), torch.device("cpu"))
    with open_dict(nemo.cfg):
        nemo.cfg.setdefault("validation_ds", {})
    with quiet_nemo(), tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "clip.wav"
        soundfile.write(file, clip, RATE, subtype="FLOAT")
        return nemo.transcribe([str(file)], return_hypotheses=True, verbose=False, **more)[0]


@pytest.mark.parametrize("family", FAMILIES)
def test_what_nemo_says_alone_and_in_any_batch(models: dict[str, Path], family: str) -> None:
    transcriber = loaded(models[family])
    languages = ["en"] * len(NOISES)
    together = transcriber.transcribe(NOISES, languages)
    backwards = transcriber.transcribe(NOISES[::-1], languages)[::-1]
    prompt = {"source_lang": "en", "target_lang": "en", "task": "asr", "pnc": "yes"}
    said = [
        plain(models[family], clip, **(prompt if family == "aed" else {})).text.strip()
        for clip in NOISES
    ]
    assert all(said)
    assert [each.text for each in together] == said
    assert [each.text for each in backwards] == said


@pytest.mark.parametrize("family", ["ctc", "rnnt", "tdt", "hybrid"])
def test_confidence_and_times_are_within_their_bounds(models: dict[str, Path], family: str) -> None:
    transcriber = loaded(models[family])
    for clip, said in zip(NOISES, transcriber.transcribe(NOISES, ["en"] * 4), strict=True):
        assert said.status is TranscriptionStatus.TRANSCRIBED
        assert said.confidence is not None and 0.0 < said.confidence < 0.5
        assert said.words
        starts = [word.start_s for word in said.words]
        assert starts == sorted(starts)
        assert all(
            0.0 <= word.start_s <= word.end_s <= len(clip) / RATE + 1e-9 for word in said.words
        )


def test_what_it_has_learned_and_nothing_of_it_on_other_audio(learned: Path) -> None:
    transcriber = loaded(learned)
    clips = [spoken(sentence, seed=9) for sentence in SENTENCES]
    found = transcriber.transcribe(clips, ["en"] * len(clips))
    assert [said.text for said in found] == SENTENCES
    for said in found:
        assert said.confidence is not None and said.confidence > 0.5
        assert [word.word for word in said.words] == said.text.split()
        assert all(word.confidence and word.confidence > 0.3 for word in said.words)
    assert transcriber.transcribe(NOISES[2:3], ["en"])[0].text not in SENTENCES


def test_times_are_those_of_nemo_also_of_a_clip_under_a_second(models: dict[str, Path]) -> None:
    """NeMo pads a clip that is no file to a second, and a file not at all."""
    transcriber = loaded(models["tdt"])
    for clip in (NOISES[1], NOISES[3]):
        said = transcriber.transcribe([clip], ["en"])[0]
        own = plain(models["tdt"], clip, timestamps=True)
        length_s = len(clip) / RATE
        assert said.text == own.text
        assert [(word.word, word.start_s, word.end_s) for word in said.words] == [
            (
                each["word"].strip(),
                pytest.approx(min(each["start"], length_s)),
                pytest.approx(min(each["end"], length_s)),
            )
            for each in own.timestamp["word"]
        ]


def test_a_clip_of_a_few_frames_is_padded(models: dict[str, Path]) -> None:
    said = loaded(models["tdt"]).transcribe([NOISES[0][: RATE // 50]], ["en"])[0]
    assert said.status is TranscriptionStatus.TRANSCRIBED
    assert all(0.0 <= word.start_s <= word.end_s <= 0.02 + 1e-9 for word in said.words)


def test_languages_of_canary_are_its_own(models: dict[str, Path]) -> None:
    transcriber = loaded(models["aed"])
    assert transcriber.languages == {"en"}
    assert loaded(models["ctc"]).languages is None
    said = transcriber.transcribe(NOISES[:3], ["en", "de", "en"])
    assert [each.status for each in said] == [
        TranscriptionStatus.TRANSCRIBED,
        TranscriptionStatus.FAILED,
        TranscriptionStatus.TRANSCRIBED,
    ]
    assert said[1].detail == "the model has no language 'de'"


def test_no_memory_for_a_batch_halves_it(
    models: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    transcriber = loaded(models["ctc"])
    whole = transcriber.transcribe(NOISES, ["en"] * 4)
    sizes: list[int] = []
    batch = transcriber._batch

    def scarce(clips: Any, language: str | None) -> Any:
        sizes.append(len(clips))
        if len(clips) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return batch(clips, language)

    monkeypatch.setattr(transcriber, "_batch", scarce)
    halved = transcriber.transcribe(NOISES, ["en"] * 4)
    assert [each.text for each in halved] == [each.text for each in whole]
    assert sizes == [4, 2, 2]


def test_a_set_and_another_model_of_the_same_name_is_another_version(
    workspace: Workspace, learned: Path, models: dict[str, Path], tmp_path: Path, texts: Any
) -> None:
    """What is known of a model is known of it under any name, and of nothing else."""
    rows = []
    for index, sentence in enumerate(SENTENCES):
        file = tmp_path / f"{index}.wav"
        soundfile.write(file, spoken(sentence, seed=index), RATE)
        row = {"utt_id": f"u{index}", "audio_filepath": str(file), "text": sentence}
        rows.append({**row, "duration": soundfile.info(file).duration})
    (tmp_path / "eval.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    manifest = ingest_manifest(workspace, [tmp_path / "eval.jsonl"], "eval").manifest
    model = tmp_path / "round.nemo"
    shutil.copyfile(learned, model)
    options = TranscriberOptions("nemo", str(model), device="cpu", batch_s=4.0)
    first = transcribe(workspace, manifest, TranscriptionPlan(options), workers=2)
    assert (first.name, first.transcribed, first.cached) == ("round", 6, 0)
    assert texts("round") == {f"u{index}": text for index, text in enumerate(SENTENCES)}
    assert workspace.read("hypothesis_words", where="hyps = 'round'").num_rows == 12
    model.rename(tmp_path / "other.nemo")
    renamed = TranscriberOptions("nemo", str(tmp_path / "other.nemo"), device="cpu")
    second = transcribe(workspace, manifest, TranscriptionPlan(renamed), workers=2)
    assert (second.name, second.cached, second.audio_s) == ("other", 6, 0.0)
    shutil.copyfile(models["ctc"], model)
    assert build_transcriber(options).version != build_transcriber(renamed).version


def test_models_that_cannot_be(tmp_path: Path, models: dict[str, Path]) -> None:
    def build(address: str | None, **options: Any) -> None:
        build_transcriber(TranscriberOptions("nemo", address, **options))

    with pytest.raises(UsageError, match="which model of NeMo"):
        build(None)
    with pytest.raises(UsageError, match="--model is for servers"):
        build(str(models["ctc"]), model="x")
    with pytest.raises(ToolError, match="there is no such file"):
        build(str(tmp_path / "none.nemo"))
    with pytest.raises(UsageError, match="neither a file nor the name of a model"):
        build("parakeet")
    with pytest.raises(ToolError, match="is a folder"):
        build(str(models["ctc"].parent))
    cut = tmp_path / "cut.nemo"
    cut.write_bytes(models["ctc"].read_bytes()[:700])
    with pytest.raises(ToolError, match=r"cannot be read as a \.nemo file"):
        build(str(cut))
    config = tmp_path / "model_config.yaml"
    for said, message in (
        ("target: nemo.collections.tts.models.FastPitchModel\n", "is no speech recogniser"),
        ("target: nemo.collections.asr.models.EncDecCTCModelBPE\n", "has no sample_rate"),
        ("- a list\n", "is no mapping"),
    ):
        config.write_text(said)
        with tarfile.open(tmp_path / "odd.nemo", "w") as archive:
            archive.add(config, "./model_config.yaml")
        with pytest.raises(ToolError, match=message):
            build(str(tmp_path / "odd.nemo"))
    with tarfile.open(tmp_path / "empty.nemo", "w"):
        pass
    with pytest.raises(ToolError, match=r"holds no model_config\.yaml"):
        build(str(tmp_path / "empty.nemo"))


def test_a_model_whose_weights_are_damaged(models: dict[str, Path], tmp_path: Path) -> None:
    with tarfile.open(models["ctc"]) as archive:
        archive.extractall(tmp_path / "inside", filter="data")
    (tmp_path / "inside" / "model_weights.ckpt").write_bytes(b"not weights")
    with tarfile.open(tmp_path / "bad.nemo", "w") as archive:
        for file in sorted((tmp_path / "inside").iterdir()):
            archive.add(file, f"./{file.name}")
    with pytest.raises(ToolError, match="NeMo cannot load this model"):
        loaded(tmp_path / "bad.nemo")


def test_a_hub_model_is_found_in_the_local_cache_and_said_to_be_missing_else(
    models: dict[str, Path], tmp_path: Path, empty_hub: None
) -> None:
    from asrdq.models.nemo_file import find_nemo_file

    with pytest.raises(ToolError, match="hub does not give it"):
        find_nemo_file("team/fast.v2")
    commit = "0" * 40
    snapshot = tmp_path / "models--team--fast.v2" / "snapshots" / commit
    snapshot.mkdir(parents=True)
    (tmp_path / "models--team--fast.v2" / "refs").mkdir()
    (tmp_path / "models--team--fast.v2" / "refs" / "main").write_text(commit)
    shutil.copyfile(models["ctc"], snapshot / "fast.v2.nemo")
    assert find_nemo_file("team/fast.v2") == snapshot / "fast.v2.nemo"


def test_nemo_that_is_not_installed(
    models: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ToolError, match=r"needs the package nemo") as raised:
        NemoTranscriber(TranscriberOptions("nemo", str(models["ctc"])))
    assert raised.value.hint == "pip install 'asrdq[train]'"
