"""Files appear whole or not at all, and every failure to write one is told alike."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from asrdq.errors import ToolError
from asrdq.workspace.files import whole_file


@contextmanager
def disk_of(size: int) -> Iterator[None]:
    """Let no file grow beyond a size: writing fails as it does on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def write(path: Path, content: bytes) -> None:
    with whole_file(path) as file:
        file.write(content)


def test_the_folder_is_made_and_the_old_content_replaced(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "file"
    for content in (b"old", b"new"):
        write(path, content)
        assert path.read_bytes() == content
    assert list(path.parent.iterdir()) == [path]


def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write(path, b"old")
    with disk_of(1000), pytest.raises(ToolError, match="cannot be written: File too large"):
        write(path, bytes(100_000))
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_an_error_of_the_writer_leaves_the_old_file_and_stays_itself(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write(path, b"old")
    with pytest.raises(KeyError), whole_file(path) as file:
        file.write(b"half")
        raise KeyError
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_two_writers_of_one_file_do_not_meet(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with whole_file(path) as slow:
        slow.write(b"slow ")
        write(path, b"quick")
        assert path.read_bytes() == b"quick"
        slow.write(b"and last")
    assert path.read_bytes() == b"slow and last"


@pytest.mark.parametrize("place", ["folder", "file/in/it", "x" * 300])
def test_what_cannot_be_written_is_a_tool_error(tmp_path: Path, place: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(ToolError, match="cannot be written") as caught:
        write(tmp_path / place, b"")
    assert caught.value.where == str(tmp_path / place)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]


def test_a_device_is_not_replaced_by_a_file() -> None:
    with pytest.raises(ToolError, match="no regular file"):
        write(Path("/dev/null"), b"")
    assert Path("/dev/null").is_char_device()
