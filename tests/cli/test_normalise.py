"""`asrdq normalise` through the real command line."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from asrdq.text.normalisers import normaliser, normaliser_names

pytestmark = pytest.mark.slow

RunCli = Callable[..., "subprocess.CompletedProcess[str]"]


def test_a_text_is_normalised(run_cli: RunCli) -> None:
    done = run_cli("normalise", "Take  2.5mg, B.I.D.", "--with", "clinical")
    assert done.stdout == "take 2.5 mg bid\n"
    chosen = normaliser("clinical")
    assert f"clinical, version {chosen.version}, hash {chosen.hash}" in done.stderr
    assert "next: asrdq normalise --explain" in done.stderr


def test_the_steps_that_change_the_text_are_shown(run_cli: RunCli) -> None:
    done = run_cli(
        "normalise", "--explain", "É  2.5", "--with", "clinical-strict", "--format", "json"
    )
    assert json.loads(done.stdout) == [
        {"step": "(as it came)", "text": "É  2.5"},
        {"step": "decompose", "text": "E\u0301  2.5"},
        {"step": "lower case", "text": "e\u0301  2.5"},
        {"step": "delete punctuation", "text": "e  25"},
        {"step": "collapse spaces", "text": "e 25"},
        {"step": "(normalised)", "text": "e 25"},
    ]


def test_spelling_variants(run_cli: RunCli, tmp_path: Path) -> None:
    (tmp_path / "en.yaml").write_text("version: 1\ngroups: [[colour, color]]\n")
    done = run_cli("normalise", "Color!", "--equivalences", "en.yaml")
    assert done.stdout == "colour\n"
    (tmp_path / "en.yaml").write_text("version: 1\ngroups: [[colour], color]\n")
    done = run_cli("normalise", "Color!", "--equivalences", "en.yaml", code=2)
    assert "2 problems in en.yaml" in done.stderr
    assert "en.yaml:2: a group has fewer than two spellings" in done.stderr


def test_lines_of_stdin(run_cli: RunCli) -> None:
    done = run_cli("normalise", "-", stdin="So, what?\r\n\nÉ")
    assert done.stdout == "so what\n\né\n"
    done = run_cli("normalise", "-", "--format", "json", stdin="A b\n")
    assert json.loads(done.stdout) == [{"text": "A b", "normalised": "a b"}]


def test_bytes_that_are_no_utf8() -> None:
    command = [sys.executable, "-m", "asrdq", "normalise"]
    done = subprocess.run([*command, "-"], input=b"caf\xe9 B\n", capture_output=True, check=True)
    assert done.stdout == b"caf b\n"
    done = subprocess.run(
        [*command, "--explain", b"caf\xe9", "--format", "json"], capture_output=True, check=True
    )
    rows = json.loads(done.stdout)
    assert (rows[0]["text"], rows[-1]["text"]) == ("caf\ufffd", "caf")


def test_the_list(run_cli: RunCli) -> None:
    rows = json.loads(run_cli("normalise", "--list", "--format", "json").stdout)
    assert [row["normaliser"] for row in rows] == normaliser_names()
    assert [row["hash"] for row in rows] == [normaliser(name).hash for name in normaliser_names()]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "which text?"),
        (["x", "--with", "basik"], "did you mean 'basic'?"),
        (["x", "--equivalences", "none.yaml"], "no such file"),
    ],
)
def test_wrong_usage(run_cli: RunCli, arguments: list[str], message: str) -> None:
    assert message in run_cli("normalise", *arguments, code=2).stderr
