"""The page by itself: what it says, that hostile values stay text, that it needs nothing else."""

from __future__ import annotations

import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from asrdq.alignment import AlignmentStatus
from asrdq.audio import AudioReason
from asrdq.audit.faults import Fault
from asrdq.audit.reasons import INSTRUMENT_FAULTS, InstrumentStatus, Reason
from asrdq.errors import ToolError, UsageError
from asrdq.reporting import wording, write_report

if TYPE_CHECKING:
    from tests.reporting.conftest import Audited

pytestmark = pytest.mark.slow

HOSTILE = "</script></title></style><img src=http://evil.example/x onerror=alert(1)>\"'{{ 7*7 }}"
MAY_LOAD = {"img", "script", "iframe", "object", "embed", "link", "audio", "video", "source"}
TAGS = {
    *("html", "head", "meta", "title", "link", "style", "body", "header", "main", "footer"),
    *("nav", "section", "article", "h1", "h2", "h3", "p", "a", "b", "em", "strong", "small"),
    *("span", "div", "ul", "li", "dl", "dt", "dd", "code", "bdi", "mark", "blockquote"),
    *("table", "caption", "thead", "tbody", "tr", "th", "td", "details", "summary", "figure"),
    *("figcaption", "audio", "svg", "g", "rect", "line", "circle", "path", "text"),
}


class Page(HTMLParser):
    """The tags of a page with their attributes, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.texts))

    def external(self) -> list[str]:
        """Return everything that a browser would fetch or follow."""
        found = []
        for tag, attributes in self.tags:
            for name, value in attributes.items():
                local = (value or "").startswith(("data:", "#"))
                loads = name in ("src", "srcset", "data", "poster", "href", "xlink:href", "action")
                if (loads and not local) or (name == "style" and "url(" in (value or "")):
                    found.append(f"{tag} {name}={value}")
        return found


def page_of(audited: Audited, **options: Any) -> tuple[Page, str]:
    path = write_report(audited.workspace, "train", **options).path
    html = path.read_text(encoding="utf-8")
    return Page(html), html


def test_the_guard_against_external_requests_trips() -> None:
    assert Page("<img src='http://a.example/b.png'>").external() == [
        "img src=http://a.example/b.png"
    ]
    assert Page("<a href='//a.example'>x</a>").external() == ["a href=//a.example"]
    assert Page("<p style='background: url(x.png)'>").external() != []


def test_nothing_is_loaded_from_anywhere(audited: Audited) -> None:
    audited.write_audit(5)
    page, html = page_of(audited)
    assert page.external() == []
    style = html.split("<style>")[1].split("</style>")[0]
    assert "url(" not in style
    assert "@import" not in style
    assert not re.search(r"https?://", html)
    policies = [a["content"] for t, a in page.tags if t == "meta" and "http-equiv" in a]
    assert policies == [
        "default-src 'none'; img-src data:; media-src data:; style-src 'unsafe-inline'; "
        "base-uri 'none'; form-action 'none'"
    ]


def test_hostile_values_stay_text(audited: Audited) -> None:
    file = HOSTILE.replace("/", "_") + ".wav"

    def poison(row: dict[str, Any]) -> None:
        row.update(text=HOSTILE, speaker=HOSTILE, domain=HOSTILE)
        if row["id"] == "clip-00":
            row.update(id=HOSTILE, audio_filepath=file)

    audited.ingest(poison)

    def low(clip: dict[str, Any]) -> None:
        is_first = clip["utt_id"] == HOSTILE
        clip.update(low_quality=is_first, reasons=[HOSTILE] if is_first else [])

    audited.write_audit(change=low)
    audited.gate()
    page, html = page_of(audited)
    assert {tag for tag, _ in page.tags} <= TAGS
    assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on")]
    assert page.external() == []
    assert "<img" not in html
    assert "{{ 7*7 }}" in page.text
    for value in (HOSTILE, file):
        assert re.sub(r"\s+", " ", value) in page.text


def test_the_page_is_in_order_for_people_and_machines(audited: Audited) -> None:
    audited.write_audit(5)
    page, _ = page_of(audited)
    tags = [tag for tag, _ in page.tags]
    assert tags.count("h1") == tags.count("main") == 1
    assert all("scope" in a or not a for t, a in page.tags if t == "th")
    ids = [a["id"] for _, a in page.tags if "id" in a]
    assert len(ids) == len(set(ids))
    links = {a["href"] for t, a in page.tags if t == "a"}
    assert {str(link).removeprefix("#") for link in links} <= set(ids)
    drawn = [a for t, a in page.tags if t == "svg" and "class" in a]
    assert drawn
    assert all(a.get("role") == "img" or a.get("aria-hidden") == "true" for a in drawn)


def test_the_figures_are_those_of_the_gate(audited: Audited) -> None:
    audited.write_audit(5)
    audited.gate()
    page, _ = page_of(audited)
    assert "CAUTION" in page.text
    assert "12.5 %" in page.text  # 5 of 40
    assert "5 of 40 judged clips are." in page.text
    assert "it found 97.5 %" in page.text  # 39 of 40 of each gross fault
    assert audited.manifest.fingerprint in page.text


def test_an_audited_page_has_scores_only_where_there_are_some(audited: Audited) -> None:
    audited.write_audit(5)
    _, before = page_of(audited)
    assert 'id="leaderboard"' not in before
    audited.score()
    page, html = page_of(audited)
    ids = re.findall(r'<section id="([^"]+)"', html)
    assert ids[-5:] == ["leaderboard", "errors", "confusions", "examples", "provenance"]
    assert "clips" in ids
    links = {str(a["href"]).removeprefix("#") for t, a in page.tags if t == "a"}
    assert links <= set(ids)
    assert {tag for tag, _ in page.tags} <= TAGS
    assert "sat → sad 20" in page.text
    assert page.external() == []


def test_an_undecided_page_says_what_would_decide(audited: Audited) -> None:
    audited.write_audit(calibration="too_weak", planted=True)
    audited.gate()
    page, _ = page_of(audited)
    assert "UNDECIDED" in page.text
    assert "What stands against a verdict, and what would decide" in page.text
    assert "whose clips count as neither good nor bad: clean noisy" in page.text


@pytest.mark.parametrize(
    ("calibration", "said"),
    [
        ("ok", "0.5 at the threshold that was fitted on faults planted on this data."),
        ("shipped", "0.5 at the threshold, a shipped one that was fitted on other data."),
    ],
)
def test_the_page_says_what_the_threshold_was_fitted_on(
    audited: Audited, calibration: str, said: str
) -> None:
    audited.write_audit(5, calibration=calibration)
    assert said in page_of(audited)[0].text


def test_an_audit_that_does_not_say_how_it_was_calibrated_has_a_page(audited: Audited) -> None:
    run_id = audited.write_audit(5)
    runs = audited.workspace.read("runs")
    rows = runs.to_pylist()
    for row in rows:
        if row["run_id"] == run_id:
            parameters = json.loads(row["parameters"])
            del parameters["calibrate"]
            row["parameters"] = json.dumps(parameters)
    edited = pa.Table.from_pylist(rows, schema=runs.schema)
    audited.workspace.replace("runs", edited, run_id=[row["run_id"] for row in rows])
    assert "whether that was fitted on this data, the run of the audit does not say" in (
        page_of(audited)[0].text
    )


def test_an_audit_without_its_placed_words_has_a_page_that_says_so(audited: Audited) -> None:
    audited.write_audit(2, spans=False)
    assert "The table 'word_spans' has no row of this audit" in page_of(audited)[0].text
    folder = Path(audited.workspace.root) / "tables" / "word_spans"
    shutil.rmtree(folder)
    page, _ = page_of(audited)
    assert "There is no table 'word_spans', so no word is shown in its place." in page.text
    assert "No word could be placed" not in page.text
    lacking = pa.table({"run_id": ["another"], "utt_id": ["clip-00"]})
    audited.workspace.append("word_spans", lacking)
    assert "The table 'word_spans' has no column 'stratum'" in page_of(audited)[0].text


def test_planted_faults_without_intervals_are_shown_without_them(audited: Audited) -> None:
    run_id = audited.write_audit(5)
    rows = audited.workspace.read("detections").to_pylist()
    for row in rows:
        row |= {"low": None, "high": None, "auc": None}
    schema = audited.workspace.read("detections").schema
    table = pa.Table.from_pylist(rows, schema=schema)
    audited.workspace.replace("detections", table, run_id=run_id)
    section = page_of(audited)[0].text.split("What this audit finds")[1]
    assert "recall of extra_words 97.5 %, from – to –" in section


def test_without_a_verdict_the_page_says_so(audited: Audited) -> None:
    audited.write_audit(5)
    page, _ = page_of(audited)
    assert "No verdict yet" in page.text
    assert "asrdq gate train" in page.text
    assert "Not probed" in page.text


def test_a_changed_manifest_is_said_at_the_top(audited: Audited) -> None:
    audited.write_audit()
    audited.gate()
    audited.ingest(lambda row: row.update(text="Three dogs ran."))
    page, _ = page_of(audited)
    assert "The manifest has changed since this audit" in page.text.split("PROCEED")[1]
    assert "train@1 has other content than train@0" in page.text


def test_a_word_that_fits_badly_is_marked_in_the_transcript(audited: Audited) -> None:
    audited.write_audit(1)
    page, html = page_of(audited, clips=1)
    assert re.search(r'<mark class="bad" title="cats: [^"]*">cats</mark> sat\.', html)
    assert "clip-00" in page.text
    assert next(a["src"] for t, a in page.tags if t == "audio").startswith(
        "data:audio/mpeg;base64,"
    )


def test_a_clip_without_audio_is_shown_with_its_reason(audited: Audited) -> None:
    audited.write_audit(1)
    (audited.folder / "clip-00.wav").unlink()
    page, _ = page_of(audited, clips=1)
    assert "No audio to show: missing audio" in page.text
    assert not [t for t, _ in page.tags if t == "audio"]


def test_a_file_that_was_exchanged_is_said_so(audited: Audited) -> None:
    audited.write_audit(1)
    assert "has changed since the audit" not in page_of(audited, clips=1)[0].text
    (audited.folder / "clip-01.wav").replace(audited.folder / "clip-00.wav")
    assert "The audio file has changed since the audit" in page_of(audited, clips=1)[0].text


def test_the_page_has_no_more_audio_than_its_bound(
    audited: Audited, monkeypatch: pytest.MonkeyPatch
) -> None:
    audited.write_audit(3)
    monkeypatch.setattr("asrdq.reporting.clips.MOST_AUDIO_BYTES", 25_000)
    result = write_report(audited.workspace, "train", clips=3)
    sizes = result.clips["audio_bytes"].to_pylist()
    assert 0 < sum(sizes) <= 25_000
    assert sizes[-1] == 0
    assert "no room for more audio" in result.path.read_text(encoding="utf-8")


def test_no_clips_when_none_are_asked_for(audited: Audited) -> None:
    audited.write_audit(3)
    assert write_report(audited.workspace, "train", clips=0).clips.num_rows == 0


def test_a_wrong_number_of_clips(audited: Audited) -> None:
    with pytest.raises(UsageError, match="101 clips"):
        write_report(audited.workspace, "train", clips=101)


def test_a_file_that_cannot_be_written(audited: Audited, tmp_path: Path) -> None:
    audited.write_audit()
    with pytest.raises(ToolError, match="cannot be written"):
        write_report(audited.workspace, "train", output=tmp_path)
    assert not list(tmp_path.parent.glob(".*.part"))


def test_every_code_has_its_words() -> None:
    assert set(wording.REASONS) == set(Reason)
    assert set(wording.FAULTS) == set(Fault)
    blind = {InstrumentStatus.TOO_WEAK, InstrumentStatus.TOO_FEW}
    assert set(wording.INSTRUMENT) == INSTRUMENT_FAULTS | blind
    assert set(wording.CALIBRATIONS) == {*InstrumentStatus, None}
    assert AlignmentStatus.TOO_LONG in wording.INSTRUMENT
    assert set(AudioReason) <= set(wording.AUDIO_STATUS)
