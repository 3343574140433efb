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
    path = write_input_cfg(workspace, data, result, tmp_path / "blend").path
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


def written(
    workspace: Workspace, data: ManifestVersion, by: Sequence[str], folder: Path
) -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    """The entries as YAML 1.1 reads them, and the notes."""
    result = weigh_groups(workspace, data, by, [0.5])
    cfg = write_input_cfg(workspace, data, result, folder)
    return yaml.safe_load(cfg.path.read_text(encoding="utf-8")), cfg.notes


def test_manifests_of_groups_keep_every_column(
    workspace: Workspace, ingest: Ingest, tmp_path: Path
) -> None:
    own = {"source_lang": "en", "target_lang": "de", "taskname": "ast", "n": 3, "x": {"a": [1]}}
    data = ingest([{"audio_filepath": "/a.wav", "duration": 1.0, "text": "hi", **own}])
    ([entry], _) = written(workspace, data, ["taskname"], tmp_path / "blend")
    (line,) = Path(entry["manifest_filepath"]).read_text(encoding="utf-8").splitlines()
    assert json.loads(line).items() >= own.items()


def test_what_a_group_cannot_hold_is_told(
    workspace: Workspace, ingest: Ingest, tmp_path: Path
) -> None:
    data = ingest([{**rows()[0], "sampling_rate": 16000}])
    _, notes = written(workspace, data, ["domain"], tmp_path / "blend")
    assert any("without sampling_rate" in note for note in notes)


def test_values_mean_to_omegaconf_what_they_say(
    workspace: Workspace, ingest: Ingest, tmp_path: Path
) -> None:
    values = ["60e1", "no", "${oc.env:HOME}", "\\${x}", "1_000", "???"]
    data = ingest([{"audio_filepath": v, "duration": 1.0, "site": v, "channel": v} for v in values])
    entries, notes = written(workspace, data, ["site"], tmp_path / "blend")
    assert {e.get("tags", {}).get("site") for e in entries} == {
        *("60e1", "no", "\\${oc.env:HOME}", "\\\\\\${x}", "1_000", None)
    }
    assert any("'???'" in note for note in notes)
    # YAML of OmegaConf reads 60e1 as a number unless it is quoted.
    text = (tmp_path / "blend" / "input_cfg.yaml").read_text(encoding="utf-8")
    assert '"60e1"' in text


def test_a_tag_never_overwrites_what_lhotse_keeps_of_a_cut(
    workspace: Workspace, ingest: Ingest, tmp_path: Path
) -> None:
    data = ingest([{"audio_filepath": "a", "duration": 1.0, "channel": "left", "domain": "x"}])
    ([entry], notes) = written(workspace, data, ["channel", "domain"], tmp_path / "blend")
    assert "tags" not in entry
    assert entry["input_cfg"][0]["tags"] == {"domain": "x"}
    assert any("'channel'" in note for note in notes)


def test_long_names_of_groups_are_files_all_the_same(
    workspace: Workspace, ingest: Ingest, tmp_path: Path
) -> None:
    name = "\u65e5\u672c_OP_" * 40
    data = ingest([{"audio_filepath": "a", "duration": 1.0, "x": name, "y": name}])
    ([entry], _) = written(workspace, data, ["x", "y"], tmp_path / "blend")
    place = Path(entry["input_cfg"][0]["manifest_filepath"])
    assert place.is_file()
    assert "_OP_" not in place.name


def test_what_nemo_could_not_read_is_refused(
    workspace: Workspace, ingest: Ingest, tmp_path: Path
) -> None:
    data = ingest([rows()[0], {**rows()[1], "duration": None}])
    result = weigh_groups(workspace, data, ["domain"], [0.5], unit="rows")
    with pytest.raises(DataError, match=r"1 rows of .* have no duration"):
        write_input_cfg(workspace, data, result, tmp_path / "blend")
    with pytest.raises(UsageError, match="range of shards"):
        write_input_cfg(workspace, data, result, tmp_path / "blend (1)")
    assert not (tmp_path / "blend").exists()


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
