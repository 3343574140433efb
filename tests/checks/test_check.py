"""`asrdq check` in a workspace: tables, severities, and everything that must never be success."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from asrdq.audio import probe_manifest
from asrdq.checks import RULES, CheckResult, check, read_suite, rule, suite_names
from asrdq.checks.rules import literal
from asrdq.checks.suites import load_expectation
from asrdq.errors import DataError, UsageError
from asrdq.shipped import shipped_file

pytestmark = pytest.mark.slow

ROWS = [
    {"id": "a", "audio_filepath": "a.wav", "text": "one two", "duration": 2.0, "speaker": "s1"},
    {"id": "b", "audio_filepath": "b.wav", "text": "[noise]", "duration": 4.0, "speaker": "s1"},
    {"id": "c", "audio_filepath": "c.wav", "text": "", "duration": 30.0, "speaker": "s2"},
]
SHIPPED = {
    *("asr_manifest", "nemo_sft", "canary", "qwen3_asr_sft", "clinical_keywords"),
    "evaluation_set",
}
RunSuite = Callable[..., CheckResult]


def write_suite(workspace: Any, *expectations: dict[str, Any], name: str = "mine") -> Path:
    file = Path(workspace.root) / "expectations" / f"{name}.json"
    file.write_text(json.dumps({"name": name, "expectations": expectations}, indent=2))
    return file


def expect(kind: str, severity: str | None = None, **kwargs: Any) -> dict[str, Any]:
    meta = {"meta": {"severity": severity}} if severity else {}
    return {"type": kind, "kwargs": kwargs, **meta}


@pytest.fixture
def run_suite(workspace: Any, ingest: Any) -> RunSuite:
    def run(*expectations: dict[str, Any], rows: Any = ROWS, **options: Any) -> CheckResult:
        write_suite(workspace, *expectations)
        return check(workspace, ingest(rows), "mine", **options)

    return run


def test_rows_hours_and_severity_of_what_fails(workspace: Any, run_suite: RunSuite) -> None:
    result = run_suite(
        expect("expect_text_without_brackets"),
        expect("expect_text_to_be_filled", severity="warning"),
        expect("expect_column_values_to_be_between", column="duration_s", max_value=40),
    )
    told = result.checks.select(["expectation", "severity", "success", "rows", "hours"])
    assert told.to_pylist() == [
        dict(zip(told.column_names, row, strict=True))
        for row in (
            ("expect_text_without_brackets", "critical", False, 1, 4 / 3600),
            ("expect_text_to_be_filled", "warning", False, 1, 30 / 3600),
            ("expect_column_values_to_be_between", "critical", True, 0, 0.0),
        )
    ]
    assert [row["expectation"] for row in result.failed] == ["expect_text_without_brackets"]
    assert [row["expectation"] for row in result.warnings] == ["expect_text_to_be_filled"]
    written = workspace.read("check_results", f"run_id = '{result.run_id}'")
    kept = written.select(["utt_id", "value", "severity"]).sort_by("utt_id").to_pylist()
    assert kept == [
        {"utt_id": "b", "value": "[noise]", "severity": "critical"},
        {"utt_id": "c", "value": "", "severity": "warning"},
    ]
    assert workspace.read("checks").num_rows == 3


def test_mostly_lets_rows_fail_and_they_are_counted(run_suite: RunSuite) -> None:
    result = run_suite(
        expect("expect_duration_between", max_value=10, mostly=0.6),
        expect("expect_duration_between", max_value=10, mostly=0.7),
    )
    assert result.checks["success"].to_pylist() == [True, False]
    assert result.checks["rows"].to_pylist() == [1, 1]
    assert result.checks["share"].to_pylist() == pytest.approx([1 / 3, 1 / 3])


def test_the_limit_keeps_the_first_and_the_query_gives_all(
    workspace: Any, run_suite: RunSuite
) -> None:
    result = run_suite(
        expect("expect_duration_between", max_value=1),
        expect("expect_column_values_to_be_in_set", column="speaker", value_set=["s2"]),
        limit=1,
    )
    assert result.failing["utt_id"].to_pylist() == ["a", "a"]
    every, others = result.checks["query"].to_pylist()
    assert workspace.sql(every).arrow()["utt_id"].to_pylist() == ["a", "b", "c"]
    assert workspace.sql(others).arrow().to_pylist() == [
        {"utt_id": "a", "value": "s1"},
        {"utt_id": "b", "value": "s1"},
    ]


def test_rows_are_not_told_where_the_query_of_great_expectations_gives_others(
    run_suite: RunSuite,
) -> None:
    condition = {
        "row_condition": 'col("speaker") == "s2"',
        "condition_parser": "great_expectations",
    }
    result = run_suite(
        expect("expect_column_values_to_be_between", column="duration_s", max_value=1, **condition)
    )
    [row] = result.checks.to_pylist()
    assert (row["success"], row["rows"], row["query"]) == (False, 1, None)
    assert result.failing.num_rows == 0


@pytest.mark.parametrize(
    ("expectation", "told"),
    [
        (
            expect("expect_column_values_to_be_unique", column="duration"),
            r"data@0 has no column 'duration'; did you mean 'duration_s'\?",
        ),
        (expect("expect_term_in_text"), "data@0 has no column 'term'"),
        (
            expect("expect_column_values_to_be_in_set", column="language", value_set=["en"]),
            "no row has a value in 'language'",
        ),
        (expect("expect_column_values_to_be_between", column="text", max_value=1), "VARCHAR"),
        (expect("expect_audio_to_decode"), "data@0 was not probed: asrdq probe data"),
        (
            expect("expect_speakers_disjoint_from", manifest="test"),
            "there is no manifest 'test'",
        ),
        (
            expect("expect_speakers_disjoint_from", manifest="data"),
            "data@0 would be compared with itself",
        ),
        (
            expect("expect_compound_columns_to_be_unique", column_list=["language", "offset_s"]),
            "no row has values in language, offset_s",
        ),
    ],
)
def test_what_cannot_be_judged_is_an_error_and_spoils_nothing_else(
    run_suite: RunSuite, expectation: dict[str, Any], told: str
) -> None:
    result = run_suite(expectation, expect("expect_duration_between", max_value=40))
    [error] = result.errors
    assert error["success"] is False
    assert error["rows"] is None
    with pytest.raises(AssertionError, match=told):
        raise AssertionError(error["error"])
    assert result.checks["success"].to_pylist() == [False, True]


def test_another_manifest_with_gaps_is_no_proof_of_being_disjoint(
    ingest: Any, run_suite: RunSuite
) -> None:
    ingest([{**ROWS[0], "speaker": None}, {**ROWS[1], "speaker": "s9"}], "test")
    result = run_suite(expect("expect_speakers_disjoint_from", manifest="test"))
    assert [row["error"] for row in result.errors] == ["test@0 has 1 rows without 'speaker'"]


def test_shared_speakers_are_found(ingest: Any, run_suite: RunSuite) -> None:
    ingest([ROWS[2]], "test")
    result = run_suite(expect("expect_speakers_disjoint_from", manifest="test"))
    assert result.failing.select(["utt_id", "value"]).to_pylist() == [
        {"utt_id": "c", "value": "s2"}
    ]


def test_a_manifest_without_rows_is_refused(workspace: Any, ingest: Any) -> None:
    empty = dataclasses.replace(ingest(ROWS), rows=0)
    with pytest.raises(DataError, match="has no row"):
        check(workspace, empty, "asr_manifest")


def test_audio_is_judged_by_the_probe_of_this_very_content(
    workspace: Any, librispeech: Path
) -> None:
    from asrdq.manifests import ingest_manifest

    lines = [json.loads(line) for line in librispeech.read_text().splitlines()[:4]]
    lines[1]["duration"] += 3.0
    lines[2]["audio_filepath"] = "gone.flac"
    file = Path(workspace.root) / "some.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    ingest_manifest(workspace, [file], "some", audio_root=librispeech.parent)
    some = workspace.manifest("some")
    probe_manifest(workspace, some, workers=1)
    write_suite(
        workspace,
        expect("expect_audio_to_decode"),
        expect("expect_duration_to_match_audio"),
        expect("expect_audio_sample_rate", rates=[16000]),
        expect("expect_audio_channels", channels=[1], mostly=0.7),
        expect("expect_audio_codec", codecs=["flac"]),
    )
    result = check(workspace, some, "mine")
    assert result.checks["rows"].to_pylist() == [1, 2, 1, 1, 1]
    assert result.checks["success"].to_pylist() == [False, False, False, True, False]
    shown = {row["expectation"]: row["value"] for row in result.failing.to_pylist()}
    assert shown["expect_audio_to_decode"] == "missing_audio"


# Suites that must not be loaded


@pytest.mark.parametrize(
    ("item", "told"),
    [
        (expect("expect_speakers_to_be_disjoint"), "unknown expectation"),
        (expect("expect_duration_betwen"), "did you mean 'expect_duration_between'"),
        (expect("expect_duration_between", max_valu=3), "max_valu: extra fields not permitted"),
        (expect("expect_duration_between"), "neither min_value nor max_value is given"),
        (expect("expect_labels_in_set", column="text"), "labels: field required"),
        (expect("expect_text_without_loops", longest_word=5000), "longest_word is from 1 to 999"),
        (expect("expect_text_without_loops", max_words=0), "at least 1"),
        (expect("expect_duration_between", max_value={"$PARAMETER": "x"}), "suite parameters"),
        (expect("expect_text_to_be_filled", severity="info"), "unknown severity 'info'"),
        ({"expectation_type": "expect_text_to_be_filled"}, "an object with a 'type'"),
        (
            expect("expect_text_in_alphabet_of_language", scripts=["Latn"]),
            "unknown script 'Latn'",
        ),
    ],
)
def test_an_expectation_that_cannot_be_loaded_stops_the_suite(
    run_suite: RunSuite, item: dict[str, Any], told: str
) -> None:
    with pytest.raises(UsageError, match=told) as raised:
        run_suite(expect("expect_text_without_digits"), item)
    [problem] = raised.value.problems
    assert problem.line == 8, raised.value


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("{", "no JSON"),
        ("[]", "no list 'expectations'"),
        ('{"expectations": []}', "would prove nothing"),
        (
            '{"expectations": [{"type": "expect_text_without_digits"}], "expectations": [1]}',
            "more than once",
        ),
    ],
)
def test_a_file_that_is_no_suite(workspace: Any, ingest: Any, content: str, told: str) -> None:
    (Path(workspace.root) / "expectations" / "mine.json").write_text(content)
    with pytest.raises(UsageError, match=told):
        check(workspace, ingest(ROWS), "mine")


def test_an_unknown_suite_names_the_nearest(workspace: Any, ingest: Any) -> None:
    with pytest.raises(UsageError, match="did you mean 'asr_manifest'"):
        check(workspace, ingest(ROWS), "asr_manifst")


def test_a_suite_of_the_workspace_hides_the_shipped_one(workspace: Any) -> None:
    assert suite_names(workspace)["asr_manifest"].parent == Path(workspace.root) / "expectations"


def test_a_rule_of_the_user_is_an_expectation(run_suite: RunSuite) -> None:
    @rule("expect_words_at_most", column="text")
    def words_at_most(column: str, *, words: int) -> str:
        """The text has at most so many words."""
        return f"len(string_split(trim({column}), ' ')) <= {literal(words)}"

    try:
        result = run_suite(expect("expect_words_at_most", words=1))
    finally:
        del RULES["expect_words_at_most"]
    assert result.failing["utt_id"].to_pylist() == ["a"]


def test_the_page_shows_every_expectation_as_its_help_does(project_root: Path) -> None:
    page = (project_root / "docs" / "expectations.md").read_text(encoding="utf-8")
    import asrdq.checks.speech  # noqa: F401

    for name, each in RULES.items():
        told, _, example = each.help.rpartition("Example: ")
        assert f"#### {name}\n\n{told.strip()}" in page, name
        assert f'{{"type": "{name}", "kwargs": {example.strip("`")}}}' in page, name


@pytest.mark.parametrize("name", sorted(SHIPPED))
def test_each_shipped_suite_loads_in_full(workspace: Any, name: str) -> None:
    file = shipped_file("expectations", f"{name}.json")
    suite = read_suite(workspace, str(file))
    assert suite.name == name
    assert len(suite.expectations) == len(json.loads(file.read_text())["expectations"])


def test_the_shipped_suites_are_the_documented_ones(workspace: Any) -> None:
    assert set(suite_names(workspace)) == SHIPPED


def test_every_example_of_the_help_loads() -> None:
    import asrdq.checks.speech  # noqa: F401

    for name, each in RULES.items():
        example = each.help.rpartition("Example: ")[2].strip("`")
        assert load_expectation({"type": name, "kwargs": json.loads(example)}).rule is each


# Faults planted in real manifests, each found by the suite meant for it


@pytest.mark.slow
def test_planted_faults_are_found_and_healthy_rows_raise_nothing(
    workspace: Any, librispeech: Path
) -> None:
    from asrdq.manifests import ingest_manifest

    lines = [json.loads(line) for line in librispeech.read_text().splitlines()]
    for line in lines:
        line["lang"] = "en"
    speakers = sorted({line["speaker"] for line in lines})
    train = [line for line in lines if line["speaker"] in speakers[::2]]
    test = [line for line in lines if line["speaker"] in speakers[1::2]]
    planted = [{**line, "id": f"bad{number}"} for number, line in enumerate(train[:7])]
    healthy = [{**line, "id": f"good{number}"} for number, line in enumerate(train)]
    planted[0]["duration"] = round(planted[0]["duration"] + 2.0, 3)
    planted[1]["text"] += " <unk>"
    planted[2]["text"] += " thank you thank you thank you thank you thank you"
    planted[3]["text"] = "שלום " + planted[3]["text"]
    planted[4] = {**test[0], "id": "bad4"}
    planted[5]["text"] = ""
    planted[6]["text"] = "ich habe seit heute morgen kopfschmerzen und sehr hohes fieber"
    root = librispeech.parent
    for name, rows in (("train", healthy + planted), ("clean", healthy), ("test", test)):
        file = Path(workspace.root) / f"{name}.jsonl"
        file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        ingest_manifest(workspace, [file], name, audio_root=root)
        probe_manifest(workspace, workspace.manifest(name), workers=1)
    clean = check(workspace, workspace.manifest("clean"), "canary")
    assert clean.failing.to_pylist() == []
    assert clean.errors == []
    found = check(workspace, workspace.manifest("train"), "canary").failing.to_pylist()
    by_id: dict[str, set[str]] = {}
    for row in found:
        if row["expectation"] != "expect_segments_not_to_overlap":
            by_id.setdefault(row["utt_id"], set()).add(row["expectation"])
    assert "expect_duration_to_match_audio" in by_id["bad0"]
    assert "expect_text_without_markup" in by_id["bad1"]
    assert "expect_text_without_loops" in by_id["bad2"]
    assert "expect_text_in_alphabet_of_language" in by_id["bad3"]
    assert "expect_text_to_be_filled" in by_id["bad5"]
    assert "expect_language_of_text" in by_id["bad6"]
    assert set(by_id) == {"bad0", "bad1", "bad2", "bad3", "bad5", "bad6"}
    leaked = check(workspace, workspace.manifest("test"), "evaluation_set")
    shared = {
        row["utt_id"]
        for row in leaked.failing.to_pylist()
        if row["expectation"] == "expect_audio_disjoint_from"
    }
    assert len(shared) == 1
