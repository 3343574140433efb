"""The newest comparison of two rounds on the page."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from asrdq.reporting import write_report
from asrdq.reporting.rounds import newest_rounds
from asrdq.rounds import ComparePlan, compare_rounds

if TYPE_CHECKING:
    from asrdq.workspace import Workspace

pytestmark = pytest.mark.slow


def rows(wrong: int) -> list[dict[str, Any]]:
    """Forty rows of two words: the last word of the first `wrong` ones is wrong."""
    return [
        {
            "text": "a b",
            "heard": "a x" if number < wrong else "a b",
            "speaker": f"s{number}",
            "accent": "north" if number % 2 else "south",
            "duration": 2.0 if number < 20 else 8.0,
        }
        for number in range(40)
    ]


@pytest.fixture
def compared(workspace: Workspace, score_rows: Any) -> Workspace:
    """Rounds with 30 and with 10 of 80 words wrong."""
    score_rows(rows(30), "r1")
    score_rows(rows(10), "r2")
    plan = ComparePlan(metric="wer", by=["accent"], replicates=1_000)
    compare_rounds(workspace, "r1", "r2", plan)
    return workspace


def test_changes_come_from_the_newest_comparison(compared: Workspace) -> None:
    found = newest_rounds(compared, compared.manifest("eval"))
    assert found is not None
    assert (found.before, found.after, found.manifest, found.rows) == ("r1", "r2", "eval@0", 40)
    assert (found.before_rate, found.after_rate) == pytest.approx((30 / 80, 10 / 80))
    titles = [title for title, _, _ in found.plots]
    assert titles[0] == "All utterances"
    assert set(titles[1:]) == {"WER by accent", "WER by duration_bucket"}
    plots = {title: plot for title, plot, _ in found.plots}
    changes = {row.name: row.delta for row in plots["All utterances"].rows}
    assert changes == pytest.approx({"WER": -20 / 80, "CER": -20 / 120, "SER": -20 / 40})
    by_accent = {row.name: row.delta for row in plots["WER by accent"].rows}
    assert by_accent == pytest.approx({"north": -0.25, "south": -0.25})
    durations = [(row.name, row.delta) for row in plots["WER by duration_bucket"].rows]
    assert durations == [("< 5 s", pytest.approx(-0.25)), ("5 to 15 s", pytest.approx(-0.25))]


def test_the_page_draws_them(compared: Workspace) -> None:
    path = write_report(compared, "eval").path
    html = Path(str(path)).read_text(encoding="utf-8")
    assert re.search(r'<section id="rounds">\s*<h2>From <bdi>r1</bdi> to <bdi>r2</bdi>', html)
    assert 'href="#rounds"' in html
    assert "37.5 % before, 12.5 % after, −66.7 % relative" in html
    assert "<h3>KEEP</h3>" in html
    drawn = html.split('<section id="rounds">')[1].split("</section>")[0]
    assert drawn.count('class="zero"') == 3 + 2 + 2


def test_without_a_comparison_there_is_no_section(workspace: Workspace, score_rows: Any) -> None:
    score_rows(rows(30), "r1")
    assert newest_rounds(workspace, workspace.manifest("eval")) is None
    path = write_report(workspace, "eval").path
    assert 'id="rounds"' not in Path(str(path)).read_text(encoding="utf-8")
