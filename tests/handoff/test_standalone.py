"""A bundle verifies as it was written, and any change of any byte, file or clip is found."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asrdq.handoff import NothingToVerifyError, Verification, standalone, verify_bundle

TEXTS = {
    "README.md": b"# what it is\n",
    "data/train.jsonl": b'{"audio_filepath": "a.wav", "text": "a"}\n' * 3,
    "launch/local.sh": b"#!/usr/bin/env bash\n",
    "verify.py": Path(standalone.__file__).read_bytes()[:200],
}


def write_bundle(folder: Path) -> Path:
    """A bundle of four clips, of which two have a hash."""
    bundle = folder / "bundle"
    lines = []
    for number in range(4):
        clip = folder / f"clip {number}.wav"
        clip.write_bytes(b"sound %d" % number)
        row: dict[str, Any] = {"path": str(clip), "bytes": 7}
        if number < 2:
            row["blake2b"] = hashlib.blake2b(clip.read_bytes(), digest_size=16).hexdigest()
        lines.append(json.dumps(row) + "\n")
    files = {**TEXTS, "audio.jsonl": "".join(lines).encode()}
    for name, content in files.items():
        (bundle / name).parent.mkdir(parents=True, exist_ok=True)
        (bundle / name).write_bytes(content)
    named = {name: {"sha256": hashlib.sha256(text).hexdigest()} for name, text in files.items()}
    text = json.dumps({"schema_version": 1, "files": named}).encode()
    (bundle / "provenance.json").write_bytes(text)
    seal = f"{hashlib.sha256(text).hexdigest()}  provenance.json\n"
    (bundle / "provenance.json.sha256").write_text(seal)
    return bundle


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle that each test leaves as it found it."""
    return write_bundle(tmp_path_factory.mktemp("kept"))


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return write_bundle(tmp_path)


def verify(bundle: Path, **more: Any) -> Verification:
    return verify_bundle(str(bundle), **more)


def kinds(bundle: Path, **more: Any) -> list[tuple[str, str]]:
    return [(found.kind, Path(found.subject).name) for found in verify(bundle, **more).findings]


def test_what_was_not_changed_is_as_handed_off(bundle: Path) -> None:
    found = verify(bundle)
    assert found.findings == []
    assert found.exit_code() == 0
    assert (found.files, found.clips, found.hashed) == (7, 4, 2)
    assert "all as handed off" in found.summary()
    assert found.bundle_id == hashlib.sha256((bundle / "provenance.json").read_bytes()).hexdigest()


ALL = sorted([*TEXTS, "audio.jsonl", "provenance.json", "provenance.json.sha256"])


@given(name=st.sampled_from(ALL), place=st.integers(0, 10_000), bit=st.integers(0, 7))
def test_any_flipped_bit_in_any_file_is_found(kept: Path, name: str, place: int, bit: int) -> None:
    file = kept / name
    original = file.read_bytes()
    changed = bytearray(original)
    changed[place % len(changed)] ^= 1 << bit
    file.write_bytes(changed)
    try:
        found = verify(kept)
    finally:
        file.write_bytes(original)
    assert found.exit_code() == 1
    assert {item.subject for item in found.findings} & {name, "provenance.json.sha256"}


@given(name=st.sampled_from(ALL), more=st.binary(min_size=1, max_size=8))
def test_anything_that_is_added_to_any_file_is_found(kept: Path, name: str, more: bytes) -> None:
    file = kept / name
    original = file.read_bytes()
    file.write_bytes(original + more)
    try:
        assert verify(kept).exit_code() == 1
    finally:
        file.write_bytes(original)


@pytest.mark.parametrize("name", ALL)
def test_a_file_that_is_gone_is_found(bundle: Path, name: str) -> None:
    (bundle / name).unlink()
    assert ("missing", Path(name).name) in kinds(bundle)


@pytest.mark.parametrize("name", ALL)
def test_a_link_to_the_same_content_is_no_file_of_the_bundle(bundle: Path, name: str) -> None:
    away = bundle.parent / "away"
    (bundle / name).rename(away)
    (bundle / name).symlink_to(away)
    assert verify(bundle).exit_code() == 1


def test_an_added_row_is_found(bundle: Path) -> None:
    with (bundle / "data" / "train.jsonl").open("ab") as file:
        file.write(b'{"audio_filepath": "b.wav", "text": "b"}\n')
    assert kinds(bundle) == [("changed", "train.jsonl")]


@pytest.mark.parametrize("name", ["data/more.jsonl", "new.sh", ".hidden", "a b\n$(c)/x"])
def test_an_added_file_is_found(bundle: Path, name: str) -> None:
    (bundle / name).parent.mkdir(exist_ok=True)
    (bundle / name).write_bytes(b"")
    found = verify(bundle)
    assert ("added", name) in [(item.kind, item.subject) for item in found.findings]
    assert "\n" not in found.findings[0].message
    assert len(found.summary().splitlines()) == len(found.findings) + 1


def test_an_added_folder_and_an_added_link_are_found(bundle: Path) -> None:
    (bundle / "empty").mkdir()
    (bundle / "link").symlink_to("/etc")
    assert kinds(bundle) == [("added", "empty"), ("added", "link")]


def test_a_missing_clip_is_found(bundle: Path) -> None:
    (bundle.parent / "clip 3.wav").unlink()
    assert kinds(bundle) == [("audio_missing", "clip 3.wav")]
    assert kinds(bundle, audio=False) == []


def test_a_folder_in_the_place_of_a_clip_is_found(bundle: Path) -> None:
    (bundle.parent / "clip 3.wav").unlink()
    (bundle.parent / "clip 3.wav").mkdir()
    assert kinds(bundle) == [("audio_missing", "clip 3.wav")]


def test_other_bytes_are_found_where_a_hash_is_known_and_another_size_everywhere(
    bundle: Path,
) -> None:
    (bundle.parent / "clip 0.wav").write_bytes(b"noise 0")
    (bundle.parent / "clip 2.wav").write_bytes(b"noise 2")
    (bundle.parent / "clip 3.wav").write_bytes(b"longer noise")
    assert kinds(bundle) == [("audio_changed", "clip 0.wav"), ("audio_changed", "clip 3.wav")]


def test_a_bundle_that_was_written_anew_is_found_by_its_id(bundle: Path) -> None:
    bundle_id = verify(bundle).bundle_id
    said = json.loads((bundle / "provenance.json").read_text())
    (bundle / "README.md").write_text("something else")
    said["files"]["README.md"]["sha256"] = hashlib.sha256(b"something else").hexdigest()
    text = json.dumps(said).encode()
    (bundle / "provenance.json").write_bytes(text)
    (bundle / "provenance.json.sha256").write_bytes(
        standalone.seal_of(hashlib.sha256(text).hexdigest())
    )
    assert verify(bundle).findings == []
    assert kinds(bundle, expected_id=bundle_id) == [("seal", "provenance.json")]


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{}", b'{"files": {"a": 1}}', b"\xff", b"[" * 100_000]
)
def test_a_provenance_that_says_nothing_is_found(bundle: Path, content: bytes) -> None:
    (bundle / "provenance.json").write_bytes(content)
    found = verify(bundle)
    assert found.exit_code() == 1
    assert ("changed", "provenance.json") in kinds(bundle)


@pytest.mark.parametrize("line", [b"{}\n", b"[]\n", b"\xff\n", b"\n", b'{"path": "/x"}\n'])
def test_a_line_of_the_audio_that_says_nothing_is_found(bundle: Path, line: bytes) -> None:
    with (bundle / "audio.jsonl").open("ab") as file:
        file.write(line)
    assert kinds(bundle) == [("changed", "audio.jsonl")] * 2


def test_no_bundle_is_no_answer(tmp_path: Path) -> None:
    with pytest.raises(NothingToVerifyError):
        verify(tmp_path / "nowhere")
    assert kinds(tmp_path) == [("missing", "provenance.json")]


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-I", standalone.__file__, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_alone_it_gives_the_same_answer_with_nothing_but_the_standard_library(
    bundle: Path,
) -> None:
    fine = run(bundle, "--json")
    assert (fine.returncode, json.loads(fine.stdout)) == (0, verify(bundle).to_dict())
    (bundle / "README.md").write_text("no longer")
    (bundle.parent / "clip 1.wav").unlink()
    wrong = run(bundle, "--json")
    assert (wrong.returncode, json.loads(wrong.stdout)) == (1, verify(bundle).to_dict())
    assert len(json.loads(wrong.stdout)["findings"]) == 2
    told = run(bundle)
    assert "NOT AS HANDED OFF: changed README.md: has other content" in told.stdout
    assert run(bundle, "--no-audio", "--id", "0" * 64).returncode == 1
    assert run(bundle.parent / "nowhere").returncode == 3
    assert run("--what").returncode == 2


def test_it_imports_the_standard_library_alone() -> None:
    code = (
        "import runpy, sys; runpy.run_path(sys.argv[1]);"
        "print([m for m in sys.modules if m.partition('.')[0] not in sys.stdlib_module_names])"
    )
    command = [sys.executable, "-I", "-S", "-c", code, standalone.__file__]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['__main__']"
