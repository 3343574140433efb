"""Suites proposed from data, suites as files, and their list."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from asrdq.checks import check, infer_suite, lint_suites, list_suites
from asrdq.checks.proposals import widened
from asrdq.errors import ExitCode, UsageError

RunCli = Callable[..., Any]
WORDS = ["the", "ship", "sailed", "away", "and", "nobody", "knew", "where", "it", "went", "that"]


def healthy(rows: int = 120) -> list[dict[str, Any]]:
    """Rows of two languages, 10 to 14 characters a second, with a column of each kind."""
    made = []
    for n in range(rows):
        text = " ".join(WORDS[n % 5 : 6 + n % 7])
        made.append(
            {
                "id": f"u{n:03}",
                "audio_filepath": f"{n}.wav",
                "text": text,
                "duration": round(len(text.replace(" ", "")) / (10 + n % 5), 3),
                "lang": "de" if n % 3 else "en",
                "speaker": f"s{n % 40}",
                "domain": ["phone", "studio"][n % 2],
                "snr": 10 + n % 20 + 0.5,
                **({"noise": "fan"} if n % 10 else {}),
            }
        )
    return made


OUTLIERS: dict[str, dict[str, Any]] = {
    "expect_duration_between": {"duration": 400.0},
    "expect_characters_per_second_between": {"duration": 0.2},
    "expect_column_values_to_be_in_set": {"domain": "street"},
    "expect_column_values_to_be_between": {"snr": -60.0},
    "expect_column_values_to_not_be_null": {"speaker": None},
    "expect_text_without_markup": {"text": "the ship <unk> sailed away"},
    "expect_text_without_digits": {"text": "the ship sailed 12 times away"},
    "expect_text_to_be_filled": {"text": ""},
    "expect_text_in_alphabet_of_language": {"text": "корабль sailed away"},
}


def test_the_proposed_suite_holds_on_its_own_data_and_finds_each_outlier(
    workspace: Any, ingest: Any
) -> None:
    train = ingest(healthy(), "train")
    result = infer_suite(workspace, train)
    own = check(workspace, train, "train")
    assert own.checks.num_rows == result.proposed["left_out"].null_count
    assert all(own.checks["success"].to_pylist()), own.overview().to_pylist()
    planted = [
        {**healthy()[1], "id": f"bad{n}", **fault} for n, fault in enumerate(OUTLIERS.values())
    ]
    found = check(workspace, ingest(healthy() + planted, "train"), "train")
    by_kind: dict[str, set[str]] = {}
    for row in found.failing.to_pylist():
        by_kind.setdefault(row["expectation"], set()).add(row["utt_id"])
    unmet = {row["expectation"] for row in found.checks.to_pylist() if not row["success"]}
    for number, kind in enumerate(OUTLIERS):
        assert f"bad{number}" in by_kind[kind], kind
        assert kind in unmet, kind
    assert not any(utt_id.startswith("u") for utt_id in by_kind["expect_duration_between"])


def test_what_is_proposed_of_each_column(workspace: Any, ingest: Any) -> None:
    proposed = infer_suite(workspace, ingest(healthy(), "train"), "mine").proposed.to_pylist()
    document = json.loads((Path(workspace.root) / "expectations" / "mine.json").read_text())
    assert document["meta"]["inferred_from"] == "train@0"
    items = {
        (item["type"], item["kwargs"].get("column")): item for item in document["expectations"]
    }
    domains = items["expect_column_values_to_be_in_set", "domain"]["kwargs"]["value_set"]
    assert domains == ["phone", "studio"]
    assert ("expect_column_values_to_be_unique", "utt_id") in items
    assert ("expect_column_values_to_be_unique", "speaker") not in items
    snr = items["expect_column_values_to_be_between", "snr"]["kwargs"]
    # 1 % and 99 % of 10.5 to 29.5, whose median is 20, moved out by their distance to it
    assert (snr["min_value"], snr["max_value"]) == (1.0, 39.0)
    speed = items["expect_characters_per_second_between", None]["kwargs"]
    assert set(speed["by_language"]) == {"de", "en"}
    noise = items["expect_column_values_to_not_be_null", "noise"]
    assert noise["kwargs"]["mostly"] == 0.85  # 12 of 120 are missing, half as many again may be
    assert noise["severity"] == "warning"
    assert items["expect_duration_between", None]["severity"] == "critical"
    out = {row["expectation"]: row["left_out"] for row in proposed if row["left_out"]}
    assert "expect_column_values_to_be_unique" not in out


def test_what_many_rows_fail_is_left_out_and_told(workspace: Any, ingest: Any) -> None:
    rows = [{**row, "text": f"{row['text']} {n}"} for n, row in enumerate(healthy())]
    proposed = infer_suite(workspace, ingest(rows, "train")).proposed.to_pylist()
    told = {row["expectation"]: row["left_out"] for row in proposed}
    assert told["expect_text_without_digits"] == "120 rows fail (100.0%)"


def test_ranges_are_widened_outwards() -> None:
    assert widened(2.0, 5.0, 11.0) == (0.0, 17.0)  # 2 - 3 is below 0, which no value is
    assert widened(-2.0, 1.0, 3.0) == (-5.0, 5.0)
    assert widened(4.0, 4.0, 4.0) == (3.6, 4.4)
    assert widened(0.0, 0.0, 0.0) == (0.0, 0.0)
    assert widened(100.0, 1234.0, 2345.0) == (0.0, 3500.0)  # 3456, at two digits, outwards


@pytest.mark.slow
def test_a_suite_that_is_there_is_overwritten_by_force_alone(
    workspace: Any, ingest: Any, run_cli: RunCli
) -> None:
    ingest(healthy(), "train")
    root = Path(workspace.root)
    file = root / "expectations" / "train.json"
    file.write_text("edited")
    done = run_cli("suite", "infer", "train", cwd=root, code=ExitCode.USAGE)
    assert "--force" in done.stderr
    assert file.read_text() == "edited"
    done = run_cli("suite", "infer", "train", "--force", cwd=root)
    assert "next: asrdq check train --suite train" in done.stderr
    assert json.loads(file.read_text())["name"] == "train"
    run_cli("suite", "lint", str(file), cwd=root)
    run_cli("check", "train", "--suite", "train", cwd=root)
    done = run_cli("suite", "infer", "train", "--name", "../x", cwd=root, code=ExitCode.USAGE)
    assert "cannot be called" in done.stderr


@pytest.mark.slow
def test_lint_lists_the_problems_of_all_files(tmp_path: Path, run_cli: RunCli) -> None:
    good = {"expectations": [{"type": "expect_text_to_be_filled", "kwargs": {}}]}
    bad = {"expectations": [*good["expectations"], {"type": "expect_nothing", "kwargs": {}}]}
    bad["expectations"].append({"type": "expect_duration_between", "kwargs": {}})
    (tmp_path / "good.json").write_text(json.dumps(good))
    (tmp_path / "bad.json").write_text(json.dumps(bad, indent=2))
    (tmp_path / "broken.json").write_text('{\n"expectations": [')
    (tmp_path / "empty.json").write_text('{"expectations": []}')
    done = run_cli("suite", "lint", "good.json", cwd=tmp_path)
    assert "good.json is sound: 1 expectation\n" in done.stderr
    names = ("good.json", "bad.json", "broken.json", "empty.json", "gone.json")
    done = run_cli("suite", "lint", *names, cwd=tmp_path, code=ExitCode.USAGE)
    assert "5 problems in suites" in done.stderr
    for line in (
        "bad.json:7: unknown expectation 'expect_nothing'",
        "bad.json:11: neither min_value nor max_value is given",
        "broken.json:2: no JSON",
        "empty.json: has no expectation",
        "gone.json: cannot be read: No such file or directory",
    ):
        assert line in done.stderr


def test_lint_says_what_a_single_file_has_twice(tmp_path: Path) -> None:
    (tmp_path / "two.json").write_text('{"expectations": [{}],\n"expectations": [1]}')
    with pytest.raises(UsageError) as raised:
        lint_suites([tmp_path / "two.json"])
    [problem] = raised.value.problems
    assert problem.file == str(tmp_path / "two.json")
    assert "has 'expectations' more than once" in problem.message


ODD = [
    ('{"type": "expect_text_to_be_filled", "severity": ["critical"]}', "unknown severity"),
    ('{"type": "expect_text_to_be_filled", "meta": "x"}', "'meta' is no object"),
    ('{"type": "expect_text_to_be_filled", "kwargs": []}', "'kwargs' is no object"),
    (
        '{"type": "expect_duration_between", "kwargs": {"min_value": 3, "min_value": 0}}',
        "has 'min_value' more than once",
    ),
    ('{"type": "expect_duration_between", "kwargs": {"min_value": NaN}}', "NaN is no number"),
    (
        '{"type": "expect_column_values_to_match_regex",'
        ' "kwargs": {"column": "text", "regex": "("}}',
        "regex '(' cannot be read",
    ),
    (
        '{"type": "expect_duration_between", "kwargs": {"min_value": 5, "max_value": 2}}',
        "no value lies between 5",
    ),
    (
        '{"type": "expect_class_balance", "kwargs": {"column": "speaker", "min_share": 2}}',
        "min_share is 2.0, and a share is from 0 to 1",
    ),
    (
        '{"type": "expect_text_without_loops", "kwargs": {"min_unique_share": -0.1}}',
        "min_unique_share is -0.1",
    ),
    (
        '{"type": "expect_text_to_be_filled", "kwargs": {"mostly": 0}}',
        "expect_text_to_be_filled: mostly is 0, so no row has to pass",
    ),
    ('{"type": "expect_text_to_be_filled"}], "expectation": [{}', "unknown key 'expectation'"),
    ("[" * 100_000, "nested too deep"),
]


@pytest.mark.parametrize(("item", "told"), ODD, ids=[told for _, told in ODD])
def test_lint_tells_what_an_odd_file_has_wrong(item: str, told: str, tmp_path: Path) -> None:
    (tmp_path / "odd.json").write_text(f'{{"expectations": [{item}]}}')
    with pytest.raises(UsageError) as raised:
        lint_suites([tmp_path / "odd.json"])
    assert told in raised.value.problems[0].message


def test_a_list_of_the_same_name_elsewhere_does_not_move_the_lines(tmp_path: Path) -> None:
    (tmp_path / "two.json").write_text(
        '{"meta": {"expectations": []},\n"expectations": [\n{"type": "expect_nothing"}]}'
    )
    with pytest.raises(UsageError) as raised:
        lint_suites([tmp_path / "two.json"])
    assert [problem.line for problem in raised.value.problems] == [3]


def test_the_list_says_where_suites_come_from(workspace: Any) -> None:
    folder = Path(workspace.root) / "expectations"
    (folder / "mine.json").write_text('{"expectations": [1, 2]}')
    (folder / "torn.json").write_text("{")
    rows = {row["name"]: row for row in list_suites(workspace).suites.to_pylist()}
    assert (rows["mine"]["from"], rows["mine"]["expectations"]) == ("workspace", 2)
    assert rows["torn"]["expectations"] is None
    assert rows["asr_manifest"]["from"] == "workspace"
    assert rows["canary"]["from"] == "asrdq"
