"""Places: a path on a disk, or an address `s3://bucket/key` that is used in the same way."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from functools import total_ordering
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Final, TypeAlias, cast

from asrdq.errors import ToolError, UsageError
from asrdq.s3_address import S3Address

_CHUNK: Final = 2**20


@total_ordering
class S3Path(S3Address):
    """An object or folder of an S3 server, with the methods of `pathlib.Path` that are used here.

    A folder is a common prefix of keys: it is there as long as something is in it. Nothing opens
    an address as a local file by mistake, since it is no `os.PathLike`.
    """

    __slots__ = ()

    def __lt__(self, other: S3Path) -> bool:
        return str(self) < str(other)

    def __truediv__(self, part: str | PurePosixPath) -> S3Path:
        return S3Path(self.bucket, f"{self.key}/{part}".strip("/"))

    @property
    def name(self) -> str:
        """The last part of the key."""
        return PurePosixPath(self.key).name

    @property
    def suffix(self) -> str:
        """The end of the name from its last dot on."""
        return PurePosixPath(self.key).suffix

    @property
    def parent(self) -> S3Path:
        """The folder it lies in; a bucket is its own."""
        return S3Path(self.bucket, self.key.rpartition("/")[0])

    def expanduser(self) -> S3Path:
        """Return itself: an address has no home folder."""
        return self

    def resolve(self) -> S3Path:
        """Return itself: an address is absolute."""
        return self

    def is_file(self) -> bool:
        """Return whether there is an object at the address."""
        from asrdq.s3 import kind_of

        return kind_of(self) == "file"

    def is_dir(self) -> bool:
        """Return whether something lies under the address."""
        from asrdq.s3 import kind_of

        return kind_of(self) == "folder"

    def exists(self) -> bool:
        """Return whether there is an object at the address, or something under it."""
        from asrdq.s3 import kind_of

        return kind_of(self) is not None

    def iterdir(self) -> Iterator[S3Path]:
        """Give what lies directly in the folder, in order; nothing where it is not there."""
        from asrdq.s3 import listed

        return iter(sorted(S3Path(self.bucket, key) for key, _ in listed(self)))

    def open(self, mode: str = "rb") -> BinaryIO:
        """Open an object to be read, at any position.

        Raises:
            FileNotFoundError: There is none.
            S3Error: The server cannot be reached, or refuses.
        """
        from asrdq.s3 import open_object

        assert mode == "rb"
        return cast(BinaryIO, open_object(self))

    def read_bytes(self) -> bytes:
        """Return the content of an object; raises as `open`."""
        from asrdq.s3 import pieces

        return b"".join(pieces(self))

    def read_text(self, encoding: str = "utf-8") -> str:
        """Return the content of an object as text; raises as `open`."""
        return self.read_bytes().decode(encoding)

    def mkdir(self, parents: bool = False, exist_ok: bool = False) -> None:
        """Do nothing: folders come with what is written into them."""

    def unlink(self, missing_ok: bool = False) -> None:
        """Delete an object.

        Raises:
            S3Error: The server cannot be reached, or refuses.
        """
        from asrdq.s3 import delete_object

        delete_object(self)


Place: TypeAlias = Path | S3Path
"""Where something lies: a path or an address, used in the same way."""


def file_digest(file: Place) -> str:
    """Return the SHA-256 of a file as hex.

    Raises:
        ToolError: It cannot be read.
    """
    digest = hashlib.sha256()
    try:
        with file.open("rb") as stream:
            while piece := stream.read(_CHUNK):
                digest.update(piece)
    except OSError as error:
        raise ToolError(f"cannot be read: {error.strerror or error}", where=str(file)) from error
    return digest.hexdigest()


def within(path: Place, folder: Place) -> str | None:
    """Return a path as it is called in a folder; None where it lies elsewhere.

    >>> within(S3Path("speech", "ws/tables/runs"), S3Path("speech", "ws"))
    'tables/runs'
    """
    prefix = f"{folder}/"
    return str(path).removeprefix(prefix) if str(path).startswith(prefix) else None


def is_remote(path: str) -> bool:
    """Return whether a path is an address such as `s3://bucket/clip.wav`."""
    return "://" in path


def place(text: str | os.PathLike[str] | S3Path) -> Place:
    """Return the path or address that a person wrote.

    Raises:
        UsageError: It is an address of another kind, has no bucket, or holds credentials.
    """
    if isinstance(text, S3Path):
        return text
    text = os.fspath(text)
    return address(text) if is_remote(text) else Path(text)


def on_disk(text: str | os.PathLike[str]) -> Path:
    """Return a path of a disk, where nothing else will do.

    Raises:
        UsageError: It is an address.
    """
    found = place(text)
    if isinstance(found, S3Path):
        raise UsageError("this has to lie on a disk", where=str(found), hint="name a path")
    return found


def address(text: str) -> S3Path:
    """Return an address of S3.

    Raises:
        UsageError: As `place`; what may be a secret is never repeated.
    """
    scheme, _, rest = text.partition("://")
    bucket, _, key = rest.partition("/")
    if holds_credentials(text):
        raise UsageError(
            "credentials do not belong into an address",
            where=without_credentials(text),
            hint="give them as AWS does: AWS_PROFILE, AWS_ACCESS_KEY_ID …, or a role",
        )
    if scheme != "s3":
        raise UsageError(
            f"addresses of the kind {scheme}:// are not read",
            where=text.partition("?")[0],
            hint="s3://BUCKET/KEY",
        )
    if not bucket:
        raise UsageError("this address has no bucket", where=text, hint="s3://BUCKET/KEY")
    return S3Path(bucket, "/".join(part for part in key.split("/") if part))


def holds_credentials(text: str) -> bool:
    """Return whether something stands in an address where `key:secret@` does."""
    _, mark, rest = text.partition("://")
    server = rest.partition("/")[0]
    return bool(mark) and ("@" in server or ":" in server)


def without_credentials(text: str) -> str:
    """Return an address with *** in the place of what may be a secret."""
    scheme, _, rest = text.partition("?")[0].partition("://")
    _, at, after = rest.rpartition("@")
    return f"{scheme}://***{at}{after if at else ''}"
