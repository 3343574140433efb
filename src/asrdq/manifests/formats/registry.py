"""The formats there are, the shipped ones and those of plug-ins, and which one a file has."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from importlib.metadata import entry_points
from pathlib import Path

from asrdq.errors import DataError, ToolError, UsageError, unknown
from asrdq.manifests.columns import AUDIO_PATH, CANONICAL
from asrdq.manifests.formats.an4 import An4Format
from asrdq.manifests.formats.common_voice import CommonVoiceFormat
from asrdq.manifests.formats.delimited import CsvFormat, TsvFormat
from asrdq.manifests.formats.huggingface import HuggingFaceFormat
from asrdq.manifests.formats.kaldi import KaldiFormat
from asrdq.manifests.formats.lhotse import LhotseFormat, LhotsePairFormat
from asrdq.manifests.formats.ljspeech import LJSpeechFormat
from asrdq.manifests.formats.nemo import NemoFormat
from asrdq.manifests.formats.nemo_tar import NemoTarFormat
from asrdq.manifests.formats.opening import is_a_folder, read_head
from asrdq.manifests.formats.parquet import ParquetFormat
from asrdq.manifests.formats.pattern import PatternFormat
from asrdq.manifests.formats.protocol import ManifestFormat, WritableFormat
from asrdq.manifests.formats.qwen import QwenFormat
from asrdq.manifests.formats.stm import StmFormat
from asrdq.manifests.formats.textgrid import TextGridFormat
from asrdq.manifests.formats.trn import TrnFormat

GROUP = "asrdq.formats"
AUTO = "auto"


_SHIPPED: tuple[type[ManifestFormat], ...] = (
    LhotseFormat,
    LhotsePairFormat,
    KaldiFormat,
    An4Format,
    NemoTarFormat,
    HuggingFaceFormat,
    LJSpeechFormat,
    ParquetFormat,
    TextGridFormat,
    StmFormat,
    QwenFormat,
    NemoFormat,
    CommonVoiceFormat,
    CsvFormat,
    TsvFormat,
    PatternFormat,
    TrnFormat,
)
"""In the order in which they look at a file: what is told by fewer signs comes later."""


def formats() -> dict[str, ManifestFormat]:
    """Return all formats by name, the shipped ones first.

    Raises:
        ToolError: A plug-in cannot be loaded or is not a format.
    """
    found: dict[str, ManifestFormat] = {kind.name: kind() for kind in _SHIPPED}
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


def find_writable(name: str) -> WritableFormat:
    """Return the format of a name if manifests can be written in it.

    Raises:
        UsageError: There is none, or it is only read.
    """
    found = find_format(name)
    if not isinstance(found, WritableFormat):
        able = [known.name for known in formats().values() if isinstance(known, WritableFormat)]
        raise UsageError(
            f"the format '{name}' is only read", hint=f"these are written: {', '.join(able)}"
        )
    return found


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
    """Return the format that a file or folder has, by its name and first bytes.

    Raises:
        DataError: The file is empty.
        UsageError: It looks like none, or cannot be read.
    """
    head = read_head(path)
    if not path.is_dir() and not head.strip(b"\xef\xbb\xbf \t\r\n"):
        raise DataError("the manifest is empty", where=str(path))
    for known in formats().values():
        if known.sniff(path, head):
            return known
    if path.is_dir():
        raise is_a_folder(path)
    readable = (name for name, known in formats().items() if AUDIO_PATH in known.aliases)
    raise UsageError(
        "the format of this file is not recognised",
        where=str(path),
        hint=f"name it with --format: {', '.join(readable)}",
    )
