"""The formats there are, the shipped ones and those of plug-ins, and which one a file has."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from importlib.metadata import entry_points
from pathlib import Path

from asrdq.errors import DataError, ToolError, UsageError, unknown
from asrdq.manifests.columns import CANONICAL
from asrdq.manifests.formats.delimited import CsvFormat, TsvFormat
from asrdq.manifests.formats.nemo import NemoFormat
from asrdq.manifests.formats.protocol import ManifestFormat

GROUP = "asrdq.formats"
AUTO = "auto"
_HEAD_BYTES = 65_536


def formats() -> dict[str, ManifestFormat]:
    """Return all formats by name, the shipped ones first.

    Raises:
        ToolError: A plug-in cannot be loaded or is not a format.
    """
    found: dict[str, ManifestFormat] = {
        shipped.name: shipped for shipped in (NemoFormat(), CsvFormat(), TsvFormat())
    }
    for point in entry_points(group=GROUP):
        if point.name in found:
            continue
        try:
            plug_in = point.load()()
        except Exception as error:
            raise ToolError(f"the format '{point.name}' cannot be loaded: {error}") from error
        if not isinstance(plug_in, ManifestFormat):
            raise ToolError(f"'{point.value}' is not a manifest format", hint="see ManifestFormat")
        found[point.name] = plug_in
    return found


def find_format(name: str) -> ManifestFormat:
    """Return the format of a name.

    Raises:
        UsageError: There is none; the nearest name is given.
    """
    known = formats()
    if name not in known:
        raise unknown("format", name, [*known, AUTO])
    return known[name]


def with_columns(chosen: ManifestFormat, columns: Mapping[str, str]) -> ManifestFormat:
    """Return a format that looks for canonical columns under names that a file gives them.

    Raises:
        UsageError: One of the columns is not canonical.
    """
    for canonical in columns:
        if canonical not in CANONICAL:
            raise unknown("column of a manifest", canonical, CANONICAL)
    own = copy.copy(chosen)
    own.aliases = {**chosen.aliases, **{column: (name,) for column, name in columns.items()}}
    return own


def sniff_format(path: Path) -> ManifestFormat:
    """Return the format that a file has, by its name and first bytes.

    Raises:
        DataError: The file is empty.
        UsageError: It looks like none, or cannot be read.
    """
    head = read_head(path)
    if not head.strip(b"\xef\xbb\xbf \t\r\n"):
        raise DataError("the manifest is empty", where=str(path))
    for known in formats().values():
        if known.sniff(path, head):
            return known
    raise UsageError(
        "the format of this file is not recognised",
        where=str(path),
        hint=f"name it with --format: {', '.join(formats())}",
    )


def read_head(path: Path) -> bytes:
    """Return the first bytes of a file.

    Raises:
        UsageError: It is missing, a folder, or cannot be read.
    """
    try:
        with path.open("rb") as stream:
            return stream.read(_HEAD_BYTES)
    except IsADirectoryError:
        raise UsageError(
            "is a folder", where=str(path), hint=f"name the files in it: {path}/*.jsonl"
        ) from None
    except FileNotFoundError as error:
        raise missing_file(path) from error
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", where=str(path)) from error


def missing_file(path: Path) -> UsageError:
    """Return the error for a file that is not there, naming the nearest that is."""
    folder = path.parent
    if not folder.is_dir():
        return UsageError("no such file: its folder does not exist", where=str(path))
    names = [item.name for item in folder.iterdir() if item.is_file()]
    close = unknown("file", path.name, names)
    return UsageError("no such file", where=str(path), hint=close.hint if names else None)
