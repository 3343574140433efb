"""Waivers: who may set what aside, until when, and that it is seen wherever it counts."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from asrdq.errors import ToolError, UsageError
from asrdq.gates import Verdict, list_waivers, waive
from asrdq.gates.ledgers.ledger import append_entry
from asrdq.gates.rules import RULES, WAIVABLE
from asrdq.gates.tables import WAIVERS

if TYPE_CHECKING:
    from tests.gates.conftest import Audited

    from asrdq.workspace import Workspace

pytestmark = pytest.mark.slow

TODAY = dt.datetime.now(dt.UTC).date()
TOMORROW, YESTERDAY = TODAY + dt.timedelta(days=1), TODAY - dt.timedelta(days=1)


def let(workspace: Workspace, rule: str, **more: Any) -> Any:
    said = {"owner": "Dana", "until": TOMORROW, "reason": "short clips", **more}
    return waive(workspace, rule, **said)


def enter(workspace: Workspace, **more: Any) -> None:
    """Put an entry into the ledger that `waive` itself would refuse."""
    said = {"rule": "rate", "manifest": None, "owner": "Dana", "reason": "short clips"}
    body = {"run_id": "r", "recorded": "2026-01-01T00:00:00+00:00", **said, **more}
    append_entry(workspace, WAIVERS, {**body, "until": body["until"].isoformat()})


def test_a_waived_rule_gives_caution_at_best_and_is_named(audited: Audited) -> None:
    audited.write_audit(recall=0.5)
    assert audited.ask().verdict is Verdict.UNDECIDED
    let(audited.workspace, "low_recall")
    result = audited.ask()
    assert result.verdict is Verdict.CAUTION
    assert [waived.finding.code for waived in result.waived] == ["low_recall"] * len(result.waived)
    assert f"waived until {TOMORROW} by Dana: short clips" in result.summary()
    told = json.loads(result.to_json())
    assert told["waived"][0]["waiver"]["owner"] == "Dana"
    assert told["waived"][0]["finding"]["code"] == "low_recall"
    assert "low_recall" in told["recommendation"]
    report = Path(str(audited.workspace.root)) / "reports" / "alignment_report.json"
    assert json.loads(report.read_text())["waived"] == told["waived"]
    row = audited.workspace.query("SELECT * FROM decisions ORDER BY decided").to_pylist()[-1]
    assert "rule 'low_recall' is waived" in row["waived"][0]


def test_a_waived_stop_is_caution(audited: Audited) -> None:
    audited.write_audit({"noisy": 200})
    assert audited.ask().verdict is Verdict.STOP
    let(audited.workspace, "rate", manifest="train")
    result = audited.ask()
    assert result.verdict is Verdict.CAUTION
    assert [waived.waiver.rule for waived in result.waived] == ["rate"]


def test_another_rule_or_manifest_does_not_help(audited: Audited) -> None:
    from asrdq.manifests import ingest_manifest

    ingest_manifest(audited.workspace, [audited.folder / "train.jsonl"], "other")
    let(audited.workspace, "rate", manifest="other")
    let(audited.workspace, "low_recall")
    audited.write_audit({"noisy": 200})
    result = audited.ask()
    assert result.verdict is Verdict.STOP
    assert result.waived == ()


def test_waiving_one_rule_leaves_the_others(audited: Audited) -> None:
    audited.write_audit({"noisy": 200}, recall=0.5)
    let(audited.workspace, "low_recall")
    result = audited.ask()
    assert result.verdict is Verdict.STOP
    assert {waived.waiver.rule for waived in result.waived} == {"low_recall"}


def test_a_waiver_that_was_not_needed_changes_nothing(audited: Audited) -> None:
    audited.write_audit()
    for rule in sorted(WAIVABLE):
        let(audited.workspace, rule)
    result = audited.ask()
    assert result.verdict is Verdict.PROCEED
    assert result.waived == result.notes == ()


def test_an_expired_waiver_is_not_used_and_said(audited: Audited) -> None:
    audited.write_audit({"noisy": 200})
    enter(audited.workspace, until=YESTERDAY)
    result = audited.ask()
    assert result.verdict is Verdict.STOP
    assert [note.code for note in result.notes] == ["expired_waiver"]
    assert f"expired on {YESTERDAY}" in result.summary()
    enter(audited.workspace, until=TODAY)
    assert audited.ask().verdict is Verdict.CAUTION


def test_a_waiver_of_an_unknown_rule_is_not_used_and_said(audited: Audited) -> None:
    audited.write_audit({"noisy": 200})
    enter(audited.workspace, rule="no_audit", until=TOMORROW)
    result = audited.ask()
    assert result.verdict is Verdict.STOP
    assert [note.code for note in result.notes] == ["unknown_waiver"]


def test_an_edited_ledger_waives_nothing(audited: Audited) -> None:
    audited.write_audit({"noisy": 200})
    let(audited.workspace, "rate", until=TODAY)
    row = audited.workspace.read("waivers").to_pylist()[0]
    row["until"] = TODAY + dt.timedelta(days=900)
    edited = pa.Table.from_pylist([row], schema=WAIVERS.schema)
    audited.workspace.replace("waivers", edited, rule="rate")
    result = audited.ask()
    assert result.verdict is Verdict.STOP
    assert [note.code for note in result.notes] == ["broken_waivers"]
    with pytest.raises(ToolError, match="another 'until' in its column"):
        list_waivers(audited.workspace)


def test_no_evidence_cannot_be_waived(audited: Audited) -> None:
    for rule in sorted(set(RULES) - WAIVABLE):
        with pytest.raises(UsageError, match=f"rule '{rule}' cannot be waived"):
            let(audited.workspace, rule)
    for rule in sorted(WAIVABLE):
        let(audited.workspace, rule)
    assert audited.codes() == {"no_audit"}


def test_what_is_no_waiver_is_refused(workspace: Workspace) -> None:
    with pytest.raises(UsageError, match="did you mean 'low_recall'"):
        let(workspace, "low_recal")
    with pytest.raises(UsageError, match="is past"):
        let(workspace, "rate", until=YESTERDAY)
    with pytest.raises(UsageError, match="--owner is empty"):
        let(workspace, "rate", owner=" ")
    with pytest.raises(UsageError, match="--reason is empty"):
        let(workspace, "rate", reason="")
    with pytest.raises(UsageError, match="unknown manifest 'train'"):
        let(workspace, "rate", manifest="train")
    assert not workspace.table_exists("waivers")


def test_the_list_says_which_waivers_hold(workspace: Workspace) -> None:
    assert list_waivers(workspace).waivers.num_rows == 0
    let(workspace, "rate")
    let(workspace, "rate", until=TODAY, owner="Noa")
    with workspace.run("waive") as run:
        enter(workspace, rule="too_few", until=YESTERDAY, run_id=run.run_id)
    rows = list_waivers(workspace).waivers.to_pylist()
    assert [(row["rule"], row["owner"], row["state"]) for row in rows] == [
        ("rate", "Dana", "replaced"),
        ("rate", "Noa", "valid"),
        ("too_few", "Dana", "expired"),
    ]


def test_every_rule_that_the_gate_can_break_has_a_name() -> None:
    import re

    from asrdq import gates

    code = "".join(
        path.read_text()
        for path in Path(str(gates.__file__)).parent.glob("*.py")
        if path.name in ("evidence.py", "proof.py", "audit_ruling.py", "changed_audio.py")
    )
    found = set(re.findall(r'Finding\(\s*"(\w+)"', code))
    assert found <= set(RULES)
    assert {"no_audit", "too_weak", "rate", "low_recall"} <= found


@pytest.mark.parametrize("reason", ["a\n::warning::x", "\x1b[31mred", "tab\there"])
def test_a_reason_is_one_line_of_text(workspace: Workspace, reason: str) -> None:
    until = dt.datetime.now(dt.UTC).date() + dt.timedelta(days=1)
    with pytest.raises(UsageError, match="--reason has a line break or another control character"):
        waive(workspace, "rate", owner="Dana", until=until, reason=reason)
