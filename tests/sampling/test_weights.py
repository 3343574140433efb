"""Temperature weights at every level, and the files that NeMo's loader reads."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from asrdq.errors import DataError, UsageError
from asrdq.sampling.input_cfg import write_input_cfg
from asrdq.sampling.weights import WEIGHTS, temperature_weights, weigh_groups

if TYPE_CHECKING:
    from asrdq.workspace import ManifestVersion, Workspace

Ingest = Callable[[Sequence[dict[str, Any]]], "ManifestVersion"]


def rows() -> list[dict[str, Any]]:
    hours = {("en", "phone"): 64, ("en", "studio"): 17, ("de", "phone"): 9, ("de", None): 1}
    return [
        {
            **{"audio_filepath": f"{language}-{domain}-{n}.wav", "duration": 3600.0, "text": "é"},
            **{"lang": language, "domain": domain, "offset": 0.5},
        }
        for (language, domain), count in hours.items()
        for n in range(count)
    ]


def test_a_temperature_of_a_half_on_900_and_100_hours() -> None:
    assert temperature_weights([900.0, 100.0], 0.5) == [0.75, 0.25]


@given(
    st.lists(st.floats(0.01, 1e5), min_size=1, max_size=8),
    st.floats(0, 1),
    st.floats(0.1, 1e3),
)
def test_weights_add_up_and_do_not_depend_on_the_unit(
    sizes: list[float], temperature: float, scale: float
) -> None:
    weights = temperature_weights(sizes, temperature)
    assert sum(weights) == pytest.approx(1.0)
    scaled = temperature_weights([size * scale for size in sizes], temperature)
    assert scaled == pytest.approx(weights)


def test_nested_groups(workspace: Workspace, ingest: Ingest) -> None:
    result = weigh_groups(workspace, ingest(rows()), ["language", "domain"], [0.5, 1.0])
    found = {tuple(row["group"]): row for row in result.groups.to_pylist()}
    # 81 and 10 hours: 9 and √10 of 9 + √10; below, by size
    outer = 9 / (9 + 10**0.5)
    assert found[("en",)]["weight"] == pytest.approx(outer)
    assert found[("en", "phone")]["weight"] == pytest.approx(64 / 81)
    assert found[("en", "phone")]["probability"] == pytest.approx(outer * 64 / 81)
    assert found[("de", "(none)")]["weight"] == pytest.approx(0.1)
    leaves = [row["probability"] for row in found.values() if row["level"] == 2]
    assert sum(leaves) == pytest.approx(1.0)
    stored = workspace.read("weights", f"run_id = '{result.run_id}'", schema=WEIGHTS)
    assert stored.num_rows == 6


def test_rows_as_unit_and_one_temperature_for_all_levels(
    workspace: Workspace, ingest: Ingest
) -> None:
    data = ingest(rows())
    result = weigh_groups(workspace, data, ["language", "domain"], [0.0], unit="rows")
    assert [row["weight"] for row in result.groups.to_pylist()] == [0.5] * 6


def test_input_cfg(workspace: Workspace, ingest: Ingest, tmp_path: Path) -> None:
    data = ingest(rows())
    result = weigh_groups(workspace, data, ["language", "domain"], [0.5, 0.5])
    path = write_input_cfg(workspace, data, result, tmp_path / "blend")
    entries = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert [(e["type"], e["tags"]) for e in entries] == [
        ("group", {"language": "de"}),
        ("group", {"language": "en"}),
    ]
    assert sum(entry["weight"] for entry in entries) == pytest.approx(1.0)
    english = entries[1]["input_cfg"]
    assert [(e["type"], e["tags"]["domain"]) for e in english] == [
        ("nemo", "phone"),
        ("nemo", "studio"),
    ]
    assert english[0]["weight"] == pytest.approx(8 / (8 + 17**0.5))
    assert "tags" not in next(e for e in entries[0]["input_cfg"] if "tags" not in e)
    lines = Path(english[0]["manifest_filepath"]).read_text(encoding="utf-8").splitlines()
    assert len(lines) == 64
    first = json.loads(lines[0])
    assert (first["duration"], first["offset"], first["text"], first["lang"]) == (
        *(3600.0, 0.5, "é"),
        "en",
    )
    assert first["audio_filepath"] == str(tmp_path / "en-phone-0.wav")


def test_what_cannot_be_weighed_is_refused(
    workspace: Workspace, ingest: Ingest, tmp_path: Path
) -> None:
    data = ingest([{**rows()[0], "duration": None}])
    with pytest.raises(DataError, match="the group en states no hours"):
        weigh_groups(workspace, data, ["language", "domain"], [0.5])
    with pytest.raises(UsageError, match="unknown column 'domains'"):
        weigh_groups(workspace, data, ["domains"], [0.5])
    with pytest.raises(UsageError, match="2 temperatures for 1 levels"):
        weigh_groups(workspace, data, ["domain"], [0.5, 0.5])
    with pytest.raises(UsageError, match="exponent from 0"):
        weigh_groups(workspace, data, ["domain"], [5.0])
    result = weigh_groups(workspace, data, ["domain"], [0.5], unit="rows")
    other = ingest(rows())
    with pytest.raises(UsageError, match="the weights are those of"):
        write_input_cfg(workspace, other, result, tmp_path)
