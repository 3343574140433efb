"""Manifests on S3: they are copied to the disk first, and read there as any other."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

from asrdq.errors import AsrdqError, Problem, ToolError, UsageError, unknown
from asrdq.manifests.formats.audio_names import AUDIO_SUFFIXES
from asrdq.places import Place, S3Path, within
from asrdq.workspace.locks import LifeSign, is_alive

if TYPE_CHECKING:
    from asrdq.workspace.layout import Layout

_PREFIX = "fetch-"


@dataclass
class Fetched:
    """Manifests as they lie on the disk.

    Attributes:
        paths: Files and folders in the order in which they were named.
        origins: The folder of each copy, with what stands there in its place on S3.
        objects: Address, size and ETag of each object that was copied.
    """

    paths: list[Path] = field(default_factory=list)
    origins: dict[str, str] = field(default_factory=dict)
    objects: list[dict[str, Any]] = field(default_factory=list)

    def named(self, text: str) -> str:
        """Return a text that says where things are on S3 and not where their copies are."""
        for copy, origin in self.origins.items():
            text = text.replace(copy, origin)
        return text


@contextmanager
def fetched(
    places: Sequence[Place], layout: Layout, advance: Callable[[int], None]
) -> Iterator[Fetched]:
    """Give manifests as paths of this disk; copies are cleared away at the end.

    Of audio in a folder only the names are copied. Errors inside name what lies on S3.

    Args:
        places: Files, folders and addresses; `*` in the name of an address stands for any text.
        layout: Where copies go: beside the files of ingests in the making.
        advance: Told of the number of bytes copied.

    Raises:
        UsageError: Something is not there.
        ToolError: There is no room, or an object changed on the way.
        S3Error: The server cannot be reached, or refuses.
    """
    result = Fetched()
    if not any(isinstance(each, S3Path) for each in places):
        result.paths = [Path(str(each)) for each in places]
        yield result
        return
    _clear(layout)
    name = f"{_PREFIX}{secrets.token_hex(8)}"
    sign = LifeSign(layout.lock(name))
    folder = layout.staging.resolve() / name
    try:
        folder.mkdir(parents=True)
        for given in places:
            if isinstance(given, S3Path):
                for found in _matching(given):
                    _fetch(found, folder / str(len(result.paths)), result, advance)
            else:
                result.paths.append(given)
        yield result
    except AsrdqError as error:
        raise _renamed(error, result) from error.__cause__
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        sign.end()


def _clear(layout: Layout) -> None:
    """Remove the copies of processes that were killed."""
    for left in layout.staging.glob(f"{_PREFIX}*"):
        if not is_alive(layout.lock(left.name)):
            shutil.rmtree(left, ignore_errors=True)
            layout.lock(left.name).unlink(missing_ok=True)


def _matching(given: S3Path) -> list[S3Path]:
    if "*" not in given.name:
        return [given]
    found = [item for item in given.parent.iterdir() if fnmatchcase(item.name, given.name)]
    if not found:
        raise UsageError("nothing has such a name", where=str(given))
    return found


def _fetch(origin: S3Path, folder: Path, result: Fetched, advance: Callable[[int], None]) -> None:
    """Copy an object or a folder into a folder of its own, under its own name."""
    from asrdq.s3 import check_bucket, download, facts_of, kind_of, listed

    check_bucket(origin)
    kind = kind_of(origin)
    if kind is None:
        names = [item.name for item in origin.parent.iterdir()]
        close = unknown("file", origin.name, names)
        raise UsageError("no such file", where=str(origin), hint=close.hint if names else None)
    if kind == "file":
        wanted, bare = [origin], []
    else:
        keys = [key for key, info in listed(origin, recursive=True) if info.is_file]
        inside = [S3Path(origin.bucket, key) for key in keys]
        bare = [path for path in inside if path.suffix.lower() in AUDIO_SUFFIXES]
        wanted = sorted(set(inside).difference(bare))
    copy = folder / (origin.name or origin.bucket)
    result.origins[str(copy)] = str(origin)
    result.paths.append(copy)
    facts = facts_of(wanted)
    sizes: list[int] = []
    _check_room(sum(each.size_bytes for each in facts), folder.parent, origin)
    for path in (*wanted, *bare):
        target = copy / (within(path, origin) or "") if kind == "folder" else copy
        target.parent.mkdir(parents=True, exist_ok=True)
        if path in bare:
            target.touch()
            continue
        download(path, target)
        sizes.append(target.stat().st_size)
        advance(sizes[-1])
    for path, size, before, now in zip(wanted, sizes, facts, facts_of(wanted), strict=True):
        if before != now or size != now.size_bytes:
            raise ToolError("it was changed while it was read", where=str(path), hint="try again")
        result.objects.append(
            {"address": str(path), "size_bytes": now.size_bytes, "etag": now.etag}
        )


def _check_room(size: int, folder: Path, origin: S3Path) -> None:
    free = shutil.disk_usage(folder).free
    if size > free:
        raise ToolError(
            f"it is copied to the disk to be read: {size / 1e9:,.1f} GB, and {folder} has "
            f"{free / 1e9:,.1f} GB left",
            where=str(origin),
            hint="make room; for a workspace on S3, XDG_CACHE_HOME names another disk",
        )


def _renamed(error: AsrdqError, result: Fetched) -> AsrdqError:
    """Put what lies on S3 into the place of its copy, in all that an error says."""
    error.message = result.named(error.message)
    error.where = error.where and result.named(error.where)
    error.hint = error.hint and result.named(error.hint)
    error.problems = tuple(
        Problem(result.named(item.message), item.file and result.named(item.file), item.line)
        for item in error.problems
    )
    error.args = (str(error),)
    return error
