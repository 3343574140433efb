"""The section on expectations: what fails, by how much, and whether it still answers."""

from __future__ import annotations

import html
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from tests.reporting.test_page import HOSTILE, TAGS, Page, page_of

from asrdq.errors import UndecidedError
from asrdq.reporting import write_report
from asrdq.reporting.checked import find_checked

if TYPE_CHECKING:
    from tests.reporting.conftest import Audited

pytestmark = pytest.mark.slow

BRACKETS, DIGITS = "expect_text_without_brackets", "expect_text_without_digits"
DECODES = "expect_audio_to_decode"


def laughing(row: dict[str, Any]) -> None:
    """Put a bracket into the first eight of the forty texts."""
    if row["id"] < "clip-08":
        row["text"] = f"{row['id'][-1]} [laughs]"


def test_what_fails_is_shown_with_rows_share_hours_examples_and_sql(audited: Audited) -> None:
    audited.ingest(laughing)
    audited.write_audit()
    run_id = audited.check(BRACKETS, "expect_text_to_be_filled", DECODES)
    page, markup = page_of(audited)
    assert "mine 1 failed 1 not judged 1 held train@1" in page.text
    assert "Text without brackets text critical expect_text_without_brackets 8" in page.text
    assert "8 20.0 % of rows 16 s" in page.text  # 8 of 40 clips of 2 s
    shown = re.findall(r'<bdi class="id">(clip-\d+)</bdi>', markup)
    assert shown == [f"clip-0{n}" for n in range(5)]
    assert "SQL for all 8 rows" in page.text
    assert "train@1 was not probed: asrdq probe train" in page.text
    assert f"mine : run {run_id}" in page.text
    [query] = re.findall(r"<pre><code>(.*?)</code></pre>", markup, re.S)
    found = audited.workspace.sql(html.unescape(query)).arrow()
    assert found["utt_id"].to_pylist() == [f"clip-0{n}" for n in range(8)]
    assert {tag for tag, _ in page.tags} <= {*TAGS, "br", "pre"}


def test_a_warning_is_told_from_a_failure(audited: Audited) -> None:
    audited.ingest(laughing)
    audited.write_audit()
    audited.check(BRACKETS, severity="warning")
    assert "mine 1 warned train@1" in page_of(audited)[0].text


def test_without_a_check_there_is_no_such_section(audited: Audited) -> None:
    audited.write_audit()
    assert 'id="checks"' not in page_of(audited)[1]


def test_a_check_of_other_content_is_said_to_be_old(audited: Audited) -> None:
    audited.check(BRACKETS, name="before")
    audited.ingest(laughing)
    audited.write_audit()
    page, _ = page_of(audited)
    assert "No suite was run on this content." in page.text
    assert "The suite before was run on train@0, which has other content" in page.text
    assert "held" not in page.text
    audited.check(BRACKETS, name="after")
    page, _ = page_of(audited)
    assert "The suite before was run on train@0" in page.text
    assert "after 1 failed train@1" in page.text


def test_the_newest_check_of_each_suite_is_shown(audited: Audited) -> None:
    audited.check(BRACKETS)
    second = audited.check(BRACKETS, DIGITS)
    checked = find_checked(audited.workspace, audited.manifest)
    assert checked is not None
    assert [(suite.run_id, len(suite.lines)) for suite in checked.suites] == [(second, 2)]


def test_a_suite_that_was_changed_or_is_gone_is_told(audited: Audited) -> None:
    audited.write_audit()
    audited.check(BRACKETS)
    file = Path(audited.workspace.root) / "expectations" / "mine.json"
    assert "The suite has changed since" not in page_of(audited)[0].text
    file.write_bytes(file.read_bytes() + b"\n")
    assert "The suite has changed since" in page_of(audited)[0].text
    file.unlink()
    assert "The file of the suite is gone since." in page_of(audited)[0].text


def test_the_same_content_in_another_version_is_told(audited: Audited) -> None:
    audited.check(BRACKETS)
    audited.ingest(lambda row: row.update(domain="clean"))
    audited.write_audit()
    assert "It was of train@0, whose rows have the same fingerprint as train@1." in (
        page_of(audited)[0].text
    )


def test_rows_of_a_check_that_are_gone_prove_nothing(audited: Audited) -> None:
    audited.write_audit()
    audited.check(BRACKETS)
    shutil.rmtree(Path(audited.workspace.root) / "tables" / "checks")
    assert "The table 'checks' has no row of this check: nothing is proven." in (
        page_of(audited)[0].text
    )


def test_hostile_rows_and_names_stay_text(audited: Audited) -> None:
    text = f"{HOSTILE}\n::error::pwned\r\n##[set-output name=a]b [x]"

    def poison(row: dict[str, Any]) -> None:
        row["text"] = text
        if row["id"] == "clip-00":
            row["id"] = HOSTILE

    audited.ingest(poison)
    audited.write_audit()
    audited.check(BRACKETS, name=HOSTILE)
    page, markup = page_of(audited, clips=0)
    assert {tag for tag, _ in page.tags} <= {*TAGS, "br", "pre"}
    assert page.external() == []
    assert "<img" not in markup
    shown = re.sub(r"\s+", " ", text)
    assert page.text.count(shown) == 5
    assert not [name for _, given in page.tags for name in given if name.startswith("on")]


def test_a_manifest_that_was_only_checked_has_a_page_without_a_verdict(audited: Audited) -> None:
    run_id = audited.check(BRACKETS)
    result = write_report(audited.workspace, "train")
    assert (result.verdict, result.check_run_ids) == (None, (run_id,))
    assert "checked, not audited for train@0" in result.summary()
    page = Page(result.path.read_text(encoding="utf-8"))
    assert "40 utterances, checked against 1 suite of expectations" in page.text
    assert "Not audited" in page.text
    assert "mine 1 held" in page.text
    links = {str(given["href"]) for tag, given in page.tags if tag == "a"}
    assert links == {"#checks", "#provenance"}
    audited.score()
    assert "checked and scored, not audited" in write_report(audited.workspace, "train").summary()


def test_a_check_of_other_content_alone_gives_no_page(audited: Audited) -> None:
    audited.check(BRACKETS)
    audited.ingest(laughing)
    with pytest.raises(UndecidedError, match="never audited"):
        write_report(audited.workspace, "train")


def test_an_expectation_that_measures_a_column_shows_what_it_saw(audited: Audited) -> None:
    audited.write_audit()
    run_id = audited.check(BRACKETS)
    rows = audited.workspace.read("checks").to_pylist()
    rows[0] |= {"success": False, "rows": None, "share": None, "hours": None, "query": None}
    rows[0] |= {"observed": "mean = 2.5"}
    schema = audited.workspace.read("checks").schema
    audited.workspace.replace("checks", pa.Table.from_pylist(rows, schema=schema), run_id=run_id)
    assert "mean = 2.5" in page_of(audited)[0].text
