"""`asrdq.yaml` is read strictly: numbers that cannot be are refused with their place."""

from __future__ import annotations

from pathlib import Path

import pytest

from asrdq.errors import UsageError
from asrdq.settings import AuditSettings, read_settings


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
