"""Qwen3-ASR transcribes clips of a manifest: greedily, with a beam search, in fixed batches."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from asrdq.errors import ToolError, UsageError
from asrdq.manifests import ingest_manifest
from asrdq.transcription.backends import build_transcriber
from asrdq.transcription.protocol import Transcriber, TranscriberOptions
from asrdq.transcription.qwen import QwenTranscriber
from asrdq.workspace import Workspace

pytestmark = [pytest.mark.slow(minutes=1), pytest.mark.filterwarnings("ignore")]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from asrdq.training.qwen.tiny import tiny_qwen

    return tiny_qwen(["zero one two"], tmp_path_factory.mktemp("qwen") / "model", width=32)


@pytest.fixture(scope="module")
def clips() -> list[Any]:
    rng = np.random.default_rng(1)
    return [rng.normal(0, 0.1, size).astype(np.float32) for size in (8000, 4000, 12000)]


def loaded(model: Path, **options: Any) -> QwenTranscriber:
    found = QwenTranscriber(TranscriberOptions("qwen", str(model), device="cpu", **options))
    found.load()
    return found


def test_it_is_a_transcriber_that_answers_each_clip_in_its_order(
    model: Path, clips: list[Any]
) -> None:
    transcriber = loaded(model)
    assert isinstance(transcriber, Transcriber)
    found = transcriber.transcribe(clips, ["en", "he", "en"])
    assert [each.status.value for each in found] == ["transcribed"] * 3
    alone = [
        transcriber.transcribe([clip], [code])[0]
        for clip, code in zip(clips, ["en", "he", "en"], strict=True)
    ]
    assert found == alone  # neither order nor neighbours change an answer
    assert transcriber.transcribe(clips[::-1], ["en", "he", "en"]) == found[::-1]


def test_a_language_that_the_model_knows_is_told_and_another_is_left_to_it(
    model: Path, clips: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    from asrdq.transcription import qwen

    told: list[list[str | None]] = []
    plain = qwen.answer

    def listening(*given: Any, **options: Any) -> Any:
        told.append(given[2])
        return plain(*given, **options)

    monkeypatch.setattr(qwen, "answer", listening)
    loaded(model).transcribe(clips, ["en", "he", "de"])
    assert told == [["English"], [None], ["German"]]


def test_with_weights_of_a_gpu_it_transcribes_too(model: Path, clips: list[Any]) -> None:
    import torch

    from asrdq.models.qwen import answer, features_of, load_qwen

    qwen = load_qwen(str(model), torch.device("cpu"), torch.bfloat16)
    assert {each.dtype for each in qwen.network.parameters()} == {torch.bfloat16}
    mels = [features_of(qwen.processor, clip) for clip in clips]
    found = answer(qwen, mels, ["English"] * 3)
    exact = loaded(model).transcribe(clips, ["en"] * 3)
    assert [heard.text for heard in found] == [said.text for said in exact] != [""] * 3


def test_five_beams_are_a_search_and_not_greedy_under_another_name(
    model: Path, clips: list[Any]
) -> None:
    """The library's own scores are the oracle: what five beams find is more likely."""
    greedy, beam = (loaded(model, beams=beams).transcribe(clips, ["en"] * 3) for beams in (1, 5))
    changed = [number for number in range(3) if greedy[number] != beam[number]]
    assert changed
    one, five = (_scores(loaded(model), clips, beams) for beams in (1, 5))
    assert all(five[number] > one[number] for number in changed)


def _scores(transcriber: QwenTranscriber, clips: list[Any], beams: int) -> list[float]:
    """The mean log-probability a token of the best answer to each clip."""
    from asrdq.models.qwen import features_of, padded, prompt, token_ids

    qwen = transcriber._qwen
    assert qwen is not None
    scores = []
    for clip in clips:
        mel = features_of(qwen.processor, clip)
        ids = token_ids(qwen.processor, prompt(qwen.processor, "", "English"), mel.shape[1])
        found = qwen.network.generate(
            **padded(qwen.processor, [ids], [mel]),
            max_new_tokens=64,
            eos_token_id=qwen.ends,
            num_beams=beams,
            do_sample=False,
            output_scores=True,
        )
        indices = getattr(found, "beam_indices", None)
        each = qwen.network.thinker.compute_transition_scores(
            found.sequences, found.scores, indices, normalize_logits=beams == 1
        )[0]
        scores.append(float(each[each.isfinite()].mean()))
    return scores


def test_greedily_and_with_beams_through_the_command(
    model: Path,
    clips: list[Any],
    workspace: Workspace,
    tmp_path: Path,
    run_cli: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    rows = []
    for number, clip in enumerate(clips):
        soundfile.write(tmp_path / f"{number}.wav", clip, 16_000)
        row = {"audio_filepath": f"{number}.wav", "duration": len(clip) / 16_000, "text": "one"}
        rows.append(json.dumps({**row, "id": f"u{number}", "lang": "en"}) + "\n")
    (tmp_path / "eval.jsonl").write_text("".join(rows))
    ingest_manifest(workspace, [tmp_path / "eval.jsonl"], "eval")
    here = Path(str(workspace.root))
    command = ("transcribe", "eval", "--with", f"qwen:{model}", "--device", "cpu")
    run_cli(*command, "--name", "greedy", cwd=here)
    told = run_cli(*command, "--name", "five", "--beams", 5, cwd=here)
    assert "next: asrdq score eval" in told.stderr
    query = "SELECT hyps, utt_id, hypothesis FROM hypotheses ORDER BY hyps, utt_id"
    found = json.loads(run_cli("sql", query, "--format", "json", cwd=here).stdout)
    by_set = {
        name: [row["hypothesis"] for row in found if row["hyps"] == name]
        for name in ("greedy", "five")
    }
    for name, beams in (("greedy", 1), ("five", 5)):
        alone = loaded(model, beams=beams).transcribe(clips, ["en"] * 3)
        assert by_set[name] == [each.text for each in alone]
    assert by_set["greedy"] != by_set["five"]


def test_beams_are_part_of_the_version_that_answers_are_cached_under(model: Path) -> None:
    versions = {
        QwenTranscriber(TranscriberOptions("qwen", str(model), beams=beams)).version
        for beams in (1, 5)
    }
    assert len(versions) == 2
    assert {version.rpartition("+1 ")[2] for version in versions} == {"greedy", "beams 5"}


def test_other_weights_are_another_version(model: Path, tmp_path: Path) -> None:
    from asrdq.training.qwen.tiny import tiny_qwen

    other = tiny_qwen(["zero one two"], tmp_path / "other", width=32, seed=1)
    one, two = (QwenTranscriber(TranscriberOptions("qwen", str(each))) for each in (model, other))
    assert one.version != two.version


def test_what_cannot_be_meant_is_refused(model: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="which model"):
        QwenTranscriber(TranscriberOptions("qwen"))
    with pytest.raises(UsageError, match="for servers"):
        QwenTranscriber(TranscriberOptions("qwen", str(model), model="x"))
    with pytest.raises(ToolError, match="there is no such model"):
        QwenTranscriber(TranscriberOptions("qwen", str(tmp_path / "gone")))


def test_a_transcriber_without_a_beam_search_does_not_run_greedily_instead() -> None:
    with pytest.raises(UsageError, match="no search of 5 beams"):
        build_transcriber(TranscriberOptions("pocketsphinx", beams=5))
