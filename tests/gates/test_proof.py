"""What the audit must have shown of its own instrument."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from asrdq.audit.faults import GROSS, Fault
from asrdq.errors import UsageError
from asrdq.gates import Verdict
from asrdq.gates.proof import weak_strata
from asrdq.sampling.estimators import least_trials, wilson

if TYPE_CHECKING:
    from tests.gates.conftest import Audited

LEAST = 16
"""Sixteen of sixteen: 16 / (16 + 1.96²) = 0.806; fifteen of fifteen: 0.796."""


def without_a_stratum(row: dict[str, Any]) -> None:
    if row["stratum"] == "clean":
        row.update(instrument="too_weak", low_quality=None, reasons=[])


@pytest.mark.parametrize("share", [0.5, 0.8, 0.9, 0.95, 0.99])
def test_the_least_trials_show_a_share_and_one_fewer_does_not(share: float) -> None:
    least = least_trials(share)
    assert wilson(least, least).low >= share > wilson(least - 1, least - 1).low
    assert least_trials(0.80) == LEAST
    assert least_trials(0.0) == 0


def test_one_planted_clip_of_one_kind_proves_nothing(audited: Audited) -> None:
    audited.write_audit(trials={fault: int(fault is Fault.HALF_AUDIO) for fault in GROSS})
    result = audited.ask()
    [reason] = result.reasons
    assert (result.verdict, reason.code) == ("UNDECIDED", "unproven")
    for kind in GROSS:
        assert f"{kind} ({int(kind is Fault.HALF_AUDIO)})" in reason.message
    assert "a recall of 80 % takes 16 planted faults of a kind" in reason.message


@pytest.mark.parametrize("kind", GROSS)
def test_every_gross_kind_must_be_tried_often_enough(audited: Audited, kind: Fault) -> None:
    audited.write_audit(trials={kind: LEAST - 1})
    result = audited.ask()
    assert result.verdict is Verdict.UNDECIDED
    assert f"fewer of {kind} (15)" in result.reasons[0].message
    assert "if_unproven: note" in result.reasons[0].hint


def test_as_many_trials_as_it_takes_are_a_proof(audited: Audited) -> None:
    audited.write_audit(trials=dict.fromkeys(GROSS, LEAST))
    assert audited.ask().verdict is Verdict.PROCEED


def test_the_least_recall_of_the_policy_sets_the_trials(audited: Audited) -> None:
    audited.write_audit(trials={Fault.NOISE: 0})
    assert audited.codes("instrument: {minimum_recall: 0.0}") == {"rate"}
    audited.write_audit()
    assert audited.codes("instrument: {minimum_recall: 0.97}") == {"unproven"}


def test_no_number_of_trials_shows_a_recall_of_one(audited: Audited) -> None:
    with pytest.raises(UsageError, match="minimum_recall: Input should be less than 1"):
        audited.ask("instrument: {minimum_recall: 1.0}")


def test_a_policy_may_accept_an_unproven_instrument(audited: Audited) -> None:
    audited.write_audit(trials=dict.fromkeys(GROSS, 0))
    result = audited.ask("instrument: {if_unproven: note}")
    assert result.verdict is Verdict.PROCEED
    assert "not proven on this data" in result.notes[0].message


def test_no_policy_accepts_an_instrument_that_is_proven_bad(audited: Audited) -> None:
    audited.write_audit(recall=0.7)
    result = audited.ask("instrument: {if_unproven: note}")
    assert result.verdict is Verdict.UNDECIDED
    [reason] = result.reasons
    assert reason.code == "low_recall"
    assert "'half_audio' only 70 of 100 were found" in reason.message


@pytest.mark.parametrize(
    ("status", "message"),
    [
        ("shipped", "shipped thresholds in noisy"),
        ("too_few", "too few clips to calibrate on in noisy"),
    ],
)
def test_each_want_of_calibration_has_its_name(audited: Audited, status: str, message: str) -> None:
    audited.write_audit(calibration={"noisy": status})
    [reason] = audited.ask().reasons
    assert reason.message.endswith(message)


def test_a_weak_stratum_leaves_figures_on_the_rest(audited: Audited) -> None:
    audited.write_audit({"noisy": 15}, calibration={"clean": "too_weak"}, change=without_a_stratum)
    result = audited.ask()
    assert result.measures is not None
    assert result.measures.population_rate.value is None
    assert result.measures.judged_strata_rate.value == pytest.approx(0.05)
    assert {reason.code for reason in result.reasons} == {"too_weak", "no_rate"}


@pytest.mark.parametrize(
    ("auc", "strained", "said", "unsaid"),
    [
        (0.812, 0.1, ["AUC 0.812, at least 0.9"], "strained"),
        (0.95, 0.625, ["62 % of its clips", "strained, at most 50 %"], "AUC"),
        (0.5, 1.0, ["AUC 0.500", "100 % of its clips"], "shipped"),
        (None, 0.7, ["70 % of its clips"], "AUC"),
        (float("nan"), 0.0, ["AUC nan"], "strained"),
    ],
)
def test_a_weak_stratum_is_named_with_the_rule_that_failed(
    audited: Audited, auc: float | None, strained: float, said: list[str], unsaid: str
) -> None:
    def change(tables: dict[str, pa.Table]) -> None:
        rows = tables["calibrations"].to_pylist()
        found = [{**row, "auc_gross": auc, "strained": strained} for row in rows]
        tables["calibrations"] = pa.Table.from_pylist(found, schema=tables["calibrations"].schema)

    audited.write_audit(calibration={"clean": "too_weak"}, change=without_a_stratum, tables=change)
    result = audited.ask()
    assert result.measures is not None
    [named] = weak_strata(result.measures, result.evidence)
    assert named in result.reasons
    assert named.message.startswith("in stratum 'clean' (25 % of the rows)")
    for words in said:
        assert words in named.message
    assert unsaid not in named.message


def test_a_rate_that_an_instrument_cannot_give_decides_nothing(audited: Audited) -> None:
    def blind(tables: dict[str, pa.Table]) -> None:
        rows = tables["detections"]
        found = pc.if_else(pc.equal(rows["fault"], "untouched"), rows["found"], 0)
        place = rows.schema.get_field_index("found")
        tables["detections"] = rows.set_column(place, "found", found)

    audited.write_audit(tables=blind)
    policy = "{audit: {rate: corrected}, instrument: {minimum_recall: 0.0}}"
    [reason] = audited.ask(policy).reasons
    assert reason.code == "no_rate"
    assert "the corrected rate is not defined: recall exceeds false alarms by" in reason.message
