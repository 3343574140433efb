"""Texts written for sclite: it reads the same words and counts the same errors."""

from __future__ import annotations

import random
import string
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from asrdq.errors import DataError
from asrdq.leaderboard.sclite import compare_with_sclite, score_totals
from asrdq.leaderboard.trn import write_trn

if TYPE_CHECKING:
    from asrdq.workspace import Workspace


def written(folder: Path, name: str) -> list[str]:
    return (folder / name).read_text(encoding="utf-8").splitlines()


def test_lines_ids_and_what_was_changed(
    workspace: Workspace, score_rows: Any, tmp_path: Path
) -> None:
    rows = [
        {"id": "a", "text": "one two", "heard": "one", "speaker": "ann-lee"},
        {"id": "A", "text": "x", "heard": "", "speaker": "ann-lee"},
        {"id": "b c(1)", "text": "{a / b} @ (c) ;;", "heard": "é ש", "speaker": None},
    ]
    files = write_trn(workspace, score_rows(rows), tmp_path / "out")
    assert (files.rows, files.renamed, files.replaced) == (3, 1 + 1, 1)
    assert written(files.folder, "ref.trn") == [
        "x (ann_lee-A)",
        "one two (ann_lee-a.2)",
        "｛a / b｝ ＠ （c） ；； (all-b_c_1_)",
    ]
    assert written(files.folder, "hyp.trn") == [
        " (ann_lee-A)",
        "one (ann_lee-a.2)",
        "é ש (all-b_c_1_)",
    ]
    assert written(files.folder, "ids.tsv") == [
        "utt_id\ttrn_id",
        "A\tann_lee-A",
        "a\tann_lee-a.2",
        "b c(1)\tall-b_c_1_",
    ]


def hard_texts(count: int) -> list[dict[str, Any]]:
    """Texts with every sign of ASCII and others, and hypotheses near to them."""
    drawn = random.Random(4)
    signs = [*string.punctuation, *"aAbB1", "é", "ש", "½", "中", "😀", "’"]
    rows: list[dict[str, Any]] = []
    for number in range(count):
        words = ["".join(drawn.choices(signs, k=drawn.randint(1, 3))) for _ in range(8)]
        heard = [drawn.choice([word, word, word, word.swapcase(), "new", ""]) for word in words]
        row = {"text": " ".join(words), "heard": " ".join(filter(None, heard))}
        rows.append({**row, "id": f"u {number}", "speaker": f"s{number % 3}"})
    return rows


def test_sclite_counts_the_same_words_and_errors(
    workspace: Workspace, score_rows: Any, sclite: Any, tmp_path: Path
) -> None:
    scoring = score_rows([*hard_texts(300), {"text": "", "heard": "too much"}])
    files = write_trn(workspace, scoring, tmp_path)
    sclite(files.command)
    for name in ("sclite.raw", "sclite.sys"):
        found = compare_with_sclite(score_totals(workspace, scoring), tmp_path / name)
        assert not {"sentences", "words"} & set(found.differing), found
        assert abs(found.theirs.errors - found.ours.errors) <= 0.01 * found.ours.errors


def test_a_sign_and_its_wide_form_are_refused(
    workspace: Workspace, score_rows: Any, tmp_path: Path
) -> None:
    scoring = score_rows([{"id": "u1", "text": "a ( b", "heard": "a （ b"}])
    with pytest.raises(DataError, match=r"u1: \( and its wide form") as raised:
        write_trn(workspace, scoring, tmp_path / "out")
    assert "--normaliser basic" in str(raised.value)
    assert not list((tmp_path / "out").glob("*.t*"))


def test_a_wide_form_beside_another_sign_is_none_of_its_business(
    workspace: Workspace, score_rows: Any, tmp_path: Path
) -> None:
    scoring = score_rows([{"text": "a ( b", "heard": "a ＠ b"}])
    assert write_trn(workspace, scoring, tmp_path / "out").replaced == 1


def test_control_characters_are_refused(
    workspace: Workspace, score_rows: Any, tmp_path: Path
) -> None:
    scoring = score_rows([{"id": "u1", "text": "a\x07b", "heard": "a"}])
    with pytest.raises(DataError, match="u1: a control character"):
        write_trn(workspace, scoring, tmp_path / "out")


def test_rows_that_are_gone(workspace: Workspace, score_rows: Any, tmp_path: Path) -> None:
    scoring = score_rows([{"text": "a", "heard": "a"}])
    workspace.replace("scores", workspace.read("scores").slice(0, 0), run_id=scoring.run_id)
    with pytest.raises(DataError, match="are not there"):
        write_trn(workspace, scoring, tmp_path)
