"""Reading tar archives that may be hostile: nothing is unpacked, and all is bounded."""

from __future__ import annotations

import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from asrdq.errors import DataError
from asrdq.manifests.formats.audio_names import shown_name
from asrdq.manifests.formats.opening import opened

LARGEST_MEMBER_BYTES = 512 << 20
LARGEST_ARCHIVE_BYTES = 256 << 30
MOST_MEMBERS = 5_000_000


class Member:
    """A regular file in an archive; its content can be read until the next one is asked for."""

    def __init__(self, name: str, size: int, read: Callable[[], bytes]) -> None:
        self.name, self.size, self.read = name, size, read


class Archive:
    """The members of a tar archive in order, read once from its beginning to its end."""

    def __init__(self, path: Path, tar: tarfile.TarFile, consumed: Callable[[], int]) -> None:
        self._path, self._tar, self.consumed = path, tar, consumed

    def __iter__(self) -> Iterator[Member]:
        total = 0
        for number, info in enumerate(self._headers(), 1):
            self._check(info)
            total += info.size
            if total > LARGEST_ARCHIVE_BYTES or number > MOST_MEMBERS:
                raise self._refused(info, "is one too many: the archive is too large")
            if info.isreg():
                name = shown_name(str(PurePosixPath(info.name)))
                yield Member(name, info.size, self._reader(info))

    def _headers(self) -> Iterator[tarfile.TarInfo]:
        with _told_as_damage(self._path):
            yield from self._tar

    def _check(self, info: tarfile.TarInfo) -> None:
        name = PurePosixPath(info.name)
        if name.is_absolute() or ".." in name.parts or "\0" in info.name:
            raise self._refused(info, "leads out of the archive")
        if not (info.isreg() or info.isdir()):
            raise self._refused(info, "is a link or a device, not a file")
        if info.size > LARGEST_MEMBER_BYTES:
            raise self._refused(info, f"is larger than {LARGEST_MEMBER_BYTES >> 20} MB")

    def _reader(self, info: tarfile.TarInfo) -> Callable[[], bytes]:
        def read() -> bytes:
            with _told_as_damage(self._path):
                stream = self._tar.extractfile(info)
                assert stream is not None
                return stream.read()

        return read

    def _refused(self, info: tarfile.TarInfo, why: str) -> DataError:
        return DataError(f"the archive is refused: {info.name!r:.200} {why}", where=str(self._path))


@contextmanager
def open_archive(path: Path) -> Iterator[Archive]:
    """Open a tar archive, plain or compressed with gzip.

    Raises:
        DataError: It is damaged or hostile, also on reading from it.
        UsageError: It is not there.
    """
    with opened(path) as source:
        with _told_as_damage(path):
            tar = tarfile.open(fileobj=source.stream, mode="r|", bufsize=1 << 20)  # noqa: SIM115
        with tar:
            yield Archive(path, tar, source.consumed)


@contextmanager
def _told_as_damage(path: Path) -> Iterator[None]:
    """Tell what goes wrong with headers; some nonsense in them is a ValueError of tarfile's."""
    try:
        yield
    except (tarfile.TarError, ValueError, OverflowError) as error:
        raise DataError(f"the archive is damaged: {error}", where=str(path)) from error
