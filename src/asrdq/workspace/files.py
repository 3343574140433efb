"""Files that appear complete or not at all."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from asrdq.errors import ToolError


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
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
