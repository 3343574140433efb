"""What pages say of scored hypotheses, and that they are made with and without them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from asrdq.errors import UndecidedError
from asrdq.leaderboard import find_route, read_leaderboard
from asrdq.leaderboard.entries import Entry, Section
from asrdq.reporting import write_leaderboard, write_report
from asrdq.reporting.misheard import heard_instead
from asrdq.reporting.rates import MOST_DRAWN, further_plots, rate_plot
from asrdq.reporting.scored import MOST_WORDS, find_scored

if TYPE_CHECKING:
    from asrdq.workspace import Workspace

pytestmark = pytest.mark.slow

HOSTILE = "</script></title><img src=http://evil.example/x onerror=alert(1)>{{ 7*7 }}"

SECTIONS = ["leaderboard", "errors", "confusions", "examples", "provenance"]


def rows(count: int = 12, **more: Any) -> list[dict[str, Any]]:
    """Rows of which every third misses its term."""
    return [
        {
            "text": "give cefazolin now",
            "heard": "give cefa zolin now" if number % 3 == 0 else "give cefazolin know",
            "term": "cefazolin",
            "entity_category": "drug",
            "speaker": f"s{number % 4}",
            "duration": 1.0 + number,
            **more,
        }
        for number in range(count)
    ]


def page(workspace: Workspace, **options: Any) -> str:
    path = write_report(workspace, "eval", **options).path
    return Path(str(path)).read_text(encoding="utf-8")


def ids(html: str) -> list[str]:
    return re.findall(r'<section id="([^"]+)"', html)


def visible(html: str) -> str:
    body = html.split("</style>")[1]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", body))


def test_a_scored_manifest_has_a_page_without_an_audit(
    workspace: Workspace, score_rows: Any
) -> None:
    scoring = score_rows(rows(), by=["duration_bucket"])
    result = write_report(workspace, "eval")
    assert (result.audit_run_id, result.scoring_run_id) == (None, scoring.run_id)
    assert "scored, not audited" in result.summary()
    html = page(workspace)
    assert ids(html) == SECTIONS
    text = visible(html)
    assert "eval@0 was never audited" in text
    assert "What to do next: undecided between" in text
    # 4 × (1 substitution + 1 insertion) + 8 × 1 substitution over 36 words
    assert "44.4 %" in text
    assert "cefazolin → zolin 4" in text
    assert "now → know 8" in text
    assert "cefa zolin × 4" in text
    assert "KER by noise level Absent: eval@0 has no column &#39;noise_level&#39;" in text
    groups = text[text.index("Word error rate by group") :]
    places = [groups.index(name) for name in ("By duration_bucket", "&lt; 5 s", "5 to 15 s")]
    assert places == sorted(places)
    assert "Absent: error rates by duration" not in text


def test_durations_that_were_not_scored_are_named(workspace: Workspace, score_rows: Any) -> None:
    score_rows(rows())
    assert "asrdq score eval@0 --hyps r1 --by duration_bucket" in visible(page(workspace))


def test_neither_audited_nor_scored_there_is_no_page(workspace: Workspace, ingest: Any) -> None:
    ingest([{"audio_filepath": "a.wav", "text": "a", "duration": 1.0}], "eval")
    with pytest.raises(UndecidedError, match="never audited"):
        write_report(workspace, "eval")
    assert find_scored(workspace, workspace.manifest("eval")) is None


def test_the_newest_scoring_of_the_same_content_is_shown(
    workspace: Workspace, score_rows: Any
) -> None:
    score_rows(rows(), "r1")
    score_rows(rows(), "r2")  # the same content stays version 0
    score_rows(rows(13), "r3")
    found = find_scored(workspace, workspace.manifest("eval@0"))
    assert found is not None
    assert (found.board.hyps, found.elsewhere) == ("r2", "")
    assert found.others == ("r3 on eval@1 (none)", "r1 on eval@0 (none)")
    assert "r1 on eval@0 (none)" in visible(page(workspace))


def test_a_scoring_of_other_content_is_said_to_be_one(
    workspace: Workspace, score_rows: Any, ingest: Any
) -> None:
    score_rows(rows())
    ingest([{"audio_filepath": "a.wav", "text": "a", "duration": 1.0}], "eval")
    text = visible(page(workspace))
    assert (
        "The figures from here on are those of eval@0, whose content is not that of eval@1" in text
    )


def test_hostile_values_stay_text(workspace: Workspace, score_rows: Any) -> None:
    word = HOSTILE.replace(" ", "")
    given = rows(entity_category=HOSTILE, accent=HOSTILE)
    given[0].update(id=HOSTILE, text=f"{word} x", heard=f"x {word}", term=word)
    scoring = score_rows(given, by=["accent"])
    html = page(workspace)
    board = read_leaderboard(workspace, scoring)
    alone = write_leaderboard(board, workspace.root / "alone.html").read_text(encoding="utf-8")
    for own in (html, alone):
        assert "<img" not in own
        assert "{{ 7*7 }}" in own
        assert not re.search(r"<[^>]* onerror", own)
        assert "default-src &#39;none&#39;" in own or "default-src 'none'" in own


def test_a_leaderboard_alone(workspace: Workspace, score_rows: Any, tmp_path: Path) -> None:
    from dataclasses import replace

    board = read_leaderboard(workspace, score_rows(rows(), by=["speaker"]))
    file = tmp_path / "board.html"
    write_leaderboard(replace(board, route=find_route(board)), file)
    html = file.read_text(encoding="utf-8")
    assert ids(html) == ["leaderboard", "errors", "provenance"]
    assert "By speaker" in html
    assert not re.search(r"https?://|<script", html)
    links = set(re.findall(r'href="#([^"]+)"', html))
    assert links <= set(re.findall(r'id="([^"]+)"', html))


def test_examples_are_marked_with_letters_and_cut(workspace: Workspace, score_rows: Any) -> None:
    long = " ".join(f"w{number}" for number in range(200))
    score_rows([{"text": long, "heard": "w0 x"}, {"text": "a b", "heard": "a c"}])
    found = find_scored(workspace, workspace.manifest("eval"))
    assert found is not None
    first, second = found.examples
    assert (first.errors, first.words, len(first.places)) == (199, 200, MOST_WORDS)
    assert first.hidden == 200 - MOST_WORDS
    assert [str(place.mark) for place in second.places] == ["C", "S"]
    html = page(workspace)
    assert "120 more words are not shown" in html
    assert re.search(r"<b>S<span class=\"hidden\"> another word</span></b>", html)


def test_without_errors_the_page_says_so(workspace: Workspace, score_rows: Any) -> None:
    score_rows([{"text": "a b", "heard": "a b"}, {"text": "c", "heard": "c"}])
    text = visible(page(workspace))
    assert "No word is wrong." in text
    assert "No utterance has an error." in text


def test_misheard_terms_need_the_same_normaliser(workspace: Workspace, score_rows: Any) -> None:
    import pyarrow as pa

    scoring = score_rows(rows())
    groups = workspace.read("score_groups")
    column = groups.schema.get_field_index("normaliser_hash")
    older = groups.set_column(column, "normaliser_hash", pa.array(["old"] * len(groups)))
    workspace.replace("score_groups", older, run_id=scoring.run_id)
    found = find_scored(workspace, workspace.manifest("eval"))
    assert found is not None
    assert found.misheard.terms == ()
    assert "none has changed since it was scored" in visible(page(workspace))


@pytest.mark.parametrize(
    ("term", "reference", "hypothesis", "heard"),
    [
        ("cefazolin", "give cefazolin now", "give cefa zolin now", "cefa zolin"),
        (
            "atrial fibrillation",
            "an atrial fibrillation",
            "an a trial vibration",
            "a trial vibration",
        ),
        ("now", "give it now", "give it", ""),
        ("give", "give it", "it", ""),
        ("nothing", "give it", "give", ""),
    ],
)
def test_what_was_heard_instead(term: str, reference: str, hypothesis: str, heard: str) -> None:
    assert heard_instead(term, reference, hypothesis) == heard


def wer(member: str, rate: float | None) -> Entry:
    limits = (None, None) if rate is None else (rate / 2, rate * 2)
    return Entry(member, "wer", rate, *limits, 10, 10, "t", 3, "speaker")


def test_plots_hold_every_interval_and_say_what_they_hide() -> None:
    many = [wer(f"g{number}", 0.1) for number in range(MOST_DRAWN + 3)]
    plot = rate_plot("By accent", [*many, wer("empty", None)])
    assert (len(plot.rows), plot.hidden) == (MOST_DRAWN, 3)
    assert plot.scale.high >= 0.2
    above = rate_plot("x", [wer("a", 0.9)])
    assert above.scale.high == 1.0  # an interval beyond it is drawn with an arrow


def test_durations_come_in_their_own_order() -> None:
    names = ["15 s and longer", "(none)", "< 5 s", "5 to 15 s"]
    section = Section("duration_bucket", "By duration", tuple(wer(name, 0.1) for name in names))
    [plot] = further_plots([section])
    assert [own.member for own in plot.rows] == [
        "< 5 s",
        "5 to 15 s",
        "15 s and longer",
        "(none)",
    ]
