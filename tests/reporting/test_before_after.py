"""Validation examples before and after a round: the largest gains and losses, as they were said."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from asrdq.reporting import write_report
from asrdq.reporting.before_after import BeforeAfter, before_and_after
from asrdq.reporting.rounds import newest_rounds
from asrdq.rounds import ComparePlan, compare_rounds

if TYPE_CHECKING:
    from asrdq.workspace import Workspace

pytestmark = pytest.mark.slow

TEXTS = [
    # reference, before, after
    ("a b c", "x y z", "a b c"),
    ("a b c", "a b x", "a b c"),
    ("a b c d e", "a b c d e", "a c d e x"),
    ("a b c", "a b c d", "a b c d"),
    ("a b c", "a b c", "a b c"),
    ("a b c", "", "a b"),
    ("שלום עולם גדול", "שלום", "שלום עולם גדול"),
]


@pytest.fixture
def compared(workspace: Workspace, score_rows: Any) -> Callable[[list[tuple[str, ...]]], Workspace]:
    def run(texts: list[tuple[str, ...]]) -> Workspace:
        for name, at in (("r1", 1), ("r2", 2)):
            rows = [{"text": each[0], "heard": each[at], "speaker": each[0]} for each in texts]
            score_rows(rows, name)
        compare_rounds(workspace, "r1", "r2", ComparePlan(metric="wer", replicates=1_000))
        return workspace

    return run


def both(workspace: Workspace) -> BeforeAfter:
    found = newest_rounds(workspace, workspace.manifest("eval"))
    assert found is not None
    return found.both


def test_the_largest_gains_and_losses_come_first_with_their_errors(compared: Any) -> None:
    found = both(compared(TEXTS))
    gains = [(row.utt_id, row.before.errors, row.after.errors) for row in found.gains]
    assert gains == [("u0", 3, 0), ("u5", 3, 1), ("u6", 2, 0), ("u1", 1, 0)]
    (loss,) = found.losses
    assert (loss.utt_id, loss.change, loss.words) == ("u2", 2, 5)
    assert [(str(p.mark), p.reference, p.hypothesis) for p in loss.after.places] == [
        ("C", "a", "a"),
        ("D", "b", ""),
        ("C", "c", "c"),
        ("C", "d", "d"),
        ("C", "e", "e"),
        ("I", "", "x"),
    ]
    assert found.counts == {
        **{"fixed": 3, "better": 1, "broken": 1, "worse": 0, "right": 1, "same": 1}
    }


def test_the_page_shows_each_side_and_says_what_became_of_each_word(compared: Any) -> None:
    path = write_report(compared(TEXTS), "eval").path
    page = Path(str(path)).read_text(encoding="utf-8")
    section = page.split("<h3>Before and after</h3>")[1].split("</section>")[0]
    assert "3 fixed, 1 better, 1 broken, 0 worse, 1 right in both rounds, 1 as wrong" in section
    assert section.index("Largest gains") < section.index("Largest losses")
    losses = section.split("Largest losses")[1]
    plain = re.sub(r"\s+", " ", re.sub("<[^>]+>", "", losses))
    assert "a left out: b c d e put in: x" in plain
    assert "0 → 2" in plain
    assert '<div dir="auto">שלום עולם גדול</div>' in section
    assert section.count('class="hidden" dir="ltr"') == section.count('class="hidden"')


def test_markup_of_a_text_is_text(compared: Any) -> None:
    path = write_report(compared([("<b>x</b> y", "<i>z</i> y", "<b>x</b> y")]), "eval").path
    page = Path(str(path)).read_text(encoding="utf-8")
    assert "<i>z</i>" not in page and "&lt;i&gt;z&lt;/i&gt;" in page


def test_only_ten_are_shown_and_the_rest_is_counted(compared: Any) -> None:
    found = both(compared([("a b", "a x", "a b")] * 12))
    assert (len(found.gains), found.losses) == (10, ())
    assert found.counts is not None and found.counts["fixed"] == 12
    path = write_report(compared([("a b", "a x", "a b")] * 12), "eval").path
    page = Path(str(path)).read_text(encoding="utf-8")
    assert "Largest gains: 10 of 12 utterances" in page
    assert "Largest losses" not in page


def test_a_long_utterance_is_cut_and_says_so(compared: Any) -> None:
    long = " ".join(f"w{number}" for number in range(100))
    (row,) = both(compared([(long, "w0", long)])).gains
    assert (len(row.before.places), row.before.hidden, row.before.errors) == (60, 40, 99)


def test_scores_that_are_gone_are_said_to_be(workspace: Workspace) -> None:
    found = before_and_after(workspace, "run-1", "run-2")
    assert found.why_not == "the scores that were compared are no longer there"
    assert found.counts is None
