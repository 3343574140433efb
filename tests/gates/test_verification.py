"""Every byte of what was signed counts: one flip in any part of it is found, and named."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st
import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, example, given, settings
from tests.gates.whole import build

from asrdq.errors import ExitCode
from asrdq.gates import (
    VerifyResult,
    evaluate_gate,
    find_signer,
    read_public_key,
    sign_off,
    verify,
    write_new_key,
)
from asrdq.gates.ledgers.ledger import digest_text
from asrdq.gates.ledgers.waivers import waive
from asrdq.gates.policy import read_policy
from asrdq.gates.signoffs.bound import bound_file, suite_digests
from asrdq.manifests import ingest_manifest
from asrdq.places import file_digest
from asrdq.shipped import shipped_file
from asrdq.workspace import Workspace

if TYPE_CHECKING:
    from asrdq.workspace import ManifestVersion

pytestmark = pytest.mark.slow

EVIDENCE = (
    *("audits", "detections", "calibrations", "samples", "strata", "decisions", "runs"),
    *("checks", "check_results", "leaks", "leak_findings", "scores", "score_groups", "hypotheses"),
)


class Signed:
    """A signed workspace that comes back to what it was after each change."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        whole = build(folder, recall=0.5, longest_s=1)
        self.workspace, audio = whole.workspace, whole.audio
        until = dt.datetime.now(dt.UTC).date() + dt.timedelta(days=30)
        waive(self.workspace, "low_recall", owner="Dana", until=until, reason="short clips")
        evaluate_gate(self.workspace, self.manifest, policy_file=whole.policy)
        public = write_new_key(folder / "release.key")
        self.key = read_public_key(public)
        signer = find_signer(folder / "release.key")
        for note in ("the first", "the second"):
            made = sign_off(self.workspace, self.manifest, by="Dana", note=note, signer=signer)
        self.head = made.hash
        shutil.copytree(folder / "workspace", folder / "kept")
        shutil.copytree(audio, folder / "kept audio")

    @property
    def root(self) -> Path:
        return Path(str(self.workspace.root))

    @property
    def manifest(self) -> ManifestVersion:
        return self.workspace.manifest("train")

    def restore(self) -> None:
        for kept, name in (("kept", "workspace"), ("kept audio", "audio")):
            shutil.rmtree(self.folder / name)
            shutil.copytree(self.folder / kept, self.folder / name)

    def verify(self) -> VerifyResult:
        return verify(self.workspace, "train", public_key=self.key, head=self.head)

    def flip(self, file: Path, position: float, bit: int) -> None:
        content = bytearray(file.read_bytes())
        content[int(position * len(content))] ^= 1 << bit
        file.write_bytes(content)

    def rewrite(self, table: str, rows: list[dict[str, Any]]) -> None:
        """Put other rows where those of a table lie, as an editor of its file would."""
        schema = self.schema(table)
        files = sorted((self.root / "tables" / table).glob("*.parquet"))
        for number, file in enumerate(files):
            part = rows if number == 0 else []
            pa.parquet.write_table(pa.Table.from_pylist(part, schema=schema), file)

    def schema(self, table: str) -> pa.Schema:
        files = sorted((self.root / "tables" / table).glob("*.parquet"))
        return pa.parquet.read_schema(files[0])


@pytest.fixture(scope="module")
def signed_once(tmp_path_factory: pytest.TempPathFactory) -> Signed:
    return Signed(tmp_path_factory.mktemp("signed"))


@pytest.fixture
def signed(signed_once: Signed) -> Iterator[Signed]:
    yield signed_once
    signed_once.restore()


def test_untouched_nothing_changed(signed: Signed) -> None:
    found = signed.verify()
    assert found.changes() == []
    parts = set(found.arrow()["part"].to_pylist())
    every = {"ledger", "signature", "data", "audio", "evidence", "policy", "suite", "waiver"}
    assert parts == every | {"criteria"}
    assert found.signoffs[0].verdict == "CAUTION"


BYTES = {
    "data": "workspace/tables/manifests/*/*.parquet",
    "policy": "workspace/policies/whole.yaml",
    "criteria": "workspace/policies/criteria.yaml",
    "suite": "workspace/expectations/own.json",
    "audio": "audio/clip-00*.wav",
}


@pytest.mark.slow
@pytest.mark.parametrize("part", BYTES)
@settings(max_examples=3, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(position=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7), which=st.integers(0))
def test_any_flipped_bit_of_a_file_is_found(
    signed: Signed, part: str, position: float, bit: int, which: int
) -> None:
    signed.restore()
    files = sorted(signed.folder.glob(BYTES[part]))
    signed.flip(files[which % len(files)], position, bit)
    found = signed.verify()
    assert found.exit_code() is ExitCode.FAILED
    assert any(change.startswith(f"{part}: ") for change in found.changes()), found.changes()


STORED = (
    *("audits/*.parquet", "runs/*.parquet", "signoffs/*.parquet", "waivers/*.parquet"),
    *("checks/*.parquet", "leak_findings/*.parquet", "scores/*.parquet"),
    *("audits/_delta_log/*.json", "signoffs/_delta_log/*.json"),
    "manifests/train/_delta_log/*.json",
)


@pytest.mark.slow
@pytest.mark.parametrize("files", STORED)
@settings(max_examples=3, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(position=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7), which=st.integers(0))
@example(position=0.5135, bit=0, which=0)  # in waivers: a header that Arrow passes over
def test_a_flipped_bit_of_a_table_is_found_unless_it_says_the_same(
    signed: Signed, files: str, position: float, bit: int, which: int
) -> None:
    signed.restore()
    before = said(signed)
    found = sorted((signed.root / "tables").glob(files))
    signed.flip(found[which % len(found)], position, bit)
    if signed.verify().exit_code() is ExitCode.OK:
        assert said(signed) == before


def said(signed: Signed) -> list[Any]:
    """What the tables say, as SQL reads them, of the runs that a sign-off stands on."""
    workspace = Workspace.open(signed.root)
    found = []
    for table in (*EVIDENCE, "signoffs", "waivers"):
        rows = workspace.read(table).to_pylist()
        counted = [row for row in rows if table != "runs" or row_counts(row)]
        filled = [{k: v for k, v in row.items() if v is not None} for row in counted]
        found.append(sorted(map(str, filled)))
    return [*found, workspace.manifest("train").fingerprint]


@pytest.mark.parametrize("table", ["runs", "audits"])
def test_a_column_whose_name_is_no_text_is_found(signed: Signed, table: str) -> None:
    file = sorted((signed.root / "tables" / table).glob("*.parquet"))[0]
    content = bytearray(file.read_bytes())
    footer = len(content) - 8 - int.from_bytes(content[-8:-4], "little")
    content[content.index(b"run_id", footer)] ^= 0x80
    file.write_bytes(content)
    found = signed.verify()
    assert found.exit_code() is ExitCode.FAILED
    assert any(f"{table}: cannot be read: " in change for change in found.changes())


def other(value: Any) -> Any:
    """Another value of the same type, as near to the first as can be."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value ^ 1
    if isinstance(value, float):
        return float.fromhex(value.hex()) + max(abs(value), 1.0) * 2**-52
    if isinstance(value, str):
        return chr(ord(value[0]) ^ 1) + value[1:] if value else "x"
    if isinstance(value, dt.datetime):
        return value + dt.timedelta(microseconds=1)
    if isinstance(value, dt.date):
        return value + dt.timedelta(days=1)
    if isinstance(value, dict):
        name = next(name for name, inner in value.items() if inner is not None)
        return {**value, name: other(value[name])}
    if isinstance(value, list):
        return [*value[:-1], other(value[-1])] if value else ["x"]
    raise AssertionError(type(value))


@pytest.mark.slow
@pytest.mark.parametrize("table", (*EVIDENCE, "signoffs", "waivers"))
@settings(max_examples=3, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_changed_value_of_a_table_is_found(
    signed: Signed, table: str, data: st.DataObject
) -> None:
    signed.restore()
    rows = stored(signed, table)
    bound = [row for row in rows if table != "runs" or row_counts(row)]
    row = data.draw(st.sampled_from(bound))
    schema = signed.schema(table)
    column = data.draw(st.sampled_from(schema.names))
    value = row[column]
    gone = value is not None and data.draw(st.booleans())
    row[column] = None if gone else changed(value, schema.field(column).type)
    signed.rewrite(table, rows)
    found = signed.verify()
    part = "ledger" if table in ("signoffs", "waivers") else "evidence"
    assert found.exit_code() is ExitCode.FAILED
    assert any(
        change.startswith((f"{part}: {table}: ", "signature: ")) for change in found.changes()
    ), found.changes()


def stored(signed: Signed, table: str) -> list[dict[str, Any]]:
    files = sorted((signed.root / "tables" / table).glob("*.parquet"))
    return [row for file in files for row in pa.parquet.read_table(file).to_pylist()]


def row_counts(row: dict[str, Any]) -> bool:
    """Whether a row of `runs` is one that a sign-off stands on."""
    return row["state"] == "done" and row["command"] not in ("waive", "signoff")


def changed(value: Any, kind: pa.DataType) -> Any:
    if value is not None:
        return other(value)
    filled = {pa.string(): "x", pa.bool_(): True, pa.float64(): 1.0, pa.int64(): 1}
    return filled.get(kind, ["x"] if pa.types.is_list(kind) else dt.datetime.now(dt.UTC))


@pytest.mark.parametrize("table", ("audits", "checks", "leaks", "scores", "signoffs", "waivers"))
@pytest.mark.parametrize("edit", ("lost", "twice"))
def test_a_row_that_is_lost_or_stands_twice_is_found(signed: Signed, table: str, edit: str) -> None:
    rows = stored(signed, table)
    signed.rewrite(table, rows[:-1] if edit == "lost" else [*rows, rows[-1]])
    assert any(f": {table}: " in change for change in signed.verify().changes())


def test_a_table_that_is_gone_is_found(signed: Signed) -> None:
    for table in ("detections", "waivers"):
        shutil.rmtree(signed.root / "tables" / table)
    changes = signed.verify().changes()
    assert any(change.startswith("evidence: detections: has 0 rows") for change in changes)
    assert any(change.startswith("ledger: waivers: the entry of run") for change in changes)
    shutil.rmtree(signed.root / "tables" / "signoffs")
    found = verify(signed.workspace)
    assert found.exit_code() is ExitCode.FAILED
    assert [c for c in found.changes() if c.startswith("ledger: signoffs: the entry of run")]


def test_another_version_of_a_manifest_behind_the_verdict_is_found(signed: Signed) -> None:
    file = signed.folder / "audio" / "test.jsonl"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("number0", "number zero", 1), encoding="utf-8")
    ingest_manifest(signed.workspace, [file], "test", audio_root=signed.folder / "audio")
    assert signed.verify().changes() == [
        "data: test@1: has other content than test@0, which was signed"
    ]


def test_a_shipped_suite_of_the_policy_is_bound(signed: Signed) -> None:
    policy = signed.root / "policies" / "shipped.yaml"
    policy.write_text("suites: [{suite: evaluation_set, fail_on: critical}]\n")
    read = read_policy(policy)
    digests = suite_digests(signed.workspace, read)
    shipped = shipped_file("expectations", "evaluation_set.json")
    assert set(digests) == {
        *("expectations/asr_manifest.json", "expectations/own.json"),
        "shipped:evaluation_set.json",
    }
    assert bound_file(signed.workspace, "shipped:evaluation_set.json") == shipped
    assert digests["shipped:evaluation_set.json"] == file_digest(shipped)


def test_a_ledger_cut_short_by_a_commit_is_found(signed: Signed) -> None:
    from deltalake import DeltaTable

    DeltaTable(str(signed.root / "tables" / "signoffs")).restore(0)
    changes = signed.verify().changes()
    assert "ledger: signoffs: it has 1 entries, and its table 3 commits" in changes
    assert f"ledger: {signed.head}: no entry has this hash" in changes


@pytest.mark.parametrize(("table", "column"), [("signoffs", "note"), ("waivers", "owner")])
def test_a_column_that_is_called_otherwise_is_found(
    signed: Signed, table: str, column: str
) -> None:
    (log, *_) = sorted((signed.root / "tables" / table / "_delta_log").glob("*.json"))
    text = log.read_text()
    named = f'\\"name\\":\\"{column}\\"'
    assert named in text
    log.write_text(text.replace(named, named.replace(column, "other")))
    expected = f"ledger: {table}: its table no longer has the column '{column}'"
    assert expected in signed.verify().changes()


@pytest.mark.parametrize("sequence", (0, 1))
def test_a_signature_taken_away_or_changed_is_found(signed: Signed, sequence: int) -> None:
    rows = stored(signed, "signoffs")
    row = next(row for row in rows if row["sequence"] == sequence)
    row["signature"] = other(row["signature"])
    signed.rewrite("signoffs", rows)
    name = f"signature: entry {sequence}: "
    assert signed.verify().changes() == [f"{name}its signature does not fit"]
    row["signature"] = None
    signed.rewrite("signoffs", rows)
    assert signed.verify().changes() == [f"{name}its signature is missing"]


def test_a_forged_chain_is_found_by_the_key(signed: Signed) -> None:
    rows = stored(signed, "signoffs")
    row = next(row for row in rows if row["sequence"] == 1)
    row["body"] = row["body"].replace('"the second"', '"the forged"')
    row["note"], row["hash"] = "the forged", digest_text(row["body"])
    signed.rewrite("signoffs", rows)
    changes = verify(signed.workspace, "train", public_key=signed.key).changes()
    assert changes == ["signature: entry 1: its signature does not fit"]


def test_files_that_are_gone_are_named(signed: Signed) -> None:
    (signed.root / "policies" / "whole.yaml").unlink()
    (signed.root / "policies" / "criteria.yaml").unlink()
    (signed.root / "expectations" / "own.json").unlink()
    (signed.folder / "audio" / "clip-0003.wav").unlink()
    changes = signed.verify().changes()
    assert [change.split(":")[0] for change in changes] == ["audio", "policy", "suite", "criteria"]
    assert "clip-0003" in changes[0]
