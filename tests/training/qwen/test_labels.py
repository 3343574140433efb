"""The loss is taken of the answer, all of it, and of nothing else."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.training.qwen.conftest import MakeJob, recipe_of

from asrdq.errors import DataError
from asrdq.training.qwen.rows import Row, read_rows

if TYPE_CHECKING:
    from asrdq.models.qwen import Qwen

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


@pytest.fixture(scope="module")
def qwen(tiny: Path) -> Qwen:
    import torch

    from asrdq.models.qwen import load_qwen

    return load_qwen(str(tiny), torch.device("cpu"), torch.float32)


@pytest.fixture(scope="module")
def rows(make_job: MakeJob, tmp_path_factory: pytest.TempPathFactory) -> tuple[Row, ...]:
    job = make_job(tmp_path_factory.mktemp("rows"))
    return read_rows(job.train, recipe_of().data).kept


@pytest.mark.parametrize("side", ["left", "right"])
def test_labels_are_the_answer_and_its_end_whatever_the_padding_side(
    qwen: Qwen, rows: tuple[Row, ...], side: str
) -> None:
    """The format of the model itself, decoded by its own tokenizer."""
    from asrdq.training.qwen.batches import Draw
    from asrdq.training.qwen.dataset import Collate, SpeechClips

    clips = SpeechClips(rows, qwen.processor, None, 0)
    batch = Collate(qwen.processor, side)([clips[Draw(row, 0)] for row in range(4)])
    for row, ids, labels in zip(rows, batch["input_ids"], batch["labels"], strict=False):
        counted = labels != -100
        assert (labels[counted] == ids[counted]).all()
        assert qwen.processor.tokenizer.decode(labels[counted]) == f"{row.target}<|im_end|>"
        whole = qwen.processor.tokenizer.decode(ids[batch["attention_mask"][0] >= 0])
        assert "<|im_start|>assistant\nlanguage English<asr_text>" in whole
    padded = batch["attention_mask"][0 if side == "left" else 1]
    assert batch["attention_mask"].sum() < batch["attention_mask"].numel()
    assert padded.shape == batch["labels"][0].shape


def test_the_padding_side_makes_no_difference_to_the_loss(
    qwen: Qwen, rows: tuple[Row, ...]
) -> None:
    import torch

    from asrdq.training.qwen.batches import Draw
    from asrdq.training.qwen.dataset import Collate, SpeechClips
    from asrdq.training.qwen.loss import answer_loss

    clips = SpeechClips(rows, qwen.processor, None, 0)
    examples = [clips[Draw(row, 0)] for row in range(6)]
    losses = []
    for side in ("left", "right"):
        batch = Collate(qwen.processor, side)(examples)
        labels = batch.pop("labels")
        assert batch.pop("failed") == []
        with torch.no_grad():
            losses.append(float(answer_loss(qwen.network(**batch), labels)))
    assert losses[0] == pytest.approx(losses[1], abs=1e-5)


def test_the_check_at_the_start_compares_labels_with_transcripts(
    qwen: Qwen, rows: tuple[Row, ...]
) -> None:
    from asrdq.training.qwen.labels import check_labels

    hebrew = dataclasses.replace(rows[0], text="שָׁלוֹם עולם 2.5 mg", language="Hebrew")
    assert check_labels(qwen.processor, [*rows, hebrew]) == 17


def test_the_check_stops_where_a_tokenizer_writes_something_else(
    tiny: Path, rows: tuple[Row, ...]
) -> None:
    from qwen_asr.core.transformers_backend import Qwen3ASRProcessor
    from tokenizers import normalizers

    from asrdq.training.qwen.labels import check_labels

    processor = Qwen3ASRProcessor.from_pretrained(str(tiny))
    processor.tokenizer.backend_tokenizer.normalizer = normalizers.Replace("seven", "nine")
    with pytest.raises(DataError, match="2 of 16 labels are not their transcripts") as error:
        check_labels(processor, rows)
    assert "'seven george' became 'nine george'" in str(error.value)


def test_a_clip_that_is_masked_or_has_no_audio_teaches_nothing(
    qwen: Qwen, rows: tuple[Row, ...], tmp_path: Path
) -> None:
    from asrdq.training.qwen.batches import Draw
    from asrdq.training.qwen.dataset import Collate, SpeechClips

    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"no sound")
    given = [rows[0], dataclasses.replace(rows[1], audio=str(broken))]
    clips = SpeechClips(given, qwen.processor, None, 0)
    draws = [Draw(0, 0), Draw(1, 0), Draw(0, 0, masked=True)]
    batch = Collate(qwen.processor)([clips[draw] for draw in draws])
    assert [(labels != -100).any().item() for labels in batch["labels"]] == [True, False, False]
    assert batch["failed"] == [1]


def test_a_clip_sounds_the_same_in_any_batch(qwen: Qwen, rows: tuple[Row, ...]) -> None:
    """Features and encoder take each clip for itself."""
    import torch

    from asrdq.models.qwen import padded, prompt, token_ids
    from asrdq.training.qwen.dataset import clip_features

    processor = qwen.processor
    mels = [clip_features(processor, row) for row in rows[:3]]
    ids = [token_ids(processor, prompt(processor), mel.shape[1]) for mel in mels]
    with torch.no_grad():
        alone = qwen.network(**padded(processor, ids[:1], mels[:1])).logits[0, -1]
        among = qwen.network(**padded(processor, ids, mels)).logits[0, -1]
    assert torch.allclose(alone, among, atol=1e-5)


def processors_own(processor: Any, text: str, samples: Any) -> Any:
    return processor(text=[text], audio=[samples], return_tensors="pt", padding=True)


def test_prompt_and_features_are_those_of_the_released_processor(
    qwen: Qwen, rows: tuple[Row, ...]
) -> None:
    from asrdq.audio import decode
    from asrdq.models.qwen import features_of, padded, prompt, token_ids

    processor, samples = qwen.processor, decode(rows[0].audio).samples
    text, mel = prompt(processor, "names", "English"), features_of(processor, samples)
    ours = padded(processor, [token_ids(processor, text, mel.shape[1])], [mel])
    theirs = processors_own(processor, text, samples)
    assert set(ours) == set(theirs)
    assert all((ours[name] == theirs[name]).all() for name in ours)
