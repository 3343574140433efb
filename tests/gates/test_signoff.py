"""Sign-offs: who may accept what, what they are bound to, and that two at once do not fork."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from tests.conftest import cli_environment

from asrdq.errors import DataError, ExitCode, ToolError, UndecidedError, UsageError
from asrdq.gates import Verdict, find_signer, read_public_key, sign_off, verify, write_new_key
from asrdq.gates.ledgers.ledger import GENESIS, append_entry, read_ledger
from asrdq.gates.ledgers.signing import KEY_VARIABLE
from asrdq.gates.tables import SIGNOFFS

if TYPE_CHECKING:
    from tests.gates.conftest import Audited

    from asrdq.workspace import Workspace

pytestmark = pytest.mark.slow

POLICY = "version: 1\naudit: {stop_above: 0.15}\n"


def judged(audited: Audited, **low: int) -> Audited:
    audited.write_audit(low)
    audited.ask()
    return audited


def accept(audited: Audited, **more: Any) -> Any:
    said = {"by": "Dana", "note": "release 1.2", **more}
    return sign_off(audited.workspace, audited.manifest, **said)


def test_a_signoff_says_who_accepted_what_and_verify_finds_nothing_changed(
    audited: Audited,
) -> None:
    judged(audited)
    made = accept(audited)
    assert made.body.verdict == "PROCEED"
    assert made.body.signed_by == "Dana"
    assert made.body.fingerprint == audited.manifest.fingerprint
    assert made.body.previous == GENESIS
    policy = audited.workspace.root / "policies" / "default.yaml"
    assert made.body.policy.file == "policies/default.yaml"
    assert made.body.policy.sha256 == hashlib.sha256(policy.read_bytes()).hexdigest()
    assert made.body.evidence["audits"].rows == 400
    assert made.body.evidence["runs"].rows == 4
    row = audited.workspace.query("SELECT * FROM signoffs").to_pylist()[0]
    assert hashlib.sha256(row["body"].encode()).hexdigest() == row["hash"] == made.hash
    assert json.loads(row["body"])["note"] == row["note"] == "release 1.2"
    found = verify(audited.workspace, "train", head=made.hash)
    assert found.changes() == []
    assert found.exit_code() is ExitCode.OK


def test_caution_is_signed_and_stop_only_with_a_reason(audited: Audited) -> None:
    judged(audited, noisy=50)
    assert accept(audited).body.verdict == "CAUTION"
    judged(audited, noisy=200)
    with pytest.raises(DataError, match="the gate says STOP"):
        accept(audited)
    with pytest.raises(UsageError, match="--reason is empty"):
        accept(audited, reason=" ")
    made = accept(audited, reason="a pilot, thrown away afterwards")
    assert made.body.verdict == "STOP"
    assert made.body.sequence == 1
    assert verify(audited.workspace, "train").changes() == []


def test_undecided_cannot_be_signed(audited: Audited) -> None:
    with pytest.raises(UndecidedError, match="has not given a verdict"):
        accept(audited)
    audited.write_audit(recall=0.5)
    audited.ask()
    with pytest.raises(UndecidedError, match="UNDECIDED is no verdict"):
        accept(audited, reason="I know better")
    assert not audited.workspace.table_exists("signoffs")


def test_a_reason_without_a_stop_is_refused(audited: Audited) -> None:
    judged(audited)
    with pytest.raises(UsageError, match="overrides STOP"):
        accept(audited, reason="to be sure")


@pytest.mark.parametrize(("field", "option"), [("by", "--by"), ("note", "--note")])
@pytest.mark.parametrize("text", ["", " ", "\udcff"])
def test_names_and_notes_must_be_text(audited: Audited, field: str, option: str, text: str) -> None:
    with pytest.raises(UsageError, match=option):
        accept(audited, **{field: text})


def test_a_verdict_that_no_longer_stands_is_not_signed(audited: Audited) -> None:
    judged(audited)
    policy = audited.workspace.root / "policies" / "default.yaml"
    before = policy.read_text()
    policy.write_text(before.replace("stop_above: 0.15", "stop_above: 0.16"))
    with pytest.raises(UndecidedError, match="another policy"):
        accept(audited)
    policy.write_text(before)
    audited.write_audit({"noisy": 200})
    with pytest.raises(UndecidedError, match="another audit and verdict"):
        accept(audited)
    (audited.folder / "clip-0000.wav").write_bytes(b"other audio")
    with pytest.raises(UndecidedError):
        accept(audited, reason="let me")
    policy.unlink()
    with pytest.raises(UndecidedError, match="policy of the verdict is gone"):
        accept(audited)


def test_nothing_signed_is_undecided(audited: Audited) -> None:
    with pytest.raises(UndecidedError, match="nobody has signed off train"):
        verify(audited.workspace, "train")
    with pytest.raises(UndecidedError, match="nobody has signed off anything"):
        verify(audited.workspace)
    judged(audited)
    accept(audited)
    with pytest.raises(UsageError, match="unknown manifest 'trian'"):
        verify(audited.workspace, "trian")


def test_a_signature_is_that_of_the_key(audited: Audited, tmp_path: Path) -> None:
    judged(audited)
    public = write_new_key(tmp_path / "release.key")
    other = read_public_key(write_new_key(tmp_path / "other.key"))
    key = read_public_key(public)
    made = accept(audited, signer=find_signer(tmp_path / "release.key"))
    assert made.body.public_key == key
    assert verify(audited.workspace, "train", public_key=key).changes() == []
    found = verify(audited.workspace, "train", public_key=other).changes()
    assert found == ["signature: entry 0: it was signed with another key"]
    accept(audited)
    found = verify(audited.workspace, "train", public_key=key).changes()
    assert found == ["signature: entry 1: it was signed with no key"]


def test_openssl_agrees_with_the_signature(audited: Audited, tmp_path: Path) -> None:
    judged(audited)
    public = write_new_key(tmp_path / "release.key")
    row = accept(audited, signer=find_signer(tmp_path / "release.key")).entry.to_pylist()[0]
    (tmp_path / "body").write_bytes(row["body"].encode())
    (tmp_path / "signature").write_bytes(bytes.fromhex(row["signature"]))
    words = ["openssl", "pkeyutl", "-verify", "-rawin", "-pubin", "-inkey", str(public)]
    files = ["-in", str(tmp_path / "body"), "-sigfile", str(tmp_path / "signature")]
    done = subprocess.run(
        [*words, *files],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Signature Verified Successfully" in done.stdout, done.stderr


def test_the_private_key_is_neither_shown_nor_kept(
    audited: Audited, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "release.key"
    public = read_public_key(write_new_key(file))
    assert file.stat().st_mode & 0o777 == 0o600
    pem = file.read_text()
    monkeypatch.setenv(KEY_VARIABLE, pem)
    signer = find_signer(None)
    assert signer and signer.public_key == public
    judged(audited)
    made = accept(audited, signer=signer)
    secret = pem.splitlines()[1]
    told = made.to_json() + made.summary() + repr(signer)
    assert secret not in told
    stored = b"".join(
        path.read_bytes() for path in Path(audited.workspace.root).rglob("*") if path.is_file()
    )
    assert secret.encode() not in stored
    with pytest.raises(UsageError, match="not written over"):
        write_new_key(file)


def test_what_is_no_key_is_refused_and_not_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(KEY_VARIABLE, "hunter2")
    with pytest.raises(UsageError) as error:
        find_signer(None)
    assert "hunter2" not in str(error.value)
    rsa = tmp_path / "rsa.key"
    subprocess.run(
        ["openssl", "genpkey", "-algorithm", "X25519", "-out", str(rsa)],
        check=True,
        capture_output=True,
    )
    with pytest.raises(UsageError, match="key of another kind"):
        find_signer(rsa)
    with pytest.raises(UsageError, match="no public key"):
        read_public_key(rsa)
    with pytest.raises(ToolError, match="cannot be read"):
        find_signer(tmp_path / "missing.key")


def test_a_broken_ledger_takes_no_entry(workspace: Workspace) -> None:
    append_entry(workspace, SIGNOFFS, {"manifest": "train"})
    rows = workspace.read("signoffs").to_pylist()
    workspace.replace("signoffs", edited(rows, note="other"), manifest="train")
    with pytest.raises(ToolError, match="entry 0 has another 'note'"):
        append_entry(workspace, SIGNOFFS, {"manifest": "train"})


def edited(rows: list[dict[str, Any]], **changes: Any) -> Any:
    return pa.Table.from_pylist([{**row, **changes} for row in rows], schema=SIGNOFFS.schema)


APPEND = """
import sys
from asrdq.workspace import Workspace
from asrdq.gates.ledgers.ledger import append_entry
from asrdq.gates.tables import SIGNOFFS
workspace = Workspace.open(sys.argv[1])
for number in range(4):
    append_entry(workspace, SIGNOFFS, {"note": f"{sys.argv[2]}.{number}"})
"""


def append_at_once(root: str, desks: list[Path] | None = None) -> None:
    """Append from three processes at once; with desks, as machines with locks of their own."""
    processes = []
    for number in range(3):
        own = {"XDG_CACHE_HOME": str(desks[number])} if desks else {}
        words = [sys.executable, "-c", APPEND, root, str(number)]
        processes.append(subprocess.Popen(words, env={**cli_environment(), **own}))
    assert [process.wait() for process in processes] == [0, 0, 0]


def assert_one_chain(workspace: Workspace) -> None:
    entries = read_ledger(workspace, SIGNOFFS)
    assert [entry.body["sequence"] for entry in entries] == list(range(12))
    hashes = [hashlib.sha256(entry.row["body"].encode()).hexdigest() for entry in entries]
    assert [entry.body["previous"] for entry in entries] == [GENESIS, *hashes[:-1]]
    notes = {f"{process}.{number}" for process in range(3) for number in range(4)}
    assert {entry.body["note"] for entry in entries} == notes


@pytest.mark.slow
def test_three_processes_at_once_do_not_fork_the_chain(workspace: Workspace) -> None:
    append_at_once(str(workspace.root))
    assert_one_chain(workspace)


@pytest.mark.slow
def test_three_machines_at_once_do_not_fork_the_chain_on_s3(
    s3_workspace: Workspace, tmp_path: Path
) -> None:
    append_at_once(str(s3_workspace.root), [tmp_path / str(number) for number in range(3)])
    assert_one_chain(s3_workspace)


def test_another_version_of_the_manifest_is_not_what_was_signed(audited: Audited) -> None:
    from tests.gates.conftest import write_manifest

    from asrdq.manifests import ingest_manifest

    judged(audited)
    accept(audited)
    ingest_manifest(audited.workspace, [write_manifest(audited.folder, clean=101)], "train")
    assert verify(audited.workspace, "train").changes() == [
        "data: train@1: has other content than train@0, which was signed"
    ]
    assert verify(audited.workspace, "train@0").changes() == []
    with pytest.raises(UndecidedError, match="nobody has signed off train@1"):
        verify(audited.workspace, "train@1")
    assert audited.ask().verdict is Verdict.PROCEED


@pytest.mark.slow
def test_a_workspace_on_s3_is_signed_and_verified(
    s3_workspace: Workspace, s3_server: Any, bucket: str, tmp_path: Path
) -> None:
    from tests.gates.conftest import Audited, write_manifest

    from asrdq.manifests import ingest_manifest

    file = write_manifest(tmp_path, noisy=30, clean=10)
    ingest_manifest(s3_workspace, [file], "train")
    audited = judged(Audited(s3_workspace, tmp_path, s3_workspace.manifest("train")))
    made = accept(audited)
    assert made.body.policy.file == "policies/default.yaml"
    assert all(name.startswith("tables/manifests/train/") for name in made.body.data)
    assert verify(s3_workspace, "train", head=made.hash).changes() == []
    s3_server.client.put_object(Bucket=bucket, Key="ws/policies/default.yaml", Body=b"version: 1\n")
    (key,) = [key for key in s3_server.keys(bucket, "ws/tables/detections") if "parquet" in key]
    s3_server.client.delete_object(Bucket=bucket, Key=key)
    changes = verify(s3_workspace, "train").changes()
    assert changes[-1] == "policy: policies/default.yaml: has other content"
    assert [change.split(": ")[:2] for change in changes] == [
        ["evidence", "detections"],
        ["policy", "policies/default.yaml"],
    ]


def test_the_newest_check_by_each_suite_is_bound(audited: Audited) -> None:
    judged(audited)
    runs = []
    for suite, manifest in (("a", "train@0"), ("a", "train@0"), ("b", "train@7")):
        with audited.workspace.run("check", audited.manifest) as run:
            row = {"run_id": run.run_id, "manifest": manifest, "suite": suite, "success": True}
            audited.workspace.append("checks", pa.Table.from_pylist([row]))
            runs.append(run.run_id)
    made = accept(audited)
    assert {k: v for k, v in made.body.runs.items() if "check" in k} == {"check a": runs[1]}
    assert made.body.evidence["checks"].rows == 1
    assert made.body.evidence["runs"].rows == 5
    row["run_id"] = runs[0]
    audited.workspace.replace("checks", pa.Table.from_pylist([row]), run_id=runs[0])
    assert verify(audited.workspace, "train").changes() == []
    row = {**row, "run_id": runs[1], "suite": "a", "manifest": "train@0", "success": False}
    audited.workspace.replace("checks", pa.Table.from_pylist([row]), run_id=runs[1])
    assert verify(audited.workspace, "train").changes() == [
        "evidence: checks: its rows have other content"
    ]
