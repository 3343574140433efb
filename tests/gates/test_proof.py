"""What the audit must have shown of its own instrument."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from asrdq.audit.faults import GROSS, Fault
from asrdq.audit.tables import CALIBRATIONS, DETECTIONS
from asrdq.errors import UsageError
from asrdq.gates import Verdict
from asrdq.gates.formats.outcomes import outcomes
from asrdq.gates.proof import blind_strata
from asrdq.sampling import SamplingPlan
from asrdq.sampling.estimators import least_trials, wilson

if TYPE_CHECKING:
    from tests.gates.conftest import Audited

pytestmark = pytest.mark.slow

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
        (
            "shipped",
            "shipped thresholds in noisy, which were not calibrated for this aligner and language",
        ),
        (
            "stored",
            "thresholds of asrdq calibrate in noisy, and no fault planted to see whether they hold "
            "here",
        ),
        ("", "no calibration of noisy"),
    ],
)
def test_each_want_of_calibration_has_its_name(audited: Audited, status: str, message: str) -> None:
    audited.write_audit(calibration={"noisy": status})
    [reason] = audited.ask().reasons
    assert reason.message.endswith(message)
    assert reason.hint == "asrdq audit train"


def test_an_aligner_that_was_at_work_elsewhere_is_not_told_to_audit_again(audited: Audited) -> None:
    audited.write_audit(
        calibration={"noisy": "shipped"}, parameters={"thresholds": "none", "aligner": "import"}
    )
    [reason] = audited.ask().reasons
    message = "import cannot be asked about planted faults: coverage alone judged noisy"
    assert reason.message.endswith(message)
    assert reason.hint == "an aligner that listens itself, such as pocketsphinx or ctc:MODEL"


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
        (float("nan"), 0.0, ["a planted fault has no scored clip to be told from"], "strained"),
        (None, 0.1, ["a planted fault has no scored clip to be told from"], "effort"),
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
    [named] = blind_strata(result.measures, result.evidence)
    assert named in result.reasons
    assert named.message.startswith("in stratum 'clean' (25 % of the rows)")
    for words in said:
        assert words in named.message
    assert unsaid not in named.message


@pytest.mark.parametrize("places", [(0, 1), (1, 0)])
def test_of_several_models_the_weak_one_is_named_and_counts(
    audited: Audited, places: tuple[int, int]
) -> None:
    def change(tables: dict[str, pa.Table]) -> None:
        rows = tables["calibrations"].to_pylist()
        [clean] = [row for row in rows if row["stratum"] == "clean"]
        able = {**clean, "fold": "fold-1"}
        weak = {**clean, "fold": "fold-2", "verdict": "too_weak", "auc_gross": 0.7}
        found = [row for row in rows if row is not clean]
        found += [(able, weak)[place] for place in places]
        tables["calibrations"] = pa.Table.from_pylist(found, schema=CALIBRATIONS)

    audited.write_audit(change=without_a_stratum, tables=change)
    result = audited.ask()
    assert result.verdict is Verdict.UNDECIDED
    assert result.measures is not None
    worth = {stratum.name: stratum.calibration for stratum in result.measures.strata}
    assert worth == {"clean": "too_weak", "noisy": "ok"}
    [named] = [reason for reason in result.reasons if reason.code == "too_weak"]
    assert "the model of fold-2 cannot judge: a planted fault hardly" in named.message
    assert "fold-1" not in named.message


@pytest.mark.parametrize("verdict", ["splendid", None, "shipped"])
def test_a_model_of_unknown_worth_does_not_hide_behind_a_proven_one(
    audited: Audited, verdict: str | None
) -> None:
    def change(tables: dict[str, pa.Table]) -> None:
        rows = tables["calibrations"].to_pylist()
        found = [{**row, "fold": "fold-1"} for row in rows]
        found.append({**rows[0], "fold": "fold-2", "verdict": verdict})
        tables["calibrations"] = pa.Table.from_pylist(found, schema=CALIBRATIONS)

    audited.write_audit(tables=change)
    result = audited.ask()
    assert result.verdict is Verdict.UNDECIDED
    assert {reason.code for reason in result.reasons} == {"unproven"}


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


def in_a_stratum(stratum: str, clips: int, found: int) -> Callable[[dict[str, pa.Table]], None]:
    """Add what was found of half audio in one stratum."""

    def change(tables: dict[str, pa.Table]) -> None:
        row = {"run_id": "", "stratum": stratum, "fault": "half_audio", "gross": True}
        more = pa.Table.from_pylist([{**row, "clips": clips, "found": found}], schema=DETECTIONS)
        tables["detections"] = pa.concat_tables([tables["detections"], more])

    return change


@pytest.mark.parametrize(
    ("clips", "found", "proceeds"),
    # Wilson's upper limits: 10 of 20, 0.701; 13 of 20, 0.819; 0 of 2, 0.658.
    [(20, 10, False), (20, 13, True), (2, 0, False), (2, 1, True), (20, 20, True)],
)
def test_a_small_stratum_does_not_hide_behind_a_large_one(
    audited: Audited, clips: int, found: int, proceeds: bool
) -> None:
    audited.write_audit(tables=in_a_stratum("clean", clips, found))
    result = audited.ask()
    assert (result.verdict is Verdict.PROCEED) is proceeds
    if not proceeds:
        [reason] = result.reasons
        assert reason.code == "low_recall"
        assert reason.message.startswith("in stratum 'clean' the instrument is not proven: of the")
        assert f"'half_audio' only {found} of {clips} were found" in reason.message


def test_the_recall_of_a_stratum_that_is_too_weak_is_not_named_again(audited: Audited) -> None:
    audited.write_audit(
        calibration={"clean": "too_weak"},
        change=without_a_stratum,
        tables=in_a_stratum("clean", 20, 0),
    )
    assert audited.codes() == {"too_weak", "no_rate"}


def blind(status: str, missing: int) -> Callable[[dict[str, Any]], None]:
    """Let an instrument not judge the clean stratum, but for clips without a file."""
    left = [missing]

    def change(row: dict[str, Any]) -> None:
        if row["stratum"] == "clean" and left[0] > 0:
            left[0] -= 1
            row.update(low_quality=True, reasons=["missing_audio"], coverage=0.0)
        elif row["stratum"] == "clean":
            row.update(instrument=status, low_quality=None, reasons=[])

    return change


@pytest.mark.parametrize("status", ["too_weak", "too_few"])
def test_a_stratum_that_cannot_be_judged_has_facts_and_no_rate(
    audited: Audited, status: str
) -> None:
    audited.write_audit(calibration={"clean": status}, change=blind(status, 2))
    result = audited.ask()
    assert result.risks == ()
    assert result.measures is not None
    clean = next(stratum for stratum in result.measures.strata if stratum.name == "clean")
    assert (clean.judged, clean.low, clean.rate.value) == (0, 0, None)
    assert clean.facts == {"missing_audio": 2}
    assert result.measures.population_rate.value is None
    assert (result.measures.judged, result.measures.low) == (300, 0)
    [named] = [reason for reason in result.reasons if reason.code == status]
    assert "2 × missing_audio" in named.message
    assert "100" not in result.summary().partition("population rate")[2].splitlines()[0]
    assert "risk:" not in result.summary()


def test_a_stratum_of_facts_alone_has_its_rate(audited: Audited) -> None:
    audited.write_audit(calibration={"clean": "too_few"}, change=blind("too_few", 100))
    result = audited.ask()
    assert result.risks == ("clean",)
    assert result.measures is not None
    assert result.measures.population_rate.value == pytest.approx(0.25)


def few(clips: int) -> Callable[[dict[str, pa.Table]], None]:
    def change(tables: dict[str, pa.Table]) -> None:
        rows = [{**row, "clips": clips} for row in tables["calibrations"].to_pylist()]
        tables["calibrations"] = pa.Table.from_pylist(rows, schema=CALIBRATIONS)

    return change


def too_few(row: dict[str, Any]) -> None:
    row.update(instrument="too_few", low_quality=None, reasons=[])


def test_too_few_clips_say_how_many_it_takes_and_how_to_get_them(audited: Audited) -> None:
    audited.write_audit(
        plan=SamplingPlan(["domain"], fraction=0.02),
        calibration={"noisy": "too_few", "clean": "too_few"},
        change=too_few,
        tables=few(4),
        trials=dict.fromkeys(GROSS, 8),
    )
    result = audited.ask()
    codes = [reason.code for reason in result.reasons]
    assert codes == ["too_few", "no_rate"]
    states = {one.rule: (str(one.state), one.value) for one in outcomes(result)}
    for rule in ("unproven", "low_recall", "instrument_failed"):
        assert states[rule] == ("not reached", None)
    assert "8 of the 20 needed" in result.reasons[0].message
    # Eight clips gave eight: twenty and a quarter more, from the same strata.
    hint = "asrdq sample train --strata domain --allocation proportional --rows 25"
    assert result.reasons[0].hint == hint


def test_where_every_clip_was_audited_no_larger_sample_is_advised(audited: Audited) -> None:
    audited.write_audit(
        calibration={"noisy": "too_few", "clean": "too_few"}, change=too_few, tables=few(4)
    )
    assert audited.ask().reasons[0].hint == "a manifest with more clips: all were audited"


def test_an_aligner_without_evidence_is_not_asked_for_more_clips(audited: Audited) -> None:
    audited.write_audit(
        calibration={"noisy": "too_few", "clean": "too_few"}, change=too_few, tables=few(50)
    )
    reason = audited.ask().reasons[0]
    assert (reason.code, reason.hint) == ("too_few", "another aligner")


def test_too_few_trials_advise_so_large_a_sample(audited: Audited) -> None:
    audited.write_audit(
        plan=SamplingPlan(
            "domain", rows=40, allocation="shares", shares={"noisy": 0.5, "clean": 0.5}
        ),
        trials={Fault.NOISE: 8},
    )
    [reason] = audited.ask().reasons
    command = (
        "asrdq sample train --strata domain --allocation shares "
        "--share clean=0.5 --share noisy=0.5 --rows 100"
    )
    assert f"({command})" in reason.hint


def test_a_stratum_without_a_clip_gets_one_by_the_command_that_is_advised(audited: Audited) -> None:
    plan = SamplingPlan("domain", allocation="shares", rows=50, shares={"noisy": 1.0, "clean": 0.0})
    audited.write_audit(plan=plan)
    hints = [r.hint for r in audited.ask().reasons if r.code == "stratum_without_clip"]
    assert hints == ["asrdq sample train --strata domain --allocation equal --rows 50"]


def test_the_clips_that_failed_are_shown_by_the_query_that_is_advised(audited: Audited) -> None:
    failed = {"instrument": "out_of_vocabulary", "low_quality": None, "reasons": []}
    audited.write_audit(
        change=lambda row: row.update(failed) if row["stratum"] == "clean" else None
    )
    [reason] = [r for r in audited.ask().reasons if r.code == "instrument_failed"]
    verb, query = shlex.split(reason.hint)[1:]
    assert verb == "sql"
    assert audited.workspace.sql(query).arrow().num_rows == 100
