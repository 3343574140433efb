"""Writing one section of `asrdq.yaml` without touching the rest."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from asrdq.errors import UsageError
from asrdq.workspace.settings_section import write_section

VALUE = [{"aligner": "a", "date": "2026-01-02T03:04:05+00:00", "threshold": 1.5}]


def written(tmp_path: Path, text: str) -> str:
    path = tmp_path / "asrdq.yaml"
    path.write_bytes(text.encode())
    write_section(path, "calibrations", VALUE, "by a tool")
    return path.read_bytes().decode()


SECTION = (
    "calibrations:  # by a tool\n"
    "- {aligner: a, date: '2026-01-02T03:04:05+00:00', threshold: 1.5}\n"
)


def test_a_new_section_goes_to_the_end(tmp_path: Path) -> None:
    text = "# mine\nproject:   x   # why\n"
    assert written(tmp_path, text) == f"{text}\n{SECTION}"


def test_a_file_without_a_last_newline_gets_one(tmp_path: Path) -> None:
    assert written(tmp_path, "project: x") == f"project: x\n\n{SECTION}"


@pytest.mark.parametrize(
    "old", ["calibrations: []\n", "calibrations:  # old\n  - a: 1\n    b: [1,\n      2]\n"]
)
def test_only_the_lines_of_the_section_are_replaced(tmp_path: Path, old: str) -> None:
    before = "# top\nproject: x\n\n# about them\n"
    behind = "\n# about audits\naudit:\n    aligner: 'ctc:m'   # ours\n"
    assert written(tmp_path, before + old + behind) == before + SECTION + behind


def test_a_section_at_the_end_is_replaced(tmp_path: Path) -> None:
    once = written(tmp_path, "project: x\n")
    assert written(tmp_path, once) == once


def test_line_ends_stay(tmp_path: Path) -> None:
    text = written(tmp_path, "project: x\r\nlanguage: he\r\n")
    assert "\n" not in text.replace("\r\n", "")
    assert yaml.safe_load(text) == {"project": "x", "language": "he", "calibrations": VALUE}


@pytest.mark.parametrize(
    "text", ["{project: x}\n", "  project: x\n", "project: &p x\ncalibrations: &c [1]\nother: *c\n"]
)
def test_a_file_that_it_cannot_be_put_into_is_left_alone(tmp_path: Path, text: str) -> None:
    with pytest.raises(UsageError, match="without changing the rest"):
        written(tmp_path, text)
    assert (tmp_path / "asrdq.yaml").read_text() == text
