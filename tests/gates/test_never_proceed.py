"""Evidence that must never PROCEED: missing, broken, cut short, edited, out of date."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from asrdq.audit.faults import GROSS, Fault
from asrdq.gates import Verdict
from asrdq.manifests import ingest_manifest
from asrdq.sampling import SamplingPlan

if TYPE_CHECKING:
    from tests.gates.conftest import Audited

pytestmark = pytest.mark.slow


def set_value(name: str, value: Any, stratum: str = "clean") -> Callable[[dict[str, Any]], None]:
    def change(row: dict[str, Any]) -> None:
        if row["stratum"] == stratum:
            row[name] = value

    return change


def fail_some(count: int, kind: str = "out_of_vocabulary") -> Callable[[dict[str, Any]], None]:
    left = [count]

    def change(row: dict[str, Any]) -> None:
        if left[0] > 0:
            left[0] -= 1
            row.update(instrument=kind, low_quality=None, reasons=[])

    return change


def table_change(name: str, edit: Callable[[pa.Table], pa.Table]) -> dict[str, Any]:
    def change(tables: dict[str, pa.Table]) -> None:
        tables[name] = edit(tables[name])

    return {"tables": change}


def as_text(column: str) -> Callable[[pa.Table], pa.Table]:
    def edit(table: pa.Table) -> pa.Table:
        place = table.schema.get_field_index(column)
        return table.set_column(place, column, table[column].cast(pa.string()))

    return edit


NEVER = {
    "unfinished": ({"state": "interrupted"}, "unfinished_audit"),
    "failed": ({"state": "failed"}, "unfinished_audit"),
    "no audits table": ({"leave_out": ("audits",)}, "missing_table"),
    "empty audits": (table_change("audits", lambda t: t.slice(0, 0)), "empty_table"),
    "missing column": (
        table_change("audits", lambda t: t.drop_columns(["reasons"])),
        "broken_table",
    ),
    "wrong type": (table_change("audits", as_text("coverage")), "broken_table"),
    "wrong truth type": (table_change("audits", as_text("low_quality")), "broken_table"),
    "rows lost": (table_change("audits", lambda t: t.slice(3)), "contradiction"),
    "rows twice": (
        table_change("audits", lambda t: pa.concat_tables([t, t.slice(0, 2)])),
        "contradiction",
    ),
    "NaN coverage": ({"change": set_value("coverage", float("nan"))}, "contradiction"),
    "no coverage": ({"change": set_value("coverage", None)}, "contradiction"),
    "coverage over 1": ({"change": set_value("text_coverage", 1.5)}, "contradiction"),
    "no judgement": ({"change": set_value("low_quality", None)}, "contradiction"),
    "reasons taken away": (
        {"low": {"clean": 5}, "change": set_value("reasons", [])},
        "contradiction",
    ),
    "low quality turned to good": (
        {"low": {"clean": 5}, "change": set_value("low_quality", False)},
        "contradiction",
    ),
    "instrument unknown": ({"change": set_value("instrument", None)}, "contradiction"),
    "judged by a broken instrument": (
        {"change": set_value("instrument", "too_long")},
        "contradiction",
    ),
    "another stratum": ({"change": set_value("stratum", "invented")}, "contradiction"),
    "instrument failed": ({"change": fail_some(9)}, "instrument_failed"),
    "a stratum without a clip": (
        {
            "plan": SamplingPlan(
                "domain", allocation="shares", rows=50, shares={"noisy": 1.0, "clean": 0.0}
            )
        },
        "stratum_without_clip",
    ),
    "too weak": (
        {
            "calibration": {"clean": "too_weak"},
            "change": lambda row: row.update(
                **(
                    {"instrument": "too_weak", "low_quality": None, "reasons": []}
                    if row["stratum"] == "clean"
                    else {}
                )
            ),
        },
        "too_weak",
    ),
    "shipped thresholds": ({"calibration": {"noisy": "shipped"}}, "unproven"),
    "too few clips to calibrate on": ({"calibration": {"noisy": "too_few"}}, "too_few"),
    "a stratum without calibration": (
        table_change("calibrations", lambda t: t.slice(1)),
        "unproven",
    ),
    "no planted faults": (
        table_change("detections", lambda t: t.filter(pc.field("fault") == "untouched")),
        "unproven",
    ),
    "one trial of one kind": (
        {"trials": {fault: int(fault is Fault.HALF_AUDIO) for fault in GROSS}},
        "unproven",
    ),
    "a kind that was never planted": ({"trials": {Fault.SWAPPED_TEXT: 0}}, "unproven"),
    "a kind that was planted too seldom": ({"trials": {Fault.NOISE: 15}}, "unproven"),
    "recall below the floor": ({"recall": 0.7}, "low_recall"),
    "no detections table": ({"leave_out": ("detections",)}, "missing_table"),
    "broken detections": (
        table_change("detections", lambda t: t.drop_columns(["found"])),
        "broken_table",
    ),
    "no calibrations table": ({"leave_out": ("calibrations",)}, "missing_table"),
    "broken calibrations": (
        table_change("calibrations", lambda t: t.drop_columns(["strained"])),
        "broken_table",
    ),
}


@pytest.mark.parametrize("case", NEVER)
def test_never_proceed(audited: Audited, case: str) -> None:
    arguments, code = NEVER[case]
    audited.write_audit(**arguments)
    result = audited.ask()
    assert result.verdict is Verdict.UNDECIDED
    assert code in {reason.code for reason in result.reasons}
    assert result.verdict.exit_code() == 4
    assert result.reasons[0].message


def test_the_matrix_breaks_something_that_would_proceed(audited: Audited) -> None:
    audited.write_audit()
    assert audited.ask().verdict is Verdict.PROCEED


def test_two_percent_of_failures_are_allowed_and_counted(audited: Audited) -> None:
    audited.write_audit(change=fail_some(8))
    result = audited.ask()
    assert result.verdict is Verdict.PROCEED
    assert result.measures is not None
    assert (result.measures.audited, result.measures.judged) == (400, 392)


def test_no_audit(audited: Audited) -> None:
    [reason] = audited.ask().reasons
    assert (reason.code, reason.hint) == ("no_audit", "asrdq audit train")


def test_an_audit_of_older_content_does_not_answer(audited: Audited) -> None:
    audited.write_audit()
    assert audited.ask().verdict is Verdict.PROCEED
    file = audited.folder / "train.jsonl"
    file.write_text(
        file.read_text(encoding="utf-8").replace('"a sentence"', '"another sentence"', 1),
        encoding="utf-8",
    )
    ingest_manifest(audited.workspace, [file], "train")
    audited.manifest = audited.workspace.manifest("train")
    result = audited.ask()
    [reason] = result.reasons
    assert (result.verdict, reason.code) == ("UNDECIDED", "stale_audit")
    assert "train@0" in reason.message


def test_changed_or_lost_audio_is_found(audited: Audited) -> None:
    audited.write_audit()
    (audited.folder / "clip-0007.wav").write_bytes(b"something else")
    (audited.folder / "clip-0008.wav").unlink()
    result = audited.ask()
    [reason] = result.reasons
    assert (result.verdict, reason.code) == ("UNDECIDED", "changed_audio")
    assert reason.message == "the audio of 2 clips is not what was audited: clip-0007, clip-0008"


def test_strata_that_do_not_add_up_to_the_manifest(audited: Audited) -> None:
    audited.write_audit()
    strata = audited.workspace.read("strata")
    more = pc.add(strata["population_rows"], 1)
    place = strata.schema.get_field_index("population_rows")
    changed = strata.set_column(place, "population_rows", more)
    audited.workspace.replace("strata", changed, run_id=strata["run_id"][0].as_py())
    [reason] = audited.ask().reasons
    assert (reason.code, reason.hint) == ("changed_strata", "asrdq audit train")


def test_strata_of_another_sample_are_not_taken(audited: Audited) -> None:
    audited.write_audit(parameters={"sample_run_id": "lost"})
    [reason] = audited.ask().reasons
    assert reason.code == "empty_table"
    assert "'strata' has no rows of run lost" in reason.message
