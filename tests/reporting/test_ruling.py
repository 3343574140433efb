"""A verdict is shown only while it answers for exactly what the page shows."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from asrdq.errors import UndecidedError
from asrdq.gates import waive
from asrdq.reporting import write_report
from asrdq.reporting.clips import show_clips
from asrdq.reporting.ruling import Ruling, find_ruling
from asrdq.reporting.sound import Sound
from asrdq.reporting.subject import find_subject

if TYPE_CHECKING:
    from tests.reporting.conftest import Audited

pytestmark = pytest.mark.slow


def ruling(audited: Audited) -> Ruling:
    subject = find_subject(audited.workspace, "train")
    return find_ruling(audited.workspace, subject)


def test_never_audited_is_undecided_with_what_to_do(audited: Audited) -> None:
    with pytest.raises(UndecidedError, match="never audited") as raised:
        find_subject(audited.workspace, "train")
    assert raised.value.hint == "asrdq audit train"


def test_before_the_gate_there_is_no_verdict(audited: Audited) -> None:
    audited.write_audit()
    found = ruling(audited)
    assert found.verdict is None
    assert "has not been asked" in found.meaning


@pytest.mark.parametrize(("low", "verdict"), [(0, "PROCEED"), (5, "CAUTION"), (10, "STOP")])
def test_the_gates_verdict_is_shown_with_its_reason(
    audited: Audited, low: int, verdict: str
) -> None:
    audited.write_audit(low)
    assert audited.gate() == verdict
    found = ruling(audited)
    assert found.verdict == verdict
    assert f"{100 * low / 40:.1f} %" in found.reasons[0].message
    assert found.run_id


def test_undecided_names_what_would_decide(audited: Audited) -> None:
    audited.write_audit(planted=False)
    assert audited.gate() == "UNDECIDED"
    found = ruling(audited)
    assert found.verdict == "UNDECIDED"
    assert "asrdq faults train" in [reason.hint for reason in found.reasons]


def test_a_verdict_about_an_earlier_audit_does_not_answer(audited: Audited) -> None:
    audited.write_audit(0)
    audited.gate()
    audited.write_audit(10)
    found = ruling(audited)
    assert found.verdict is None
    assert "earlier audit" in found.meaning


def test_a_verdict_under_a_policy_that_changed_does_not_answer(audited: Audited) -> None:
    audited.write_audit(5)
    audited.gate()
    policy = audited.workspace.root / "policies" / "default.yaml"
    text = policy.read_text(encoding="utf-8")
    policy.write_text(text.replace("caution_from: 0.10", "caution_from: 0.14"), encoding="utf-8")
    found = ruling(audited)
    assert found.verdict is None
    assert "policy has changed" in found.meaning


def test_a_verdict_on_tables_that_were_edited_does_not_answer(audited: Audited) -> None:
    run_id = audited.write_audit(10)
    assert audited.gate() == "STOP"
    rows = audited.workspace.read("audits").to_pylist()
    for row in rows:
        row |= {"low_quality": False, "reasons": []}
    schema = audited.workspace.read("audits").schema
    audited.workspace.replace("audits", pa.Table.from_pylist(rows, schema=schema), run_id=run_id)
    found = ruling(audited)
    assert found.verdict is None
    assert "no longer say" in found.meaning


def test_tables_that_contradict_themselves_give_no_page(audited: Audited) -> None:
    run_id = audited.write_audit()
    rows = audited.workspace.read("audits").slice(0, 7)
    audited.workspace.replace("audits", rows, run_id=run_id)
    with pytest.raises(UndecidedError, match="contradicts itself"):
        find_subject(audited.workspace, "train")


def test_changed_audio_stays_a_reason(audited: Audited) -> None:
    audited.write_audit()
    file = audited.folder / "clip-00.wav"
    file.write_bytes(file.read_bytes()[:-100])
    assert audited.gate() == "UNDECIDED"
    found = ruling(audited)
    assert found.verdict == "UNDECIDED"
    assert (found.reasons[0].code, found.reasons[0].hint) == ("changed_audio", "asrdq audit train")


def test_after_a_change_the_page_is_about_the_audited_version(audited: Audited) -> None:
    audited.write_audit()
    audited.gate()
    audited.ingest(lambda row: row.update(text="Three dogs ran."))
    subject = find_subject(audited.workspace, "train")
    assert subject.stale
    assert (str(subject.asked), str(subject.manifest)) == ("train@1", "train@0")
    assert not find_subject(audited.workspace, "train@0").stale


def test_audio_that_changed_after_the_verdict_takes_it_back(audited: Audited) -> None:
    audited.write_audit()
    assert audited.gate() == "PROCEED"
    file = audited.folder / "clip-00.wav"
    file.write_bytes(file.read_bytes()[:-100])
    found = ruling(audited)
    assert found.verdict is None
    assert found.meaning == "The audio has changed since the newest verdict."


def test_after_a_change_of_strata_the_page_is_about_the_audited_version(audited: Audited) -> None:
    audited.write_audit()
    audited.gate()
    audited.ingest(lambda row: row.update(domain="clean"))
    subject = find_subject(audited.workspace, "train")
    assert subject.asked.fingerprint == subject.manifest.fingerprint
    assert subject.stale
    assert (str(subject.asked), str(subject.manifest)) == ("train@1", "train@0")


def test_the_same_content_on_another_mount_is_shown_from_there(
    audited: Audited, tmp_path: Path
) -> None:
    def absolute(row: dict[str, Any]) -> None:
        row["audio_filepath"] = str(audited.folder / row["audio_filepath"])

    audited.ingest(absolute)
    audited.write_audit()
    former, audited.folder = audited.folder, tmp_path / "b"
    audited.folder.mkdir()
    audited.ingest(absolute)
    shutil.rmtree(former)
    assert audited.gate() == "PROCEED"
    assert ruling(audited).verdict == "PROCEED"
    subject = find_subject(audited.workspace, "train")
    assert not subject.stale
    [shown] = show_clips(audited.workspace, subject, 1)
    assert isinstance(shown.sound, Sound)
    assert not shown.changed


def test_a_waived_rule_stands_on_the_page(audited: Audited) -> None:
    audited.write_audit(10)
    today = dt.datetime.now(dt.UTC).date()
    waive(audited.workspace, "rate", owner="<b>Dana", until=today, reason="a pilot")
    assert audited.gate() == "CAUTION"
    found = ruling(audited)
    assert found.verdict == "CAUTION"
    assert [waived.waiver.rule for waived in found.waived] == ["rate"]
    page = Path(str(write_report(audited.workspace, "train").path)).read_text(encoding="utf-8")
    assert f"<b>Waived</b> until {today} by <bdi>&lt;b&gt;Dana</bdi>: a pilot" in page
