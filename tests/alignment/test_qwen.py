"""Qwen3-ForcedAligner through qwen-asr's own code, on a tiny model with random weights."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from asrdq.alignment import AlignerOptions, AlignmentStatus, Utterance, build_aligner
from asrdq.alignment.protocol import WordSpan
from asrdq.alignment.qwen import QWEN_EVIDENCE, QwenAligner, measure_slots
from asrdq.audio import voice_activity
from asrdq.audit import AuditPlan
from asrdq.errors import ToolError, UsageError
from asrdq.models.qwen_aligner import QwenForcedAligner, Slots
from asrdq.settings import RaySettings

pytestmark = pytest.mark.filterwarnings("ignore")

RATE = 16_000


def utterance(seconds: float, words: str, language: str = "en", seed: int = 0) -> Utterance:
    samples = np.random.default_rng(seed).standard_normal(round(seconds * RATE)) * 0.1
    clip = samples.astype(np.float32)
    return Utterance(clip, tuple(words.split()), voice_activity(clip), language)


@pytest.fixture(scope="module")
def aligner(qwen_aligner: Path) -> QwenAligner:
    built = build_aligner(f"qwen:{qwen_aligner}")
    assert isinstance(built, QwenAligner)
    built.load()
    return built


@pytest.mark.slow
def test_times_are_those_of_qwen_asr_itself(aligner: QwenAligner, qwen_aligner: Path) -> None:
    from qwen_asr import Qwen3ForcedAligner

    asked = [
        utterance(2.0, "one two three"),
        utterance(3.0, "今 天 天 气", "zh", seed=1),
        utterance(1.5, "call me", seed=2),
    ]
    theirs = Qwen3ForcedAligner.from_pretrained(str(qwen_aligner)).align(
        audio=[(one.samples, RATE) for one in asked],
        text=[" ".join(one.words) for one in asked],
        language=["English", "Chinese", "English"],
    )
    for ours, reference in zip(aligner.align(asked), theirs, strict=True):
        assert ours.status is AlignmentStatus.ALIGNED
        assert [one.word for one in ours.spans] == [item.text for item in reference]
        for span, item in zip(ours.spans, reference, strict=True):
            assert (span.start_s, span.end_s) == pytest.approx((item.start_time, item.end_time))
        assert set(ours.evidence) == set(QWEN_EVIDENCE)
        assert all(np.isfinite(value) for value in ours.evidence.values())
        assert 0.0 < ours.evidence["slot_doubt"] < 1.0
        assert all(span.score is not None and span.score < 0.0 for span in ours.spans)


@pytest.mark.slow
def test_weights_of_a_gpu_give_the_same_evidence_but_for_their_rounding(qwen_aligner: Path) -> None:
    """bfloat16 has 8 bits: probabilities agree to some hundredths, and no time is another one."""
    import torch

    clips = [utterance(seconds, "", seed=seed).samples for seed, seconds in enumerate((2.0, 3.5))]
    asked = (clips, ["one two three", "please call me"], ["English", "English"])
    exact, rounded = (
        QwenForcedAligner(qwen_aligner, torch.device("cpu"), dtype).slots(*asked)
        for dtype in (torch.float32, torch.bfloat16)
    )
    for one, other in zip(exact, rounded, strict=True):
        assert other.tokens == one.tokens
        assert (other.times_s == one.times_s).all()
        assert other.peaks == pytest.approx(one.peaks, abs=0.05)
        assert other.entropies == pytest.approx(one.entropies, abs=0.05)
        assert (other.peaks != one.peaks).any()


@pytest.mark.slow
def test_a_clip_is_answered_the_same_alone_and_in_a_batch(aligner: QwenAligner) -> None:
    asked = [utterance(2.0, "one two three"), utterance(4.0, "please call me now", seed=3)]
    together = aligner.align(asked)
    for one, found in zip(asked, together, strict=True):
        [alone] = aligner.align([one])
        assert [(s.word, s.start_s, s.end_s) for s in alone.spans] == [
            (s.word, s.start_s, s.end_s) for s in found.spans
        ]
        assert dict(alone.evidence) == pytest.approx(dict(found.evidence), abs=1e-4)


@pytest.mark.slow
def test_a_clip_beyond_the_limit_is_cut_and_put_back(aligner: QwenAligner) -> None:
    """200 s in two pieces: the words of the second lie behind the cut."""
    words = " ".join(f"word{number}" for number in range(40))
    [found] = aligner.align([utterance(200.0, words)])
    assert found.status is AlignmentStatus.ALIGNED
    assert [span.word for span in found.spans] == words.split()
    starts = np.array([span.start_s for span in found.spans])
    assert (starts[:33] < 100.0).all()
    assert (starts[36:] > 160.0).all()  # 50 slots of 80 ms make 4 s behind the cut at 165 to 175 s


@pytest.mark.slow
def test_japanese_is_cut_up_by_the_aligner_and_put_back_on_our_units(aligner: QwenAligner) -> None:
    text = "私 は 今 日 も 元 気 で す"
    [found] = aligner.align([utterance(2.0, text, "ja")])
    assert found.status is AlignmentStatus.ALIGNED, found.detail
    assert " ".join(span.word for span in found.spans) == text


@pytest.mark.slow
def test_what_cannot_be_aligned_is_a_reason_and_leaves_the_others_alone(
    aligner: QwenAligner,
) -> None:
    empty = Utterance(np.zeros(0, np.float32), ("one",), np.zeros(0, np.bool_))
    silent = Utterance(np.zeros(RATE, np.float32), (), np.zeros(33, np.bool_))
    endless = Utterance(np.zeros(1201 * RATE, np.float32), ("one",), np.zeros(3, np.bool_))
    found = aligner.align([empty, utterance(2.0, "one two"), silent, endless])
    assert [one.status.value for one in found] == [
        "no_alignment",
        "aligned",
        "no_alignment",
        "too_long",
    ]


@pytest.mark.slow
def test_too_little_memory_halves_the_batch(
    aligner: QwenAligner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The network says what a GPU says, for more than one clip."""
    import torch

    assert aligner._model is not None
    network = aligner._model._network.thinker
    forward, sizes = network.forward, []

    def crowded(**inputs: torch.Tensor) -> object:
        sizes.append(len(inputs["input_ids"]))
        if sizes[-1] > 1:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")
        return forward(**inputs)

    monkeypatch.setattr(network, "forward", crowded)
    found = aligner.align([utterance(1.0, "one two", seed=seed) for seed in range(4)])
    assert [one.status for one in found] == [AlignmentStatus.ALIGNED] * 4
    assert sizes == [4, 2, 1, 1, 2, 1, 1]


@pytest.mark.slow
def test_hebrew_is_refused_and_models_that_are_none(qwen_aligner: Path, tmp_path: Path) -> None:
    built = build_aligner(f"qwen:{qwen_aligner}")
    assert built.languages is not None and "he" not in built.languages
    assert len(built.languages) == 11
    with pytest.raises(ToolError, match="no such model"):
        build_aligner("qwen:/nowhere/model")
    other = tmp_path / "other"
    shutil.copytree(qwen_aligner, other)
    config = json.loads((other / "config.json").read_text())
    config["thinker_config"]["model_type"] = "qwen3_asr_thinker"
    (other / "config.json").write_text(json.dumps(config))
    with pytest.raises(ToolError, match="is no forced aligner of Qwen3"):
        build_aligner(f"qwen:{other}")
    broken = tmp_path / "broken"
    shutil.copytree(qwen_aligner, broken)
    weights = broken / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(ToolError, match="cannot be loaded"):
        build_aligner(f"qwen:{broken}").load()
    without = tmp_path / "without"
    shutil.copytree(qwen_aligner, without)
    for file in without.glob("*token*"):
        file.unlink()
    for name in ("vocab.json", "merges.txt"):
        (without / name).unlink(missing_ok=True)
    with pytest.raises(ToolError, match="cannot be loaded"):
        build_aligner(f"qwen:{without}").load()


@pytest.mark.slow
def test_a_gpu_that_is_not_there_is_said(qwen_aligner: Path) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    with pytest.raises(ToolError, match="a GPU is asked for, and torch finds none"):
        build_aligner(AlignerOptions("qwen", str(qwen_aligner), device="cuda"))


@pytest.mark.slow
def test_the_version_follows_the_content(qwen_aligner: Path, tmp_path: Path) -> None:
    copy = tmp_path / qwen_aligner.name
    shutil.copytree(qwen_aligner, copy)
    before = build_aligner(f"qwen:{qwen_aligner}").version
    assert build_aligner(f"qwen:{copy}").version == before
    on_gpus = AuditPlan(f"qwen:{copy}", cluster=RaySettings(gpus_per_worker=0.5)).options
    assert build_aligner(on_gpus).version == f"{before} bfloat16"
    config = json.loads((copy / "config.json").read_text())
    (copy / "config.json").write_text(json.dumps({**config, "note": 1}))
    assert build_aligner(f"qwen:{copy}").version != before


def test_evidence_by_hand() -> None:
    """Two tokens: the second begins before the first ends, has no length, and was repaired."""
    slots = Slots(
        tokens=["a", "b"],
        times_s=np.array([[0.0, 0.4], [0.2, 0.2]]),
        repaired_s=np.array([[0.0, 0.4], [0.4, 0.4]]),
        peaks=np.array([[0.9, 0.7], [0.5, 0.3]]),
        entropies=np.array([[0.1, 0.3], [1.0, 2.0]]),
    )
    spans = [WordSpan("a", 0.0, 0.4, -0.2), WordSpan("b", 0.4, 0.4, -1.0)]
    voiced = np.array([True] * 10 + [False] * 10 + [True] * 20)
    found = measure_slots([slots], spans, voiced, 1.2)
    assert found["slot_doubt"] == pytest.approx(0.4)
    assert found["weakest_slot"] == pytest.approx(0.6)
    assert found["slot_entropy"] == pytest.approx(0.85)
    assert found["worst_entropy"] == pytest.approx(1.5)
    assert found["repaired_times"] == 0.5
    assert found["zero_length"] == 0.5
    assert found["out_of_order"] == pytest.approx(1 / 3)
    # Voice from 0 to 0.3 s and from 0.6 to 1.2 s; words reach to 0.5 s with their margin.
    assert found["uncovered_voice"] == pytest.approx(2 / 3)
    assert found["longest_uncovered_s"] == pytest.approx(np.log1p(0.6))


def test_an_aligner_that_is_none_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="neither a path nor the name of a model"):
        QwenAligner(AlignerOptions("qwen", "somewhere"))
