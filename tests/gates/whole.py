"""A workspace with every kind of evidence, made once and copied, so that tests can break one."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import yaml
from deltalake import DeltaTable, write_deltalake
from tests.gates.conftest import Audited, write_manifest

from asrdq.checks import check
from asrdq.gates import GateResult, evaluate_gate
from asrdq.gates.formats.outcomes import Outcome, outcomes
from asrdq.hypotheses import load_hypotheses
from asrdq.leakage import LeakPlan, find_leaks
from asrdq.manifests import ingest_manifest
from asrdq.scoring import ScorePlan, score_hypotheses
from asrdq.workspace import Workspace

if TYPE_CHECKING:
    from asrdq.workspace import ManifestVersion

SUITE = {
    "name": "own",
    "expectations": [
        {"type": "expect_text_to_be_filled", "kwargs": {}},
        {"type": "expect_texts_disjoint_from", "kwargs": {"manifest": "test"}},
        {
            "type": "expect_column_values_to_be_between",
            "kwargs": {"column": "duration_s", "max_value": 10},
            "severity": "warning",
        },
    ],
}
POLICY = """\
version: 1
suites:
  - {suite: own, maximum_age_days: 10}
leaks: {against: [test]}
scores:
  - {manifest: test, hyps: r1, metric: wer, maximum: 0.1, baseline: r0, maximum_increase: 0.0}
  - {manifest: test, hyps: r1, metric: wer, where: {domain: clean}, maximum: 0.2}
amount:
  minimum_rows: 40
  minimum_hours: 0.02
  maximum_hours: 1
  minimum_hours_by: {domain: {noisy: 0.01, clean: 0.005}}
freshness: {audit_days: 30, faults_days: 30, check_days: 30, leaks_days: 30, scores_days: 30}
criteria: {file: policies/criteria.yaml, before: r0, after: r1, manifest: test}
"""
CRITERIA = """\
version: 1
must:
  - {metric: wer, comparison: "<", value: 10 %}
  - {metric: wer_change, comparison: "<", value: 0, certain: true}
  - {metric: low_quality, comparison: "<", value: 5 %}
"""
WORDS = ("alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel", "india", "kilo")
TEST_ROWS = 48
RULES = (
    *("amount:minimum_rows", "amount:minimum_hours", "amount:maximum_hours"),
    *("amount:minimum_hours_by:domain", "suite:own", "leaks:test", "score:test:r1:wer"),
    *("change:test:r0..r1:wer", "score:test:r1:wer:domain=clean", "criteria"),
    *("age:audit", "age:faults", "age:suite:own", "age:leaks:test", "age:score:test:r1:wer"),
    *("age:change:test:r0..r1:wer", "age:score:test:r1:wer:domain=clean", "age:criteria"),
)


def write_test(folder: Path) -> Path:
    """An evaluation manifest of 12 speakers, each with four rows of ten words."""
    lines = []
    for number in range(TEST_ROWS):
        audio = folder / f"test-{number:02d}.wav"
        audio.write_bytes(b"evaluation audio " + audio.name.encode())
        row = {"id": audio.stem, "audio_filepath": str(audio), "text": reference(number)}
        more = {"duration": 3.0, "speaker": f"s{number // 4}"}
        domain = "clean" if number % 2 else "noisy"
        lines.append(json.dumps({**row, **more, "domain": domain}) + "\n")
    file = folder / "test.jsonl"
    file.write_text("".join(lines), encoding="utf-8")
    return file


def reference(number: int) -> str:
    return " ".join([*WORDS[1:], f"number{number}"])


def heard(number: int, wrong: int) -> str:
    """The reference with so many of its first words heard as another."""
    return " ".join(["zulu"] * wrong + reference(number).split()[wrong:])


def write_hypotheses(folder: Path, name: str, wrong: Callable[[int], int]) -> Path:
    rows = [
        {"utt_id": f"test-{number:02d}", "hypothesis": heard(number, wrong(number))}
        for number in range(TEST_ROWS)
    ]
    file = folder / f"{name}.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return file


def outcome_of(result: GateResult, rule: str) -> Outcome:
    """How one rule came out."""
    [found] = [one for one in outcomes(result) if one.rule == rule]
    return found


@dataclass
class Whole:
    """A workspace in which every rule of `POLICY` holds: audit, suite, leaks, scores, criteria."""

    folder: Path
    audio: Path

    @property
    def root(self) -> Path:
        return self.folder / "workspace"

    @property
    def workspace(self) -> Workspace:
        return Workspace.open(self.root)

    @property
    def train(self) -> ManifestVersion:
        return self.workspace.manifest("train")

    @property
    def policy(self) -> Path:
        return self.root / "policies" / "whole.yaml"

    def ask(self, *sections: str) -> GateResult:
        """Ask the gate, by the sections of the policy that are named, all by default."""
        if sections:
            whole = yaml.safe_load(self.policy.read_text(encoding="utf-8"))
            part = {name: whole[name] for name in ("version", *sections)}
            self.policy.write_text(yaml.safe_dump(part), encoding="utf-8")
        return evaluate_gate(self.workspace, self.train, policy_file=self.policy)

    def ask_by(self, text: str) -> GateResult:
        """Ask the gate by the text of a policy."""
        self.policy.write_text(f"version: 1\n{text}\n", encoding="utf-8")
        return self.ask()

    def states(self, *sections: str) -> dict[str, str]:
        """Ask the gate and return how each rule came out."""
        return {one.rule: str(one.state) for one in outcomes(self.ask(*sections))}

    def copy(self, folder: Path) -> Whole:
        shutil.copytree(self.root, folder / "workspace")
        return Whole(folder, self.audio)

    def edit(self, file: str, before: str, after: str) -> None:
        """Put a text in the place of another one in a file of the workspace."""
        path = self.root / file
        text = path.read_text(encoding="utf-8")
        assert before in text, (file, before)
        path.write_text(text.replace(before, after), encoding="utf-8")

    def change_table(self, name: str, change: Callable[[pa.Table], pa.Table]) -> None:
        """Write a table anew, as somebody with Delta Lake could."""
        path = str(self.root / "tables" / name)
        table = change(pa.table(DeltaTable(path).to_pyarrow_table()))
        write_deltalake(path, table, mode="overwrite", schema_mode="overwrite")

    def change_rows(self, name: str, change: Callable[[dict[str, Any]], None]) -> None:
        """Change each row of a table."""

        def changed(table: pa.Table) -> pa.Table:
            rows = table.to_pylist()
            for row in rows:
                change(row)
            return pa.Table.from_pylist(rows, schema=table.schema)

        self.change_table(name, changed)

    def drop_table(self, name: str) -> None:
        shutil.rmtree(self.root / "tables" / name)

    def ingest_test(self, **more: Any) -> None:
        """Ingest the evaluation manifest with one text or domain changed."""
        file = self.audio / "test.jsonl"
        lines = file.read_text(encoding="utf-8").splitlines()
        lines[0] = json.dumps({**json.loads(lines[0]), **more})
        changed = self.folder / "test.jsonl"
        changed.write_text("\n".join(lines) + "\n", encoding="utf-8")
        ingest_manifest(self.workspace, [changed], "test", audio_root=self.audio)


def build(folder: Path, *, recall: float = 1.0, longest_s: float = 10) -> Whole:
    """Make the workspace, with real checks, comparisons and scores.

    Args:
        folder: Where.
        recall: How many of the clips with half their audio the audit finds.
        longest_s: The largest duration that the suite does not warn of; all are of 2 s.
    """
    whole = Whole(folder, folder / "audio")
    whole.audio.mkdir()
    Workspace.init(whole.root)
    workspace = whole.workspace
    suite = json.dumps(SUITE, indent=2).replace('"max_value": 10', f'"max_value": {longest_s:g}')
    (whole.root / "expectations" / "own.json").write_text(suite)
    (whole.root / "policies" / "criteria.yaml").write_text(CRITERIA)
    whole.policy.write_text(POLICY)
    train = write_manifest(whole.audio, noisy=30, clean=10)
    ingest_manifest(workspace, [train], "train", audio_root=whole.audio)
    ingest_manifest(workspace, [write_test(whole.audio)], "test", audio_root=whole.audio)
    Audited(workspace, whole.audio, workspace.manifest("train")).write_audit(recall=recall)
    test = workspace.manifest("test")
    check(workspace, whole.train, "own")
    find_leaks(workspace, whole.train, test, LeakPlan(same=["domain"]))
    errors = {"r0": lambda number: 2 + number // 4 % 2, "r1": lambda number: number // 4 % 3 == 0}
    for name, wrong in errors.items():
        file = write_hypotheses(folder, name, wrong)
        load_hypotheses(workspace, test, file, name=name)
        score_hypotheses(workspace, test, name, ScorePlan(by=["domain"]))
    return whole
