"""A card says what the tables say, of these weights alone; what is not green is not published."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.cards.conftest import BUNDLE_ID, HALF, Told, card_rows, rows_of
from tests.cards.hub_server import COMMIT, Hub

from asrdq.cards import CardPlan
from asrdq.cards.evidence import gather
from asrdq.cards.front_matter import front_matter
from asrdq.errors import DataError, ToolError, UsageError
from asrdq.models.content import content_hash
from asrdq.rounds.criteria import Criteria

pytestmark = pytest.mark.slow


def block(text: str) -> dict[str, Any]:
    found = yaml.safe_load(text.split("---\n")[1])
    assert isinstance(found, dict)
    return found


def rates(text: str) -> dict[tuple[str | None, str], float]:
    """Return scope and metric of each value that the hub indexes."""
    return {
        (each["dataset"].get("config"), metric["type"]): metric["value"]
        for index in block(text).get("model-index", [])
        for each in index["results"]
        for metric in each["metrics"]
    }


def test_the_block_for_the_hub(told: Told) -> None:
    told.card(license="apache-2.0")
    front = block(told.text())
    assert front["base_model"] == "Qwen/Qwen3-ASR-0.6B"
    assert front["language"] == ["en"]
    assert front["license"] == "apache-2.0"
    # 10 clean rows with 1 wrong word of 10, 9 noisy ones with 3, one with 5
    found = {key: value for key, value in rates(told.text()).items() if key[1] == "wer"}
    assert found == {
        (None, "wer"): 21.0,
        ("domain=clean", "wer"): 10.0,
        ("domain=noisy", "wer"): 32.0,
    }
    (dataset,) = {each["dataset"]["revision"] for each in front["model-index"][0]["results"]}
    assert dataset == told.workspace.manifest("val").fingerprint
    args = front["model-index"][0]["results"][0]["metrics"][0]["args"]
    (row,) = told.workspace.query(
        "SELECT rate, low, high, run_id FROM score_groups "
        "WHERE hyps = 'r1' AND metric = 'wer' AND grouped_by = '' ORDER BY run_id DESC LIMIT 1"
    ).to_pylist()
    assert args == {
        "rate": row["rate"],
        "low": row["low"],
        "high": row["high"],
        "confidence": 0.95,
        "table": f"score_groups/{row['run_id']}",
    }


def test_the_page_tells_data_gate_training_and_decision(told: Told) -> None:
    result = told.card()
    text = told.text()
    assert result.objections == ()
    assert "What stands against it" not in text
    assert "| all | WER | 21.00 (" in text
    assert "**KEEP, GO**: r0 → r1 on val@0" in text
    assert f"Hand-off `{BUNDLE_ID}`, 2026-03-05" in text
    assert "**PROCEED** on 2026-03-01: 3.10 (1.20 … 6.40) %" in text
    assert "40 of 40 steps, 20 epochs, 61 s on cpu, 1 attempts. 400 of 1,000 parameters" in text
    assert "| train | loss | 0.75 | 40 |" in text
    assert "| validation | wer | 0.2987 | 40 |" in text
    assert "No licence was named." in text
    assert "no guard set was named: what it forgot is not judged" in text
    assert str(told.folder) not in text


def test_every_number_of_the_page_stands_in_a_table(told: Told) -> None:
    told.card()
    known = {"95"}  # per cent, of the intervals
    tables = ("score_groups", "comparisons", "comparison_groups", "handoffs", "decisions")
    for table in (*tables, "train_metrics", "train_runs", "runs", "hypotheses"):
        known |= set(spelled(told.workspace.read(table).to_pylist()))
    info = json.loads((told.run_dir / "training_run_info.json").read_text())
    known |= set(spelled(info))
    page = told.text().split("---\n", 2)[2]
    found = re.findall(r"(?<![\w.])\d[\d,]*(?:\.\d+)?(?!\w)", page)
    assert len(found) > 100
    assert sorted({number for number in found if number not in known}) == []


def spelled(value: Any) -> list[str]:
    """Return every way in which a page may write what is in a value."""
    if isinstance(value, dict):
        return [text for each in value.values() for text in spelled(each)]
    if isinstance(value, (list, tuple)):
        return [str(len(value)), *(text for each in value for text in spelled(each))]
    if isinstance(value, bool) or value is None:
        return []
    if isinstance(value, (int, float)):
        size = abs(value)
        return [f"{100 * size:.2f}", f"{size:.4g}", f"{size:,.0f}", f"{size:,}"]
    return re.findall(r"\d[\d,]*(?:\.\d+)?", str(value))


def test_nothing_is_asked_of_the_hub_without_the_flag(told: Told, hub: Hub) -> None:
    result = told.card()
    assert (hub.asked, result.pushed_to, result.commit) == ([], None, None)
    assert card_rows(told)[-1]["pushed_to"] is None


def test_a_green_model_is_published_in_one_commit(told: Told, hub: Hub) -> None:
    result = told.card(push="team/model")
    assert (result.pushed_to, result.commit) == ("team/model", COMMIT)
    assert hub.repos == {"team/model": True}
    assert hub.tokens == {"Bearer hf_of_the_tests"}
    assert len(hub.messages) == 1
    files = hub.files["team/model"]
    assert set(files) == {"model.safetensors", "config.json", "README.md"}
    assert files["model.safetensors"] == (told.model / "model.safetensors").read_bytes()
    assert block(files["README.md"].decode())["model-index"][0]["name"] == "model"
    row = card_rows(told)[-1]
    assert (row["pushed_to"], row["public"], row["commit"]) == ("team/model", False, COMMIT)
    assert (row["objections"], row["override"]) == ([], None)


def test_a_public_repository_is_made_where_it_is_asked_for(told: Told, hub: Hub) -> None:
    told.card(push="team/model", public=True)
    assert hub.repos == {"team/model": False}


def test_missed_criteria_are_not_published(told: Told, hub: Hub) -> None:
    strict = Criteria.model_validate({"must": [{"metric": "wer", "comparison": "<", "value": 0.2}]})
    told.rounds.compare("r0", "r1", metric="wer", criteria=strict, train="train")
    assert set(told.refused()) == {"no_go"}
    assert hub.asked == []
    row = card_rows(told)[-1]
    assert (row["pushed_to"], row["override"]) == (None, None)
    assert row["objections"] == ["no_go: NO_GO for r0 → r1 on val"]
    assert "must wer \\< 0.2: missed (0.21)" in told.text()


def test_an_override_publishes_and_is_recorded(told: Told, hub: Hub) -> None:
    told.decide("STOP", day=9)
    assert told.refused()["gate_since"].startswith(
        "the gate said PROCEED for train@0 then, and says STOP now"
    )
    why = "for the *annotators*"
    told.card(push="team/model", override=why, by="Dana Levi")
    page = hub.files["team/model"]["README.md"].decode()
    assert "Dana Levi answers for it: for the \\*annotators\\*" in page
    row = card_rows(told)[-1]
    assert (row["override"], row["overridden_by"]) == (why, "Dana Levi")
    assert len(row["objections"]) == 1


@pytest.mark.parametrize(
    ("verdict", "signed_by", "codes"),
    [
        ("CAUTION", ("Dana Levi",), set()),
        ("CAUTION", (), {"gate"}),
        ("STOP", ("Dana Levi",), {"gate"}),
    ],
)
def test_what_the_gate_said_before_the_hand_off(
    told: Told, verdict: str, signed_by: tuple[str, ...], codes: set[str]
) -> None:
    for table in ("decisions", "handoffs"):
        empty = told.workspace.read(table).schema.empty_table()
        told.workspace.replace(table, empty, run_id=["gate-1", "handoff-1"])
    told.decide(verdict)
    told.hand_off(verdict, signed_by)
    assert {each.code for each in told.card().objections} == codes


def test_a_bundle_of_another_workspace(told: Told) -> None:
    empty = told.workspace.read("handoffs").schema.empty_table()
    told.workspace.replace("handoffs", empty, run_id=["handoff-1"])
    assert [each.code for each in told.card().objections] == ["not_handed_off"]
    assert "This workspace did not hand the data off." in told.text()


def test_rates_of_rows_that_were_trained_on_are_not_indexed(told: Told) -> None:
    told.rounds.ingest([*rows_of("t", 8), *rows_of("w", 4)], "mixed")
    digest = content_hash(told.model)
    before = {f"t{i}": 4 for i in range(8)} | {f"w{i}": 4 for i in range(4)}
    told.hear("mixed", before, "r0", None)
    told.hear("mixed", dict.fromkeys(before, 0) | {f"w{i}": 3 for i in range(4)}, "r1", digest)
    told.card()
    assert "### mixed@0: whether it was trained on these rows is not known" in told.text()
    assert {scope for scope, _ in rates(told.text())} == {None, "domain=clean", "domain=noisy"}
    told.rounds.compare("r0", "r1", metric="wer", train="train", manifest="mixed")
    told.card()
    # 8 rows without a mistake were trained on; of the others 3 words of 10 are wrong
    assert rates(told.text())["held out", "wer"] == 30.0
    assert "| held out | WER | 30.00 | 4 rows |" in told.text()
    told.hear("train", {f"t{i}": 0 for i in range(8)}, "r1", digest)
    told.card()
    assert "### train@0: what it was trained on, which is no measure of quality" in told.text()
    assert 0.0 not in rates(told.text()).values()


def test_groups_that_got_worse_are_known_limits(told: Told) -> None:
    digest = content_hash(told.model)
    wrong = {f"v{i}": 0 if i % 2 else 6 for i in range(20)}
    told.hear("val", wrong, "r1", digest)
    told.rounds.compare("r0", "r1", metric="wer", criteria=HALF, by=["domain"], train="train")
    told.card()
    assert "- domain: noisy on val is worse: WER +20.00 (" in told.text()


def test_scores_of_other_weights_are_not_on_the_card(told: Told) -> None:
    told.hear("val", {f"v{i}": 0 for i in range(20)}, "r1", "0123456789abcdef")
    assert [each.code for each in told.card().objections] == ["not_scored"]
    assert "Not measured." in told.text()
    assert rates(told.text()) == {}


def test_hypotheses_that_were_made_again_have_no_scores_yet(told: Told) -> None:
    rows = told.workspace.read("hypotheses", "hyps = 'r1'")
    told.rounds.hear("other", {f"v{i}": "x" for i in range(20)}, "val")
    later = told.workspace.read("hypotheses", "hyps = 'other'")["run_id"][0]
    import pyarrow as pa

    table = rows.set_column(
        rows.schema.get_field_index("run_id"), "run_id", pa.repeat(later, len(rows))
    )
    told.workspace.replace("hypotheses", table.cast(rows.schema), hyps=["r1"])
    assert [each.code for each in told.card().objections] == ["not_scored"]


def test_without_a_comparison_nothing_says_that_it_is_better(told: Told) -> None:
    told.hear("val", {f"v{i}": 1 for i in range(20)}, "r1", content_hash(told.model))
    assert [each.code for each in told.card().objections] == ["not_compared"]


def test_another_model_under_the_same_name_gets_no_card(told: Told) -> None:
    (told.model / "model.safetensors").write_bytes(b"others")
    with pytest.raises(DataError, match="not as it was when the run ended"):
        told.card()
    assert not (told.run_dir / "README.md").exists()


def test_the_folder_of_a_run_that_was_copied_is_judged_by_its_own_model(told: Told) -> None:
    copied = told.folder / "copied"
    shutil.copytree(told.run_dir, copied)
    (told.model / "model.safetensors").write_bytes(b"others")
    assert gather(told.workspace, copied).model == copied / "model"
    shutil.move(copied / "model" / "model.safetensors", told.model / "model.safetensors")
    with pytest.raises(DataError, match="not as it was when the run ended"):
        gather(told.workspace, copied)


def test_a_model_that_is_not_beside_its_run_is_where_it_was_made(told: Told) -> None:
    elsewhere = told.folder / "elsewhere"
    elsewhere.mkdir()
    shutil.copy(told.run_dir / "training_run_info.json", elsewhere)
    assert gather(told.workspace, elsewhere).model == told.model


@pytest.mark.parametrize(("field", "value"), [("state", "stopped"), ("rehearsal", True)])
def test_a_run_without_an_end_has_no_card(told: Told, field: str, value: object) -> None:
    file = told.run_dir / "training_run_info.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), field: value}))
    with pytest.raises(DataError, match="there is no model"):
        told.card()


def test_a_hub_that_refuses_is_told_and_nothing_counts_as_published(told: Told, hub: Hub) -> None:
    hub.refuses = 403
    with pytest.raises(ToolError, match="the hub did not take team/model") as caught:
        told.card(push="team/model")
    assert "hf_of_the_tests" not in str(caught.value)
    assert hub.files == {}
    assert not told.workspace.table_exists("cards")


def test_names_that_would_break_the_block(told: Told) -> None:
    text = front_matter(gather(told.workspace, told.run_dir), "a: [b\n---\nc", None)
    assert yaml.safe_load(text)["model-index"][0]["name"] == "a: [b\n---\nc"


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"push": "model"}, "is not owner/name"),
        ({"push": "a/../b"}, "is not owner/name"),
        ({"public": True}, "--push owner/name --public"),
        ({"override": "why", "by": "Dana"}, "--override is about a push"),
        ({"push": "a/b", "override": "why"}, "somebody who answers"),
        ({"push": "a/b", "override": " ", "by": "Dana"}, "--override is empty"),
    ],
)
def test_what_cannot_be_meant(asked: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        CardPlan(Path("run"), **asked)


def test_a_folder_without_a_run(told: Told) -> None:
    with pytest.raises(UsageError, match="no run of asrdq train"):
        gather(told.workspace, told.folder)
