from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import pytest

from asrdq.errors import DataError
from asrdq.training.nemo.tiny import TinyFamily, tiny_model, train_tokenizer

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

TEXTS = ["zero one two three", "four five six", "seven eight nine", "crème brûlée"]


@pytest.mark.parametrize("family", get_args(TinyFamily))
def test_a_tiny_model_is_restored_small_and_knows_every_word(family: str, tmp_path: Path) -> None:
    model = _restored(tiny_model(family, TEXTS, tmp_path))
    assert sum(one.numel() for one in model.parameters()) < 300_000
    for text in TEXTS:
        ids = model.tokenizer.text_to_ids(text, *(["en"] if family == "aed" else []))
        assert model.tokenizer.ids_to_text(ids).strip() == text


def test_the_seed_makes_the_weights_and_leaves_torchs_own_numbers_alone(tmp_path: Path) -> None:
    import torch

    torch.manual_seed(5)
    wanted = torch.rand(3)
    torch.manual_seed(5)
    paths = [tiny_model("ctc", TEXTS, tmp_path / str(i), seed=s) for i, s in enumerate((1, 1, 2))]
    assert torch.equal(torch.rand(3), wanted)
    first, again, other = (_restored(path).encoder.state_dict() for path in paths)
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not all(torch.equal(first[name], other[name]) for name in first)


def test_texts_without_a_letter_make_no_tokenizer(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="there is no word in them"):
        train_tokenizer(["", "  \n"], tmp_path)


def test_a_tokenizer_grows_with_its_letters(tmp_path: Path) -> None:
    letters = "".join(chr(code) for code in range(0x5D0, 0x5D0 + 27)) + "".join(
        chr(code) for code in range(0x430, 0x430 + 32)
    )
    folder = train_tokenizer([letters], tmp_path, pieces=8)
    vocabulary = (folder / "vocab.txt").read_text(encoding="utf-8").split()
    assert set(letters) <= {piece.removeprefix("##") for piece in vocabulary}


def _restored(path: Path) -> Any:
    import torch

    from asrdq.models.nemo import load_nemo

    return load_nemo(str(path), torch.device("cpu"))
