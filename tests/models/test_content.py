"""Which model it is: by the bytes of its files and, in a folder, their names."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest

from asrdq.errors import ToolError
from asrdq.models.content import content_hash, file_digests


def hexed(content: bytes) -> str:
    return sha256(content).hexdigest()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A model in three files, one of them hidden."""
    model = tmp_path / "model"
    for name in ("weights.bin", "deep/config.json", ".cache/state"):
        (model / name).parent.mkdir(parents=True, exist_ok=True)
        (model / name).write_bytes(name.encode())
    return model


def test_a_file_is_what_it_holds_whatever_it_is_called(tmp_path: Path) -> None:
    for name in ("model.nemo", ".model.nemo"):
        (tmp_path / name).write_bytes(b"weights")
        assert file_digests(tmp_path / name) == {name: hexed(b"weights")}
        assert content_hash(tmp_path / name) == hexed(b"weights")[:16]


def test_a_folder_is_its_names_and_what_they_hold(folder: Path) -> None:
    seen = {name: hexed(name.encode()) for name in ("deep/config.json", "weights.bin")}
    lines = "".join(f"{name}\0{digest}\n" for name, digest in seen.items())
    assert content_hash(folder) == hexed(lines.encode())[:16]
    assert file_digests(folder, hidden=False) == seen
    assert file_digests(folder) == {".cache/state": hexed(b".cache/state"), **seen}


def test_files_that_were_read_are_not_read_again(folder: Path) -> None:
    known, digests = content_hash(folder), file_digests(folder)
    (folder / "weights.bin").unlink()
    assert content_hash(folder, digests) == known
    assert content_hash(folder) != known


def test_a_model_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="cannot be read: No such file"):
        content_hash(tmp_path / "none")
