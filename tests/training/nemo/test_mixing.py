"""Groups come in proportions by temperature; weights by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from asrdq.errors import DataError
from asrdq.recipes.recipe import DataSection
from asrdq.training.nemo.mixing import mixed, mixes


def section(**said: Any) -> DataSection:
    return DataSection(**{"max_duration_s": 20.0, "batch_duration_s": 60.0, **said})


def manifest(folder: Path, rows: list[dict[str, Any]]) -> Path:
    file = folder / "train.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return file


def clips(count: int, **more: Any) -> list[dict[str, Any]]:
    return [
        {"audio_filepath": f"{i}.wav", "duration": 10.0, "text": "a", **more} for i in range(count)
    ]


def texts(entry: dict[str, Any]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(entry["manifest_filepath"]).read_text().splitlines()]


def test_the_square_root_of_nine_to_one_is_three_to_one(tmp_path: Path) -> None:
    file = manifest(tmp_path, [*clips(9, lang="en"), *clips(1, lang="de")])

    found = mixed(file, tmp_path / "groups", section(mix_by=["language"], temperature=0.5))

    weights = {texts(entry)[0]["lang"]: entry["weight"] for entry in found}
    assert weights == pytest.approx({"de": 0.25, "en": 0.75})
    assert {texts(entry)[0]["lang"]: len(texts(entry)) for entry in found} == {"de": 1, "en": 9}
    assert {entry["type"] for entry in found} == {"nemo"}


def test_levels_are_mixed_each_by_itself(tmp_path: Path) -> None:
    """All alike: half to each language, and half of English to each of its two domains."""
    rows = [*clips(5, lang="en", domain="news"), *clips(1, lang="en", domain="calls")]
    file = manifest(tmp_path, [*rows, *clips(2, lang="he", domain="news")])

    found = mixed(file, tmp_path / "groups", section(mix_by=["lang", "domain"], temperature=0.0))

    weights = {(row["lang"], row["domain"]): e["weight"] for e in found for row in texts(e)[:1]}
    assert weights == pytest.approx(
        {("en", "calls"): 0.25, ("en", "news"): 0.25, ("he", "news"): 0.5}
    )


def test_a_row_without_a_value_is_a_group_of_its_own(tmp_path: Path) -> None:
    file = manifest(tmp_path, [*clips(1, domain="../../etc"), *clips(1, domain=None)])

    found = mixed(file, tmp_path / "groups", section(mix_by=["domain"], temperature=0.0))

    assert [entry["weight"] for entry in found] == [0.5, 0.5]
    assert {Path(entry["manifest_filepath"]).parent for entry in found} == {tmp_path / "groups"}


def test_what_the_bounds_drop_has_no_weight(tmp_path: Path) -> None:
    long = [{**row, "duration": 30.0} for row in clips(8, lang="de")]
    file = manifest(tmp_path, [*clips(1, lang="en"), *clips(1, lang="de"), *long])

    found = mixed(file, tmp_path / "groups", section(mix_by=["lang"], temperature=0.5))

    assert [entry["weight"] for entry in found] == pytest.approx([0.5, 0.5])


def test_more_rows_than_are_held_are_all_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("asrdq.training.nemo.mixing._HELD", 3)
    file = manifest(tmp_path, [*clips(5, lang="en"), *clips(5, lang="de")])

    found = mixed(file, tmp_path / "groups", section(mix_by=["lang"], temperature=0.5))

    assert [len(texts(entry)) for entry in found] == [5, 5]


def test_a_column_that_no_row_has_is_told(tmp_path: Path) -> None:
    file = manifest(tmp_path, clips(2, lang="en"))

    with pytest.raises(DataError, match=r"no row has the column 'accent' of data\.mix_by"):
        mixed(file, tmp_path / "groups", section(mix_by=["lang", "accent"], temperature=0.5))


def test_by_size_is_as_the_manifest_is() -> None:
    assert not mixes(section(mix_by=["lang"], temperature=1.0))
    assert not mixes(section(temperature=0.5))
    assert mixes(section(mix_by=["lang"], temperature=0.5))
