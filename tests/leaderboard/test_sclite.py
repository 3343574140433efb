"""Totals of sclite, from its own reports, and ours beside them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from asrdq.errors import DataError, UsageError
from asrdq.leaderboard.sclite import Totals, compare_with_sclite, read_sclite_totals, score_totals

if TYPE_CHECKING:
    from asrdq.workspace import Workspace

pytestmark = pytest.mark.slow

RAW = {
    "5-1": Totals(1712, 14499, 8065, 5007, 1427, 696, 7130, 1485),
    "6-0": Totals(1712, 14499, 8823, 4326, 1350, 488, 6164, 1416),
}
PERCENT = {
    "5-1": Totals(1712, 14499, 55.6, 34.5, 9.8, 4.8, 49.2, 86.7, percent=True),
    "6-0": Totals(1712, 14499, 60.9, 29.8, 9.3, 3.4, 42.5, 82.7, percent=True),
}
LINE = re.compile(r"(.*) \(([^()]*)\)")


def folder(shared_data: Path, version: str) -> Path:
    return shared_data / "artie" / "expected" / f"artie_deepspeech_v0-{version}"


@pytest.mark.parametrize("version", ["5-1", "6-0"])
def test_both_kinds_of_reports_are_read(shared_data: Path, version: str) -> None:
    raw = read_sclite_totals(folder(shared_data, version) / "sclite.raw")
    percent = read_sclite_totals(folder(shared_data, version) / "sclite.sys")
    assert raw == RAW[version]
    assert percent == PERCENT[version]
    ours = raw.as_percent()
    assert ours.errors == pytest.approx(percent.errors, abs=0.05)
    assert ours.sentence_errors == pytest.approx(percent.sentence_errors, abs=0.05)
    assert percent.as_percent() is percent


@pytest.mark.parametrize(("version", "errors"), [("5-1", 7130), ("6-0", 6163)])
def test_a_real_scoring_beside_sclite(
    workspace: Workspace, score_rows: Any, shared_data: Path, version: str, errors: int
) -> None:
    place = folder(shared_data, version)
    texts = {}
    for name in ("ref", "hyp"):
        lines = (place / f"{name}.trn").read_text(encoding="utf-8").splitlines()
        found = [LINE.fullmatch(line) for line in lines]
        texts[name] = {match[2]: match[1].strip() for match in found if match}
    rows = [
        {"id": own, "text": text, "heard": texts["hyp"][own]} for own, text in texts["ref"].items()
    ]
    ours = score_totals(workspace, score_rows(rows))
    assert (ours.sentences, ours.words, ours.errors) == (1712, 14499, errors)
    found = compare_with_sclite(ours, place / "sclite.raw")
    split = ("correct", "substitutions", "deletions", "insertions")
    if version == "5-1":
        assert found.differing == split
        assert "the same errors in all" in found.verdict
        by_percent = compare_with_sclite(ours, place / "sclite.sys")
        assert not {"sentences", "words", "errors"} & {*by_percent.differing}
        assert by_percent.theirs.percent
    else:  # its weights of 4 and 3 prefer, once, an alignment with one error more
        assert found.differing == (*split, "errors")
        assert "sclite has more errors" in found.verdict


def report(path: Path, row: str) -> Path:
    path.write_text(f"| SPKR | # Snt # Wrd |\n| a | 1 2 | 1 1 0 0 1 1 |\n{row}\n", encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("", "no row 'Sum'"),
        ("| Sum | 2 4 | 3 1 0 0 1 |", "no row 'Sum'"),
        ("| Sum | 2 4 | 2 1 0 0 1 1 |", "does not add up"),
        ("| Sum | 2 4 | 3 1 0 1 1 1 |", "does not add up"),
        ("| Sum/Avg | 2 4 | 70.0 25.0 0.0 0.0 25.0 50.0 |", "does not add up"),
        ("| Sum | 2 4 | - - - - - - |", "has no figures"),
    ],
)
def test_what_is_no_report_is_refused(tmp_path: Path, row: str, message: str) -> None:
    file = report(tmp_path / "broken.raw", row)
    with pytest.raises(DataError, match=message) as raised:
        read_sclite_totals(file)
    assert str(file) in str(raised.value)


def test_a_report_with_confidences_has_a_column_more(tmp_path: Path) -> None:
    file = report(tmp_path / "nce.sys", "| Sum/Avg | 2 4 | 75.0 25.0 0.0 0.0 25.0 50.0 -0.123 |")
    assert read_sclite_totals(file).sentence_errors == 50.0


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"sclite writes it with -o sum"):
        read_sclite_totals(tmp_path / "none.raw")


@pytest.mark.parametrize(
    ("theirs", "differing", "said"),
    [
        ("2 4 | 3 1 0 0 1 1", "", "agree in everything"),
        (
            "2 4 | 3 0 1 0 1 1",
            "substitutions deletions",
            "the same errors in all; substitutions, deletions differ",
        ),
        ("3 4 | 3 1 0 0 1 1", "sentences", "not the same utterances"),
        ("2 5 | 4 1 0 0 1 1", "words correct", "not the same words"),
        (
            "2 4 | 3 0 1 1 2 1",
            "substitutions deletions insertions errors",
            "sclite has more errors",
        ),
        (
            "2 4 | 4 0 0 0 0 0",
            "correct substitutions errors sentence_errors",
            "its texts are others",
        ),
    ],
)
def test_where_they_differ(tmp_path: Path, theirs: str, differing: str, said: str) -> None:
    ours = Totals(2, 4, 3, 1, 0, 0, 1, 1)
    found = compare_with_sclite(ours, report(tmp_path / "x.raw", f"| Sum | {theirs} |"))
    assert " ".join(found.differing) == differing
    assert said in found.verdict


def test_percent_may_differ_by_its_rounding_only(tmp_path: Path) -> None:
    ours = Totals(3, 3, 2, 1, 0, 0, 1, 1)
    near = report(tmp_path / "n.sys", "| Sum/Avg | 3 3 | 66.7 33.3 0.0 0.0 33.3 33.3 |")
    assert compare_with_sclite(ours, near).differing == ()
    far = report(tmp_path / "f.sys", "| Sum/Avg | 3 3 | 66.6 33.4 0.0 0.0 33.4 33.3 |")
    assert compare_with_sclite(ours, far).differing == ("correct", "substitutions", "errors")


def test_rows_that_are_gone(workspace: Workspace, score_rows: Any) -> None:
    scoring = score_rows([{"text": "a", "heard": "a"}])
    workspace.replace("scores", workspace.read("scores").slice(0, 0), run_id=scoring.run_id)
    with pytest.raises(DataError, match="are not there"):
        score_totals(workspace, scoring)
