"""The formats of hypotheses, and which one a file has."""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Final

from asrdq.errors import DataError, UsageError, unknown
from asrdq.hypotheses.columns import HYPOTHESIS, NAMES
from asrdq.hypotheses.formats.ctm import CtmHypotheses
from asrdq.hypotheses.formats.json_array import JsonArrayHypotheses
from asrdq.hypotheses.formats.parquet import ParquetHypotheses, readable_aliases
from asrdq.hypotheses.formats.trn import TrnHypotheses
from asrdq.manifests.columns import AUDIO_PATH, UTT_ID, Aliases
from asrdq.manifests.formats.delimited import CsvFormat, TsvFormat
from asrdq.manifests.formats.lines import BOM
from asrdq.manifests.formats.nemo import NemoFormat
from asrdq.manifests.formats.opening import read_head
from asrdq.manifests.formats.parquet import MAGIC
from asrdq.manifests.formats.protocol import ManifestFormat

AUTO = "auto"

_NUMBER = rb"-?\d+(\.\d+)?"
_CTM_LINE: Final = re.compile(rb"\S+\s+\S+\s+" + _NUMBER + rb"\s+" + _NUMBER + rb"\s+\S+")
_TRN_LINE: Final = re.compile(rb".*\([^()\s]+\)\s*")

FORMATS: Final[dict[str, type]] = {
    "jsonl": NemoFormat,
    "json": JsonArrayHypotheses,
    "csv": CsvFormat,
    "tsv": TsvFormat,
    "parquet": ParquetHypotheses,
    "trn": TrnHypotheses,
    "ctm": CtmHypotheses,
}


def hypothesis_format(
    name: str, path: Path, aliases: Aliases = NAMES
) -> tuple[str, ManifestFormat]:
    """Return the format of a file of hypotheses: the one that is named, or the one it has.

    Args:
        name: A key of `FORMATS`, or `auto`.
        path: The file.
        aliases: Names that its columns may have.

    Raises:
        DataError: The file is empty.
        UsageError: There is no such file or format, or the file looks like none.
    """
    if name not in FORMATS and name != AUTO:
        raise unknown("format of hypotheses", name, [*FORMATS, AUTO])
    if path.is_dir():
        raise UsageError("is a folder", where=str(path), hint="name the file of hypotheses in it")
    head = read_head(path)
    if not head.strip(BOM + b" \t\r\n"):
        raise DataError("the file is empty: there is no hypothesis in it", where=str(path))
    chosen = _sniff(path, head) if name == AUTO else name
    found = copy.copy(FORMATS[chosen]())
    found.aliases = readable_aliases(path, aliases) if chosen == "parquet" else aliases
    return chosen, found


def _sniff(path: Path, head: bytes) -> str:
    if head.startswith(MAGIC):
        return "parquet"
    text = head.removeprefix(BOM).lstrip()
    if text[:1] in (b"{", b"["):
        return "jsonl" if text[:1] == b"{" else "json"
    suffix = Path(path.name.lower().removesuffix(".gz")).suffix.removeprefix(".")
    if suffix in ("csv", "tsv", "trn", "ctm"):
        return suffix
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith(b";;")]
    first = lines[0] if lines else b""
    for delimiter, name in ((b"\t", "tsv"), (b",", "csv")):
        names = {cell.strip(b'" ').decode(errors="replace") for cell in first.split(delimiter)}
        if names & {*NAMES[HYPOTHESIS]} and names & {*NAMES[UTT_ID], *NAMES[AUDIO_PATH]}:
            return name
    if _TRN_LINE.fullmatch(first):
        return "trn"
    if _CTM_LINE.match(first):
        return "ctm"
    raise UsageError(
        "the format of these hypotheses is not recognised",
        where=str(path),
        hint=f"give the file the suffix of its format: {', '.join(FORMATS)}",
    )
