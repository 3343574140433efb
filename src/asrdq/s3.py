"""Talking to S3 through pyarrow: credentials from the usual chain, errors that people can read.

Nothing here takes, keeps or shows a credential: pyarrow and deltalake look for them on their own,
in the environment (`AWS_*`), in the profiles of `~/.aws` and at the role of the machine.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from asrdq.s3_address import S3Address
from asrdq.s3_errors import S3Error, endpoint, no_bucket, telling

if TYPE_CHECKING:
    from pyarrow.fs import FileInfo, S3FileSystem

CONNECT_TIMEOUT_S = 10
REQUEST_TIMEOUT_S = 60
REQUESTS_AT_ONCE = 16
COPY_BYTES = 8 << 20


@dataclass(frozen=True, slots=True)
class ObjectFacts:
    """What a server says of an object: its size, when it was written, and its ETag."""

    size_bytes: int
    mtime_ns: int
    etag: str


def filesystem(bucket: str) -> S3FileSystem:
    """Return the connection to a bucket; it tries again with growing pauses on its own."""
    return _connected(bucket, endpoint())


@cache
def _connected(bucket: str, server: str | None) -> S3FileSystem:
    from pyarrow.fs import S3FileSystem

    return S3FileSystem(
        endpoint_override=server,
        region=region(bucket),
        connect_timeout=CONNECT_TIMEOUT_S,
        request_timeout=REQUEST_TIMEOUT_S,
        allow_delayed_open=True,  # a small object is one request
    )


@cache
def region(bucket: str) -> str | None:
    """Return where a bucket lies: as AWS says, else as the environment does, else unknown."""
    from pyarrow.fs import resolve_s3_region

    if endpoint() is None:
        try:
            found: str = resolve_s3_region(bucket)
            return found
        except OSError:
            pass
    return os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")


def delta_options(bucket: str) -> dict[str, str]:
    """Return the `storage_options` of Delta tables in a bucket; credentials are not among them.

    A commit is a conditional put: the server takes it only while no other writer has made that
    version. deltalake looks for profiles and roles on servers other than AWS only when told so.
    """
    options = {"conditional_put": "etag", "aws_force_credential_load": "true"}
    server, where = endpoint(), region(bucket)
    if server:
        options["endpoint_url"] = server
        options["allow_http"] = str(server.startswith("http://")).lower()
    if where:
        options["region"] = where
    return options


def _info(path: S3Address) -> FileInfo:
    with telling(path):
        return filesystem(path.bucket).get_file_info(path.inner)


def kind_of(path: S3Address) -> str | None:
    """Return `file`, `folder`, or None where nothing is there."""
    from pyarrow.fs import FileType

    kinds = {FileType.File: "file", FileType.Directory: "folder"}
    return kinds.get(_info(path).type)


def open_object(path: S3Address) -> Any:
    """Open an object to be read, at any position."""
    with telling(path):
        return filesystem(path.bucket).open_input_file(path.inner)


def stat_object(path: S3Address) -> tuple[int, int]:
    """Return size in bytes and time in nanoseconds of an object; raises as `object_facts`."""
    info = _info(path)
    if not info.is_file:
        raise FileNotFoundError(2, "there is no such object", str(path))
    return info.size, info.mtime_ns or 0


def object_facts(path: S3Address) -> ObjectFacts:
    """Return size, time and ETag of an object.

    Raises:
        FileNotFoundError: There is none.
        S3Error: The server cannot be reached, or refuses.
    """
    size_bytes, mtime_ns = stat_object(path)
    bucket = filesystem(path.bucket)
    with telling(path), bucket.open_input_stream(path.inner, compression=None) as stream:
        etag = stream.metadata().get("ETag", b"").decode().strip('"')
    return ObjectFacts(size_bytes, mtime_ns, etag)


def facts_of(paths: Sequence[S3Address]) -> list[ObjectFacts]:
    """Return the facts of several objects, asked for at once; raises as `object_facts`."""
    with ThreadPoolExecutor(REQUESTS_AT_ONCE) as pool:
        return list(pool.map(object_facts, paths))


def listed(folder: S3Address, *, recursive: bool = False) -> list[tuple[str, FileInfo]]:
    """Return the keys of what lies in a folder, in no order; nothing where it is not there."""
    from pyarrow.fs import FileSelector

    with telling(folder):
        selector = FileSelector(folder.inner, allow_not_found=True, recursive=recursive)
        infos = filesystem(folder.bucket).get_file_info(selector)
    cut = len(folder.bucket) + 1
    return [(info.path[cut:], info) for info in infos]


def check_bucket(path: S3Address) -> None:
    """Make sure that there is an answer for a bucket before work begins.

    Raises:
        S3Error: There is no such bucket, or its server cannot be reached. A refusal to look at the
            bucket itself is none: its objects may still be open.
    """
    try:
        if kind_of(S3Address(path.bucket, "")) is None:
            raise no_bucket(path)
    except S3Error as error:
        if not error.denied:
            raise


def check_readable(path: S3Address) -> None:
    """Make sure that objects of a bucket can be asked for, one of them being given.

    Raises:
        S3Error: As `check_bucket`; also where the bucket and the object are both refused.
    """
    try:
        check_bucket(path)
        kind_of(S3Address(path.bucket, ""))
    except S3Error as error:
        if not error.denied:
            raise
        kind_of(path)


def upload(source: Path, target: S3Address) -> None:
    """Copy a file to S3, where it appears whole or not at all.

    It is written by another thread, which Ctrl-C does not end: a stream of pyarrow that is left
    open is completed as it is, not dropped.

    Raises:
        S3Error: The server cannot be reached, or refuses.
    """
    with telling(target), ThreadPoolExecutor(1) as thread:
        thread.submit(_write, source, target).result()
    if stat_object(target)[0] != source.stat().st_size:
        raise S3Error("what was written is not what is there", str(target), "try again")


def _write(source: Path, target: S3Address) -> None:
    out = filesystem(target.bucket).open_output_stream(target.inner, compression=None)
    with source.open("rb") as file:
        while piece := file.read(COPY_BYTES):
            out.write(piece)
    out.close()


def pieces(source: S3Address) -> Iterator[bytes]:
    """Give the content of an object piece by piece.

    Raises:
        FileNotFoundError: There is no such object.
        S3Error: The server cannot be reached, or refuses.
    """
    with telling(source):
        stream = filesystem(source.bucket).open_input_stream(source.inner, compression=None)
    with stream:
        while True:
            with telling(source):
                piece: bytes = stream.read(COPY_BYTES)
            if not piece:
                return
            yield piece


def download(source: S3Address, target: Path) -> None:
    """Copy an object to a file; raises as `pieces`."""
    with target.open("wb") as out:
        out.writelines(pieces(source))


def delete_object(path: S3Address) -> None:
    """Delete an object; one that is not there is none the less gone."""
    with telling(path):
        try:
            filesystem(path.bucket).delete_file(path.inner)
        except FileNotFoundError:
            return
