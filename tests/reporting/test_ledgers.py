"""The rules of the gate on the page, and the persons who answer for them."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
from tests.reporting.test_page import page_of

from asrdq.gates import sign_off, waive

if TYPE_CHECKING:
    from tests.reporting.conftest import Audited

pytestmark = pytest.mark.slow


def today() -> dt.date:
    return dt.datetime.now(dt.UTC).date()


def test_rules_that_fail_are_shown_and_the_others_counted(audited: Audited) -> None:
    audited.write_audit(10)
    audited.gate()
    page, _ = page_of(audited)
    section = page.text.split("Rules of the gate", 1)[1]
    assert "The deciding rate is not above the limit of the policy rate failed" in section
    assert "the population rate of low quality is 25.0 %" in section
    assert "Nobody has signed off this content." in section


def test_without_a_verdict_no_rule_is_shown(audited: Audited) -> None:
    audited.write_audit(10)
    page, _ = page_of(audited)
    assert "No verdict answers for this audit, so no rule was decided." in page.text


def test_rules_are_not_told_of_evidence_that_has_changed_since(audited: Audited) -> None:
    audited.write_audit()
    file = audited.folder / "clip-00.wav"
    whole = file.read_bytes()
    file.write_bytes(whole[:-100])
    assert audited.gate() == "UNDECIDED"
    section = page_of(audited)[0].text.split("Rules of the gate", 1)[1]
    assert "The audio is what was audited changed_audio undecided" in section
    file.write_bytes(whole)
    section = page_of(audited)[0].text.split("Rules of the gate", 1)[1]
    assert "The evidence has changed since the gate said UNDECIDED" in section
    assert "changed_audio" not in section


def test_a_sign_off_and_a_waiver_stand_on_the_page(audited: Audited) -> None:
    audited.write_audit(10)
    waive(audited.workspace, "rate", owner="Ann <b>", until=today(), reason="<i>a pilot")
    waive(audited.workspace, "low_recall", owner="Bo", until=today(), reason="x", manifest="train")
    audited.gate()
    hash_ = sign_off(audited.workspace, audited.manifest, by="Dana <u>", note="for a pilot").hash
    page, markup = page_of(audited)
    assert "Signed off by Dana <u> on" in page.text
    assert f"CAUTION: for a pilot without a key · entry {hash_}" in page.text
    assert "an earlier verdict" not in page.text
    assert f"rate all manifests valid {today()} Ann <b> <i>a pilot" in page.text
    assert f"low_recall valid {today()} Bo x" in page.text
    assert "<u>" not in markup
    audited.gate()
    assert "CAUTION an earlier verdict" in page_of(audited)[0].text


def test_nothing_is_shown_of_a_ledger_that_was_edited(audited: Audited) -> None:
    audited.write_audit(5)
    audited.gate()
    sign_off(audited.workspace, audited.manifest, by="Dana", note="for a pilot")
    ledger = audited.workspace.read("signoffs")
    rows = [{**row, "signed_by": "Mallory"} for row in ledger.to_pylist()]
    edited = pa.Table.from_pylist(rows, schema=ledger.schema)
    audited.workspace.replace("signoffs", edited, run_id=rows[0]["run_id"])
    page, _ = page_of(audited)
    assert "the ledger 'signoffs' is broken: entry 0 has another 'signed_by'" in page.text
    assert "Mallory" not in page.text
    assert "Signed off" not in page.text
