"""Normalisers by name, and plug-ins that are installed the way a package is."""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from asrdq.errors import ToolError, UsageError
from asrdq.text.normalisers import normaliser, normaliser_names
from asrdq.text.normalisers.registry import GROUP, SHIPPED

MODULE = '''\
"""Normalisers of a project."""

from asrdq.text.normalisers import Normaliser


def lower(text):
    return text.lower()


lower.version = 2


class WithoutDigits:
    name, version = "without-digits", "1.1"

    def __call__(self, text):
        return "".join(sign for sign in text if not sign.isdigit())


without_digits = WithoutDigits()
words = Normaliser("own-words", "7", (lower,), byte_by_byte=True, word_by_word=True)


def unversioned(text):
    return text


def growing(text):
    return text + "x"


growing.version = "1"


def breaking(text):
    raise ValueError("no such table")


breaking.version = "1"


def wordless(text):
    return None


wordless.version = "1"
'''

Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Install the module with the entry points that a test names."""
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "own_normalisers.py").write_text(MODULE)

    def make(package: str = "own", **points: str) -> None:
        info = tmp_path / f"{package}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        lines = [f"{name.replace('_', '-')} = {value}" for name, value in points.items()]
        (info / "entry_points.txt").write_text("\n".join([f"[{GROUP}]", *lines, ""]))

    yield make
    sys.modules.pop("own_normalisers", None)


def test_the_entry_points_are_the_shipped_ones(project_root: Path) -> None:
    with (project_root / "pyproject.toml").open("rb") as file:
        points = tomllib.load(file)["project"]["entry-points"][GROUP]
    assert points == SHIPPED


def test_the_shipped_names() -> None:
    assert normaliser_names() == [
        "none",
        "sclite",
        "basic",
        "whisper-en",
        "whisper-basic",
        "clinical-strict",
        "clinical",
        "hebrew",
    ]
    assert [normaliser(name).name for name in normaliser_names()] == normaliser_names()


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"unknown normaliser 'clincal'\n.*mean 'clinical'"):
        normaliser("clincal")


@pytest.mark.parametrize(
    ("point", "version", "expected"),
    [
        ("own_normalisers:lower", "2", "room 12, é"),
        ("own_normalisers:without_digits", "1.1", "Room , É"),
        ("own_normalisers:WithoutDigits", "1.1", "Room , É"),
        ("own_normalisers:words", "7", "room 12, é"),
    ],
)
def test_a_plug_in(install: Install, point: str, version: str, expected: str) -> None:
    install(house_style=point)
    assert normaliser_names()[-1] == "house-style"
    chosen = normaliser("house-style")
    assert (chosen.name, chosen.version) == ("house-style", version)
    assert chosen(" Room  12, É ") == expected
    assert chosen.column(pa.array([" Room  12, É ", None])).to_pylist() == [expected, None]
    assert len(chosen.hash) == 12


def test_the_plug_in_of_the_documentation(
    install: Install, tmp_path: Path, project_root: Path
) -> None:
    page = (project_root / "docs" / "normalisers.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```", page, re.M | re.S)
    (tmp_path / "own_normalisers.py").write_text("".join(blocks))
    install(house_style="own_normalisers:HOUSE_STYLE")
    chosen = normaliser("house-style")
    assert chosen("Uh so, UM what") == "so, what"
    assert [step for step, _ in chosen.explain("x")][1:3] == ["lower", "drop fillers"]


def test_the_code_of_a_plug_in_is_in_its_hash(install: Install, tmp_path: Path) -> None:
    install(house_style="own_normalisers:lower")
    before = normaliser("house-style").hash
    (tmp_path / "own_normalisers.py").write_text(MODULE.replace("lower()", "casefold()"))
    sys.modules.pop("own_normalisers")
    assert normaliser("house-style").hash != before


@pytest.mark.parametrize(
    ("point", "message"),
    [
        ("own_normalisers:unversioned", "is no function with a `version`"),
        ("own_normalisers:MODULE", "has no attribute 'MODULE'"),
        ("no_such_module:x", "No module named 'no_such_module'"),
        ("own_normalisers:growing", "is not idempotent: '' becomes 'x', and that 'xx'"),
        ("own_normalisers:breaking", "cannot be used: ValueError: no such table"),
        ("own_normalisers:wordless", "cannot be used: AttributeError"),
    ],
)
def test_a_plug_in_that_cannot_be_used(install: Install, point: str, message: str) -> None:
    install(house_style=point)
    with pytest.raises(ToolError, match="house-style") as caught:
        normaliser("house-style")
    assert message in str(caught.value)
    assert normaliser("basic")("A") == "a"


def test_a_plug_in_cannot_take_the_name_of_a_shipped_one(install: Install) -> None:
    install(basic="own_normalisers:lower")
    for ask in (normaliser_names, lambda: normaliser("basic")):
        with pytest.raises(ToolError, match="'own_normalisers:lower' takes the name of"):
            ask()


def test_two_plug_ins_of_one_name(install: Install) -> None:
    install(house_style="own_normalisers:lower")
    install("other", house_style="own_normalisers:words")
    with pytest.raises(ToolError, match="two plug-ins are called 'house-style'"):
        normaliser("house-style")
