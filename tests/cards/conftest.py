"""A trained model as the tables know it: handed off, judged, scored and compared."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from tests.cards.hub_server import Hub
from tests.rounds.conftest import Rounds, rounds  # noqa: F401 a fixture

from asrdq.cards import CardPlan, CardResult, write_card
from asrdq.errors import DataError
from asrdq.gates.tables import DECISIONS
from asrdq.handoff.tables import HANDOFFS
from asrdq.models.content import content_hash
from asrdq.monitoring.tables import RUNS_TABLE, TRAIN_METRICS, TRAIN_RUNS
from asrdq.rounds.criteria import Criteria
from asrdq.training.run_info import RunInfo, model_info, write_info
from asrdq.workspace import Workspace

BUNDLE_ID = "ab" * 32
HALF = Criteria.model_validate({"must": [{"metric": "wer", "comparison": "<", "value": 0.5}]})
WORDS = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]


def heard(key: str, wrong: int) -> str:
    """Return what an utterance says, with some of its ten words misheard."""
    return " ".join([*["x"] * wrong, *WORDS[wrong:-1], key])


@dataclass
class Told:
    """A run `r1` whose model heard the validation, and its cards."""

    rounds: Rounds
    folder: Path

    @property
    def workspace(self) -> Workspace:
        return self.rounds.workspace

    @property
    def run_dir(self) -> Path:
        return self.folder / "run"

    @property
    def model(self) -> Path:
        return self.run_dir / "model"

    def card(self, **more: Any) -> CardResult:
        return write_card(self.workspace, CardPlan(self.run_dir, **more))

    def text(self) -> str:
        return (self.run_dir / "README.md").read_text(encoding="utf-8")

    def refused(self, **more: Any) -> dict[str, str]:
        """Push, and return what stands against it: code to message."""
        with pytest.raises(DataError, match="not published as team/model") as caught:
            self.card(push="team/model", **more)
        found = [str(problem).partition(": ") for problem in caught.value.problems]
        return {code: message for code, _, message in found}

    def hear(self, manifest: str, wrong: dict[str, int], name: str, version: str | None) -> None:
        """Let a model hear a manifest: utterance to how many of its ten words are wrong."""
        texts = {key: heard(key, count) for key, count in wrong.items()}
        self.rounds.hear(name, texts, manifest)
        if version is not None:
            rows = self.workspace.read("hypotheses", f"hyps = '{name}'")
            rows = rows.filter(pa.compute.equal(rows["manifest"], manifest)).to_pylist()
            for row in rows:
                row |= {"transcriber": "qwen", "transcriber_version": f"{version} 0.0.6+1 greedy"}
            schema = self.workspace.read("hypotheses").schema
            table = pa.Table.from_pylist(rows, schema=schema)
            self.workspace.replace("hypotheses", table, hyps=[name], manifest=[manifest])
            self.rounds.score(name, manifest, by=["domain"])

    def decide(self, verdict: str, day: int = 1) -> None:
        """Let the gate say something of the training content."""
        train = self.workspace.manifest("train")
        row = {
            "run_id": f"gate-{day}",
            "decided": dt.datetime(2026, 3, day, tzinfo=dt.UTC),
            "manifest": "train",
            "manifest_version": 0,
            "fingerprint": train.fingerprint,
            "verdict": verdict,
            "deciding_rate": "population",
            "rate": 0.031,
            "low": 0.012,
            "high": 0.064,
            "audit_run_id": "audit-1",
            "policy_hash": "cd" * 32,
        }
        self.workspace.append("decisions", pa.Table.from_pylist([row], schema=DECISIONS))

    def hand_off(self, verdict: str = "PROCEED", signed_by: tuple[str, ...] = ()) -> None:
        """Write down a hand-off of `train` and `val`."""
        row: dict[str, Any] = {
            "run_id": "handoff-1",
            "handed_off": dt.datetime(2026, 3, 5, tzinfo=dt.UTC),
            "bundle_id": BUNDLE_ID,
            "train_verdict": verdict,
            "signed_by": list(signed_by),
            "overridden": verdict == "STOP",
        }
        for side, name in (("train", "train"), ("validation", "val")):
            found = self.workspace.manifest(name)
            row |= {side: str(found), f"{side}_fingerprint": found.fingerprint}
            row |= {f"{side}_rows": found.rows, f"{side}_hours": found.hours}
        self.workspace.append("handoffs", pa.Table.from_pylist([row], schema=HANDOFFS))

    def train(self, **more: Any) -> None:
        """Leave what a finished run leaves."""
        self.model.mkdir(parents=True)
        (self.model / "model.safetensors").write_bytes(b"weights" * 100)
        (self.model / "config.json").write_text('{"model_type": "qwen3_asr"}')
        sides = {}
        for side, name in (("train", "train"), ("validation", "val")):
            found = self.workspace.manifest(name)
            counts = {"rows": found.rows, "hours": found.hours, "dropped": {}}
            sides[side] = {
                "manifest": str(found),
                "fingerprint": found.fingerprint,
                "expected": counts,
                "used": counts,
            }
        attempt = {"started": "2026-03-06T10:00:00Z", "ended": "2026-03-06T10:01:00Z", "wall_s": 61}
        fields = {
            **dict.fromkeys(("asked", "allowed"), ()),
            "state": "finished",
            "name": "r1-run",
            "bundle": str(self.folder / "bundle"),
            "bundle_id": BUNDLE_ID,
            "backend": "qwen",
            "recipe": "tiny",
            "recipe_sha256": "ef" * 32,
            "base": "Qwen/Qwen3-ASR-0.6B",
            "max_steps": None,
            "rehearsal": False,
            "device": "cpu",
            "seed": 7,
            "loader_tolerance": 0.0,
            **sides,
            "versions": {"torch": "2.13.0"},
            "platform": "Linux",
            "attempts": (attempt,),
            "total_steps": 40,
            "steps": 40,
            "epochs": 20.0,
            "parameters": 1000,
            "trainable": 400,
            "model": model_info(self.model).model_dump(),
        }
        write_info(self.run_dir, RunInfo.model_validate(fields | more))
        run = {"run": "r1-run", "place": str(self.run_dir), "state": "ended", "last_step": 40}
        self.workspace.append(RUNS_TABLE, pa.Table.from_pylist([run], schema=TRAIN_RUNS))
        values = [("train", "loss", 10, 2.5), ("train", "loss", 40, 0.75)]
        values += [("validation", "wer", 20, 0.31), ("validation", "wer", 40, 0.2987)]
        rows = [
            {"run": "r1-run", "split": split, "metric": metric, "step": step, "value": value}
            for split, metric, step, value in values
        ]
        self.workspace.append("train_metrics", pa.Table.from_pylist(rows, schema=TRAIN_METRICS))


def rows_of(prefix: str, count: int) -> list[dict[str, Any]]:
    return [
        {
            "utt_id": f"{prefix}{i}",
            "text": heard(f"{prefix}{i}", 0),
            "domain": "clean" if i % 2 else "noisy",
            "language": "en",
        }
        for i in range(count)
    ]


@pytest.fixture
def told(rounds: Rounds, tmp_path: Path) -> Told:  # noqa: F811
    """A green model: 40 % of the words of the validation wrong before, 21 % after."""
    made = Told(rounds, tmp_path)
    rounds.ingest(rows_of("t", 8), "train")
    rounds.ingest(rows_of("v", 20), "val")
    made.decide("PROCEED")
    made.hand_off()
    made.train()
    made.hear("val", {f"v{i}": 4 for i in range(20)}, "r0", None)
    after = {f"v{i}": 1 if i % 2 else 3 for i in range(20)} | {"v0": 5}
    made.hear("val", after, "r1", content_hash(made.model))
    rounds.compare("r0", "r1", metric="wer", criteria=HALF, by=["domain"], train="train")
    return made


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub on the loopback, where clients look for theirs."""
    from huggingface_hub import constants

    with Hub() as found:
        monkeypatch.setattr(constants, "ENDPOINT", found.url)  # HF_ENDPOINT, read when imported
        monkeypatch.setenv("HF_TOKEN", "hf_of_the_tests")
        yield found


def card_rows(told: Told) -> list[dict[str, Any]]:
    """Return the rows of all cards in the order in which they were written."""
    query = "SELECT cards.* FROM cards JOIN runs USING (run_id) ORDER BY started, run_id"
    found: list[dict[str, Any]] = told.workspace.query(query).to_pylist()
    assert json.dumps(found, default=str)
    return found
