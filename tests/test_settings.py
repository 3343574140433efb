"""`asrdq.yaml` is read strictly: numbers that cannot be are refused with their place."""

from __future__ import annotations

from pathlib import Path

import pytest

from asrdq.errors import UsageError
from asrdq.gates.policy import read_policy
from asrdq.settings import SETTINGS_FILE, AuditSettings, read_settings


def audit_settings(folder: Path, line: str) -> AuditSettings:
    file = folder / "asrdq.yaml"
    file.write_text(f"audit:\n  {line}\n", encoding="utf-8")
    return read_settings(file).audit


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("{en: .nan}", "en: Input should be a finite number"),
        ("{en: .inf}", "en: Input should be a finite number"),
        ("{en: 14, de: 0}", "de: Input should be greater than 0"),
        ("{en: -3}", "en: Input should be greater than 0"),
        ("{en: fast}", "en: Input should be a valid number"),
        ("0", " Input should be greater than 0"),
        (".inf", " Input should be a finite number"),
        ("median", " Input should be 'auto'"),
    ],
)
def test_a_speaking_rate_is_a_finite_number_above_zero(
    tmp_path: Path, value: str, problem: str
) -> None:
    with pytest.raises(UsageError) as raised:
        audit_settings(tmp_path, f"characters_per_second: {value}")
    [found] = raised.value.problems
    assert found.line == 2
    assert found.message.startswith("audit.characters_per_second")
    assert problem in found.message


def test_shares_are_numbers(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="finite number"):
        audit_settings(tmp_path, "coverage_minimum: .nan")


def test_speaking_rates_by_language(tmp_path: Path) -> None:
    settings = audit_settings(tmp_path, "characters_per_second: {en: 14, de: 13.5}")
    assert (settings.speaking_rate("en"), settings.speaking_rate("de")) == (14.0, 13.5)
    with pytest.raises(UsageError, match="no rate for the language 'fr'"):
        settings.speaking_rate("fr")


@pytest.mark.parametrize(("value", "rate"), [("12", 12.0), ("auto", None)])
def test_one_speaking_rate_for_all_languages(
    tmp_path: Path, value: str, rate: float | None
) -> None:
    settings = audit_settings(tmp_path, f"characters_per_second: {value}")
    assert settings.speaking_rate("en") == settings.speaking_rate("fr") == rate


def test_a_key_that_stands_twice_is_named_with_both_lines(tmp_path: Path) -> None:
    file = tmp_path / "asrdq.yaml"
    file.write_text("sampling:\n  fraction: 0.1\n  seed: 7\n  fraction: 0.9\nsampling: {}\n")
    with pytest.raises(UsageError) as raised:
        read_settings(file)
    assert [(problem.message, problem.line) for problem in raised.value.problems] == [
        ("key 'fraction' stands on line 2 too", 4),
        ("key 'sampling' stands on line 1 too", 5),
    ]


def test_a_key_twice_in_a_list_of_rules(tmp_path: Path) -> None:
    file = tmp_path / "asrdq.yaml"
    rule = "{name: a, name: b, share: 1.0}"
    file.write_text(f"sampling:\n  allocation: shares\n  strata:\n    - {rule}\n")
    with pytest.raises(UsageError, match="1 problem") as raised:
        read_settings(file)
    assert "'name'" in raised.value.problems[0].message


@pytest.mark.parametrize("content", ["", "# nothing but a remark\n"])
def test_an_empty_file_is_no_settings(tmp_path: Path, content: str) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text(content)
    with pytest.raises(UsageError, match="is empty"):
        read_policy(file)


def test_a_folder_is_no_settings(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read: Is a directory"):
        read_policy(tmp_path)


@pytest.mark.parametrize("share", ["1.5", "-1", "2.25"])
def test_a_worker_takes_a_fraction_or_whole_gpus(tmp_path: Path, share: str) -> None:
    file = tmp_path / SETTINGS_FILE
    file.write_text(f"engine: ray\nray:\n  gpus_per_worker: {share}\n")
    with pytest.raises(UsageError) as told:
        read_settings(file)
    assert f"{SETTINGS_FILE}:3" in str(told.value)
    assert "gpus_per_worker" in str(told.value)


def test_an_engine_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    file = tmp_path / SETTINGS_FILE
    file.write_text("engine: spark\n")
    with pytest.raises(UsageError, match="engine"):
        read_settings(file)
