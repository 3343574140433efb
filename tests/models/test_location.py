"""A model is a path or a name on the hub, and a name may have dots."""

from __future__ import annotations

from pathlib import Path

import pytest

from asrdq.alignment import build_aligner
from asrdq.errors import ToolError, UsageError
from asrdq.models.location import find_model

COMMIT = "0" * 40


def in_cache(cache: Path, name: str) -> Path:
    """A model as the hub's own library keeps it: a snapshot of a commit that main names."""
    folder = cache / f"models--{name.replace('/', '--')}"
    snapshot = folder / "snapshots" / COMMIT
    snapshot.mkdir(parents=True)
    (folder / "refs").mkdir()
    (folder / "refs" / "main").write_text(COMMIT)
    (snapshot / "config.json").write_text("{}")
    return snapshot


@pytest.mark.parametrize(
    "name", ["Qwen/Qwen3-ForcedAligner-0.6B", "openai/whisper-tiny.en", "team/plain"]
)
def test_a_name_with_dots_is_asked_of_the_hub(name: str, tmp_path: Path, empty_hub: None) -> None:
    with pytest.raises(ToolError, match="hub does not give it"):
        find_model(name, "")
    there = in_cache(tmp_path, name)
    assert find_model(name, "") == there


@pytest.mark.parametrize("path", ["models/he.nemo", "./team/plain", "/team/plain", "run/best.ckpt"])
def test_a_path_is_never_asked_of_the_hub(path: str, tmp_path: Path, empty_hub: None) -> None:
    with pytest.raises(ToolError, match="there is no such model"):
        find_model(path, "")


def test_what_is_neither_is_said(empty_hub: None) -> None:
    with pytest.raises(UsageError, match="neither a path nor the name of a model"):
        find_model("whisper", "")


def test_languages_are_known_before_a_model_is_fetched(tmp_path: Path, empty_hub: None) -> None:
    aligner = build_aligner("qwen")
    assert aligner.languages is not None
    assert "he" not in aligner.languages
    with pytest.raises(ToolError, match="hub does not give it"):
        _ = aligner.version
    in_cache(tmp_path, "Qwen/Qwen3-ForcedAligner-0.6B")
    with pytest.raises(ToolError, match="is no forced aligner of Qwen3"):
        _ = aligner.version
