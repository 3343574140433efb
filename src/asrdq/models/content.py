"""Which model it is: a hash of what its files hold, whatever they are called."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from asrdq.errors import ToolError
from asrdq.places import file_digest

_DIGITS: Final = 16


def file_digests(model: Path, *, hidden: bool = True) -> dict[str, str]:
    """Return the SHA-256 of each file of a model, by its name in the folder that the model is.

    A model that is one file has that file, by its own name.

    Args:
        model: A file or a folder.
        hidden: Whether hidden files of a folder are read too.

    Raises:
        ToolError: It is not there, or cannot be read.
    """
    if not model.is_dir():
        return {model.name: file_digest(model)}
    try:
        files = [path for path in sorted(model.rglob("*")) if path.is_file()]
    except OSError as error:
        raise ToolError(f"cannot be read: {error.strerror}", where=str(model)) from error
    named = {path.relative_to(model).as_posix(): path for path in files}
    return {
        name: file_digest(path) for name, path in named.items() if hidden or not _is_hidden(name)
    }


def content_hash(model: Path, digests: Mapping[str, str] | None = None) -> str:
    """Return the hash of a file, or of a folder with the names in it: 16 hexadecimal digits.

    Hidden files of a folder do not count.

    Args:
        model: A file or a folder.
        digests: What `file_digests` has said of it; without them its files are read.

    Raises:
        ToolError: It is not there, or cannot be read.
    """
    if digests is None:
        digests = file_digests(model, hidden=False)
    if not model.is_dir():
        return digests[model.name][:_DIGITS]
    whole = hashlib.sha256()
    for name, digest in digests.items():
        if not _is_hidden(name):
            whole.update(f"{name}\0{digest}\n".encode())
    return whole.hexdigest()[:_DIGITS]


def _is_hidden(name: str) -> bool:
    return any(part.startswith(".") for part in name.split("/"))
