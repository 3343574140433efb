"""Packages that are not installed are named, with the command that installs them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from asrdq.errors import ToolError
from asrdq.models import needs


def test_a_missing_package_is_named_with_the_command() -> None:
    with pytest.raises(ToolError) as told:
        needs("no_such_package_at_all", "the transcriber nemo")

    assert told.value.message == "the transcriber nemo needs the package no_such_package_at_all"
    assert told.value.hint == "pip install 'asrdq[train]'"


def test_a_package_that_cannot_be_loaded_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broken_extension.py").write_text("raise ImportError('libcudart.so.13 is missing')")
    monkeypatch.syspath_prepend(str(tmp_path))

    with pytest.raises(ToolError, match=r"libcudart\.so\.13 is missing") as told:
        needs("broken_extension", "the aligner ctc", "ray")

    assert told.value.hint == "pip install 'asrdq[ray]'"
    sys.modules.pop("broken_extension", None)


def test_what_a_package_itself_lacks_is_named() -> None:
    with pytest.raises(ToolError, match=r"needs the package json\.no_such_part"):
        needs("json.no_such_part", "a test")
