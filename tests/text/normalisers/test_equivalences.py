"""Spelling variants: what they replace, and every fault that their file can have."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from asrdq.errors import UsageError
from asrdq.text.normalisers import Normaliser, normaliser

GROUPS = """\
version: 3
language: en
groups:
  - [colour, color, COLOR]
  - [cefa zolin, cefazolin]
  - [10 mg, ten mg, ten milligrams]
  - [no, nope]
  - [1/2, half]
"""


@pytest.fixture
def with_groups(tmp_path: Path) -> Normaliser:
    (tmp_path / "en.yaml").write_text(GROUPS)
    return normaliser("clinical", tmp_path / "en.yaml")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Color COLOUR colours", "colour colour colours"),
        ("give Cefa-Zolin now", "give cefazolin now"),
        ("cefa", "cefa"),
        ("ten milligrams of ten", "10 mg of ten"),
        ("10mg", "10 mg"),
        ("Nope", "no"),
        ("half ½", "1/2 1/2"),
        ("", ""),
    ],
)
def test_variants_count_as_the_same(with_groups: Normaliser, text: str, expected: str) -> None:
    assert with_groups(text) == expected
    assert with_groups.column(pa.array([text, None])).to_pylist() == [expected, None]


def write(folder: Path, groups: str, version: int = 1) -> Path:
    file = folder / f"{abs(hash((groups, version)))}.yaml"
    file.write_text(f"version: {version}\ngroups: {groups}\n")
    return file


def test_the_longest_variant_is_taken(tmp_path: Path) -> None:
    file = write(tmp_path, "[[x, a], [y, a b], [z, a b c]]")
    assert normaliser("basic", file)("a b c a b a c") == "z y x c"


def test_what_replacing_brings_together_is_replaced_too(tmp_path: Path) -> None:
    file = write(tmp_path, "[[b, a b], [x, q r], [y, x s]]")
    chosen = normaliser("basic", file)
    assert chosen("a " * 300 + "b") == "b"
    assert chosen("q r s") == chosen("y") == "y"


def test_a_variant_that_the_normaliser_makes_the_same_does_nothing(tmp_path: Path) -> None:
    file = write(tmp_path, "[[colour, color], [COVID-19, covid 19]]")
    assert normaliser("whisper-en", file)("Colour") == "color"
    assert normaliser("clinical", file)("COVID-19") == "covid 19"


def test_whisper_normalises_again_what_was_replaced(tmp_path: Path) -> None:
    chosen = normaliser("whisper-en", write(tmp_path, "[[five, fife]]"))
    assert chosen("twenty fife") == chosen(chosen("twenty fife"))
    assert chosen("fife") == "5"


def test_the_explanation_shows_them(with_groups: Normaliser) -> None:
    told = with_groups.explain("Color")
    assert told[-2:] == [("collapse spaces", "color"), ("apply equivalences", "colour")]


def test_version_and_content_are_in_the_hash(tmp_path: Path) -> None:
    groups = "[[colour, color], [a, b]]"
    plain = normaliser("basic")
    first = normaliser("basic", write(tmp_path, groups))
    reordered = normaliser("basic", write(tmp_path, "[[a, b], [colour, color]]"))
    newer = normaliser("basic", write(tmp_path, groups, version=2))
    other = normaliser("basic", write(tmp_path, "[[colour, color], [a, c]]"))
    assert first.hash == reordered.hash
    assert len({plain.hash, first.hash, newer.hash, other.hash}) == 4


FAULTS = """\
version: zero
langauge: en
language: [en]
version: 2
groups:
  - [colour, color]
  - colour
  - [alone]
  - [a, a]
  - [x, [y]]
  - ["…", dots]
  - [Color, shade]
  - [huge one thing, big color]
"""


def test_every_fault_is_told_at_once_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "faults.yaml").write_text(FAULTS)
    with pytest.raises(UsageError) as caught:
        normaliser("basic", tmp_path / "faults.yaml")
    told = [(problem.line, problem.message) for problem in caught.value.problems]
    assert {problem.file for problem in caught.value.problems} == {"faults.yaml"}
    assert told == [
        (2, "unknown key 'langauge': did you mean 'language'?"),
        (3, "'language' is not a code such as en"),
        (4, "key 'version' stands on line 1 too"),
        (7, "a group is not a list of spellings"),
        (8, "a group has fewer than two spellings"),
        (9, "'a' stands twice in its group"),
        (10, "a spelling is not a text"),
        (11, "'…' has no words once it is normalised"),
        (12, "'Color' is in two groups: as 'color' it stands on line 6 too"),
        (
            13,
            "'big color' stands for its group, but has in it 'color', which line 6 replaces by "
            "'colour': write it so here",
        ),
    ]
    assert str(caught.value).startswith("10 problems in faults.yaml\n  faults.yaml:2: unknown key")


def test_groups_that_replace_in_a_circle(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        normaliser("basic", write(tmp_path, "[[b c, a c], [a, b]]"))
    assert [problem.message for problem in caught.value.problems] == [
        "'b c' stands for its group, but has in it 'b', which line 2 replaces by 'a': "
        "write it so here"
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"# nothing\n", "is empty"),
        (b"version: 1\ngroups: [[a, b]", "is not valid YAML"),
        (b"version: 1\ngroups: [[caf\xe9, cafe]]\n", "is not valid UTF-8"),
        (b"- [a, b]\n", "the file is not a mapping with the keys version and groups"),
        (b"version: 1\n", "'groups' is missing"),
        (b"version: 1\ngroups:\n", "'groups' is not a list"),
        (b"version: 1\ngroups: []\n", "'groups' is not a list"),
        (b"groups: [[a, b]]\n", "'version' is missing"),
        (b"version: 0\ngroups: [[a, b]]\n", "'version' is not a whole number"),
        (b"version: 1.5\ngroups: [[a, b]]\n", "'version' is not a whole number"),
        (b"version: '1'\ngroups: [[a, b]]\n", "'version' is not a whole number"),
        (b"version: 1\ngroups: [[a, ]]\n", "fewer than two spellings"),
        (b"version: 1\ngroups: [[a, ~, ''], [b, {c: d}]]\n", "has no words once"),
        (b"version: 1\ngroups: &all [*all]\n", "fewer than two spellings"),
        (b"version: 1\ngroups: " + b"[" * 5000, "is nested too deeply"),
    ],
)
def test_a_file_that_cannot_be_used(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "list.yaml").write_bytes(content)
    with pytest.raises(UsageError) as caught:
        normaliser("basic", tmp_path / "list.yaml")
    assert message in str(caught.value)
    assert "list.yaml" in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file"):
        normaliser("basic", tmp_path / "none.yaml")
