"""Faults planted into half of a real manifest: the suite meant for each finds it and no more."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

RunCli = Callable[..., "subprocess.CompletedProcess[str]"]
pytestmark = pytest.mark.slow(minutes=1)

EACH = 12
GERMAN = (
    "der alte mann ging langsam über die brücke und sah lange in das dunkle wasser hinunter",
    "niemand wusste genau warum die tür an diesem abend nicht verschlossen war",
    "sie schrieb ihrer schwester jeden sonntag einen langen brief aus der neuen stadt",
    "im winter bleibt der schnee hier oben oft bis weit in den april hinein liegen",
    "er hatte sein ganzes leben in diesem kleinen dorf am fuße der berge verbracht",
    "wenn es morgen nicht regnet wollen wir mit den kindern an den see fahren",
)
MARKUP = ("<b>{}</b>", "{} &amp; so on", "**{}**", "{} https://example.org/a")
LOOPS = ("{}" + " thank you" * 12, "{}" + " so" * 15, "{}" + " and then he said" * 8)

MEANT = {
    "duration": [("nemo_sft", "expect_duration_to_match_audio")],
    "markup": [("asr_manifest", "expect_text_without_markup")],
    "loop": [("asr_manifest", "expect_text_without_loops")],
    "language": [("canary", "expect_language_of_text")],
    "leak": [
        ("evaluation_set", "expect_speakers_disjoint_from"),
        ("evaluation_set", "expect_texts_disjoint_from"),
        ("evaluation_set", "expect_audio_disjoint_from"),
    ],
}
SUITES = ("asr_manifest", "nemo_sft", "canary", "evaluation_set")


@dataclass
class Planted:
    """A workspace with the manifests `eval` (half of it faulty), `healthy` and `train`.

    Attributes:
        folder: The workspace.
        ids: The utterances with each fault, and those without one under `healthy`.
    """

    folder: Path
    ids: dict[str, set[str]] = field(default_factory=dict)

    def faulty(self) -> set[str]:
        return set().union(*(ids for fault, ids in self.ids.items() if fault != "healthy"))


@pytest.fixture
def planted(librispeech: Path, tmp_path: Path, run_cli: RunCli) -> Planted:
    rows = [json.loads(line) for line in librispeech.read_text("utf-8").splitlines()]
    for row in rows:
        row["audio_filepath"] = str(librispeech.parent / row["audio_filepath"])
        row |= {"id": Path(row["audio_filepath"]).stem, "language": "en"}
    leaked = whole_speakers(rows, EACH)
    left = sorted((row for row in rows if row["id"] not in leaked), key=lambda row: row["id"])
    made = Planted(tmp_path / "ws", {"leak": leaked})
    for number, fault in enumerate(("duration", "markup", "loop", "language")):
        chosen = left[number * EACH : (number + 1) * EACH]
        made.ids[fault] = {row["id"] for row in chosen}
        for place, row in enumerate(chosen):
            plant(fault, row, place)
    made.ids["healthy"] = {row["id"] for row in left[4 * EACH :]}
    train = [copied(row, tmp_path) for row in rows if row["id"] in leaked]
    healthy = [row for row in rows if row["id"] in made.ids["healthy"]]
    assert len(healthy) == len(rows) / 2
    run_cli("init", "ws")
    for name, some in (("eval", rows), ("healthy", healthy), ("train", train)):
        file = tmp_path / f"{name}.jsonl"
        file.write_text("".join(json.dumps(row) + "\n" for row in some), encoding="utf-8")
        run_cli("ingest", file, "--name", name, cwd=made.folder)
        run_cli("probe", name, cwd=made.folder)
    return made


def whole_speakers(rows: list[dict[str, Any]], count: int) -> set[str]:
    """Return the ids of so many rows: all those of some speakers."""
    said = Counter(row["speaker"] for row in rows)
    chosen: set[str] = set()
    for speaker in sorted(said):
        own = {row["id"] for row in rows if row["speaker"] == speaker}
        if len(chosen | own) <= count:
            chosen |= own
    assert len(chosen) == count
    return chosen


def plant(fault: str, row: dict[str, Any], place: int) -> None:
    """Put a fault into a row."""
    if fault == "duration":
        row["duration"] = row["duration"] + 1.5 if place % 2 else row["duration"] * 0.7
    elif fault == "markup":
        row["text"] = MARKUP[place % len(MARKUP)].format(row["text"])
    elif fault == "loop":
        row["text"] = LOOPS[place % len(LOOPS)].format(row["text"])
    elif place < len(GERMAN):
        row["text"] = GERMAN[place]
    else:
        row["language"] = "de"


def copied(row: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Return a row of the training manifest with the same audio in another file."""
    target = folder / "train" / f"copy-of-{Path(row['audio_filepath']).name}"
    target.parent.mkdir(exist_ok=True)
    shutil.copy(row["audio_filepath"], target)
    return {**row, "id": target.stem, "audio_filepath": str(target)}


def check(run_cli: RunCli, planted: Planted, name: str, suite: str) -> dict[str, Any]:
    command = ("check", name, "--suite", suite, "--limit", 1000, "--format", "json")
    done = run_cli(*command, cwd=planted.folder, code=None)
    found: dict[str, Any] = json.loads(done.stdout)
    assert "error" not in found, found
    assert done.returncode == (1 if any(map(failed, found["checks"])) else 0)
    return found


def failed(row: dict[str, Any]) -> bool:
    return not row["success"] and row["severity"] == "critical"


def test_each_planted_fault_is_found_and_the_healthy_half_raises_nothing(
    planted: Planted, run_cli: RunCli
) -> None:
    assert sorted(map(len, planted.ids.values())) == [*[EACH] * 5, 5 * EACH]
    found = {suite: check(run_cli, planted, "eval", suite) for suite in SUITES}
    for fault, meant in MEANT.items():
        for suite, expectation in meant:
            [line] = [row for row in found[suite]["checks"] if row["expectation"] == expectation]
            told = [row for row in found[suite]["failing"] if row["expectation"] == expectation]
            ids = {row["utt_id"] for row in told}
            assert (suite, expectation, ids) == (suite, expectation, planted.ids[fault])
            assert (line["success"], line["rows"]) == (False, EACH)
    for suite, result in found.items():
        assert [row for row in result["checks"] if row["error"]] == [], suite
        told_of = {row["utt_id"] for row in result["failing"]}
        assert told_of <= planted.faulty(), told_of & planted.ids["healthy"]
        alone = check(run_cli, planted, "healthy", suite)["checks"]
        assert [row["expectation"] for row in alone if not row["success"] or row["rows"]] == []
