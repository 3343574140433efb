"""A Qwen3-ASR model that is none, or could run code, is refused with its reason."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from asrdq.errors import ToolError
from asrdq.models.qwen import Heard, check_qwen_folder, taken_apart


def folder(tmp_path: Path, weights: str = "model.safetensors", kind: str = "qwen3_asr") -> str:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": kind}))
    (tmp_path / weights).write_bytes(b"weights")
    return str(tmp_path)


def test_weights_in_a_pickle_are_not_loaded(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="files that could run code are not loaded"):
        check_qwen_folder(folder(tmp_path, "pytorch_model.bin"))


def test_another_model_is_told_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="a whisper model, not qwen3_asr"):
        check_qwen_folder(folder(tmp_path, kind="whisper"))


def test_a_folder_without_a_configuration_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match=r"config\.json cannot be read"):
        check_qwen_folder(str(tmp_path))
    (tmp_path / "config.json").write_text("[]")
    with pytest.raises(ToolError, match=r"config\.json cannot be read"):
        check_qwen_folder(str(tmp_path))


def test_a_name_on_the_hub_is_left_to_the_loading_and_a_path_is_not(tmp_path: Path) -> None:
    check_qwen_folder("Qwen/Qwen3-ASR-0.6B")
    check_qwen_folder(folder(tmp_path))
    with pytest.raises(ToolError, match="there is no such model"):
        check_qwen_folder(str(tmp_path / "gone"))


@pytest.mark.parametrize(
    ("raw", "heard"),
    [
        ("language English<asr_text>so what", Heard("so what", "English")),
        ("language None<asr_text>", Heard("")),
        ("language Hebrew<asr_text> שלום עולם ", Heard("שלום עולם", "Hebrew")),
        ("so what", Heard("so what")),
        ("language English<asr_text>a<asr_text>b", Heard("a<asr_text>b", "English")),
        ("", Heard("")),
    ],
)
def test_answers_are_taken_apart(raw: str, heard: Heard) -> None:
    assert taken_apart(raw) == heard
