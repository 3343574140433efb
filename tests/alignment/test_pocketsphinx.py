"""The embedded aligner on real recordings."""

from __future__ import annotations

import json
import math
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from asrdq.alignment import Aligner, Alignment, AlignmentStatus, Utterance, build_aligner
from asrdq.alignment.evidence import PlacedPhone, PlacedWord
from asrdq.alignment.pocketsphinx import PocketSphinxAligner
from asrdq.audio import decode, voice_activity
from asrdq.audit.examination import start_worker, worker_aligner
from asrdq.errors import ToolError, UsageError
from asrdq.text import spoken_words

Samples = npt.NDArray[np.float32]

FRAME_S = 0.01
"""The reference was made with the same acoustic model: boundaries may differ by a frame."""


@pytest.fixture(scope="module")
def aligner() -> PocketSphinxAligner:
    return PocketSphinxAligner()


@pytest.fixture(scope="module")
def librivox(shared_data: Path) -> list[Path]:
    return sorted((shared_data / "pocketsphinx/librivox").glob("*.wav"))


@pytest.fixture(scope="module")
def clip(librivox: list[Path]) -> tuple[Samples, list[str]]:
    """The shortest: "he was not an ill disposed young man"."""
    file = librivox[1]
    return decode(str(file)).samples, file.with_suffix(".txt").read_text().split()


def align(aligner: Aligner, samples: Samples, words: list[str]) -> Alignment:
    [found] = aligner.align([Utterance(samples, tuple(words), voice_activity(samples))])
    return found


def test_it_follows_the_protocol_and_is_found_by_name() -> None:
    aligner = build_aligner("pocketsphinx")
    assert isinstance(aligner, PocketSphinxAligner)
    assert aligner.version.startswith("5.")


def test_an_unknown_aligner_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(UsageError, match="did you mean 'pocketsphinx'"):
        build_aligner("pocketsfinx")


def test_word_boundaries_are_where_the_reference_has_them(
    aligner: PocketSphinxAligner, librivox: list[Path]
) -> None:
    errors = []
    for file in librivox:
        words = file.with_suffix(".txt").read_text().split()
        reference = [
            entry
            for entry in json.loads(file.with_suffix(".json").read_text())["w"]
            if not entry["t"].startswith("<")
        ]
        found = align(aligner, decode(str(file)).samples, words)
        assert found.status is AlignmentStatus.ALIGNED
        assert [span.word for span in found.spans] == words
        for span, entry in zip(found.spans, reference, strict=True):
            assert entry["t"].partition("(")[0] == span.word
            errors.append(abs(span.start_s - entry["b"]))
            errors.append(abs(span.end_s - entry["b"] - entry["d"]))
    assert len(errors) == 2 * 71
    assert float(np.median(errors)) < FRAME_S / 2
    assert float(np.quantile(errors, 0.9)) < 1.5 * FRAME_S


def test_spans_come_in_order_and_scores_are_at_most_zero(
    aligner: PocketSphinxAligner, clip: tuple[Samples, list[str]]
) -> None:
    found = align(aligner, *clip)
    edges = [edge for span in found.spans for edge in (span.start_s, span.end_s)]
    assert edges == sorted(edges)
    assert edges[0] >= 0.0 and edges[-1] <= len(clip[0]) / aligner.sample_rate
    assert all(span.score is not None and span.score <= 0.0 for span in found.spans)
    assert tuple(found.evidence) == aligner.evidence_names
    assert all(math.isfinite(value) for value in found.evidence.values())


def test_a_clip_gives_the_same_answer_whatever_was_aligned_before(
    aligner: PocketSphinxAligner, clip: tuple[Samples, list[str]], librivox: list[Path]
) -> None:
    first = align(PocketSphinxAligner(), *clip)
    align(aligner, decode(str(librivox[4])).samples, ["himself", "zorblaxian"])
    assert align(aligner, *clip) == align(aligner, *clip) == first


def test_a_wrong_transcript_costs_more(
    aligner: PocketSphinxAligner, clip: tuple[Samples, list[str]]
) -> None:
    samples, words = clip
    right = align(aligner, samples, words)
    wrong = align(aligner, samples, [*words[:4], "banana", "telephone", *words[6:]])
    assert wrong.status is not AlignmentStatus.ALIGNED or (
        wrong.evidence["weakest_word_excess"] > 2 * right.evidence["weakest_word_excess"]
    )


def test_words_that_the_dictionary_lacks_are_placed(
    aligner: PocketSphinxAligner, clip: tuple[Samples, list[str]]
) -> None:
    samples, words = clip
    respelled = ["dispoezd" if word == "disposed" else word for word in words]
    found = align(aligner, samples, respelled)
    assert found.status is AlignmentStatus.ALIGNED
    assert [span.word for span in found.spans] == respelled


def test_accents_do_not_keep_a_clip_from_being_judged(
    aligner: PocketSphinxAligner, clip: tuple[Samples, list[str]]
) -> None:
    """Each word is where it is without them, and is called what the transcript calls it."""
    samples, words = clip
    accented = [word.replace("o", "ö").replace("a", "á") for word in words]
    assert accented[:2] == ["he", "wás"]
    found, plain = align(aligner, samples, accented), align(aligner, samples, words)
    assert found.status is AlignmentStatus.ALIGNED
    assert [span.word for span in found.spans] == accented
    assert [replace(span, word="") for span in found.spans] == [
        replace(span, word="") for span in plain.spans
    ]
    assert found.evidence == plain.evidence


@pytest.mark.parametrize(
    "text", ["we met at the café", "a naïve résumé", "jalapeño", "Zoë's façade", "5 µg"]
)
def test_english_words_with_accents_are_in_its_vocabulary(
    aligner: PocketSphinxAligner, clip: tuple[Samples, list[str]], text: str
) -> None:
    found = align(aligner, clip[0], spoken_words(text))
    assert found.status is not AlignmentStatus.OUT_OF_VOCABULARY


def test_letters_that_are_no_english_ones_with_accents_stay_unknown(
    aligner: PocketSphinxAligner, clip: tuple[Samples, list[str]]
) -> None:
    found = align(aligner, clip[0], ["straße", "søren", "יִ", "\u0301", "naïve"])
    assert found.detail == "no phones: straße søren יִ \u0301"


def test_a_word_in_another_script_is_out_of_vocabulary(
    aligner: PocketSphinxAligner, clip: tuple[Samples, list[str]]
) -> None:
    found = align(aligner, clip[0], ["he", "was", "שלום", "привет"])
    assert found.status is AlignmentStatus.OUT_OF_VOCABULARY
    assert found.detail == "no phones: שלום привет"
    assert found.spans == ()
    assert found.evidence == {}


@pytest.mark.parametrize("words", [["<s>"], ["<sil>"], ["[NOISE]"], ["a b"], ["12"], ["łódź"]])
def test_what_is_no_english_word_is_never_taken_for_one(
    aligner: PocketSphinxAligner, clip: tuple[Samples, list[str]], words: list[str]
) -> None:
    assert align(aligner, clip[0], words).status is not AlignmentStatus.ALIGNED


def test_figures_are_spelled_before_they_reach_it(
    aligner: PocketSphinxAligner, clip: tuple[Samples, list[str]]
) -> None:
    assert align(aligner, clip[0], spoken_words("12")).status is not (
        AlignmentStatus.OUT_OF_VOCABULARY
    )


def test_too_long_a_clip_is_refused(aligner: PocketSphinxAligner) -> None:
    samples = np.zeros(int(aligner.longest_s * aligner.sample_rate) + 1, np.float32)
    [found] = aligner.align([Utterance(samples, ("he",), np.zeros(0, np.bool_))])
    assert found.status is AlignmentStatus.TOO_LONG
    assert found.detail == "120.0 s, over 120 s"


def test_no_words_and_no_audio_are_no_alignment(
    aligner: PocketSphinxAligner, clip: tuple[Samples, list[str]]
) -> None:
    samples, words = clip
    assert align(aligner, samples, []).status is AlignmentStatus.NO_ALIGNMENT
    for count in (0, 1, 100):
        found = align(aligner, samples[:count], words)
        assert found.status is AlignmentStatus.NO_ALIGNMENT


@pytest.mark.parametrize("seconds", [0.11, 0.2, 0.5])
def test_more_words_than_the_audio_has_room_for(
    aligner: PocketSphinxAligner, clip: tuple[Samples, list[str]], seconds: float
) -> None:
    samples, words = clip
    found = align(aligner, samples[: int(seconds * 16_000)], words)
    assert found.status is AlignmentStatus.NO_ALIGNMENT


@pytest.mark.parametrize("level", [0.0, 1e-4])
def test_silence_has_no_words(
    aligner: PocketSphinxAligner, clip: tuple[Samples, list[str]], level: float
) -> None:
    samples, words = clip
    noise = np.random.default_rng(1).standard_normal(len(samples)) * level
    found = align(aligner, noise.astype(np.float32), words)
    right = align(aligner, samples, words)
    assert found.status is AlignmentStatus.NO_ALIGNMENT or (
        found.evidence["word_cost"] > 2 * right.evidence["word_cost"]
    )


def test_samples_out_of_range_are_clipped(
    aligner: PocketSphinxAligner, clip: tuple[Samples, list[str]]
) -> None:
    samples, words = clip
    clipped = align(aligner, np.clip(samples * 100, -1.0, 1.0), words)
    assert align(aligner, samples * 100, words) == clipped


@pytest.mark.slow
def test_librispeech_transcripts_come_back_in_full(
    aligner: PocketSphinxAligner, librispeech: Path
) -> None:
    lines = [json.loads(line) for line in librispeech.read_text().splitlines()][::15]
    for line in lines:
        samples = decode(str(librispeech.parent / line["audio_filepath"])).samples
        words = spoken_words(line["text"])
        found = align(aligner, samples, words)
        assert [span.word for span in found.spans] == words
        assert found.evidence["wide_beams"] == 0.0


def test_what_is_not_an_aligner_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from importlib.metadata import EntryPoint, EntryPoints

    points = EntryPoints(
        [
            EntryPoint("no_aligner", "builtins:repr", "asrdq.aligners"),
            EntryPoint("no_module", "asrdq_absent:Aligner", "asrdq.aligners"),
            EntryPoint("no_class", "pathlib:Aligner", "asrdq.aligners"),
            EntryPoint("no_arguments", "fractions:Decimal.from_float", "asrdq.aligners"),
        ]
    )
    monkeypatch.setattr("asrdq.plug_ins.entry_points", lambda group: points)
    with pytest.raises(ToolError, match="is not an aligner"):
        build_aligner("no_aligner")
    for name, reason in (
        ("no_module", "ModuleNotFoundError"),
        ("no_class", "AttributeError"),
        ("no_arguments", "TypeError"),
    ):
        with pytest.raises(ToolError, match=f"'{name}' cannot be built: {reason}"):
            build_aligner(name)


@pytest.mark.parametrize("file", [None, b"no archive", b""])
def test_without_its_pronunciation_model_it_does_not_start(
    file: bytes | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker loads everything before its first clip; nothing is left to fail clip by clip."""
    package = tmp_path / "g2p_en"
    package.mkdir()
    (package / "__init__.py").touch()
    if file is not None:
        (package / "checkpoint20.npz").write_bytes(file)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    worker_aligner.cache_clear()
    with pytest.raises(ToolError, match="weights of the package g2p_en cannot be read"):
        start_worker("pocketsphinx")


def test_without_the_pronunciation_package_it_does_not_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(ToolError, match="the package g2p_en is missing"):
        PocketSphinxAligner().load()


def test_a_phone_pass_that_loses_a_word_is_no_alignment(aligner: PocketSphinxAligner) -> None:
    placed = [PlacedWord("he", 0, 10, (PlacedPhone("HH", 10, -1.0),))]
    found = aligner._answer(placed, ["he", "was"], np.ones(3, np.bool_), 1600, False)
    assert found.status is AlignmentStatus.FAILED
    assert found.detail == "the phone pass lost a word"
    assert found.spans == ()
