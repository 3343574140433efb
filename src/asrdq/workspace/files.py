"""Files that appear complete or not at all."""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, cast

from asrdq.errors import ToolError
from asrdq.places import Place, S3Path


@contextmanager
def whole_file(path: Place) -> Iterator[BinaryIO]:
    """Open a file to be written; it takes its place when the block ends without an error.

    Until then the bytes are in a hidden file of its own name beside it, so that neither a kill
    nor another process that writes the same file leaves half of one. The folder is made where
    it is missing.

    Raises:
        ToolError: The file cannot be written: no permission, a full disk, a folder in its place.

    Example:
        >>> with whole_file(Path("report.html")) as file:  # doctest: +SKIP
        ...     file.write(b"<p>fine</p>")
    """
    if isinstance(path, S3Path):
        with _object(path) as stream:
            yield stream
        return
    draft = path.parent / f".{secrets.token_hex(8)}.part"
    try:
        if path.exists() and not path.is_file():
            raise OSError("it is no regular file")
        path.parent.mkdir(parents=True, exist_ok=True)
        with draft.open("xb") as stream:
            yield stream
        draft.replace(path)
    except OSError as error:
        raise ToolError(f"cannot be written: {error.strerror or error}", where=str(path)) from error
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)


@contextmanager
def _object(target: S3Path) -> Iterator[BinaryIO]:
    from asrdq.s3 import upload

    with tempfile.NamedTemporaryFile(prefix="asrdq-") as draft:
        yield cast(BinaryIO, draft)
        draft.flush()
        upload(Path(draft.name), target)
