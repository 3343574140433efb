"""Versions of equal fingerprint that an audit does not answer for: other audio, other strata."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from asrdq.gates import Verdict
from asrdq.manifests import ingest_manifest

if TYPE_CHECKING:
    from tests.gates.conftest import Audited

pytestmark = pytest.mark.slow


def on_another_mount(audited: Audited, folder: Path, shift: int) -> None:
    """Ingest the manifest from another folder, where each file holds what one further on held."""
    folder.mkdir()
    files = sorted(audited.folder.glob("*.wav"))
    for place, file in enumerate(files):
        shutil.copy(files[(place + shift) % len(files)], folder / file.name)
    before = audited.manifest
    text = (audited.folder / "train.jsonl").read_text(encoding="utf-8")
    manifest = folder / "train.jsonl"
    manifest.write_text(text.replace(str(audited.folder), str(folder)), encoding="utf-8")
    ingest_manifest(audited.workspace, [manifest], "train", audio_root=folder)
    audited.manifest = audited.workspace.manifest("train")
    assert audited.manifest.version != before.version
    assert audited.manifest.fingerprint == before.fingerprint


@pytest.fixture
def rooted(audited: Audited) -> Audited:
    """The manifest ingested with its folder as the audio root, and audited."""
    file = audited.folder / "train.jsonl"
    ingest_manifest(audited.workspace, [file], "train", audio_root=audited.folder)
    audited.manifest = audited.workspace.manifest("train")
    audited.write_audit()
    return audited


def test_the_same_audio_on_another_mount_keeps_its_verdict(rooted: Audited, tmp_path: Path) -> None:
    on_another_mount(rooted, tmp_path / "b", 0)
    shutil.rmtree(rooted.folder)
    rooted.folder.mkdir()
    assert rooted.ask().verdict is Verdict.PROCEED


def test_other_audio_on_another_mount_is_not_what_was_audited(
    rooted: Audited, tmp_path: Path
) -> None:
    on_another_mount(rooted, tmp_path / "b", 1)
    result = rooted.ask()
    [reason] = result.reasons
    assert (result.verdict, reason.code) == ("UNDECIDED", "changed_audio")
    assert reason.message.startswith("the audio of 400 clips is not what was audited")


def called_clean(audited: Audited, rows: slice) -> None:
    """Ingest the manifest again with another domain in some rows."""
    file = audited.folder / "train.jsonl"
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    for row in lines[rows]:
        row["domain"] = "clean"
    file.write_text("".join(json.dumps(row) + "\n" for row in lines), encoding="utf-8")
    ingest_manifest(audited.workspace, [file], "train")
    audited.manifest = audited.workspace.manifest("train")


def test_strata_that_have_changed_need_another_audit(audited: Audited) -> None:
    audited.write_audit()
    before = audited.manifest
    called_clean(audited, slice(0, 200))
    assert audited.manifest.fingerprint == before.fingerprint
    result = audited.ask()
    [reason] = result.reasons
    assert (result.verdict, reason.code) == ("UNDECIDED", "changed_strata")
    assert reason.hint == "asrdq audit train"
    assert result.measures is None
    audited.write_audit()
    assert audited.ask().verdict is Verdict.PROCEED


def test_an_older_audit_whose_strata_stand_still_answers(audited: Audited) -> None:
    first = audited.write_audit()
    before = audited.manifest
    called_clean(audited, slice(0, 200))
    audited.write_audit()
    audited.manifest = before
    result = audited.ask()
    assert result.verdict is Verdict.PROCEED
    assert result.evidence.run is not None
    assert result.evidence.run["run_id"] == first
