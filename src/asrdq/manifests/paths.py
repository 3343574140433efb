"""The audio paths of a block: absolute, relative to the root, and the folder in common."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from asrdq.manifests.memory import memory_of

if TYPE_CHECKING:
    import pyarrow as pa

_UNTIDY = r"(^|/)\.{1,2}(/|$)|[^:]//|^//"
_LONGEST_BYTES = 2**30


@dataclass(frozen=True, slots=True)
class Root:
    """The audio root of an ingest.

    Attributes:
        folder: The root, absolute; empty while nothing is known.
        fixed: Whether it was given; otherwise it moves up until all absolute paths are in it.
    """

    folder: str
    fixed: bool

    def widened(self, folder: str | None) -> Root:
        """Return the root that also holds a folder, unless the root is fixed."""
        if self.fixed or folder is None:
            return self
        wider = common_folder([self.folder, folder]) if self.folder else folder
        return self if wider == self.folder else Root(wider, False)


@dataclass(frozen=True, slots=True)
class Located:
    """Where the clips of a block are.

    Attributes:
        full: Absolute path of each clip.
        absolute: Whether the manifest gives the absolute path.
        common: Folder that holds all clips, and the folder that relative paths start from.
    """

    full: pa.ChunkedArray
    absolute: pa.ChunkedArray
    common: str | None


def locate(paths: pa.ChunkedArray, folder: str) -> Located:
    """Return absolute, tidy paths; relative ones start from `folder`."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if _may_be_untidy(paths) and pc.any(pc.match_substring_regex(paths, _UNTIDY)).as_py():
        tidied = [posixpath.normpath(p) if "://" not in p else p for p in paths.to_pylist()]
        paths = pa.chunked_array([pa.array(tidied, pa.string())])
    absolute = pc.starts_with(paths, "/")
    if not pc.all(absolute).as_py():
        absolute = pc.or_(absolute, pc.match_substring(paths, "://"))
    relative = pc.invert(absolute)
    if not pc.any(relative).as_py():
        return Located(paths, absolute, _common(paths))
    joined = pc.binary_join_element_wise(folder.rstrip("/"), paths, "/")
    escaping = pc.and_(relative, pc.starts_with(paths, "../"))
    if pc.any(escaping).as_py():
        tidied = [posixpath.normpath(path) for path in joined.to_pylist()]
        joined = pa.chunked_array([pa.array(tidied, pa.string())])
    full = pc.if_else(absolute, paths, joined)
    outside = _common(full.filter(pc.or_(absolute, escaping)))
    common = folder if outside is None else common_folder([outside, folder])
    return Located(full, absolute, common)


def _may_be_untidy(paths: pa.ChunkedArray) -> bool:
    """Return whether `//`, `/.` or `./` stands anywhere in the memory of the paths."""
    for piece in memory_of(paths):
        slash, dot = piece == ord("/"), piece == ord(".")
        if (slash[:-1] & (slash[1:] | dot[1:])).any() or (dot[:-1] & slash[1:]).any():
            return True
    return False


def _common(paths: pa.ChunkedArray) -> str | None:
    """Return the folder all paths have in common: that of the first and last in byte order."""
    import pyarrow.compute as pc

    limits = pc.min_max(paths).as_py()
    if limits["min"] is None:
        return None
    return common_folder(posixpath.dirname(path) for path in limits.values())


def common_folder(folders: Iterable[str]) -> str:
    """Return the deepest folder that holds all of the given ones."""
    split = [folder.rstrip("/").split("/") for folder in folders]
    common = []
    for parts in zip(*split, strict=False):
        if len(set(parts)) > 1:
            break
        common.append(parts[0])
    return "/".join(common) or "/"


def keys_under(full: pa.ChunkedArray, root: str) -> pa.ChunkedArray:
    """Return paths relative to the root; those outside it stay absolute."""
    import pyarrow.compute as pc

    prefix = root.rstrip("/") + "/"
    inside = pc.starts_with(full, prefix)
    if pc.all(inside).as_py():
        return _without(full, len(prefix.encode()))
    return pc.if_else(inside, pc.utf8_slice_codeunits(full, len(prefix)), full)


def _without(texts: pa.ChunkedArray, count: int) -> pa.ChunkedArray:
    """Cut `count` bytes off the front of texts; many times quicker than to cut characters."""
    import pyarrow as pa
    import pyarrow.compute as pc

    pieces = [
        pc.binary_slice(chunk.view(pa.binary()), count, stop=_LONGEST_BYTES).view(pa.string())
        for chunk in texts.chunks
    ]
    return pa.chunked_array(pieces, pa.string())
