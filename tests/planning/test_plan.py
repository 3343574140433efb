"""A plan on a real manifest table: what the loader keeps, and all that follows."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from asrdq.errors import DataError, UsageError
from asrdq.planning import plan_training
from asrdq.planning.kept import Dropped, Kept, count_kept
from asrdq.recipes.recipe import Recipe

if TYPE_CHECKING:
    from asrdq.workspace import ManifestVersion, Workspace

Ingest = Callable[..., "ManifestVersion"]
MakeRecipe = Callable[..., Recipe]

TODAY = dt.date(2026, 2, 20)


def row(number: int, duration: float | None, text: str = "a word", **more: Any) -> dict[str, Any]:
    made: dict[str, Any] = {"audio_filepath": f"{number}.wav", "text": text, **more}
    return made if duration is None else {**made, "duration": duration}


ROWS = [
    row(0, 0.1),  # of exactly the least length: stays
    row(1, 20.0),  # of exactly the greatest: stays
    row(2, 0.09),
    row(3, 20.01),
    row(4, None),
    row(5, 5.0, " \t "),
    row(6, 30.0, ""),  # too long and empty: counted once, as too long
    row(7, 4.9),
]


def by_reason(kept: Kept) -> dict[str, tuple[int, float]]:
    return {part.reason: (part.rows, round(part.hours * 3600, 2)) for part in kept.dropped}


def test_rows_are_dropped_for_one_reason_each(
    workspace: Workspace, ingest: Ingest, recipe: MakeRecipe
) -> None:
    kept = count_kept(workspace, ingest(ROWS), recipe("smoke").data)
    assert kept.rows == 3
    assert kept.hours * 3600 == pytest.approx(25.0)
    assert kept.longest_s == 20.0
    assert kept.mean_s == pytest.approx(25 / 3)
    assert by_reason(kept) == {
        Dropped.NO_DURATION: (1, 0.0),
        Dropped.TOO_SHORT: (1, 0.09),
        Dropped.TOO_LONG: (2, 50.01),
        Dropped.EMPTY_TEXT: (1, 5.0),
    }


def test_silence_may_be_kept(workspace: Workspace, ingest: Ingest, recipe: MakeRecipe) -> None:
    kept = count_kept(workspace, ingest(ROWS), recipe("smoke", data={"keep_empty_text": True}).data)
    assert kept.rows == 4
    assert Dropped.EMPTY_TEXT not in by_reason(kept)


def test_text_in_any_script_is_text(
    workspace: Workspace, ingest: Ingest, recipe: MakeRecipe
) -> None:
    texts = ["שלום", "你好", "…", " ", "　"]
    version = ingest([row(number, 1.0, text) for number, text in enumerate(texts)])
    kept = count_kept(workspace, version, recipe("smoke").data)
    assert kept.rows == 3
    assert by_reason(kept) == {Dropped.EMPTY_TEXT: (2, 2.0)}


def test_long_clips_fill_batches_faster(
    workspace: Workspace, ingest: Ingest, recipe: MakeRecipe
) -> None:
    kept = count_kept(
        workspace, ingest([row(0, 30.0), row(1, 10.0)]), recipe("canary-finetune").data
    )
    # 30 + 900 ÷ 30 and 10 + 100 ÷ 30
    assert kept.loaded_hours * 3600 == pytest.approx(60 + 13.3333, abs=1e-3)
    assert kept.hours * 3600 == pytest.approx(40)


def test_a_manifest_of_which_nothing_is_left(workspace: Workspace, ingest: Ingest) -> None:
    version = ingest([row(0, 60.0), row(1, None)])
    with pytest.raises(DataError, match="keep nothing of data@0: no_duration 1, too_long 1"):
        plan_training(workspace, version, "smoke", "l40s")


def test_a_plan_says_all_that_follows(workspace: Workspace, ingest: Ingest) -> None:
    version = ingest([row(number, 7.0, domain="news") for number in range(640)])
    plan = plan_training(workspace, version, "qwen3-asr-gradual", "2xA100-40", today=TODAY)
    assert plan.fingerprint == version.fingerprint
    assert (plan.steps.steps_per_epoch, plan.steps.steps) == (10, 50)
    assert len(plan.memory) == 2
    document = json.loads(plan.to_json())
    assert document["schema_version"] == 1
    # Two clips of 7 s, slowed to 0.9, at 117.6 MB a second, and 26.29 GB of everything else.
    assert document["memory"][0]["total_gb"] == pytest.approx(26.290 + 14 / 0.9 * 0.1176, abs=0.01)
    assert document["memory"][0]["fits"] is True
    assert document["kept"]["rows"] == 640
    assert document["cost"]["offers"][0]["entered"] == "2026-02-10"
    # 640 × 5 clips at 2 × 4.26 a second, and 3 hours of evaluation and reserve.
    assert document["time"]["hours"] == pytest.approx(3 + 3200 / 8.52 / 3600)
    assert document["cost"]["usd"] == pytest.approx(3.20 * (3 + 3200 / 8.52 / 3600), abs=0.01)
    assert [item["level"] for item in document["findings"]] == ["warning", "warning"]
    rows = {(line["section"], line["item"]): line for line in plan.arrow().to_pylist()}
    assert rows["steps", "effective batch"]["value"] == "64 clips"
    # 57.43 GB of checkpoints, 13.72 of models and 0.14 of audio, at 0.10 a GB.
    assert rows["disk", "total"]["value"] == "71.3 GB"
    assert rows["disk", "total"]["why"] == "7.13 USD a month where a stopped machine keeps it"
    assert rows["memory, from epoch 1", "weights"]["why"] == "4 bytes × 1,715,432,120"
    assert "640 rows" in plan.summary()


def test_a_slip_of_the_recipe_is_an_error(
    workspace: Workspace, ingest: Ingest, recipe: MakeRecipe
) -> None:
    version = ingest([row(number, 7.0) for number in range(64)])
    made = recipe("qwen3-asr-gradual", stated={"steps": 3650})
    plan = plan_training(workspace, version, made, "2xA100-40", today=TODAY)
    assert [str(each) for each in plan.errors] == [
        "stated.steps: states 3,650, but 1,150 × 5 epochs makes 5,750"
    ]
    assert plan.findings[0] is plan.errors[0]


def test_groups_are_mixed_by_temperature(
    workspace: Workspace, ingest: Ingest, recipe: MakeRecipe
) -> None:
    hours = [row(number, 36.0, language="en") for number in range(90)]
    hours += [row(number, 36.0, language="he") for number in range(90, 100)]
    hours += [row(100, 90.0, language="he")]  # dropped, and not weighed
    version = ingest(hours)
    plan = plan_training(workspace, version, "canary-finetune", "4xB200", today=TODAY)
    found = {each.group: (each.probability, each.repeats) for each in plan.mixed}
    assert found == {
        ("en",): (pytest.approx(0.75), pytest.approx(0.75 / 0.9)),
        ("he",): (pytest.approx(0.25), pytest.approx(2.5)),
    }


def test_columns_that_would_be_missed_during_the_run(
    workspace: Workspace, ingest: Ingest, recipe: MakeRecipe
) -> None:
    version = ingest([row(number, 7.0, language="en") for number in range(64)])
    made = recipe("canary-finetune", evaluation={"domain_column": "domain"})
    found = [str(each) for each in plan_training(workspace, version, made, "4xB200").findings]
    assert "data.mix_by: en is the only group: there is nothing to mix" in found
    assert (
        "evaluation.domain_column: data@0 has no column 'domain': nothing is scored apart" in found
    )


def test_a_column_that_is_not_there_cannot_be_mixed_by(
    workspace: Workspace, ingest: Ingest, recipe: MakeRecipe
) -> None:
    version = ingest([row(0, 5.0)])
    made = recipe("canary-finetune", data={"mix_by": ["domian"]})
    with pytest.raises(UsageError, match="unknown column 'domian'"):
        plan_training(workspace, version, made, "4xB200")


def test_many_dropped_rows_are_called_out(workspace: Workspace, ingest: Ingest) -> None:
    version = ingest([*(row(number, 5.0) for number in range(18)), row(18, 50.0), row(19, 60.0)])
    plan = plan_training(workspace, version, "smoke", "l40s", today=TODAY)
    told = "data: the loader drops 2 of 20 rows: too_long 2; asrdq cut makes pieces of long ones"
    assert told in [str(finding) for finding in plan.findings]


def test_an_unknown_machine_names_the_nearest(workspace: Workspace, ingest: Ingest) -> None:
    version = ingest([row(0, 5.0)])
    with pytest.raises(UsageError, match="did you mean 'brev-l40s'"):
        plan_training(workspace, version, "smoke", "l40s", machine="brev-l40")


def test_a_machine_with_other_gpus_is_refused(workspace: Workspace, ingest: Ingest) -> None:
    version = ingest([row(0, 5.0)])
    with pytest.raises(UsageError, match="brev-l40s has 1xl40s, not 2xl40s"):
        plan_training(workspace, version, "smoke", "2xl40s", machine="brev-l40s")


def test_the_machine_that_was_asked_for_counts(workspace: Workspace, ingest: Ingest) -> None:
    version = ingest([row(0, 5.0)])
    plan = plan_training(
        workspace, version, "qwen3-asr-gradual", "2xA100-40", machine="runpod-2xa100-40"
    )
    assert plan.cost.usd_per_hour == 3.40
    assert [offer.machine for offer in plan.cost.offers] == ["runpod-2xa100-40"]


def test_a_price_for_a_gpu_that_is_not_there(
    workspace: Workspace, ingest: Ingest, lay: Callable[[str, str], Path]
) -> None:
    lay(
        "prices.yaml",
        "machines: {ours: {gpu: h1000, gpus: 1, usd_per_hour: 1, entered: 2026-01-01}}\n",
    )
    version = ingest([row(0, 5.0)])
    with pytest.raises(UsageError) as raised:
        plan_training(workspace, version, "smoke", "l40s")
    assert "prices.yaml, machines.ours: unknown GPU 'h1000'" in str(raised.value)


@pytest.mark.slow
def test_a_workspace_on_s3_has_its_own_recipes_and_prices(
    s3_workspace: Workspace, s3_server: Any, bucket: str, tmp_path: Path
) -> None:
    from asrdq.manifests import ingest_manifest

    def put(key: str, text: str) -> None:
        s3_server.client.put_object(Bucket=bucket, Key=f"ws/{key}", Body=text.encode())

    put("recipes/base.yaml", "name: base\nextends: smoke\ndata: {batch_size: 2}\n")
    put("recipes/ours.yaml", "name: ours\nextends: base.yaml\nschedule: {epochs: 2}\n")
    put("prices.yaml", "machines: {brev-l40s: {usd_per_hour: 2.50}}\n")
    file = tmp_path / "train.jsonl"
    file.write_text(json.dumps(row(0, 5.0)), encoding="utf-8")
    ingest_manifest(s3_workspace, [file], "train", audio_root=tmp_path)
    plan = plan_training(s3_workspace, s3_workspace.manifest("train"), "ours", "l40s")
    assert (plan.steps.batch_size, plan.steps.epochs, plan.cost.usd_per_hour) == (2, 2.0, 2.50)


def test_a_recipe_of_the_workspace_extends_a_shipped_one_of_its_name(
    workspace: Workspace, ingest: Ingest, lay: Callable[[str, str], Path]
) -> None:
    lay("recipes/smoke.yaml", "name: smoke\nextends: smoke\ndata: {batch_size: 2}\n")
    plan = plan_training(workspace, ingest([row(0, 5.0)]), "smoke", "l40s", today=TODAY)
    assert plan.steps.batch_size == 2
    assert plan.steps.epochs == 3
