"""Evidence that was copied, versioned, signed or made again: what then still answers."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.conftest import RunCli

from asrdq.checks import check
from asrdq.gates import Verdict, sign_off, verify
from asrdq.gates.formats.outcomes import State, outcomes

if TYPE_CHECKING:
    from tests.gates.whole import Whole

    from asrdq.gates import GateResult

pytestmark = pytest.mark.slow(minutes=1)


@pytest.mark.parametrize(
    ("domains", "state"), [(["studio"], "undecided"), (["studio", "noisy"], "holds")]
)
def test_another_version_answers_only_with_the_same_rows_in_every_column(
    whole: Whole, domains: list[str], state: str
) -> None:
    before = whole.workspace.manifest("test")
    for domain in domains:
        whole.ingest_test(domain=domain)
    after = whole.workspace.manifest("test")
    assert (after.version, after.fingerprint) == (len(domains), before.fingerprint)
    states = whole.states("suites", "leaks", "scores")
    for name in ("suite:own", "leaks:test", "score:test:r1:wer", "change:test:r0..r1:wer"):
        assert states[name] == state, name


def without_audio(whole: Whole, policy: str) -> GateResult:
    """The evidence where the audio is not: as in a clone of committed evidence."""
    settings = whole.root / "asrdq.yaml"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(text.replace("audio_root: null", f"audio_root: {whole.folder / 'gone'}"))
    return whole.ask_by(policy)


def test_evidence_without_audio_says_so_and_decides_only_where_the_policy_lets_it(
    whole: Whole,
) -> None:
    result = without_audio(whole, "amount: {minimum_rows: 1}")
    [reason] = result.reasons
    assert (result.verdict, reason.code) == (Verdict.UNDECIDED, "missing_audio")
    assert "not one audio file of the 40 audited clips is here" in reason.message
    assert "if_audio_absent: note" in reason.hint
    result = without_audio(whole, "audit: {if_audio_absent: note}")
    assert result.verdict is Verdict.PROCEED
    assert [note.code for note in result.notes] == ["missing_audio"]


def test_audio_that_is_there_in_part_is_never_a_note(whole: Whole) -> None:
    gone = whole.folder / "gone"
    gone.mkdir()
    shutil.copy(whole.audio / "clip-0000.wav", gone)
    result = without_audio(whole, "audit: {if_audio_absent: note}")
    assert (result.verdict, result.reasons[0].code) == (Verdict.UNDECIDED, "changed_audio")


def test_undecided_goes_before_stop_and_cannot_be_overridden(whole: Whole) -> None:
    from asrdq.errors import UndecidedError

    whole.drop_table("leaks")
    result = whole.ask_by("leaks: {against: [test]}\namount: {minimum_rows: 41}")
    assert result.verdict is Verdict.UNDECIDED
    assert [reason.code for reason in result.reasons[:2]] == ["leaks:test", "amount:minimum_rows"]
    states = {one.rule: one.state for one in outcomes(result)}
    assert (states["leaks:test"], states["amount:minimum_rows"], states["rate"]) == (
        State.UNDECIDED,
        State.FAILED,
        State.HOLDS,
    )
    with pytest.raises(UndecidedError):
        sign_off(whole.workspace, whole.train, by="Dana", note="x", reason="because")


def test_a_stop_by_a_demand_is_signed_with_a_reason(whole: Whole) -> None:
    whole.ask_by("amount: {minimum_rows: 41}")
    made = sign_off(whole.workspace, whole.train, by="Dana", note="x", reason="a pilot")
    assert made.body.verdict == "STOP"
    assert verify(whole.workspace, "train").changes() == []


def test_evidence_made_again_since_the_verdict_is_not_signed(whole: Whole) -> None:
    from asrdq.errors import UndecidedError

    whole.ask()
    check(whole.workspace, whole.train, "own")
    with pytest.raises(UndecidedError, match="another evidence"):
        sign_off(whole.workspace, whole.train, by="Dana", note="release")


def test_a_gate_on_s3_decides_from_the_evidence_there(
    whole: Whole, bucket: str, s3_server: Any, run_cli: RunCli
) -> None:
    for file in sorted(Path(whole.root).rglob("*")):
        if file.is_file():
            key = f"ws/{file.relative_to(whole.root)}"
            s3_server.client.put_object(Bucket=bucket, Key=key, Body=file.read_bytes())
    address = f"s3://{bucket}/ws"
    policy = f"{address}/policies/whole.yaml"
    done = run_cli("-w", address, "gate", "train", "-p", policy, "-f", "json")
    told = json.loads(done.stdout)
    states = {one["rule"]: one["state"] for one in told["rules"]}
    assert told["verdict"] == "PROCEED"
    assert set(states.values()) == {"holds"}
    assert states["suite:own"] == states["criteria"] == "holds"
    (key,) = [k for k in s3_server.keys(bucket, "ws/tables/leak_findings") if "parquet" in k]
    s3_server.client.delete_object(Bucket=bucket, Key=key)
    done = run_cli("-w", address, "gate", "train", "-p", policy, "-f", "json", code=4)
    told = json.loads(done.stdout)
    assert told["verdict"] == "UNDECIDED"
    assert told["reasons"][0]["code"] == "leaks:test"
