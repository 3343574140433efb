"""Whisper and CTC models of Hugging Face say what transformers makes of them, in any batch."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from asrdq.errors import ToolError, UsageError
from asrdq.transcription import TranscriberOptions, TranscriptionStatus, build_transcriber
from asrdq.transcription.hf import HuggingFaceTranscriber

pytest.importorskip("transformers", reason="the extra train is not installed")
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

RATE = 16_000
CLIPS = [
    np.random.default_rng(seed).normal(0.0, 0.1, round(seconds * RATE)).astype(np.float32)
    for seed, seconds in enumerate((0.4, 1.3, 2.0, 0.9))
]
LETTERS = ["<pad>", "<unk>", "|", *"abcdefgh"]


@pytest.fixture(scope="module")
def ctc(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Wav2Vec2ForCTC with random weights that is sure of what it says."""
    import torch
    import transformers as hf

    folder = tmp_path_factory.mktemp("ctc")
    (folder / "vocab.json").write_text(json.dumps({text: at for at, text in enumerate(LETTERS)}))
    hf.Wav2Vec2CTCTokenizer(
        str(folder / "vocab.json"), bos_token=None, eos_token=None
    ).save_pretrained(folder)
    hf.Wav2Vec2FeatureExtractor(return_attention_mask=True).save_pretrained(folder)
    torch.manual_seed(1)
    small = {"conv_dim": (16, 16), "conv_kernel": (80, 20), "conv_stride": (40, 16)}
    model = hf.Wav2Vec2ForCTC(
        hf.Wav2Vec2Config(
            **small,
            vocab_size=len(LETTERS),
            hidden_size=32,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=32,
            feat_extract_norm="layer",
            do_stable_layer_norm=True,
            num_conv_pos_embeddings=8,
            num_conv_pos_embedding_groups=2,
            pad_token_id=0,
        )
    )
    with torch.no_grad():
        model.lm_head.weight *= 40
    model.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def whisper(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A multilingual Whisper with random weights, made of bytes."""
    import torch
    import transformers as hf
    from transformers.models.whisper.tokenization_whisper import bytes_to_unicode

    folder = tmp_path_factory.mktemp("whisper")
    signs = list(bytes_to_unicode().values())
    (folder / "vocab.json").write_text(json.dumps({sign: at for at, sign in enumerate(signs)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    special = ["<|startoftranscript|>", "<|en|>", "<|he|>", "<|transcribe|>", "<|translate|>"]
    special += ["<|notimestamps|>"]
    tokenizer = hf.WhisperTokenizer(
        str(folder / "vocab.json"),
        str(folder / "merges.txt"),
        additional_special_tokens=special,
    )
    tokenizer.save_pretrained(folder)
    hf.WhisperFeatureExtractor(feature_size=80).save_pretrained(folder)
    ids = {token: tokenizer.convert_tokens_to_ids(token) for token in special}
    end = tokenizer.convert_tokens_to_ids("<|endoftext|>")
    torch.manual_seed(2)
    model = hf.WhisperForConditionalGeneration(
        hf.WhisperConfig(
            vocab_size=len(tokenizer),
            d_model=32,
            encoder_layers=1,
            decoder_layers=1,
            encoder_attention_heads=2,
            decoder_attention_heads=2,
            encoder_ffn_dim=32,
            decoder_ffn_dim=32,
            max_target_positions=24,
            pad_token_id=end,
            bos_token_id=end,
            eos_token_id=end,
            decoder_start_token_id=ids["<|startoftranscript|>"],
        )
    )
    told = {
        "_from_model_config": False,  # else it is made anew from config.json when it is loaded
        "is_multilingual": True,
        "lang_to_id": {token: ids[token] for token in ("<|en|>", "<|he|>")},
        "task_to_id": {"transcribe": ids["<|transcribe|>"], "translate": ids["<|translate|>"]},
        "no_timestamps_token_id": ids["<|notimestamps|>"],
        "max_length": 16,
        "suppress_tokens": sorted(ids.values()),
        "begin_suppress_tokens": [end],
    }
    for name, value in told.items():
        setattr(model.generation_config, name, value)
    model.save_pretrained(folder)
    return folder


def loaded(model: Path) -> HuggingFaceTranscriber:
    built = build_transcriber(TranscriberOptions("hf", str(model), device="cpu"))
    assert isinstance(built, HuggingFaceTranscriber)
    built.load()
    return built


def test_the_address_of_the_aligner_ctc_works_here_too(ctc: Path, tmp_path: Path) -> None:
    by_kind = HuggingFaceTranscriber(TranscriberOptions("hf", str(ctc), device="cpu"))
    by_ctc = build_transcriber(TranscriberOptions("ctc", str(ctc), device="cpu"))
    assert by_ctc.version == by_kind.version
    other = tmp_path / "whisper"
    other.mkdir()
    (other / "config.json").write_text('{"architectures": ["WhisperForConditionalGeneration"]}')
    with pytest.raises(ToolError, match="has no CTC decoder: Whisper"):
        build_transcriber(TranscriberOptions("ctc", str(other), device="cpu"))
    with pytest.raises(UsageError, match="which CTC model"):
        build_transcriber(TranscriberOptions("ctc"))


def test_a_ctc_model_says_what_transformers_says_alone_and_in_any_batch(ctc: Path) -> None:
    import torch
    import transformers as hf

    model = hf.AutoModelForCTC.from_pretrained(ctc).eval()
    processor = hf.Wav2Vec2Processor.from_pretrained(ctc)
    said = []
    for clip in CLIPS:
        features = processor(clip, sampling_rate=RATE, return_tensors="pt")
        with torch.no_grad():
            said.append(processor.decode(model(**features).logits[0].argmax(-1)).strip())
    transcriber = loaded(ctc)
    found = transcriber.transcribe(CLIPS, ["en"] * 4)
    assert all(said)
    assert [each.text for each in found] == said
    backwards = transcriber.transcribe(CLIPS[::-1], ["en"] * 4)[::-1]
    assert [each.text for each in backwards] == said
    for clip, each in zip(CLIPS, found, strict=True):
        assert [word.word for word in each.words] == each.text.split()
        times = [time for word in each.words for time in (word.start_s, word.end_s)]
        assert times == sorted(times) and times[0] >= 0.0 and times[-1] <= len(clip) / RATE
        assert each.confidence is not None and 1 / len(LETTERS) < each.confidence <= 1.0


def test_whisper_says_what_transformers_says_in_each_language(whisper: Path) -> None:
    import torch
    import transformers as hf

    model = hf.AutoModelForSpeechSeq2Seq.from_pretrained(whisper).eval()
    processor = hf.AutoProcessor.from_pretrained(whisper)
    languages = ["en", "he", "en", "he"]
    said = []
    for clip, language in zip(CLIPS, languages, strict=True):
        features = processor(clip, sampling_rate=RATE, return_tensors="pt")
        with torch.no_grad():
            ids = model.generate(**features, language=language, task="transcribe")
        said.append(processor.batch_decode(ids, skip_special_tokens=True)[0].strip())
    transcriber = loaded(whisper)
    assert transcriber.languages == {"en", "he"}
    assert any(said)
    assert [each.text for each in transcriber.transcribe(CLIPS, languages)] == said
    assert (transcriber.longest_s, transcriber.sample_rate) == (30.0, RATE)


def test_the_version_is_that_of_the_content(ctc: Path, tmp_path: Path) -> None:
    other = shutil.copytree(ctc, tmp_path / "other")

    def version(model: Path) -> str:
        return build_transcriber(TranscriberOptions("hf", str(model))).version

    assert version(other) == version(ctc)
    weights = other / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    assert version(other) != version(ctc)


def test_models_that_cannot_be(ctc: Path, tmp_path: Path) -> None:
    def build(address: str | None, **options: Any) -> HuggingFaceTranscriber:
        built = build_transcriber(TranscriberOptions("hf", address, device="cpu", **options))
        assert isinstance(built, HuggingFaceTranscriber)
        return built

    with pytest.raises(UsageError, match="which model"):
        build(None)
    with pytest.raises(UsageError, match="--model is for servers"):
        build(str(ctc), model="x")
    with pytest.raises(ToolError, match="there is no such model"):
        build(str(tmp_path / "none"))
    strange = shutil.copytree(ctc, tmp_path / "strange")
    config = json.loads((strange / "config.json").read_text())
    (strange / "config.json").write_text(json.dumps({**config, "architectures": ["BertModel"]}))
    with pytest.raises(ToolError, match="neither Whisper nor a CTC model: BertModel"):
        build(str(strange))
    damaged = shutil.copytree(ctc, tmp_path / "damaged")
    (damaged / "model.safetensors").write_bytes(b"no weights")
    with pytest.raises(ToolError, match="cannot be loaded"):
        build(str(damaged)).load()


def test_a_whisper_model_that_does_not_list_its_languages(whisper: Path, tmp_path: Path) -> None:
    def build(**said: Any) -> HuggingFaceTranscriber:
        folder = shutil.copytree(whisper, tmp_path / "other", dirs_exist_ok=True)
        (folder / "generation_config.json").write_text(json.dumps(said))
        built = build_transcriber(TranscriberOptions("hf", str(folder), device="cpu"))
        assert isinstance(built, HuggingFaceTranscriber)
        return built

    with pytest.raises(ToolError, match="does not list its languages"):
        build(is_multilingual=True)
    assert build(is_multilingual=False).languages == {"en"}
    gone = shutil.copytree(whisper, tmp_path / "gone")
    (gone / "generation_config.json").unlink()
    with pytest.raises(ToolError, match="cannot be read"):
        build_transcriber(TranscriberOptions("hf", str(gone)))
    (gone / "preprocessor_config.json").unlink()
    with pytest.raises(ToolError, match="has no feature extractor: none of preprocessor_config"):
        build_transcriber(TranscriberOptions("hf", str(gone)))


def test_no_memory_for_one_clip_costs_that_clip(ctc: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    transcriber = loaded(ctc)
    whole = transcriber.transcribe(CLIPS, ["en"] * 4)
    heard = transcriber._heard

    def scarce(clips: Any, language: str) -> Any:
        if sum(map(len, clips)) > 1.5 * RATE:
            raise RuntimeError("CUDA out of memory. Tried to allocate 2 GiB")
        return heard(clips, language)

    monkeypatch.setattr(transcriber, "_heard", scarce)
    found = transcriber.transcribe(CLIPS, ["en"] * 4)
    assert [each.status for each in found] == [
        *[TranscriptionStatus.TRANSCRIBED] * 2,
        TranscriptionStatus.FAILED,
        TranscriptionStatus.TRANSCRIBED,
    ]
    assert "out of memory" in found[2].detail
    assert (found[0].text, found[3].text) == (whole[0].text, whole[3].text)
