"""CTC aligners on models that have learned to hear digits, in rows whose boundaries are known."""

from __future__ import annotations

import itertools
import json
import shutil
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import digits
import numpy as np
import pytest
import soundfile
from rapidfuzz.distance import Levenshtein

from asrdq.alignment import Alignment, AlignmentStatus, Utterance, build_aligner
from asrdq.alignment.ctc import CtcAligner
from asrdq.alignment.ctc_evidence import CTC_EVIDENCE
from asrdq.audio import voice_activity
from asrdq.audit import AuditPlan, audit
from asrdq.errors import ToolError, UsageError
from asrdq.manifests import ingest_manifest
from asrdq.sampling import SamplingPlan, draw_sample
from asrdq.workspace import Workspace

pytestmark = [pytest.mark.slow(minutes=2), pytest.mark.filterwarnings("ignore")]


@pytest.fixture(scope="module", params=["hf", "nemo"])
def model(request: pytest.FixtureRequest) -> Path:
    found: Path = request.getfixturevalue(f"{request.param}_digits")
    return found


@pytest.fixture(scope="module")
def aligner(model: Path) -> CtcAligner:
    built = build_aligner(f"ctc:{model}")
    assert isinstance(built, CtcAligner)
    built.load()
    return built


def spoken(row: digits.Row, words: Sequence[str] | None = None) -> Utterance:
    chosen = row.words if words is None else tuple(words)
    return Utterance(row.samples, chosen, voice_activity(row.samples))


def heard(aligner: CtcAligner, row: digits.Row) -> tuple[list[int], list[int]]:
    """What the model hears, greedily, and what was said, as tokens."""
    model = aligner._model
    assert model is not None
    silent = {model.blank, model.delimiter}
    best = model.log_posteriors([row.samples])[0].argmax(axis=1).tolist()
    found = [token for token, _ in itertools.groupby(best) if token not in silent]
    letters = [aligner._alphabets["en"].written(word).text for word in row.words]
    return found, [token for word in letters for token in model.tokens(word)]


def test_it_hears_the_digits_and_places_them(aligner: CtcAligner, rows: list[digits.Row]) -> None:
    """Begin and end of a word lie at its recording's, which itself begins with some silence."""
    found = aligner.align([spoken(row) for row in rows])
    assert {one.status for one in found} == {AlignmentStatus.ALIGNED}
    errors_s = []
    for row, alignment in zip(rows, found, strict=True):
        assert [span.word for span in alignment.spans] == list(row.words)
        for span, (begin, end) in zip(alignment.spans, row.edges, strict=True):
            errors_s += [span.start_s - begin / digits.RATE, span.end_s - end / digits.RATE]
            assert span.kept == 1.0
            assert span.score is not None and span.lowest is not None
            assert span.lowest <= span.score <= 0.0
        assert set(alignment.evidence) == set(CTC_EVIDENCE)
        assert all(np.isfinite(value) for value in alignment.evidence.values())
    assert np.median(np.abs(errors_s)) < 0.06
    assert np.quantile(np.abs(errors_s), 0.9) < 0.15
    wrong = said = 0
    for row in rows:
        tokens, wanted = heard(aligner, row)
        wrong, said = wrong + Levenshtein.distance(tokens, wanted), said + len(wanted)
    assert wrong / said < 0.15


def test_planted_faults_are_found(
    model: Path, workspace: Workspace, shared_data: Path, tmp_path: Path
) -> None:
    own = {
        speaker: digits.read_digits(shared_data / "fsdd", [speaker], range(5))
        for speaker in ("george", "jackson")
    }
    chance = np.random.default_rng(5)
    lines = []
    for number in range(32):
        speaker = ("george", "jackson")[number % 2]
        words = chance.choice(digits.WORDS, chance.integers(5, 8)).tolist()
        row = digits.row_of(chance, own[speaker], words)
        soundfile.write(tmp_path / f"{number}.wav", row.samples, digits.RATE)
        lines.append(
            {"audio_filepath": f"{number}.wav", "text": " ".join(words), "speaker": speaker}
        )
    file = tmp_path / "rows.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    manifest = ingest_manifest(workspace, [file], "rows").manifest
    draw_sample(workspace, manifest, SamplingPlan(fraction=1.0))
    result = audit(workspace, manifest, AuditPlan(f"ctc:{model}"), workers=1)
    rates = {row["fault"]: row["rate"] for row in result.detections.to_pylist()}
    gross = {"swapped_text", "extra_words", "half_audio", "missing_words", "substituted_words"}
    assert all(rates[fault] >= 0.9 for fault in (*gross, "silence", "noise")), rates
    assert rates["untouched"] < 0.15
    assert result.calibrations["verdict"].to_pylist() == ["ok"]
    assert "@" in result.aligner
    again = audit(workspace, manifest, AuditPlan(f"ctc:{model}"), workers=1)
    assert again.audits.drop_columns(["run_id"]).equals(result.audits.drop_columns(["run_id"]))


def test_words_that_are_not_in_the_audio_are_left_out_or_fit_badly(
    aligner: CtcAligner, spoken_digits: digits.Recordings
) -> None:
    """Where leaving a word out costs more than its tokens do, it stands with their low score."""
    row = digits.row_of(np.random.default_rng(3), spoken_digits, ["two", "nine", "three"])
    wrong = [*row.words[:2], "zero", "seven", "zero", row.words[2]]
    [found] = aligner.align([spoken(row, wrong)])
    assert [span.word for span in found.spans] == wrong
    right = [found.spans[at].score for at in (0, 1, 5)]
    assert all(score is not None for score in right), found
    added = [span.score for span in found.spans[2:5]]
    least = min(score for score in right if score is not None)
    assert all(score is None or score < least - 1.0 for score in added), found
    assert found.evidence["absent_words"] == pytest.approx(added.count(None) / 6)


def test_a_word_that_fits_nowhere_is_left_out(
    hf_digits: Path, spoken_digits: digits.Recordings
) -> None:
    """Four letters that are not there cost more than leaving them out."""
    row = digits.row_of(np.random.default_rng(3), spoken_digits, ["two", "nine"])
    [found] = build_aligner(f"ctc:{hf_digits}").align([spoken(row, ["two", "zero", "nine"])])
    zero = found.spans[1]
    assert (zero.word, zero.score, zero.end_s - zero.start_s) == ("zero", None, 0.0)
    assert found.spans[0].end_s <= zero.start_s <= found.spans[2].start_s


def test_audio_that_is_not_in_the_text_is_another_sound(
    aligner: CtcAligner, spoken_digits: digits.Recordings
) -> None:
    """The words at both ends stay in their places, and the star takes what is between."""
    words = ["two", "nine", "seven", "zero", "three"]
    row = digits.row_of(np.random.default_rng(4), spoken_digits, words)
    whole, part = aligner.align([spoken(row), spoken(row, ["two", "three"])])
    assert part.status is AlignmentStatus.ALIGNED
    for at, span in ((0, part.spans[0]), (4, part.spans[1])):
        begin, end = row.edges[at]
        assert span.start_s == pytest.approx(begin / digits.RATE, abs=0.2)
        assert span.end_s == pytest.approx(end / digits.RATE, abs=0.2)
    assert part.evidence["other_sounds"] > whole.evidence["other_sounds"]
    assert part.evidence["uncovered_voice"] > whole.evidence["uncovered_voice"] + 0.3


def test_answers_do_not_depend_on_the_batch(aligner: CtcAligner, rows: list[digits.Row]) -> None:
    asked = [spoken(row) for row in rows[:5]]
    together = aligner.align(asked)
    for one, found in zip(asked, together, strict=True):
        [alone] = aligner.align([one])
        assert times(alone) == times(found)
        assert dict(alone.evidence) == pytest.approx(dict(found.evidence), abs=1e-3)


@pytest.mark.parametrize("samples", [1, 60, 399, 1599])
def test_a_clip_too_short_for_a_word_is_answered_alike_in_any_batch(
    aligner: CtcAligner, rows: list[digits.Row], samples: int
) -> None:
    short = Utterance(rows[0].samples[:samples], ("one",), np.ones(1, np.bool_))
    [alone] = aligner.align([short])
    assert alone.status is AlignmentStatus.NO_ALIGNMENT
    assert "under 0.1 s" in alone.detail
    assert aligner.align([spoken(rows[1]), short])[1] == alone


@pytest.mark.parametrize("samples", [1, 60, 399, 1600])
def test_frames_of_a_short_clip_are_its_own(
    hf_digits: Path, rows: list[digits.Row], samples: int
) -> None:
    """399 samples are one fewer than the convolutions of Wav2Vec2 look at."""
    aligner = build_aligner(f"ctc:{hf_digits}")
    aligner.load()
    model = aligner._model  # type: ignore[attr-defined]
    short = rows[0].samples[:samples]
    [alone] = model.log_posteriors([short])
    beside = model.log_posteriors([rows[1].samples, short])[1]
    assert alone.shape == beside.shape
    assert (len(alone) == 0) == (samples < 400)
    assert np.allclose(alone, beside, atol=1e-3)


def times(alignment: Alignment) -> list[tuple[float, float]]:
    return [(span.start_s, span.end_s) for span in alignment.spans]


def test_too_few_frames_and_other_hopeless_clips_are_reasons(
    aligner: CtcAligner, rows: list[digits.Row]
) -> None:
    row = rows[0]
    short = Utterance(row.samples[:4000], tuple("seven" for _ in range(40)), np.ones(8, np.bool_))
    hebrew = spoken(row, ["שלום", "עולם"])
    mixed = spoken(row, [*row.words, "שלום"])
    empty = Utterance(np.zeros(0, np.float32), ("one",), np.zeros(0, np.bool_))
    long = Utterance(np.zeros(301 * 16_000, np.float32), ("one",), np.zeros(9, np.bool_))
    wordless = spoken(row, [])
    found = aligner.align([short, hebrew, mixed, empty, long, wordless, spoken(row)])
    assert [one.status.value for one in found] == [
        "no_alignment",
        "out_of_vocabulary",
        "aligned",
        "no_alignment",
        "too_long",
        "no_alignment",
        "aligned",
    ]
    assert "frames, and the text needs" in found[0].detail
    assert found[2].spans[-1].kept == 0.0
    assert [one.kept for one in found[2].spans[:-1]] == [1.0] * len(row.words)


def test_too_little_memory_halves_the_batch(
    aligner: CtcAligner, rows: list[digits.Row], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The model says what a GPU says to more than two clips, and to one clip always."""
    import torch

    model = aligner._model
    assert model is not None
    run, sizes = model.log_posteriors, []
    lost = rows[3].samples

    def crowded(clips: Sequence[Any]) -> list[Any]:
        sizes.append(len(clips))
        if len(clips) > 2 or any(clip is lost for clip in clips):
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")
        return run(clips)

    before = aligner.align([spoken(row) for row in rows[:5]])
    monkeypatch.setattr(model, "log_posteriors", crowded)
    found = aligner.align([spoken(row) for row in rows[:5]])
    assert found[3].status is AlignmentStatus.FAILED
    assert "no memory for this clip alone: CUDA out of memory" in found[3].detail
    assert [times(one) for one in found[:3]] == [times(one) for one in before[:3]]
    assert sizes == [5, 2, 3, 1, 2, 1, 1]


def test_a_broken_model_is_named(model: Path, tmp_path: Path) -> None:
    if model.is_file():
        cut = tmp_path / "cut.nemo"
        cut.write_bytes(model.read_bytes()[:5000])
        with pytest.raises(ToolError, match=r"cannot be read as a \.nemo file"):
            build_aligner(f"ctc:{cut}")
        bare = without_tokenizer(model, tmp_path / "bare.nemo")
        with pytest.raises(ToolError, match=r"it holds no .*_tokenizer\.model.*, which"):
            build_aligner(f"ctc:{bare}").load()
        return
    weights = tmp_path / "weights"
    shutil.copytree(model, weights)
    file = weights / "model.safetensors"
    file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(ToolError, match="its model cannot be loaded"):
        build_aligner(f"ctc:{weights}").load()
    speechless = tmp_path / "speechless"
    shutil.copytree(model, speechless)
    for name in ("vocab.json", "tokenizer_config.json", "special_tokens_map.json"):
        (speechless / name).unlink()
    with pytest.raises(ToolError, match=r"has no tokenizer: none of tokenizer\.json, "):
        build_aligner(f"ctc:{speechless}")
    config = json.loads((speechless / "config.json").read_text())
    (speechless / "config.json").write_text(
        json.dumps({**config, "architectures": ["Wav2Vec2Model"]})
    )
    with pytest.raises(ToolError, match="has no CTC decoder: Wav2Vec2Model"):
        build_aligner(f"ctc:{speechless}")
    (speechless / "config.json").write_text("{")
    with pytest.raises(ToolError, match=r"config\.json: cannot be read"):
        build_aligner(f"ctc:{speechless}")


def without_tokenizer(model: Path, bare: Path) -> Path:
    """Copy a model, the files of its tokenizer left out."""
    with tarfile.open(model) as whole, tarfile.open(bare, "w") as part:
        for member in whole.getmembers():
            if "tokenizer" not in member.name and "vocab" not in member.name:
                part.addfile(member, whole.extractfile(member) if member.isfile() else None)
    return bare


def test_the_version_follows_the_content(model: Path, tmp_path: Path) -> None:
    copy = tmp_path / model.name
    if model.is_file():
        shutil.copyfile(model, copy)
        changed = copy
    else:
        shutil.copytree(model, copy)
        changed = copy / "config.json"
    before = build_aligner(f"ctc:{model}").version
    assert build_aligner(f"ctc:{copy}").version == before
    with changed.open("ab") as file:
        file.write(b"\n")
    assert build_aligner(f"ctc:{copy}").version != before


def test_a_gpu_that_is_not_there_is_said(model: Path) -> None:
    import torch

    from asrdq.alignment import parse_aligner

    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    with pytest.raises(ToolError, match="a GPU is asked for, and torch finds none"):
        build_aligner(parse_aligner(f"ctc:{model}", device="cuda"))


def test_a_model_without_ctc_is_refused(tmp_path: Path) -> None:
    from asrdq.training.nemo.tiny import tiny_model

    file = tiny_model("rnnt", digits.WORDS, tmp_path)
    with pytest.raises(ToolError, match="has no CTC decoder"):
        build_aligner(f"ctc:{file}").load()


def test_a_hybrid_aligns_with_its_ctc_decoder(tmp_path: Path, rows: list[digits.Row]) -> None:
    from asrdq.training.nemo.tiny import tiny_model

    hybrid = build_aligner(f"ctc:{tiny_model('hybrid', digits.WORDS, tmp_path)}")
    [found] = hybrid.align([spoken(rows[0])])
    assert found.status in (AlignmentStatus.ALIGNED, AlignmentStatus.NO_ALIGNMENT)
    assert "model" not in found.detail


def test_a_model_has_to_be_named() -> None:
    with pytest.raises(UsageError, match="which CTC model"):
        build_aligner("ctc")
