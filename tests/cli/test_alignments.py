"""How alignments of two rounds are drawn."""

from __future__ import annotations

from rich.cells import cell_len

from asrdq.cli.alignments import lines
from asrdq.rounds.alignments import side_by_side

NAMES = ("reference", "r1", "r2")


def drawn(reference: str, before: str, after: str, width: int = 100) -> list[str]:
    return [
        line.plain
        for line in lines(side_by_side((reference, reference), before, after), NAMES, width)
    ]


def test_errors_are_marked_without_colour_too() -> None:
    assert drawn("give cefazolin now", "give cefa zolin now", "give now") == [
        "reference  give       cefazolin now",
        "r1         give +cefa [zolin]   now",
        "r2         give       ***       now",
    ]


def test_control_characters_are_shown_and_not_sent() -> None:
    assert drawn("now", "\x1b[2J", "now") == [
        "reference  now",
        "r1         [␛[2J]",
        "r2         now",
    ]


def test_long_lines_fold_between_words_and_stay_aligned() -> None:
    text = " ".join(f"word{i}" for i in range(20))
    folded = drawn(text, text, text.replace("word7", "x"), width=60)
    assert len(folded) == 9
    assert all(cell_len(line) <= 60 for line in folded)
    references = [line.removeprefix("reference").strip() for line in folded[::3]]
    assert " ".join(references) == text
    assert folded[0].index("word1") == folded[1].index("word1")


def test_wide_characters_take_two_columns() -> None:
    first, second, _ = drawn("東京 b", "x b", "東京 b")
    assert cell_len(first.partition("b")[0]) == cell_len(second.partition("b")[0])


def test_wrong_words_are_red_and_right_ones_green() -> None:
    _, line, _ = lines(side_by_side(("a b", "a b"), "a x", "a b"), NAMES, 80)
    styles = {line.plain[span.start : span.end]: str(span.style) for span in line.spans}
    assert styles["[x]"] == "bold red"
    assert styles["a"] == "green"
